"""A black box or a candump log, decided by today's gate, as a timeline.

Role: the same decoders and the same turn as in the service; one `gate` event for each change of
what it decided, and a last one with a digest of every byte. Must never: decide in another way than
`liftctl.gate.turn`, or pass over a line of a log in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from config.schema import Site
from drivers.frames import Frame, FrameError
from drivers.registry import build
from hil.timeline import Timeline
from liftctl.blackbox import logfile
from liftctl.blackbox.turnlog import Difference, Replay, Step
from liftctl.decode import parse_line
from liftctl.gate.inputs import RxFrame
from liftctl.gate.replay import GateMachine, step_of
from liftctl.gate.turn import configure, start, turn
from safety.verdict import Marker

PERIOD_NS = 20_000_000  # the gate's own
NEW = Marker(0, False, (), 0)


class RecordingError(Exception):
    """A recording that cannot be used; the message is one line with the remedy."""


@dataclass(slots=True)
class Decided:
    """`timeline`: what was decided; `difference`: the first turn the box decided otherwise."""

    timeline: Timeline = field(default_factory=Timeline)
    turns: int = 0
    difference: Difference | None = None
    version: str = ""  # of the service that made the recording, when it says so


class _Scribe:
    """Writes a change when there is one."""

    def __init__(self, into: Decided) -> None:
        self.into, self._last, self._digest, self._t_ns = into, ("", ""), hashlib.sha256(), 0

    def step(self, t_ns: int, step: Step) -> None:
        self.into.turns += 1
        self._t_ns = t_ns
        self._digest.update(step.digest)
        now = (" ".join(step.rows), step.verdict)
        if now != self._last:
            self._last = now
            self.into.timeline.add(t_ns, "gate", "change", active=step.rows, verdict=step.verdict)

    def end(self) -> None:
        told = {"turns": self.into.turns, "digest": self._digest.hexdigest()}
        self.into.timeline.add(self._t_ns, "gate", "end", **told)


def blackbox(path: Path) -> Decided:
    """A ring, a segment or a freeze; RecordingError when it holds nothing that can be decided."""
    found, run = Decided(), Replay(GateMachine())
    scribe = _Scribe(found)
    try:
        for step in run.steps(logfile.read(path)):
            scribe.step(run.result.last_ns - run.result.first_ns, step)
    except logfile.LogError as error:
        raise RecordingError(str(error)) from error
    if not found.turns:
        raise RecordingError(f"{path}: no turn that follows a session and a snapshot")
    scribe.end()
    found.difference = run.result.difference
    found.version = str(run.result.header.get("version", ""))
    return found


def candump(path: Path, site: Site, buses: dict[str, str]) -> Decided:
    """A log of `candump -l`; `buses`: the log's interface -> the site's bus."""
    devices = tuple(build(spec, site.limits) for spec in site.device)
    config, found = configure(site, devices), Decided()
    scribe, state, due_ns, now_ns = _Scribe(found), None, 0, 0
    waiting: list[RxFrame] = []
    for t_ns, frame in _frames(path, buses):
        while state is not None and t_ns >= due_ns:
            state, out = turn(config, state, due_ns, tuple(waiting))
            scribe.step(due_ns, step_of(out))
            waiting, due_ns = [], due_ns + PERIOD_NS
        if state is None:
            state, due_ns = start(config, t_ns, NEW), t_ns + PERIOD_NS
        if t_ns < now_ns:
            raise RecordingError(f"{path}: time goes backwards at {t_ns / 1e9:.6f} s; sort the log")
        now_ns = t_ns
        waiting.append(RxFrame.of(frame, t_ns))
    if not found.turns:
        raise RecordingError(f"{path}: less than one turn of {PERIOD_NS // 1_000_000} ms")
    scribe.end()
    return found


def _frames(path: Path, buses: dict[str, str]) -> Iterator[tuple[int, Frame]]:
    """Each frame with ns since the first one, one turn later than zero."""
    first_s: float | None = None
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        t_s, frame = _parsed(f"{path}:{number}", line.strip(), buses)
        first_s = t_s if first_s is None else first_s
        yield round((t_s - first_s) * 1e9) + PERIOD_NS, frame


def _parsed(where: str, line: str, buses: dict[str, str]) -> tuple[float, Frame]:
    try:
        logged = parse_line(line)
    except FrameError as error:
        raise RecordingError(f"{where}: {error}") from error
    if logged.t_s is None or logged.frame is None:
        what = "has no time stamp" if logged.t_s is None else "is CAN FD, which no profile speaks"
        raise RecordingError(f"{where}: {what}; record classic CAN with candump -l")
    frame = logged.frame
    if frame.bus not in buses:
        known = ", ".join(buses) or "none"
        raise RecordingError(
            f"{where}: interface {frame.bus}, known: {known}; --bus {frame.bus}=NAME"
        )
    return logged.t_s, Frame(
        buses[frame.bus], frame.id, frame.data, frame.extended, frame.remote, frame.error
    )


def interfaces(path: Path) -> tuple[str, ...]:
    """The interfaces a candump log names, in order of appearance."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error
    return tuple(dict.fromkeys(_second(lines)))


def _second(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        words = line.split()
        if len(words) > 2:
            yield words[1]
