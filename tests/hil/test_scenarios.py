"""The bench runs its scenarios, says the same twice, and refuses what it does not understand.

Role: the scenarios themselves, each a test, and the promises of the bench. Must never: weaken a
scenario; one that fails is a finding.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil.run import Bench, Ran, cannot, gather
from hil.scenario.load import FOLDER
from hil.scenario.model import Scenario
from hil.scenario.source import ScenarioError
from hil.timeline import Verdict

FINDINGS = FOLDER.parent / "findings"
NIGHTLY = bool(os.environ.get("LIFTCTL_NIGHTLY"))
EVERY = gather([FOLDER])
BENCH = Bench()
RELEASE = "H02-release"


def one_for_each_hazard() -> list[Scenario]:
    """One run for each hazard; the whole pack at night, and by `liftctl hil run`."""
    seen: dict[str, Scenario] = {}
    for scenario in EVERY:
        seen.setdefault(scenario.hazards[0], scenario)
    return EVERY if NIGHTLY else list(seen.values())


def runs_of(name: str) -> list[Scenario]:
    return [scenario for scenario in EVERY if scenario.id == name]


def named(scenario: Scenario) -> str:
    return "-".join((scenario.id, *scenario.parameters.values()))


@pytest.mark.parametrize("scenario", one_for_each_hazard(), ids=named)
def test_scenario(scenario: Scenario) -> None:
    """Each file of hil/scenarios holds."""
    if reason := cannot(scenario, "virtual"):
        assert BENCH.refuse(scenario, reason).result.verdict is Verdict.NOT_APPLICABLE
        return
    result = BENCH(scenario).result
    assert result.verdict is Verdict.PASS, "\n".join(result.reasons)


@contextmanager
def busy() -> Iterator[None]:
    """Other processes want both processors."""
    burn = [sys.executable, "-c", "while True: pass"]
    popens = [subprocess.Popen(burn) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for popen in popens:
            popen.kill()
            popen.wait()


def test_a_run_is_the_same_twice_and_under_load_and_from_a_shared_beginning() -> None:
    """The hash of the timeline says so; it differs as soon as the person weighs more."""
    light, heavier = runs_of(RELEASE)[:2]
    alone = Bench(share=False)(light)
    with busy():
        loaded = Bench(share=False)(light)
    shared = Bench()
    shared(light)
    copied = shared(light)
    assert hashes(alone, loaded, copied) == {alone.timeline.hash()}
    assert alone.result.timeline_hash == alone.timeline.hash()
    assert shared(heavier).timeline.hash() != alone.timeline.hash()


def hashes(*runs: Ran) -> set[str]:
    return {ran.timeline.hash() for ran in runs}


def test_a_written_timeline_hashes_as_it_did(tmp_path: Path) -> None:
    """What is written is what was judged."""
    from hil.timeline import read

    ran = Bench()(runs_of(RELEASE)[0])
    ran.timeline.write(tmp_path / "events.jsonl")
    assert read(tmp_path / "events.jsonl").hash() == ran.timeline.hash()


def test_open_findings_are_still_open() -> None:
    """A finding that holds now belongs among the scenarios: move the file."""
    for path in sorted(FINDINGS.glob("*.yaml")):
        result = BENCH(gather([path])[0]).result
        assert result.verdict is Verdict.FAIL, f"{path.name} holds now: move it to hil/scenarios"


GOOD = """\
hil: 1
id: X
title: t
hazards: [H1]
rig: lift
steps:
  - wait: 1 s
expect:
  - no_restart: {of: start}
"""
BROKEN = (
    ("  - wait: 1 s", "  - wait: 1", 7, "'1' has no unit; a time is wanted, in ms, s, min"),
    ("  - wait: 1 s", "  - wiat: 1 s", 7, "unknown field 'wiat'; did you mean 'wait'?"),
    ("title: t", "titlle: t", 3, "unknown field 'titlle'; did you mean 'title'?"),
    ("rig: lift", "rig: lift\nrig: chair", 6, "'rig' stands twice; keep one"),
    ("rig: lift", "rig: boat", 5, "rig: 'boat' is not one of ['chair', 'lift']"),
    ("- wait: 1 s", "- press: FORWARD", 7, "a lift has no motion FORWARD; one of: UP, DOWN, "),
    ("- wait: 1 s", "- until: {that: speed < 5 kg, within: 1 s}", 7, "5 kg' is a mass; a speed is"),
    ("- wait: 1 s", "- until: {that: sped < 5 mm/s, within: 1 s}", 7, "did you mean 'speed'?"),
    ("- wait: 1 s", "- until: {that: still}", 7, "'within' is a required property; add it"),
    (
        "- wait: 1 s",
        "- fault: {id: L3.los}",
        7,
        "there is no fault 'L3.los'; did you mean 'L3.loss'?",
    ),
    ("- wait: 1 s", "- fault: {id: L3.loss}", 7, "L3.loss needs 'target'"),
    ("- wait: 1 s", "- fault: {id: L7.jam}", 7, "there is no fault 'L7.jam'"),
    (
        "- wait: 1 s",
        "- fault: {id: L7.slope, with: {angle: 3 deg}}",
        7,
        "a lift has nothing L7.slope",
    ),
    ("hazards: [H1]", "hazards: [H1]\noracle: {except: [gravity], why: x}", 1, "no rule 'gravity'"),
    ("rig: lift", "rig: lift\nstart: {situation: flying}", 6, "a lift has no situation 'flying'"),
    ("id: X", "id: [", 1, "not YAML"),
)


@pytest.mark.parametrize(("old", "new", "line", "said"), BROKEN)
def test_a_broken_scenario_is_told_with_file_line_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ScenarioError) as caught:
        gather([path])
    assert str(caught.value).startswith(f"{path}:")
    assert said in str(caught.value)
    if line > 1:
        assert f"{path}:{line}:" in str(caught.value)


def liftctl_hil(*args: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "liftctl", "hil", *args], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_exit_status_tells_broken_failed_inconclusive_and_passed(tmp_path: Path) -> None:
    """2, 1, 3 and 0; what the plane cannot do is no pass but no failure either."""
    quick = GOOD.replace("steps:", "start: {situation: booting}\nsteps:")
    never = "- fault: {id: L3.loss, with: {target: protected_load}, prove_within: 100 ms}"
    files = {
        0: quick,
        1: quick.replace("no_restart: {of: start}", "always: hooked"),
        2: quick.replace("wait: 1 s", "wait: 1"),
        3: quick.replace("- wait: 1 s", f"{never}\n  - wait: 1 s"),
    }
    for wanted, text in files.items():
        path = tmp_path / f"{wanted}.yaml"
        path.write_text(text)
        status, told = liftctl_hil("run", str(path))
        assert status == wanted, told
    path.write_text(files[0].replace("rig: lift", "rig: lift\nplanes: [processes]"))
    status, told = liftctl_hil("run", str(path))
    assert (status, "NOT_APPLICABLE" in told) == (0, True)


def test_every_scenario_is_told_in_both_languages() -> None:
    from hil import explain

    for path in sorted({scenario.path for scenario in EVERY}):
        english, danish = (explain.scenario(path, language) for language in ("en", "da"))
        assert english != danish
        assert "{" not in danish.split("Det skal gælde")[0].partition("(")[0]


def test_every_fault_of_a_scenario_is_proved_on_plant_or_wire() -> None:
    """Which faults the pack uses, and that no level is left out."""
    used = {s.args["id"] for run in EVERY for s in run.steps if s.verb == "fault"}
    assert {name.partition(".")[0] for name in used} == {f"L{n}" for n in range(11)}


if NIGHTLY:  # each takes a ward of its own and half a minute

    @pytest.mark.process
    @pytest.mark.parametrize("name", ["H19-estop", "H30-feet-off", "H37-recorder-dies"])
    def test_a_scenario_runs_on_the_real_processes(name: str) -> None:
        """A machine that is too late for a verdict says so; it never fails for that."""
        from hil.planes.wards import Processes

        result = Processes()(runs_of(name)[0]).result
        assert result.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE), result.reasons
