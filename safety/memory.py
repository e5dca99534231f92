"""What the kernel knows about the person, and what a restart must remember (design rules 7, 9).

Role: aloft, standing and the tension pause as facts with hysteresis; the in-flight marker. Must
never: conclude from an unknown load that nobody hangs there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from safety.facts import Scene
from safety.types import SignalId
from safety.verdict import Event, Marker

EMPTY = Marker(seq=0, in_flight=False, latched=(), pickup=0)


@dataclass(frozen=True, slots=True)
class People:
    """The person: aloft, standing, which pick-up this is and where it began."""

    aloft: bool
    standing: bool
    pickup: int
    pickup_height_mm: float | None = None
    confirmed: bool = False
    marker_is_durable: bool = False

    @classmethod
    def after_boot(cls, kind: str, marker: Marker) -> People:
        """In flight when we died: someone is aloft or standing until a measurement says
        otherwise.
        """
        return cls(
            aloft=kind == "lift" and marker.in_flight,
            standing=kind == "chair" and marker.in_flight,
            pickup=marker.pickup,
        )


def _hysteresis(before: bool, value: float | None, on: float, off: float) -> bool:
    """Unknown keeps the last belief."""
    if value is None:
        return before
    return value > on or (before and value >= off)


def remember(
    before: People, scene: Scene, confirmed_pickup: int
) -> tuple[People, tuple[Event, ...]]:
    """The person after this step's readings."""
    if scene.kind == "chair":
        p = scene.params
        stroke = scene.value(SignalId.STAND_POS)
        up = _hysteresis(before.standing, stroke, p.standing_mm, p.standing_clear_mm)
        return replace(before, standing=up), ()
    load = scene.value(SignalId.LOAD_KG)
    aloft = _hysteresis(before.aloft, load, scene.params.aloft_kg, scene.params.aloft_clear_kg)
    if aloft and not before.aloft:
        height = scene.value(SignalId.HOIST_POS)
        fresh = replace(
            before, aloft=True, pickup=before.pickup + 1, pickup_height_mm=height, confirmed=False
        )
        return fresh, (Event("pickup", str(fresh.pickup)),)
    events = (Event("setdown", str(before.pickup)),) if before.aloft and not aloft else ()
    known = before.confirmed or (aloft and 0 < before.pickup == confirmed_pickup)
    return replace(before, aloft=aloft, confirmed=known and aloft), events


def want_marker(
    before: Marker, people: People, latched: frozenset[str], busy: bool, durable_seq: int
) -> tuple[Marker, People]:
    """The marker to ask for, and whether the durable one already says "in flight".

    `busy`: a press is live, or an axis may still be moving.
    """
    in_flight = people.aloft or people.standing or busy
    wanted = Marker(before.seq, in_flight, tuple(sorted(latched)), people.pickup)
    if wanted != before:
        wanted = replace(wanted, seq=before.seq + 1)
    was = people.marker_is_durable or durable_seq >= before.seq
    durable = in_flight and before.in_flight and was
    return wanted, replace(people, marker_is_durable=durable)
