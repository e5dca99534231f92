"""A scenario's steps, done on a plane.

Role: the carer, the technician and the saboteur of a scenario; moments get names in the timeline.
Must never: judge (but it gives up when a step's own condition does not come).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hil.clock import NS_PER_MS
from hil.faults import catalogue
from hil.faults.inject import PROVE_NS, Injection
from hil.rooms.room import RequestError
from hil.scenario import situations
from hil.scenario.conditions import Condition
from hil.scenario.model import Doing, Scenario
from hil.scenario.situations import NotReached
from hil.scenario.words import still

SLICE_NS = 10 * NS_PER_MS
PANEL = "panel:1"
ANSWER_NS = 3_000 * NS_PER_MS
PROBE_NS = 700 * NS_PER_MS
REST_NS = 2_500 * NS_PER_MS
TAIL_NS = 500 * NS_PER_MS
MOVED_MM, STOOD_MM = 3.0, 2.0
PLACE = {
    "UP": "height_mm",
    "DOWN": "height_mm",
    "LEFT": "x_mm",
    "RIGHT": "x_mm",
    "STAND": "stroke_mm",
    "SIT": "stroke_mm",
}
SIGN = {"UP": 1, "RIGHT": 1, "STAND": 1, "DOWN": -1, "LEFT": -1, "SIT": -1}


@dataclass(slots=True)
class Player:
    """One run: `faults` by name, `reasons` of what went wrong on the way."""

    plane: Any
    scenario: Scenario
    faults: dict[str, Injection] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Into the situation the scenario starts from."""
        situations.reach(self, self.scenario.start)

    def play(self) -> None:
        """Every step, then a moment for the last to settle; NotReached."""
        self.mark("start")
        for doing in self.scenario.steps:
            DO[doing.verb](self, doing)
        self.plane.run(TAIL_NS)

    def mark(self, name: str | None) -> None:
        """Name this moment."""
        if name:
            self.plane.timeline.add(self.plane.t_ns, "meta", "mark", name=name)

    # --- what situations and steps share --------------------------------------------------------

    def until(self, that: Condition | Callable[[Any], bool], within_ns: int, name: str) -> None:
        """Let time pass until it is so."""
        end_ns = self.plane.t_ns + within_ns
        while not that(self.plane.now):
            if self.plane.t_ns >= end_ns:
                raise NotReached(f"waited {within_ns / 1e9:g} s in vain for: {name}{self._why()}")
            self.plane.run(SLICE_NS)

    def _why(self) -> str:
        gate = self.plane.now.get("gate", {})
        rows = {
            name: item["rows"] for name, item in gate.get("motions", {}).items() if item["rows"]
        }
        return f" (mode {gate.get('mode')}, refused by {rows})" if rows else ""

    def press(self, motion: str, station: str = PANEL) -> None:
        """A finger down; the first of a scenario's steps is the moment `press`."""
        self.mark("press")
        self.plane.press(station, motion)

    def release(self, station: str = PANEL) -> None:
        """The finger lifts."""
        self.mark("release")
        self.plane.release(station)

    def workflow(self, action: str, args: dict[str, Any], refused: str = "") -> None:
        """A step of the transfer, answered by a change or a refusal."""
        before = self.plane.now.get("controller", {}).get("step")
        count = len(self.plane.refused)
        self.plane.workflow(PANEL, action, {key: str(value) for key, value in args.items()})

        def answered(now: Any) -> bool:
            return now["controller"]["step"] != before or len(self.plane.refused) > count

        try:
            self.until(
                answered, ANSWER_NS if refused or action in MOVES_ON else SLICE_NS * 20, action
            )
        except NotReached:
            if refused or action in MOVES_ON:
                raise
        told = self.plane.refused[count][1] if len(self.plane.refused) > count else ""
        if told != refused:
            raise NotReached(f"step {action}: {told or 'taken'}, not {refused or 'taken'}")


MOVES_ON = frozenset(
    {"begin", "checks_ok", "consent_yes", "hooked", "loops_ok", "unhooked", "finish", "cancel"}
)


def _station(doing: Doing) -> str:
    return str(doing.args.get("station") or PANEL)


def _press(player: Player, doing: Doing) -> None:
    player.press(doing.args["motion"], _station(doing))
    player.mark(doing.args.get("as"))


def _release(player: Player, doing: Doing) -> None:
    player.release(_station(doing))
    player.mark(doing.args.get("as"))


def _hold(player: Player, doing: Doing) -> None:
    _press(player, doing)
    player.plane.run(doing.args["for"])
    player.release(_station(doing))


def _stop(player: Player, doing: Doing) -> None:
    player.mark("stop")
    player.mark(doing.args.get("as"))
    player.plane.stop(_station(doing))


def _reset(player: Player, doing: Doing) -> None:
    player.mark("reset")
    player.mark(doing.args.get("as"))
    player.plane.reset(_station(doing))
    player.plane.run(5 * SLICE_NS)


def _step(player: Player, doing: Doing) -> None:
    args = doing.args
    player.workflow(args["action"], args.get("args", {}), args.get("refused", ""))


def _technician(player: Player, doing: Doing) -> None:
    player.mark(doing.args.get("as"))
    player.plane.technician(doing.args["row"], doing.args.get("by", "bench"))
    player.plane.run(5 * SLICE_NS)


def _act(player: Player, doing: Doing) -> None:
    request = {"do": doing.args["do"], **doing.args.get("with", {})}
    player.mark(doing.args.get("as"))
    player.plane.human("act", **request)
    try:
        player.plane.command(request)
    except RequestError as error:
        raise NotReached(f"line {doing.line}: {doing.args['do']}: {error}") from error


def _wait(player: Player, doing: Doing) -> None:
    player.plane.run(doing.args["for"])


def _until(player: Player, doing: Doing) -> None:
    player.until(doing.args["that"], doing.args["within"], doing.args["that"].text)
    player.mark(doing.args.get("as"))


def _mark(player: Player, doing: Doing) -> None:
    player.mark(doing.args["as"])


def _fault(player: Player, doing: Doing) -> None:
    args = doing.args
    name = str(args.get("as", "fault"))
    kind = catalogue.KINDS[args["id"]]
    running = kind.make(catalogue.arguments(kind, args.get("with", {})))
    injection = Injection(
        player.plane,
        name,
        kind.id,
        running,
        prove_ns=args.get("prove_within", PROVE_NS),
        when=args.get("when"),
        for_ns=args.get("for", 0),
    )
    player.faults[name] = injection
    injection.request(args.get("after", 0))


def _clear(player: Player, doing: Doing) -> None:
    player.faults[doing.args["as"]].clear()
    player.plane.run(SLICE_NS)


def _probe(player: Player, doing: Doing) -> None:
    """Press every arrow anew: what must rest first, so that it rests where the fault left it."""
    moves, plane = doing.args["moves"], player.plane
    for motion in sorted(player.scenario.motions, key=lambda name: name in moves):
        before = plane.now["plant"][PLACE[motion]]
        plane.press(_station(doing), motion)
        plane.run(doing.args.get("for", PROBE_NS))
        gone = (plane.now["plant"][PLACE[motion]] - before) * SIGN[motion]
        plane.release(_station(doing))
        _settle(player)
        wrong = gone < MOVED_MM if motion in moves else gone > STOOD_MM
        kind = "failed" if wrong else "passed"
        text = f"{motion} {'moves' if motion in moves else 'does not move'} on a fresh press"
        why = f"it went {gone:.1f} mm" if wrong else ""
        plane.timeline.add(
            plane.t_ns, "expect", kind, text=text, name=f"probe {motion}", why=why, value=gone,
            unit="mm", low=None, high=None, line=doing.line,
        )  # fmt: skip
        if wrong:
            player.failed.append(f"line {doing.line}: {text}: {why}{player._why()}")


def _settle(player: Player) -> None:
    end_ns = player.plane.t_ns + REST_NS
    player.plane.run(300 * NS_PER_MS)
    while not still(player.plane.now["plant"]) and player.plane.t_ns < end_ns:
        player.plane.run(SLICE_NS)


DO: dict[str, Callable[[Player, Doing], None]] = {
    "press": _press,
    "release": _release,
    "hold": _hold,
    "stop": _stop,
    "reset": _reset,
    "step": _step,
    "technician": _technician,
    "act": _act,
    "wait": _wait,
    "until": _until,
    "mark": _mark,
    "fault": _fault,
    "clear": _clear,
    "probe": _probe,
}
