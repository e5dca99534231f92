"""The timeline of one run: what happened, in integer nanoseconds since the scenario began.

Role: the record of truth every judgement, report and coverage figure is read from. JSON lines, one
event each: `t_ns`, `lane`, `kind`, then the fields of that kind. Must never: read a clock.

Lanes: `plant` truth samples of the plant every 10 ms; `bus` frames worth telling; `gate`, `guard`,
`controller`, `alarm`, `ledger` what each decided, at each change; `human` press, release, stop;
`fault` requested, armed, active (with its proof), cleared (with its proof); `oracle` violated;
`expect` passed, failed; `meta` what was run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

LANES = (
    "plant",
    "bus",
    "gate",
    "guard",
    "controller",
    "alarm",
    "human",
    "fault",
    "oracle",
    "expect",
    "ledger",
    "meta",
)
DIGITS = 6  # of a float: what the hash sees
HASHED_META = ("seed", "parameters")
Event = dict[str, Any]
_AS_IT_IS = frozenset({bool, int, str, type(None)})


class Verdict(StrEnum):
    """How a run ended. Only PASS says that what was asked for was seen."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    ERROR = "ERROR"


@dataclass(slots=True)
class Timeline:
    """Events in the order they happened."""

    events: list[Event] = field(default_factory=list)

    def add(self, t_ns: int, lane: str, kind: str, /, **fields: Any) -> None:
        """One event; an unknown lane is a ValueError."""
        if lane not in LANES:
            raise ValueError(f"no lane {lane!r}; lanes: {', '.join(LANES)}")
        self.events.append({"t_ns": t_ns, "lane": lane, "kind": kind} | _plain(fields))

    def __deepcopy__(self, _memo: dict[int, Any]) -> Timeline:
        """What happened does not change: a copy goes on with the same events."""
        return Timeline(list(self.events))

    def lane(self, name: str, kind: str | None = None) -> Iterator[Event]:
        """The events of one lane, of one kind if it is given."""
        return (e for e in self.events if e["lane"] == name and kind in {None, e["kind"]})

    def hash(self) -> str:
        """sha256 over the canonical lines; of `meta` only seed and parameters count."""
        digest = hashlib.sha256()
        for event in self.events:
            if event["lane"] == "meta":
                event = {key: event[key] for key in HASHED_META if key in event}  # noqa: PLW2901
            digest.update(canonical(event) + b"\n")
        return digest.hexdigest()

    def write(self, path: Path) -> None:
        """As JSON lines."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(canonical(event) + b"\n" for event in self.events))


def read(path: Path) -> Timeline:
    """A timeline from its file; ValueError names the line that is none."""
    events: list[Event] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            event = msgspec.json.decode(line)
            known = event["lane"] in LANES and isinstance(event["t_ns"], int) and event["kind"]
        except (msgspec.DecodeError, KeyError, TypeError):
            known = False
        if not known:
            raise ValueError(f"{path}:{number}: not a timeline event (t_ns, lane, kind)")
        events.append(event)
    return Timeline(events)


def canonical(event: Event) -> bytes:
    """One line: sorted keys, no spaces."""
    return msgspec.json.encode(event, order="sorted")


def _plain(value: Any) -> Any:
    """Floats rounded to what the hash sees, so that a written timeline hashes as it did."""
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0  # no minus zero
    if isinstance(value, dict):
        return {
            str(key): item if type(item) in _AS_IT_IS else _plain(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run of one scenario with one set of parameters."""

    id: str
    title: str
    verdict: Verdict
    hazards: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    plane: str = "virtual"
    seed: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()  # of anything but PASS
    measurements: tuple[dict[str, Any], ...] = ()  # name, value, unit, limits, passed
    timeline_hash: str = ""
    timeline_path: str = ""
    source: str = ""  # file of the scenario
    simulated_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)
