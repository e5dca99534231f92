"""What cannot work says so in one line with the remedy, and ends with 2; an accepted site lives."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.room import LIFT, Room, fresh_port, lift_room

pytestmark = pytest.mark.process
DEMO = Path("config/sites/demo-lift.toml")
LIMITS, PORT = "[limits]\n", "vbus:lift"


class Stranger:
    """Someone at a shell with folders of their own."""

    def __init__(self, folder: Path) -> None:
        self.port = fresh_port()
        self.site = folder / "demo-lift.toml"
        self.change("", "")
        run, data = str(folder / "run"), str(folder / "data")
        self.env = os.environ | {"LIFTCTL_RUN": run, "LIFTCTL_DATA": data}

    def change(self, old: str, new: str) -> None:
        """Write the demo site with one change."""
        self.site.write_text(DEMO.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    def run(self, *args: str) -> tuple[int, str]:
        """A command: its status, and what it said on standard error."""
        done = subprocess.run(
            [sys.executable, "-m", "liftctl", *args],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stderr

    def up(self) -> tuple[int, str]:
        return self.run("up", "--port", str(self.port), str(self.site))

    def alone(self, process: str) -> tuple[int, str]:
        """One process of an initialised site, as systemd would start it."""
        assert self.run("init", "--site", str(self.site)) == (0, "")
        return self.run(process, "--site", str(self.site))


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    return Stranger(tmp_path)


def refused(found: tuple[int, str], *words: str) -> None:
    """One line with these words, status 2."""
    status, said = found
    assert status == 2, said
    assert len(said.splitlines()) == 1, f"not one line: {said}"
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[web]\n", "[web]\npanel_prt = 1\n", ("unknown key 'panel_prt'", "mean 'panel_port'?")),
        ("swl_kg = 200", "swl_kg = 900", ("swl_kg", "50 to 500", "move it inside")),
        ('kind = "lift"', 'kind = "lift', ("not TOML", "line 4")),
        (PORT, "usb:can0", ("port 'usb:can0'", "use vbus:NAME, socketcan:can0 or slcan:/dev/tty")),
        (
            LIMITS,
            f"{LIMITS}hoist_loaded_mm_s = 140\n",
            ("hoist", "mm above the limit of 50 mm", "lower hoist_loaded_mm_s"),
        ),
    ],
)
def test_wrong_configuration(
    stranger: Stranger, old: str, new: str, words: tuple[str, ...]
) -> None:
    stranger.change(old, new)
    refused(stranger.up(), *words)
    refused(stranger.run("gate", "--site", str(stranger.site)), *words)


def test_no_such_file(stranger: Stranger) -> None:
    stranger.site.unlink()
    refused(stranger.up(), "No such file", "name an existing site file")


@pytest.mark.parametrize("process", ["panel", "desk"])
def test_busy_port(stranger: Stranger, process: str) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        stranger.change(f"{process}_port = {8080 if process == 'panel' else 8090}",
                        f"{process}_port = {port}")  # fmt: skip
        site = ("--site", str(stranger.site))
        refused(stranger.run(process, *site), f"127.0.0.1:{port}", "stop what uses it")
        stranger.port = 8080
        refused(stranger.up(), f"port {port} is in use", "--port")


@pytest.mark.parametrize("process", ["gate", "guard"])
@pytest.mark.parametrize(
    ("port", "remedy"),
    [
        ("socketcan:can9", "can9"),
        ("vbus:lift", "`liftctl up` starts it"),
        ("slcan:/dev/ttyNONE9", "ttyNONE9"),
    ],
)
def test_missing_interface(stranger: Stranger, port: str, remedy: str, process: str) -> None:
    stranger.change(PORT, port)
    refused(stranger.alone(process), "lift", remedy)


@pytest.mark.parametrize("folder", ["/proc/1/nope", "a-file/data"])
def test_unwritable_data_folder(stranger: Stranger, tmp_path: Path, folder: str) -> None:
    (tmp_path / "a-file").write_text("", encoding="utf-8")
    stranger.env |= {"LIFTCTL_DATA": str(tmp_path / folder)}
    refused(stranger.up(), str(tmp_path / folder), "DATA=")


def test_a_second_up_of_the_same_site(room: Room, stranger: Stranger) -> None:
    stranger.env = room.ward.env
    refused(stranger.up(), f"{LIFT} is already running here", "LIFTCTL_RUN")
    assert room.page.state["mode"] != "", "the first one goes on"


@pytest.fixture
def accepted(tmp_path: Path) -> Iterator[tuple[Room, Path]]:
    """A ward whose site file can be broken while it runs."""
    site = tmp_path / "demo-lift.toml"
    site.write_text(DEMO.read_text(encoding="utf-8"), encoding="utf-8")
    with lift_room(sites={"lift": site}) as found:
        yield found, site


def test_a_gate_falls_back_to_the_accepted_configuration(accepted: tuple[Room, Path]) -> None:
    room, site = accepted
    room.ready()
    site.write_text("nonsense = 1\n", encoding="utf-8")
    for process in ("gate", "guard"):
        with room.dead(process, signal.SIGKILL):
            pass
    blocked = "config_fallback"
    room.page.until(lambda s: blocked in s["motions"]["UP"]["rows"], "the fallback to show", 30)
    room.page.until(lambda s: s["motions"]["DOWN"]["allowed"], "a way down")
    t_ns, start = room.truth.last()["t_ns"], room.height
    room.page.press("UP")
    room.stays(0.5, "UP in the fallback")
    room.page.release()
    room.page.hold("DOWN", lambda _: room.height <= start - 20, "DOWN in the fallback")
    room.sank_slowly(t_ns)
    status, text = room.ward.liftctl("status", "--json", str(DEMO))
    assert status == 0
    assert re.search(r'"config_fallback": true', text), text
    said = (room.ward.root / "log").read_text(encoding="utf-8")
    assert "unknown key 'nonsense'" in said
    assert "Running the last accepted configuration, lowering only" in said
