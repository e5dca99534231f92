"""The hand control as a station: keys decoded by the gate become hold evidence (design rule 2).

Role: press ids for a device that has none. Process: gate, replay. Must never: let two keys at once,
or the one that is left of two, count as a press.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.device import HandKeys
from safety.stations import HAND
from safety.types import AXIS_OF, Beat, Gone, KernelInput, Motion, Stop


@dataclass(frozen=True, slots=True)
class Hand:
    """The keys of the last frame; `spoiled` until all keys were up again."""

    press: int = 0
    keys: int = 0
    spoiled: bool = False
    present: bool = False


def digest(hand: Hand, keys: HandKeys, t_ns: int) -> tuple[Hand, tuple[KernelInput, ...]]:
    """One frame of the hand control. Its receive time is the echo: the gate itself saw the
    finger.
    """
    if not keys.present:
        gone: tuple[KernelInput, ...] = (Gone(HAND),) if hand.present else ()
        return Hand(press=hand.press), gone
    if keys.motion == 0:
        return Hand(hand.press, present=True), (Beat(HAND, HAND, 0, Motion.NONE, t_ns, t_ns),)
    motion = Motion(keys.motion)
    if hand.spoiled or motion not in AXIS_OF:
        stop: tuple[KernelInput, ...] = () if hand.keys == keys.motion else (Stop(HAND),)
        return Hand(hand.press, keys.motion, spoiled=True, present=True), stop
    press = hand.press if hand.keys == keys.motion else hand.press + 1
    if hand.keys and hand.keys != keys.motion:
        return Hand(hand.press, keys.motion, spoiled=True, present=True), (Stop(HAND),)
    now = Hand(press, keys.motion, present=True)
    return now, (Beat(HAND, HAND, press, motion, t_ns, t_ns),)
