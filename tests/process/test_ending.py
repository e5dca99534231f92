"""`liftctl up` leaves nothing behind: neither after Ctrl-C nor after its own violent death."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hil.vbus.paths import is_served
from tests.process.room import fresh_port
from tests.process.truth import wait

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("alone")]


def alive(run: Path) -> list[str]:
    """Command lines of processes that carry this LIFTCTL_RUN."""
    wanted, found = f"LIFTCTL_RUN={run}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left(tmp_path: Path, how: signal.Signals) -> None:
    run, port = tmp_path / "run", fresh_port()
    env = os.environ | {"LIFTCTL_RUN": str(run), "LIFTCTL_DATA": str(tmp_path / "data")}
    flags = ["up", "--port", str(port), "config/sites/demo-lift.toml"]
    with (tmp_path / "log").open("w") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "liftctl", *flags],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait(lambda: "Ctrl-C" in (tmp_path / "log").read_text(), "the ward to be ready")
        assert len(alive(run)) == 9, "supervisor, hub, hardware and six processes"
        os.killpg(up.pid, how)  # Ctrl-C goes to the whole foreground group
        status = up.wait(60)
    finally:
        up.kill()
    wait(lambda: not alive(run), f"everything to be gone: {alive(run)}")
    assert status == (-how if how is signal.SIGKILL else 0)
    wait(lambda: not any(answers(port + shift) for shift in (0, 5, 10)), "the ports to close", 5)
    # A killed process loses its environment before its descriptors: wait for both.
    wait(
        lambda: not [path for path in run.rglob("*.sock") if is_served(path)],
        "the sockets to close",
        5,
    )
