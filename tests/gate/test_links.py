"""A bus that carries a device and is broken reaches the kernel; one heard again is whole."""

from __future__ import annotations

import pytest

from liftctl.gate.inputs import Link, RxFrame
from tests.gate.test_turn import CHAIR, LIFT, SEATED, T, given, rx, turn


@pytest.mark.parametrize(("kind", "broken"), [
    ("bus-off", True), ("down", True), ("refused", False), ("error-passive", False),
    ("overrun", False), ("malformed", False), ("up", False),
])  # fmt: skip
def test_only_these_words_say_that_nothing_is_carried(kind: str, broken: bool) -> None:
    state = given(Link(T, "lift", kind))
    assert (state.broken == {"lift"}) is broken
    assert ("bus_off" in state.kernel.active) is broken


def test_a_bus_without_a_device_may_be_silent() -> None:
    assert not given(Link(T, "elsewhere", "bus-off")).broken


def test_a_serial_line_counts_too() -> None:
    state = turn(CHAIR, SEATED, T, (Link(T, "motors", "down"),))[0]
    assert state.broken == {"motors"}


@pytest.mark.parametrize("healed", [
    Link(T + 1, "lift", "up"), Link(T + 1, "lift", "restarted"), rx(0x7AA, "", at=T + 1),
])  # fmt: skip
def test_what_says_that_it_is_whole_again(healed: Link | RxFrame) -> None:
    state = turn(LIFT, given(Link(T, "lift", "bus-off")), T + 1, (healed,))[0]
    assert not state.broken
    assert "bus_off" not in state.kernel.active


def test_an_error_frame_or_another_bus_heals_nothing() -> None:
    broken = given(Link(T, "lift", "bus-off"))
    for other in (rx(0x7AA, "", flags=4, at=T + 1), rx(0x7AA, "", at=T + 1, bus="other"),
                  Link(T + 1, "other", "up")):  # fmt: skip
        assert turn(LIFT, broken, T + 1, (other,))[0].broken == {"lift"}
