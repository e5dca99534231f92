"""What the kernel knows about the person, and what a restart must remember (design rules 7, 9).

Role: aloft, standing, their weight and the pick-up as facts with hysteresis; the in-flight marker.
Must never: conclude from an unknown load that nobody hangs there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from safety.bounds import Params
from safety.signals import NS_PER_MS
from safety.verdict import Event, Marker

NEVER_NS = -(10**18)
RISE_NS = 300 * NS_PER_MS  # a rise without a jump of the load: what is gained in it hangs freely
LOST_PICKUPS = 1000  # more than a dead gate can have counted after its last durable marker
EMPTY = Marker(seq=0, in_flight=False, latched=(), pickup=0)


@dataclass(frozen=True, slots=True)
class Measured:
    """The readings this module looks at; None when they may not be used."""

    load_kg: float | None
    height_mm: float | None
    stroke_mm: float | None
    lowering: bool  # told to go down, or sinking
    unseen: bool = False  # nobody knows whether it sinks
    slack: bool = False  # the strap contact says so
    reset: bool = False  # somebody presses Reset
    raising: bool = False  # told to go up


@dataclass(frozen=True, slots=True)
class People:
    """The person: aloft, standing, which pick-up this is and where it began.

    `loads`: (time, kg) within two windows of sudden changes; the newer begins at `window_ns`.
    `carried_kg`: the most that hung steadily since the loops were confirmed, or before, in this
    pick-up; `rising_ns`: since when it rises without a jump. `lowered_ns`: when the hoist last
    went down, `unseen_ns`: when its speed was last unknown; `confirmed_ns`: when a confirmed person
    last hung. `load_ns`: when a load was last known; `silent`: load or stroke were not heard since
    the restart, or the load just now. `vanished`: it went while the scale was silent and nobody was
    lowered, or the stroke fell faster than anybody sits down. `slack_ns`: since when the strap is
    slack and the load gone. `stroke_mm`, `stroke_ns`: its last.
    """

    aloft: bool
    standing: bool
    pickup: int
    pickup_height_mm: float | None = None
    confirmed: bool = False
    marker_is_durable: bool = False
    loads: tuple[tuple[int, float], ...] = ()
    window_ns: int = 0
    carried_kg: float = 0.0
    rising_ns: int | None = None
    slack_ns: int | None = None
    lowered_ns: int = NEVER_NS
    unseen_ns: int = NEVER_NS
    confirmed_ns: int = NEVER_NS
    load_ns: int = NEVER_NS
    vanished: bool = False
    silent: bool = True
    stroke_mm: float = 0.0
    stroke_ns: int = NEVER_NS

    @classmethod
    def after_boot(cls, kind: str, marker: Marker) -> People:
        """In flight when we died: someone is aloft or standing until a measurement says otherwise.
        Their loops may have been hooked anew meanwhile: a new pick-up, which nobody has confirmed.
        """
        return cls(
            aloft=kind == "lift" and marker.in_flight,
            standing=kind == "chair" and marker.in_flight,
            pickup=marker.pickup + LOST_PICKUPS * marker.in_flight,
        )

    @property
    def load_kg(self) -> float:
        """The newest load within the window, 0 when there is none."""
        return self.loads[-1][1] if self.loads else 0.0

    @property
    def before_kg(self) -> float:
        """The largest load in the window before."""
        return max((kg for t_ns, kg in self.loads if t_ns < self.window_ns), default=0.0)

    @property
    def most_kg(self) -> float:
        """The largest load within the window."""
        return max((kg for t_ns, kg in self.loads if t_ns >= self.window_ns), default=0.0)

    @property
    def least_kg(self) -> float:
        """The smallest load within the window."""
        return min((kg for t_ns, kg in self.loads if t_ns >= self.window_ns), default=0.0)

    def jumps(self, p: Params) -> bool:
        """The load rose at once: something is caught or held on to, no weight of a person (H9)."""
        gained = self.load_kg - self.least_kg
        return gained > max(10.0, p.load_rise_ratio * self.carried_kg)

    @property
    def whole_window(self) -> bool:
        """The load has been known for a window: less is no proof that nobody hangs."""
        return bool(self.loads) and self.loads[0][0] <= self.window_ns

    @property
    def confirmed_lately(self) -> bool:
        """A confirmed person hung within the window: a load that fell clears `aloft` at once."""
        return bool(self.loads) and self.loads[0][0] <= self.confirmed_ns


def _hysteresis(before: bool, value: float | None, most: float, on: float, off: float) -> bool:
    """Unknown keeps the last belief. `most`: the largest value of late."""
    if value is None:
        return before
    return value > on or (before and most >= off)


def remember(
    before: People, kind: str, seen: Measured, confirmed_pickup: int, now_ns: int, p: Params
) -> tuple[People, tuple[Event, ...]]:
    """The person after this step's readings."""
    if kind == "chair":
        return _standing(before, seen, now_ns, p), ()
    before = _doubt(_weigh(before, seen, now_ns, p), seen, before.load_ns, p)
    # one false zero in mid-air is no set-down: the whole window must say so
    aloft = _hysteresis(before.aloft, seen.load_kg, before.most_kg, p.aloft_kg, p.aloft_clear_kg)
    aloft |= before.vanished or (before.aloft and not before.whole_window)
    before, hooked_anew = _hooked_anew(before, seen, now_ns, p)
    ended = before.aloft and (hooked_anew or not aloft)
    events = (Event("setdown", str(before.pickup)),) if ended else ()
    if aloft and (hooked_anew or not before.aloft):
        fresh = replace(
            before, aloft=True, pickup=before.pickup + 1, pickup_height_mm=seen.height_mm,
            confirmed=False, carried_kg=0.0,
        )  # fmt: skip
        return fresh, (*events, Event("pickup", str(fresh.pickup)))
    sure = aloft and (before.confirmed or 0 < before.pickup == confirmed_pickup)
    when = now_ns if sure else before.confirmed_ns
    start = before.pickup_height_mm if sure else _lowest(before.pickup_height_mm, seen.height_mm)
    # who pulled at the loops to look at them no longer hangs there
    carried = max(0.0, before.least_kg) if sure and not before.confirmed else before.carried_kg
    after = replace(
        before, aloft=aloft, confirmed=sure, confirmed_ns=when, pickup_height_mm=start,
        carried_kg=carried,
    )  # fmt: skip
    return after, events


def _hooked_anew(before: People, seen: Measured, now_ns: int, p: Params) -> tuple[People, bool]:
    """A strap that was slack and unloaded for a window and is tight again carries another, or the
    same in other loops, whatever a scale with a false zero says meanwhile (H5, H25).
    """
    if not seen.slack:
        window_ns = p.load_window_ms * NS_PER_MS
        long = before.slack_ns is not None and now_ns - before.slack_ns >= window_ns
        return replace(before, slack_ns=None), long and before.confirmed
    if seen.load_kg is None:
        return before, False
    unloaded = seen.load_kg < max(p.aloft_kg, before.carried_kg / 2)
    since_ns = now_ns if before.slack_ns is None else before.slack_ns
    return replace(before, slack_ns=since_ns if unloaded else None), False


def _lowest(start_mm: float | None, height_mm: float | None) -> float | None:
    """Where a pick-up began that nobody has confirmed: it may have been a scale that drifted. A
    height that was silent may come back with another zero, so it is not known any more.
    """
    return None if start_mm is None or height_mm is None else min(start_mm, height_mm)


def _standing(before: People, seen: Measured, now_ns: int, p: Params) -> People:
    """A stroke that fell faster than the actuator can, or over a restart, has lost its zero: who
    stood stands until the stroke says so again, or somebody says that they sit.
    """
    if seen.stroke_mm is None:
        return before
    most_mm = p.stand_mm_s * ((now_ns - before.stroke_ns) / NS_PER_MS + p.slip_ms) / 1000
    fast = before.stroke_mm - seen.stroke_mm > most_mm
    low = before.silent and seen.stroke_mm < p.standing_clear_mm
    fell = before.standing and (fast or low)
    vanished = (before.vanished or fell) and not (seen.reset or seen.stroke_mm > p.standing_mm)
    up = _hysteresis(
        before.standing, seen.stroke_mm, seen.stroke_mm, p.standing_mm, p.standing_clear_mm
    )
    return replace(
        before,
        standing=up or vanished,
        vanished=vanished,
        silent=False,
        stroke_mm=seen.stroke_mm,
        stroke_ns=now_ns,
    )


def _weigh(before: People, seen: Measured, now_ns: int, p: Params) -> People:
    """Keep two windows of loads, and the most that filled the whole of one. What a confirmed person
    gains is theirs only in a free rise: a hand on the bed rail or a carer who leans will let go.
    """
    window_ns = round(p.load_window_ms * NS_PER_MS)
    loads = tuple(item for item in before.loads if item[0] >= now_ns - 2 * window_ns)
    if seen.load_kg is not None:
        loads = (*loads, (now_ns, seen.load_kg))
    lowered_ns = now_ns if seen.lowering else before.lowered_ns
    unseen_ns = now_ns if seen.unseen else before.unseen_ns
    load_ns = before.load_ns if seen.load_kg is None else now_ns
    now = replace(
        before, loads=loads, window_ns=now_ns - window_ns, lowered_ns=lowered_ns,
        unseen_ns=unseen_ns, load_ns=load_ns,
    )  # fmt: skip
    begun_ns = now_ns if before.rising_ns is None or now.jumps(p) else before.rising_ns
    now = replace(now, rising_ns=begun_ns if seen.raising else None)
    free = seen.raising and now_ns - begun_ns >= RISE_NS
    whole = before.aloft and seen.load_kg is not None and len(loads) <= len(before.loads)
    if whole and (free or not before.confirmed or not now.carried_kg):
        return replace(now, carried_kg=max(now.carried_kg, now.least_kg))
    return now


def _doubt(now: People, seen: Measured, known_ns: int, p: Params) -> People:
    """A scale that was silent and then says "nobody" has lost the person, or its zero: who hung
    and was not lowered meanwhile (over a restart nobody knows) hangs until the strap is slack, the
    load is back, or somebody says so.
    """
    if seen.load_kg is None:
        return replace(now, silent=True)
    low = now.silent and seen.load_kg < p.aloft_clear_kg
    fell = now.aloft and low and (now.lowered_ns <= known_ns or known_ns == NEVER_NS)
    ended = seen.slack or seen.reset or seen.load_kg > p.aloft_kg
    return replace(now, silent=False, vanished=(now.vanished or fell) and not ended)


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
