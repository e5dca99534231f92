"""The stand actuator at the edges of its commands, and the read-only one on J1939."""

from __future__ import annotations

import pytest

from drivers.frames import Frame
from safety.verdict import Cmd
from tests.drivers.nodes import Run, device, run

CANOPEN = "thomson_electrak_hd_canopen"
AT_REST = bytes.fromhex("00007D00C8000000")


def booted() -> Run:
    it = run(CANOPEN)
    it.turns(60)
    assert it.verified == 1.0
    return it


def test_before_it_said_where_it_is_it_is_told_to_stay_at_zero() -> None:
    assert run(CANOPEN).turn()[0].data == AT_REST
    assert booted().turn()[0].data == AT_REST


@pytest.mark.parametrize(
    ("speed", "target", "share"),
    [
        (0.5, 3000, 200),
        (-0.5, 0, 200),
        (4.0, 3000, 200),
        (4.05, 3000, 202),
        (-10.0, 0, 500),
        (15.0, 3000, 750),
        (-99.0, 0, 750),
    ],
)
def test_direction_and_share_of_full_speed(speed: float, target: int, share: int) -> None:
    it = booted()
    data = it.turn(it.command(Cmd.MOVE, speed))[0].data
    words = [int.from_bytes(data[n : n + 2], "little") for n in (0, 2, 4)]
    assert (words, data[6:]) == ([target, 125, share], b"\x00\x01")


def test_an_emergency_is_shown_and_disables_for_three_turns() -> None:
    it = booted()
    decoded = it.hear(Frame("bus", 0x093, bytes.fromhex("1023000000000000")))
    assert decoded.values == (("emergency_code", float(0x2310)),)
    assert decoded.urgent
    assert [it.turn(it.command(Cmd.MOVE, 9.0))[0].data[7] for _ in range(4)] == [0, 0, 0, 1]


@pytest.mark.parametrize("said", [0x00, 0x04, 0x7F])
def test_an_actuator_that_left_operational_is_disabled_in_the_next_turn(said: int) -> None:
    it = booted()
    assert it.turn(it.command(Cmd.MOVE, 9.0))[0].data[7] == 1
    decoded = it.hear(Frame("bus", 0x713, bytes((said,))))
    assert (decoded.urgent, [s.value for s in decoded.samples]) == (True, [0.0])
    assert it.turn(it.command(Cmd.MOVE, 9.0))[0].data[7] == 0
    assert it.verified == 0.0


# --- J1939: somebody else commands it


def shown(can_id: int, data: str) -> dict[str, float]:
    dev = device("thomson_electrak_hd")
    frame = Frame("bus", can_id, bytes.fromhex(data), extended=True)
    return dict(dev.on_wire(dev.start(), frame, 1)[1].values)


def test_what_is_asked_for_is_not_shown_as_where_it_is() -> None:
    assert shown(0x18EF1300, "2E06191500000000") == {
        "commanded_position_mm": 158.2,
        "commanded_current_limit_a": 10.0,
        "commanded_speed_pct": 50.0,
        "commanded_motion_enable": 1.0,
    }


def test_codes_are_no_numbers_to_show() -> None:
    values = shown(0x19EFFF13, "860500F0C0FFFFFF") | shown(0x19EFFF13, "86050060C0FFFFFF")
    assert values["position_mm"] == 141.4
    assert "voltage_error" not in values
    assert "temperature_error" not in values


def test_the_monitor_is_read_only() -> None:
    dev = device("thomson_electrak_hd")
    assert (dev.level, dev.mints, dev.lines) == ("monitor", frozenset(), frozenset())
    assert dev.accepts == {
        ("bus", True, 0x19EFFF13),
        ("bus", True, 0x18EF1300),
        ("bus", True, 0x18EEFF13),
    }
    assert dev.turn(None, 1, None) == (None, (), ())
    assert dev.status(None) == ""
