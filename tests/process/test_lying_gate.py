"""Gates that lie, as processes: what the plant travelled is in the truth log (H1, H2).

Every lie is tried in virtual time (`tests/guard/test_lies.py`); here a few, so that mouths,
ears and both axes pass through real sockets, a real bus and two schedulers. `make demo
SABOTAGE=gate_lies` is one more, with a person in the air.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.rig.lies import AXIS
from tests.process.room import Room, lift_room
from tests.process.truth import LATENESS, wait

pytestmark = pytest.mark.process
KEYS = {"hoist": ("height_mm", 50.0, 60.0), "traverse": ("x_mm", 200.0, 150.0)}
PRESS = {"wrong_way": "DOWN", "stale_echo": "RIGHT", "ignores_stop": "RIGHT", "goes_on": "RIGHT"}
NIGHTLY = os.environ.get("LIFTCTL_NIGHTLY") == "1"
CELLS = ("pulses:UP", "wrong_way:UP", "stale_echo:RIGHT")
MORE = ("unasked:RIGHT", "ignores_stop:RIGHT", "pulses:RIGHT", "unasked:DOWN", "goes_on:RIGHT")


@pytest.fixture
def liar(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Room, str, Path]]:
    """A room whose gate lies once the file exists."""
    lie, when = str(request.param), tmp_path / "now"
    env = {"LIFTCTL_LIE": lie, "LIFTCTL_LIE_WHEN": str(when)}
    with lift_room(env=env, modules={"demo-lift:gate": "hil.rig.gate_lies"}) as room:
        yield room, lie, when


@pytest.mark.parametrize("liar", CELLS + MORE * NIGHTLY, indirect=True)
def test_a_lying_gate_is_cut_in_time(liar: tuple[Room, str, Path]) -> None:
    """H1, H2, with real sockets and two schedulers between gate and guard."""
    room, lie, when = liar
    kind, _, way = lie.partition(":")
    key, limit_mm, speed_mm_s = KEYS[AXIS[way]]
    room.ready()
    if press := PRESS.get(kind):
        t_ns = room.truth.last()["t_ns"]
        room.page.press(press)
        wait(lambda: room.travelled(t_ns, key) > 20, f"{press} to move; {room.explain()}")
    when.touch()
    t_ns = room.truth.last()["t_ns"]
    if kind == "stale_echo":
        room.page.close()
    elif kind == "ignores_stop":
        room.page.stop()
    elif kind == "goes_on":
        room.page.release()
    wait(lambda: guard(room)["cut"], f"a cut; {room.explain()}", 15.0)
    wait(lambda: room.truth.last()["t_ns"] > t_ns + 3_000_000_000, "what follows", 10.0)
    bound = limit_mm + speed_mm_s * LATENESS.since(t_ns) / 1000
    gone = room.travelled(t_ns, key)
    assert 0 < gone <= bound, f"{lie}: {gone:.1f} mm, cut {guard(room)}"
    room.stays(0.5, "it goes on lying")


def guard(room: Room) -> dict[str, object]:
    """What the guard says of itself."""
    return room.ward.status("lift")["guard"] or {"cut": ""}
