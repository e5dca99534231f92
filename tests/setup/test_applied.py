"""What is in force: the site's file and, bound to it, what was accepted from afar."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from config.schema import ConfigError, load
from liftctl import accept, files
from liftctl.places import Places
from liftctl.setup.applied import Applied, no_gate, on_trial, overlay, read, write
from liftctl.support.clock import Now, after

DEMO = Path("config/sites/demo-lift.toml")
SITE = load(DEMO)
PLACES = Places(SITE.name)
OLD = Applied(SITE.hash, 1, {"limits.hoist_loaded_mm_s": 55.0})
NEW = Applied(SITE.hash, 2, {"limits.hoist_loaded_mm_s": 50.0, "title": "Room 1, slower"}, 1)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path))
    (tmp_path / SITE.name).mkdir()
    return tmp_path


def speed() -> float:
    site, fallback, _ = accept.load_or_fall_back(DEMO)
    return -1.0 if fallback else site.limits.hoist_loaded_mm_s


def test_what_is_in_force_lies_on_top_of_the_file() -> None:
    assert speed() == 60
    write(PLACES, NEW)
    assert speed() == 50 and overlay(SITE).title == "Room 1, slower"
    assert load(DEMO) == SITE, "the file itself is not touched"


def test_a_file_that_was_edited_on_site_counts_alone(place: Path) -> None:
    write(PLACES, NEW)
    edited = place / "edited.toml"
    edited.write_text(DEMO.read_text().replace("swl_kg = 200", "swl_kg = 190"))
    site, fallback, _ = accept.load_or_fall_back(edited)
    assert site.limits.hoist_loaded_mm_s == 60 and site.limits.swl_kg == 190 and not fallback


def test_what_cannot_be_read_or_kept_falls_back_to_what_was_accepted() -> None:
    accept.accept(SITE)
    PLACES.applied.write_bytes(b'{"base":')
    with pytest.raises(ConfigError, match="remove it"):
        read(PLACES)
    assert speed() == -1
    write(PLACES, Applied(SITE.hash, 1, {"limits.hoist_loaded_mm_s": 140.0}))
    site, fallback, why = accept.load_or_fall_back(DEMO)
    assert fallback and site == SITE and "above the limit" in why


def test_an_edited_file_runs_once_somebody_has_accepted_it(place: Path) -> None:
    """Rule 11: that it would be acceptable is not enough; until then lowering only."""
    accept.accept(SITE)
    edited = place / "edited.toml"
    edited.write_text(DEMO.read_text().replace("swl_kg = 200", "swl_kg = 190"))
    site, fallback, why = accept.load_or_fall_back(edited)
    assert (site, fallback) == (SITE, True)
    assert "'limits.swl_kg', 'sling' differs" in why and "config accept" in why
    assert not accept.load_or_fall_back(edited, accepting=True)[1]
    accept.accept(accept.current(edited))
    assert accept.load_or_fall_back(edited) == (load(edited), False, "")


def test_what_is_on_trial_was_confirmed_on_site_and_runs() -> None:
    accept.accept(SITE)
    write(PLACES, msgspec.structs.replace(NEW, trial=after(Now(1.0, 1.0, "b"), 60)))
    assert speed() == 50
    write(PLACES, NEW)
    assert speed() == -1, "its time is over, and nobody has kept it"


def test_a_trial_is_nothing_to_fall_back_to() -> None:
    assert not on_trial(SITE.name)
    write(PLACES, Applied(SITE.hash, 1, {}, trial=after(Now(1.0, 1.0, "b"), 60)))
    assert on_trial(SITE.name)


def test_while_the_lock_is_held_no_gate_starts_and_the_other_way_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from liftctl.entry import Unusable
    from liftctl.gate import shell

    monkeypatch.setattr(shell, "LOCK_NS", 0)
    with no_gate(PLACES) as free:
        assert free
        with pytest.raises(Unusable, match="another gate"):
            shell._only_one(PLACES)
    held = shell._only_one(PLACES)
    with no_gate(PLACES) as free:
        assert not free
    os.close(held)


# --- killed at any moment -------------------------------------------------------------------------

CHILD = """
import os, signal, sys
from liftctl.setup import applied
from liftctl.places import Places
import msgspec
left = int(sys.argv[1])
def counted(name):
    real = getattr(os, name)
    def call(*args, **more):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        if name == "write" and left == 0:  # a power cut in the middle of the bytes
            real(args[0], bytes(args[1])[:7])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)
    setattr(os, name, call)
for name in ("open", "fchmod", "write", "fsync", "close", "rename"):
    counted(name)
applied.write(Places("demo-lift"), msgspec.json.decode(sys.argv[2].encode(), type=applied.Applied))
print("done")
"""


def test_killed_at_every_step_of_the_write_leaves_the_old_or_the_new(place: Path) -> None:
    import msgspec

    text = msgspec.json.encode(NEW).decode()
    seen = []
    for step in range(40):
        write(PLACES, OLD)
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(step), text],
            env=os.environ | {"LIFTCTL_DATA": str(place)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert read(PLACES) in (OLD, NEW), f"half a configuration after step {step}"
        seen.append(speed())
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout == "done\n" and len(seen) >= 9
    assert seen == sorted(seen, reverse=True) and set(seen) == {55.0, 50.0}


def test_a_full_disk_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    write(PLACES, OLD)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "write", full)
    with pytest.raises(OSError, match="No space"):
        write(PLACES, NEW)
    assert read(PLACES) == OLD
