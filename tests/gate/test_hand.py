"""The hand control: which keys are a press, which are a stop, and what ends both."""

from __future__ import annotations

import pytest

from drivers.device import HandKeys
from liftctl.gate.hand import Hand, digest
from safety.types import Beat, Gone, KernelInput, Motion, Stop

UP, DOWN = Motion.UP, Motion.DOWN
BOTH = int(UP | DOWN)
T = 5_000_000_003


def beat(press: int, motion: Motion) -> Beat:
    return Beat("hand", "hand", press, motion, T, T)


STOP, GONE = Stop("hand"), Gone("hand")
NEUTRAL = beat(0, Motion.NONE)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([0, UP], [NEUTRAL, beat(1, UP)]),
        ([UP, UP, UP], [beat(1, UP)] * 3),
        ([UP, 0, UP], [beat(1, UP), NEUTRAL, beat(2, UP)]),
        ([UP, 0, DOWN], [beat(1, UP), NEUTRAL, beat(2, DOWN)]),
        # A second key is a stop, said once; what is left of the two is no press.
        ([UP, BOTH, BOTH, UP, UP], [beat(1, UP), STOP, None, STOP, None]),
        ([UP, BOTH, UP, 0, UP], [beat(1, UP), STOP, STOP, NEUTRAL, beat(2, UP)]),
        ([UP, DOWN, DOWN, 0, DOWN], [beat(1, UP), STOP, None, NEUTRAL, beat(2, DOWN)]),
        ([BOTH, BOTH, UP], [STOP, None, STOP]),
        # Off the cable: gone, said once; it does not come back with a press of before.
        ([None, None], [None, None]),
        ([0, None, None, 0], [NEUTRAL, GONE, None, NEUTRAL]),
        ([UP, None, UP], [beat(1, UP), GONE, beat(2, UP)]),
        ([BOTH, None, UP], [STOP, GONE, beat(1, UP)]),
        ([UP, DOWN, None], [beat(1, UP), STOP, GONE]),
    ],
)
def test_frames_of_the_hand_control(keys: list[int | None], said: list[KernelInput | None]) -> None:
    hand = Hand()
    for n, (key, wanted) in enumerate(zip(keys, said, strict=True)):
        frame = HandKeys(False, 0) if key is None else HandKeys(True, int(key))
        hand, inputs = digest(hand, frame, T)
        assert inputs == (() if wanted is None else (wanted,)), n


def test_a_hand_control_that_is_not_there_presses_nothing() -> None:
    assert digest(Hand(present=True), HandKeys(False, int(UP)), T)[1] == (GONE,)
    assert digest(Hand(), HandKeys(False, int(UP)), T) == (Hand(), ())


def test_two_keys_at_once_stay_spoiled_until_all_are_up() -> None:
    hand, said = digest(Hand(), HandKeys(True, BOTH), T)
    assert (hand, said) == (Hand(0, BOTH, spoiled=True, present=True), (STOP,))
    hand, said = digest(hand, HandKeys(True, int(DOWN)), T)
    assert (hand, said) == (Hand(0, int(DOWN), spoiled=True, present=True), (STOP,))
    assert digest(hand, HandKeys(True, 0), T)[0] == Hand(present=True)
