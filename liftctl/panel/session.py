"""The hold session of one browser: what it may say, and to whom that goes.

Role: pure `turn(state, now_ns, inputs) -> (state, outputs)`. Process: panel. Must never: read a
clock, renew or invent evidence, send a press again that has ended, or put any check before STOP.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta

from liftctl import ipc
from liftctl.bucket import Bucket

MOTIONS = {
    "lift": frozenset({"UP", "DOWN", "LEFT", "RIGHT"}),
    "chair": frozenset({"STAND", "SIT"}),
}
# Answers to a technician far away; they reach neither gate nor controller.
SUPPORT_STEPS = frozenset(
    {"support_yes", "support_no", "support_end", "bundle_yes", "bundle_no", "guide_next",
     "guide_back", "guide_end", "setup_yes", "setup_no", "setup_good", "setup_bad"}
)  # fmt: skip
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]


class Beat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="beat"):
    """Every 50 ms, pressed or neutral. `echo`: newest gate tick the page had seen, in ns."""

    press: Annotated[int, Meta(ge=0, le=2**31)]
    motion: Annotated[str, Meta(max_length=8)]
    echo: Annotated[str, Meta(pattern=r"^[0-9]{1,18}\Z")]


class Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stop"):
    """STOP."""


class Reset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="reset"):
    """The reset button."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="step"):
    """A step of the transfer."""

    action: Word
    args: Annotated[dict[Word, Annotated[str, Meta(max_length=200)]], Meta(max_length=12)] = {}


decoder = msgspec.json.Decoder(Beat | Stop | Reset | Step)


@dataclass(frozen=True, slots=True)
class Tick:
    """From the shell: a gate tick was put on its way to the page."""

    ns: int


@dataclass(frozen=True, slots=True)
class Gone:
    """From the shell: the socket closed."""


Input = Beat | Stop | Reset | Step | Tick | Gone


class To(Enum):
    """Where an output goes. EVIDENCE is gate and guard."""

    EVIDENCE = "evidence"
    GATE = "gate"
    CONTROLLER = "controller"
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class Send:
    to: To
    message: ipc.Message


@dataclass(frozen=True, slots=True)
class Close:
    """Hang up on a browser that floods."""

    code: int


Output = Send | Close


# A page beats 20 times a second and adds one beat at each edge.
BEATS = Bucket(size=40, per_s=40, level=40)
STEPS = Bucket(size=10, per_s=4, level=10)
FLOOD = 400  # refused in a row: this is no page of ours


@dataclass(frozen=True, slots=True)
class Session:
    """`press` is the highest seen, `motion` its motion, `live`: it may still be forwarded."""

    station: str
    session: str
    motions: frozenset[str]
    press: int = 0
    motion: str = ""
    live: bool = False
    newest_ns: int = 0
    beats: Bucket = BEATS
    steps: Bucket = STEPS
    refused: int = 0


Turned = tuple[Session, tuple[Output, ...]]


def turn(state: Session, now_ns: int, inputs: Iterable[Input]) -> Turned:
    """Take the inputs in order."""
    outputs: list[Output] = []
    for item in inputs:
        state, new = _one(state, now_ns, item)
        outputs += new
    return state, tuple(outputs)


def _one(state: Session, now_ns: int, item: Input) -> Turned:
    match item:
        case Stop():
            stop = ipc.StopPress(station=state.station)
            return replace(state, live=False), (Send(To.EVIDENCE, stop),)
        case Beat():
            return _beat(state, now_ns, item)
        case Tick():
            return replace(state, newest_ns=item.ns), ()
        case Gone():
            gone = ipc.StationGone(station=state.station)
            return replace(state, live=False), (Send(To.EVIDENCE, gone),)
        case Reset() | Step():
            return _step(state, now_ns, item)


def _beat(state: Session, now_ns: int, beat: Beat) -> Turned:
    if int(beat.echo) > state.newest_ns or not _plausible(state, beat):
        return _refuse(state)
    # The release itself is never held back by the budget: dropping it would prolong a motion.
    release = state.live and beat.press == 0
    beats, within = state.beats.take(now_ns)
    state = replace(state, beats=beats)
    if not within and not release:
        return _refuse(state)
    if beat.press:
        state = replace(state, press=beat.press, motion=beat.motion)
    hold = ipc.Hold(
        station=state.station,
        session=state.session,
        press=beat.press,
        motion=beat.motion,
        echo_ns=int(beat.echo),
    )
    return replace(state, live=beat.press > 0, refused=0), (Send(To.EVIDENCE, hold),)


def _plausible(state: Session, beat: Beat) -> bool:
    if beat.press == 0:
        return beat.motion == ""
    if beat.motion not in state.motions:
        return False
    if beat.press == state.press:
        return state.live and beat.motion == state.motion
    return beat.press > state.press


def _step(state: Session, now_ns: int, said: Reset | Step) -> Turned:
    steps, within = state.steps.take(now_ns)
    state = replace(state, steps=steps)
    if not within:
        return _refuse(state)
    if isinstance(said, Reset):
        return state, (Send(To.GATE, ipc.ResetPress(station=state.station)),)
    work = ipc.Workflow(station=state.station, action=said.action, args=said.args)
    to = To.SUPPORT if said.action in SUPPORT_STEPS else To.CONTROLLER
    return state, (Send(to, work),)


def _refuse(state: Session) -> Turned:
    state = replace(state, refused=state.refused + 1)
    return state, ((Close(4429),) if state.refused >= FLOOD else ())
