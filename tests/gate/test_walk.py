"""A random walk over `liftctl.gate.turn`: whatever happens round a gate, the wires obey.

Role: the walk of tests/gate/walk.py, long in a child beside the other tests (10^5 steps, 10^7 under
LIFTCTL_NIGHTLY=1); and gates with one planted fault, each of which the outsider must find.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from drivers.canopen import cia402, drive
from drivers.frames import Frame
from liftctl import ipc
from liftctl.gate import turn
from safety import authority, command, facts, stations, step
from safety.types import ALL_MOTIONS, SignalId
from safety.verdict import Cmd
from tests.gate.beside import NIGHTLY, SEED, STEPS, Beside
from tests.gate.conditions import CONDITIONS
from tests.gate.walk import KINDS, Walk

pytestmark = pytest.mark.no_cover  # long
FOUND_WITHIN, SEEDS = (
    15_000,
    (9, 2, 1, 4, 8),
)  # steps of a walk, and the walks: some dangers are rare
ALSO = ("STOP", "evidence lost", "no permission or no guard", "bus-off", "a late turn")
CONDITIONS_OF = {kind: [row[0] for row in CONDITIONS[kind]] for kind in KINDS}
MAY_MISS = 0 if NIGHTLY else 4  # of 36 that should have met a motion
Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.last
def test_no_rule_breaks_in_a_hundred_thousand_random_turns(beside: Beside) -> None:
    status, said = beside.result()
    assert status == 0, said
    assert said.count(f"{STEPS // len(KINDS)} steps, seed {SEED}") == len(KINDS)
    wanted = [(kind, name) for kind in KINDS for name in (*CONDITIONS_OF[kind], *ALSO)]
    untried = [pair for pair in wanted if "{}, {}:".format(*pair) not in said]
    assert len(untried) <= MAY_MISS, f"these met no motion: {untried}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_walks_the_same_way_again(kind: str) -> None:
    first, second = Walk(kind, 5), Walk(kind, 5)
    assert [first.step().wires for _ in range(500)] == [second.step().wires for _ in range(500)]


# --- planted faults


def _sees(module: Any, name: str, change: Callable[[Any], Any]) -> Plant:
    """Replace a function by what `change` makes of it."""
    return lambda patch: patch.setattr(module, name, change(getattr(module, name)))


def _fixed(module: Any, name: str, value: Any) -> Plant:
    return lambda patch: patch.setattr(module, name, lambda *_, **__: value)


def _deaf_to(*messages: type) -> Plant:
    def change(real: Any) -> Any:
        return lambda item: () if isinstance(item, messages) else real(item)

    return _sees(turn, "_message", change)


def _talkative(real: Any) -> Any:
    """Everything leaves, and a driver says too much."""
    return lambda config, wires: ((*wires, Frame(config.buses[0], 0, b"\x02\x10")), ())


def _closed(*names: SignalId) -> Plant:
    """Contacts that are always taken for closed."""

    def change(real: Any) -> Any:
        def value(scene: Any, signal: SignalId) -> Any:
            return 1.0 if signal in names else real(scene, signal)

        return value

    return _sees(facts.Scene, "value", change)


def _reversed(real: Any) -> Any:
    def word(statusword: int | None, given: Any) -> tuple[int, float]:
        found, speed = real(statusword, given)
        return found, -speed

    return word


def _never_dead(real: Any) -> Any:
    """A press that was ended lives on and may move again."""

    def end(state: Any, given: Any, active: Any, motions: Any, now_ns: int) -> Any:
        _, events, hard = real(state, given, active, motions, now_ns)
        return given, events, hard

    return end


def _held(real: Any) -> Any:
    """An ended press is held back for the turn only; the next turn it moves on."""

    def axis(config: Any, state: Any, name: Any, pressed: Any, acts: Any, *rest: Any) -> Any:
        held = pressed and acts[pressed] >= 3
        return real(config, state, name, pressed.__class__(0) if held else pressed, acts, *rest)

    return axis


def _self_starting(patch: pytest.MonkeyPatch) -> None:
    _sees(step, "_end_presses", _never_dead)(patch)
    _sees(command, "_axis", _held)(patch)


def _all_permitted(patch: pytest.MonkeyPatch) -> None:
    _fixed(step, "granted", ALL_MOTIONS)(patch)
    _fixed(command, "granted", ALL_MOTIONS)(patch)


def _no_neutral(real: Any) -> Any:
    """Every station counts as neutral."""

    def press(now: Any, given: Any, station: Any, now_ns: int) -> Any:
        return real(now, given, replace(station, neutral=True, last_press=0), now_ns)

    return press


def _young(real: Any) -> Any:
    """The guard's beat never gets old."""
    return lambda self, beat, now_ns: 0.0 if beat == "guard" else real(self, beat, now_ns)


def _lazy(real: Any) -> Any:
    """A quick stop that is only a ramp."""

    def word(statusword: int | None, given: Any) -> Any:
        return real(statusword, replace(given, cmd=Cmd.RAMP) if given.cmd is Cmd.QUICK else given)

    return word


def _full(real: Any) -> Any:
    return lambda config, state, motion, act: 150.0


FAULTS: dict[str, tuple[str, Plant]] = {
    "old evidence counts": ("lift", _fixed(stations, "live", True)),
    "everything may leave": ("lift", _sees(turn, "_whitelist", _talkative)),
    "permission for everything": ("lift", _all_permitted),
    "STOP is not heard": ("lift", _deaf_to(ipc.StopPress)),
    "a station's end is not heard": ("lift", _deaf_to(ipc.StationGone)),
    "the e-stop reads closed": ("lift", _closed(SignalId.ESTOP_A, SignalId.ESTOP_B)),
    "a knee block reads closed": ("chair", _closed(SignalId.KNEE_A)),
    "the upper limit reads free": ("lift", _closed(SignalId.UPPER_FREE)),
    "the drive runs the other way": ("lift", _sees(cia402, "controlword_for", _reversed)),
    "a press outlives what ended it": ("lift", _self_starting),
    "no neutral is needed": ("lift", _sees(stations, "_press", _no_neutral)),
    "the guard never gets old": ("chair", _sees(authority.Authority, "age_ms", _young)),
    "the marker is not waited for": (
        "lift",
        _sees(
            command, "_wait_for_marker", lambda real: lambda config, state, _: (state, False, ())
        ),
    ),
    "no speed is too high": ("lift", _sees(command, "_cap", _full)),
    "STOP only ramps": ("lift", _sees(cia402, "controlword_for", _lazy)),
    "a silent bus gets heartbeats": (
        "lift",
        lambda patch: patch.setattr(turn, "BUS_ALIVE_MS", 10**9),
    ),
    "driving is never inhibited": ("chair", _fixed(command, "_may_drive", True)),
    "a drive that stopped itself goes on": (
        "lift",
        _sees(drive, "_dropped", lambda real: lambda s: s),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_outsider_finds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, plant = FAULTS[name]
    plant(monkeypatch)
    with pytest.raises(AssertionError, match="step"):
        for seed in SEEDS:
            Walk(kind, seed).walk(FOUND_WITHIN)
