"""Real CAN sockets: in a kernel that the bench boots, or in this machine's own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hil.cli import app
from hil.kernel import uml
from hil.kernel.scenarios import Booted
from hil.kernel.smoke import available, own_kernel_smoke
from hil.kernel.uml import KernelError, find_kernel, has_can, run
from hil.run import Bench
from hil.scenario.load import FOLDER, load
from hil.timeline import read

pytestmark = pytest.mark.process
CAN_BOOT = not available()


def test_a_missing_kernel_names_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(KernelError, match=r"apt-get install user-mode-linux iproute2 kmod"):
        find_kernel()


@pytest.mark.parametrize("how", [["--smoke"], [str(FOLDER / "h30-feet-off.yaml")]])
def test_without_a_kernel_the_command_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, how: list[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    done = CliRunner().invoke(app, ["run", "--plane", "socketcan", *how])
    assert done.exit_code == 2
    assert done.stderr.startswith("liftctl hil: no User-Mode-Linux")
    assert done.stderr.count("\n") == 1


def test_a_kernel_that_does_not_come_up_is_an_error_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "linux.uml"
    fake.write_text("#!/bin/sh\necho Kernel panic - not syncing\n")
    fake.chmod(0o755)
    monkeypatch.setattr(uml, "find_kernel", lambda: fake)
    with pytest.raises(KernelError, match=r"did not boot: Kernel panic - not syncing"):
        run(["true"])


def test_a_kernel_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "linux.uml"
    fake.write_text("#!/bin/sh\necho waiting\nexec sleep 1000\n")
    fake.chmod(0o755)
    monkeypatch.setattr(uml, "find_kernel", lambda: fake)
    with pytest.raises(KernelError, match=r"did not end within 1 s; its last words: waiting"):
        run(["true"], timeout_s=1)


if CAN_BOOT:

    def test_gate_room_bus_off_and_recovery_through_a_real_kernel(tmp_path: Path) -> None:
        words = ["run", "--plane", "socketcan", "--smoke", "--json", "--out", str(tmp_path)]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        (result,) = [r for r in json.loads(done.stdout)["scenarios"] if "booted" in r["id"]]
        assert result["verdict"] == "PASS"
        steps = [e for e in read(Path(result["timeline_path"])).events if e["kind"] == "mark"]
        assert [step["name"] for step in steps] == [
            "a frame through a kernel CAN socket",
            "the gate and a room meet through the kernel",
            "the gate moves the room through the kernel",
            "the gate and a room meet through kernel slcan",
            "bus-off",
            "recovery",
            "done",
        ]
        told = next(step["said"]["port_said"] for step in steps if step["name"] == "bus-off")
        assert told == ["error-warning", "error-passive", "bus-off"]

    def test_a_command_s_exit_code_output_and_files_come_back() -> None:
        script = "cat $HIL_OUT/in.txt; echo back > $HIL_OUT/out.txt; touch /new; exit 7"
        done = run(["sh", "-c", script], files={"in.txt": b"there\n"})
        assert done.code == 7
        assert "there" in done.output
        assert "Read-only file system" in done.output
        assert done.files["out.txt"] == b"back\n"


if CAN_BOOT and os.environ.get("LIFTCTL_NIGHTLY"):

    @pytest.mark.parametrize("name", ["h27-says-no", "h30-feet-off", "h33-guard-freezes"])
    def test_scenarios_in_a_booted_kernel_have_the_timelines_of_the_virtual_plane(
        name: str,
    ) -> None:
        booted, virtual = Booted(), Bench()
        for run in load(FOLDER / f"{name}.yaml"):
            ran, same = booted(run).result, virtual(run).result
            assert (ran.verdict, ran.plane) == ("PASS", "socketcan"), ran.reasons
            assert ran.timeline_hash == same.timeline_hash

    def test_a_kernel_that_does_not_come_up_concludes_nothing(
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(uml, "_INIT", Path("/nonexistent"))
        result = Booted()(load(FOLDER / "h30-feet-off.yaml")[0]).result
        assert result.verdict == "INCONCLUSIVE"
        assert "did not boot" in result.reasons[0]


if has_can() and Path("/sys/class/net/vcan0").exists():

    def test_the_machine_s_own_kernel_carries_gate_and_room() -> None:
        found = own_kernel_smoke("vcan0")
        assert found.passed, found.why
