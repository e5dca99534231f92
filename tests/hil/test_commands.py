"""`liftctl hil`: what a test lab types, what it gets, and with which exit status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import can
import pytest
from typer.testing import CliRunner, Result

from hil import rerun
from hil.cli import app
from hil.report import summary
from hil.scenario.load import FOLDER

QUICK = """
hil: 1
id: QUICK-1
title: Nothing is pressed and nothing moves
hazards: [H{number}]
rig: lift
seed: 3
parameters: {{wait: {{vary: [100 ms, 200 ms]}}}}
steps:
  - wait: $wait
expect:
  - never: {{that: "{never}"}}
"""


def hil(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def scenario(folder: Path, never: str = "speed > 1 mm/s") -> Path:
    path = folder / "quick.yaml"
    path.write_text(QUICK.format(number=2, never=never), "utf-8")
    return path


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario and the folder of its report."""
    folder = tmp_path_factory.mktemp("lab")
    done = hil("run", scenario(folder), "--out", folder / "out", "--json")
    assert done.exit_code == 0, done.output
    blf = can.BLFReader(folder / "out" / "runs" / "001-QUICK-1" / "trace.blf")
    assert {0x190, 0x1A0, 0x210} <= {frame.arbitration_id for frame in blf}
    assert summary.schema()["properties"].keys() >= json.loads(done.stdout).keys()
    return folder


def test_a_manifest_is_run_again_to_the_same_hashes(pack: Path) -> None:
    done = hil("rerun", pack / "out")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("reproduced, PASS") == 2
    assert "(wait 200 ms)" in done.stdout


def test_a_run_that_comes_out_otherwise_is_told_where(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.plants.lift._IDLE_W", 600.0)
    done = hil("rerun", pack / "out")
    assert done.exit_code == 1
    assert "NOT REPRODUCED: they part at event" in done.stdout
    assert "manifest" in done.stdout


def test_changed_code_is_said_before_anything_is_compared() -> None:
    said = rerun.changed_code({"code": "0" * 64, "revision": "abcdef0123456789"})
    assert "made at abcdef012345" in said


def test_a_manifest_of_real_time_proves_nothing(pack: Path, tmp_path: Path) -> None:
    shutil.copytree(pack / "out", tmp_path / "out")
    path = tmp_path / "out" / "manifest.json"
    told = json.loads(path.read_text("utf-8"))
    for run in told["runs"]:
        run["plane"] = "dut"
    path.write_text(json.dumps(told), "utf-8")
    done = hil("rerun", tmp_path / "out")
    assert done.exit_code == 3
    assert "real time" in done.stdout


@pytest.mark.parametrize("altered", ["report.html", "runs/001-QUICK-1/events.jsonl"])
def test_an_altered_folder_is_not_run_again(pack: Path, tmp_path: Path, altered: str) -> None:
    shutil.copytree(pack / "out", tmp_path / "out")
    with (tmp_path / "out" / altered).open("a") as file:
        file.write(" ")
    done = hil("rerun", tmp_path / "out")
    assert done.exit_code == 2
    assert f"{altered}: altered" in done.output


def test_an_altered_scenario_is_not_run_again(tmp_path: Path) -> None:
    path = scenario(tmp_path)
    assert hil("run", path, "--out", tmp_path / "out").exit_code == 0
    path.write_text(path.read_text("utf-8") + "# changed\n", "utf-8")
    done = hil("rerun", tmp_path / "out")
    assert done.exit_code == 2
    assert "quick.yaml: altered" in done.output


def test_two_timelines_are_compared_in_words(pack: Path) -> None:
    runs = pack / "out" / "runs"
    one, other = (runs / f"00{n}-QUICK-1" / "events.jsonl" for n in (1, 2))
    assert hil("diff", one, one).exit_code == 0
    done = hil("diff", one, other)
    assert done.exit_code == 1
    assert "they part at event" in done.stdout
    assert "001-QUICK-1" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("diff", "nowhere.jsonl", "nowhere.jsonl"),
        ("diff", "pyproject.toml", "pyproject.toml"),
        ("rerun", "nowhere"),
        ("shrink", "nowhere.yaml"),
        ("record", "nowhere.log", "--out", "case"),
        ("replay", "nowhere"),
        ("selftest", "--only", "nothing"),
        ("run", "--plane", "dut", "--adapter", "can0"),
        ("run", "--plane", "dut", "--adapter", "socketcan:nosuch0"),
    ],
)
def test_bad_input_is_one_line_and_status_two(words: tuple[str, ...]) -> None:
    done = hil(*words)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("liftctl hil: ")


def test_a_failing_scenario_is_shrunk_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / "small.yaml"
    done = hil("shrink", scenario(tmp_path, "still"), "--out", out)
    assert done.exit_code == 0, done.output
    assert "it fails by expect" in done.stderr
    assert hil("run", out).exit_code == 1


def test_a_scenario_that_passes_is_not_shrunk(tmp_path: Path) -> None:
    done = hil("shrink", scenario(tmp_path))
    assert done.exit_code == 2
    assert "nothing to shrink" in done.stderr


def test_the_shipped_scenarios_are_where_the_commands_look() -> None:
    assert hil("check").stdout.split()[0].isdigit()
    assert list(FOLDER.glob("*.yaml"))
