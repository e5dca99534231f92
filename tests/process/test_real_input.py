"""A recording played onto the ward's bus by python-can's own player, and through an adapter.

The log is generated: candump format, feedback 19EFFF13 every 100 ms, commands 18EF1300, one
address claim; the position of every feedback frame is known.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
import time
import tty
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.profiles import load
from hil.judge.ward import WardUnderTest
from liftctl.decode import encode, parse_line
from tests.process.room import open_ward
from tests.process.truth import wait

pytestmark = pytest.mark.process
DEVICE, CHAIR = "thomson_electrak_hd", "demo-chair"
POSITIONS = tuple(round(40.0 + 2.5 * n, 1) for n in range(40))
CLAIM = "(0.000000) can0 18EEFF13#0100604400FF0080"


def recording() -> list[str]:
    """Candump lines."""
    profile, lines = load(DEVICE), [CLAIM]
    for n, mm in enumerate(POSITIONS):
        told = {"position_mm": mm, "current_a": 1.5, "speed_pct": 50, "voltage_error": 0}
        told |= {"temperature_error": 0} | dict.fromkeys(
            ("motion", "overload", "backdrive", "parameter", "saturation", "fatal"), False
        )
        asked = {"position_mm": 137.5, "current_limit_a": 4.0, "speed_pct": 50}
        lines.append(encode(profile, "AFM", told, t_s=0.1 * n + 0.01))
        lines.append(encode(profile, "ACM", {**asked, "motion_enable": True}, t_s=0.1 * n + 0.05))
    return lines


class Adapter:
    """The far end of an slcan line: acknowledges every command, speaks when told."""

    def __init__(self) -> None:
        self.far, near = pty.openpty()
        tty.setraw(near)
        self.path = os.ttyname(near)
        self.heard: list[bytes] = []
        self._near = near
        threading.Thread(target=self._work, name="slcan", daemon=True).start()

    def _work(self) -> None:
        rest = b""
        while True:
            try:
                rest += os.read(self.far, 4096)
            except OSError:
                return
            *commands, rest = rest.split(b"\r")
            for command in commands:
                self.heard.append(command)
                os.write(self.far, b"\r")

    def play(self, lines: list[str]) -> None:
        """The recording in its own rhythm."""
        start_s = time.monotonic()
        for line in lines:
            logged = parse_line(line)
            assert logged.frame is not None
            time.sleep(max(0.0, start_s + (logged.t_s or 0) - time.monotonic()))
            record = f"T{logged.id_text}{len(logged.frame.data)}{logged.frame.data.hex().upper()}\r"
            os.write(self.far, record.encode())

    def close(self) -> None:
        os.close(self._near)
        os.close(self.far)


def get(ward: WardUnderTest, path: str) -> str:
    """A page of the chair's desk."""
    with urllib.request.urlopen(f"http://127.0.0.1:{ward.port + 11}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def shown(ward: WardUnderTest) -> float | None:
    """The position on the desk."""
    found: dict[str, Any] = json.loads(get(ward, "/api/state"))
    values = (found["gate"] or {"devices": {}})["devices"].get("bed-end", {})
    return values.get("position_mm")


def desk_is_up(ward: WardUnderTest) -> bool:
    try:
        return json.loads(get(ward, "/api/state"))["healthy"] is True
    except OSError:
        return False


def watch(ward: WardUnderTest, play: Callable[[], None]) -> None:
    """Play; the desk shows known positions while it lasts, in order, and the last one at the
    end.
    """
    player = threading.Thread(target=play)
    player.start()
    seen: list[float] = []
    while player.is_alive():
        mm = shown(ward)
        if mm is not None and (not seen or seen[-1] != mm):
            seen.append(mm)
        time.sleep(0.05)
    wait(lambda: shown(ward) == POSITIONS[-1], f"the last position; seen {seen}", 5)
    assert set(seen) <= set(POSITIONS), f"positions nobody sent: {set(seen) - set(POSITIONS)}"
    assert seen == sorted(seen) and len(seen) > 5, f"not live: {seen}"
    line = f'liftctl_device_value{{device="bed-end",name="position_mm"}} {POSITIONS[-1]}'
    assert line in get(ward, "/metrics")


def in_the_black_box(ward: WardUnderTest, out: Path, lines: list[str]) -> None:
    """Every feedback frame, in order, with its bytes."""
    status, said = ward.liftctl(
        "blackbox", "export", str(ward.root / "data" / CHAIR / "ring.bin"), str(out)
    )
    assert status == 0, said
    kept = [line.split(" ")[2] for line in out.read_text().splitlines() if "19EFFF13#" in line]
    assert kept == [line.split(" ")[2] for line in lines if "19EFFF13#" in line]


@pytest.fixture
def ward() -> Iterator[WardUnderTest]:
    with open_ward(("chair",)) as found:
        wait(lambda: desk_is_up(found), "the desk")
        yield found


def test_python_cans_player_on_the_virtual_bus(ward: WardUnderTest, tmp_path: Path) -> None:
    lines, file = recording(), tmp_path / "recording.log"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "can.player", "-i", "vbus", "-c", "observed", str(file)]
    assert shown(ward) is None

    def play() -> None:
        subprocess.run(command, env=ward.env, check=True, capture_output=True)

    watch(ward, play)
    in_the_black_box(ward, tmp_path / "out.log", lines)


@pytest.fixture
def adapter() -> Iterator[Adapter]:
    found = Adapter()
    yield found
    found.close()


@pytest.fixture
def wired(tmp_path: Path, adapter: Adapter) -> Iterator[WardUnderTest]:
    """The chair with its observed bus behind an slcan adapter."""
    text = Path(f"config/sites/{CHAIR}.toml").read_text(encoding="utf-8")
    site = tmp_path / f"{CHAIR}.toml"
    changed = text.replace('"vbus:observed"', f'"slcan:{adapter.path}"')
    site.write_text(changed, encoding="utf-8")
    with open_ward(("chair",), sites={"chair": site}) as found:
        wait(lambda: desk_is_up(found), "the desk")
        yield found


def test_an_slcan_adapter(wired: WardUnderTest, adapter: Adapter, tmp_path: Path) -> None:
    wait(lambda: b"L" in adapter.heard, f"the adapter to be opened: {adapter.heard}")
    lines = recording()
    watch(wired, lambda: adapter.play(lines))
    in_the_black_box(wired, tmp_path / "out.log", lines)
    assert b"S5" in adapter.heard, "250 kbit/s"
    sent = [item for item in adapter.heard if item[:1] in b"tTrR" and item]
    assert not sent, f"something was sent on a monitor-only bus: {sent}"
    assert b"O" not in adapter.heard
