"""Which transfers count, and why the others do not: the flow from logged to analysed.

Role: one reason per row, the first that holds, in the order of `REASONS`. Process: library, plain
Python. Must never: leave a row without an answer, or drop one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from liftctl.benefit.rows import ANALYSED_OUTCOMES, OTHER_OUTCOMES, Row

MOST_OVERLAPS = 0.05
ALWAYS_OVERLAPS = 4
TIME_TROUBLES = ("unreadable_time", "ambiguous_time", "wrong_time_zone")

ONE_AT_A_TIME: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "lift": lambda row: (row.municipality, row.home, row.lift),
    "resident": lambda row: (row.resident,),
}

REASONS = (
    "erased",
    "unreadable_record",
    "duplicate",
    "conflicting_duplicate",
    *OTHER_OUTCOMES,
    "unknown_outcome",
    "unreadable_time",
    "ambiguous_time",
    "wrong_time_zone",
    "unreadable_number",
    "missing_end",
    "missing_phases",
    "negative_duration",
    "implausible_duration",
    "carers_unknown",
    "resident_missing",
    "overlapping",
    "after_interruption",
    "out_of_plan",
    "no_baseline",
    "baseline_newer_than_use",
    "baseline_period",
    "other_baseline",
    "learning_period",
)
NOT_OF_TODAY = ("duplicate", "baseline_period", "baseline_newer_than_use")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is plausible, and from when on it counts.

    `learning_days`: left out after each home's first transfer. `kinds`: what the baseline covers
    (None: everything). `today`: nothing can have happened after it. `baseline_from`, `baseline_to`:
    its observed days; `version`: its hash.
    """

    shortest_s: float = 30.0
    longest_s: float = 1800.0
    learning_days: int = 0
    kinds: frozenset[str] | None = None
    today: date | None = None
    baseline_from: date | None = None
    baseline_to: date | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """`rows` and `reasons` side by side; "" means analysed. `remarks`: what was seen, in words."""

    rows: tuple[Row, ...]
    reasons: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def analysed(self) -> list[Row]:
        return [row for row, reason in zip(self.rows, self.reasons, strict=True) if not reason]

    @property
    def logged(self) -> int:
        """Transfers of today's way of working, each id once."""
        pairs = zip(self.rows, self.reasons, strict=True)
        kept = [(row, reason) for row, reason in pairs if reason not in NOT_OF_TODAY]
        doubted = [row.id for row, reason in kept if reason == "conflicting_duplicate"]
        return len(kept) - len(doubted) + len(set(doubted))

    @property
    def excluded(self) -> dict[str, int]:
        """Reason -> number, in the order of `REASONS`."""
        counts = Counter(reason for reason in self.reasons if reason)
        return {name: counts[name] for name in REASONS if counts[name]}


def judge(rows: Sequence[Row], rules: Rules) -> Flow:
    """The flow of all rows."""
    doubled = _duplicates(rows)
    overlapping, remarks = _overlapping(rows, doubled)
    remarks += _told_to_come(rows, rules)
    beside = (
        doubled,
        dict.fromkeys(overlapping, "overlapping"),
        dict.fromkeys(_rests(rows), "after_interruption"),
    )
    starts = _starts(rows, rules)

    def reason(number: int, row: Row) -> str:
        found = [_of_itself(row, rules), *(marks.get(number, "") for marks in beside)]
        first = min(filter(None, found), key=REASONS.index, default="")
        return first or _against_baseline(row, rules) or _learning(row, rules, starts)

    reasons = tuple(reason(number, row) for number, row in enumerate(rows))
    return Flow(tuple(rows), reasons, remarks)


def _of_itself(row: Row, rules: Rules) -> str:
    """What one row alone shows."""
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("erased", lambda: row.erased),
        ("unreadable_record", lambda: row.trouble == "unreadable_record"),
        (row.outcome, lambda: row.outcome in OTHER_OUTCOMES),
        ("training", lambda: row.training),
        ("unknown_outcome", lambda: row.outcome not in ANALYSED_OUTCOMES),
        (row.trouble, lambda: row.trouble in TIME_TROUBLES),
        ("unreadable_time", lambda: _to_come(row, rules)),
        ("unreadable_number", lambda: row.trouble == "unreadable_number"),
        ("missing_end", lambda: row.elapsed_s is None),
        ("missing_phases", lambda: row.trouble == "missing_phases"),
        ("negative_duration", lambda: (row.elapsed_s or 0.0) <= 0.0),
        ("implausible_duration", lambda: not _plausible(row, rules)),
        ("carers_unknown", lambda: not row.carers or row.staff_s is None),
        ("resident_missing", lambda: not row.resident),
        ("out_of_plan", lambda: row.out_of_plan),
    )
    return next((name for name, holds in checks if holds()), "")


def _to_come(row: Row, rules: Rules) -> bool:
    return bool(rules.today and row.day and row.day > rules.today)


def _told_to_come(rows: Iterable[Row], rules: Rules) -> tuple[str, ...]:
    late = sum(_to_come(row, rules) for row in rows)
    if not late:
        return ()
    return (f"{late} transfers begin after the day of this report ({rules.today}): a clock was "
            "wrong, they are left out as unreadable_time",)  # fmt: skip


def _plausible(row: Row, rules: Rules) -> bool:
    return rules.shortest_s <= (row.elapsed_s or 0.0) <= rules.longest_s and row.staffed


def _against_baseline(row: Row, rules: Rules) -> str:
    if rules.kinds is not None and row.kind not in rules.kinds:
        return "no_baseline"
    if rules.baseline_from and row.day and row.day < rules.baseline_from:
        return "baseline_newer_than_use"
    if _of_baseline(row, rules):
        return "baseline_period"
    if row.baseline_version and rules.version and row.baseline_version != rules.version:
        return "other_baseline"
    return ""


def _of_baseline(row: Row, rules: Rules) -> bool:
    """Inside or before the time the baseline was measured in: it cannot be held against itself."""
    return bool(rules.baseline_to and row.day and row.day <= rules.baseline_to)


def _starts(rows: Iterable[Row], rules: Rules) -> dict[tuple[str, str], date]:
    """The first day of each home with the new way of working."""
    found: dict[tuple[str, str], date] = {}
    for row in rows:
        if _of_baseline(row, rules):
            continue
        if row.day is not None and row.outcome in ANALYSED_OUTCOMES:
            home = row.municipality, row.home
            found[home] = min(row.day, found.get(home, row.day))
    return found


def _learning(row: Row, rules: Rules, starts: dict[tuple[str, str], date]) -> str:
    home = row.municipality, row.home
    if not rules.learning_days or row.day is None or home not in starts:
        return ""
    over = starts[home] + timedelta(days=rules.learning_days)
    return "learning_period" if row.day < over else ""


def _duplicates(rows: Sequence[Row]) -> dict[int, str]:
    """The same id again: the first counts when the others say the same, else none counts."""
    by_id: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        if row.id:
            by_id[row.id].append(number)
    found: dict[int, str] = {}
    for numbers in by_id.values():
        if len(numbers) > 1:
            same = len({replace(rows[n], line=0) for n in numbers}) == 1
            for n in numbers[1:] if same else numbers:
                found[n] = "duplicate" if same else "conflicting_duplicate"
    return found


def _rests(rows: Sequence[Row]) -> set[int]:
    """What only ends an interrupted transfer: begun half-way, it would pass for a quick one.

    The recorder names the interrupted one in whatever comes next on that lift, also a stranger's.
    An erased predecessor no longer tells whose it was: then it may have been the same resident.
    """
    broken = {row.id: row.resident for row in rows if row.outcome == "interrupted"}
    return {
        number
        for number, row in enumerate(rows)
        if row.follows in broken and broken[row.follows] in ("", row.resident)
    }


def _overlapping(rows: Sequence[Row], doubled: dict[int, str]) -> tuple[set[int], tuple[str, ...]]:
    """Two at once on one lift, or with one resident: nobody can say which is wrong, none counts.

    Many overlaps mean that the times are not real moments; leaving out the long ones would bias.
    """
    found: set[int] = set()
    remarks: list[str] = []
    usable = [
        n
        for n, row in enumerate(rows)
        if row.started_s is not None and row.ended_s is not None and n not in doubled
    ]
    for name, key_of in ONE_AT_A_TIME.items():
        groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for n in usable:
            if (key := key_of(rows[n]))[-1]:
                groups[key].append(n)
        hit = {n for numbers in groups.values() for n in _clashes(rows, numbers)}
        if len(hit) > max(MOST_OVERLAPS * len(rows), ALWAYS_OVERLAPS):
            remarks.append(f"{len(hit)} of {len(rows)} transfers overlap by {name}: the times do "
                           "not separate them, so overlaps were not judged")  # fmt: skip
        else:
            found |= hit
    return found, tuple(remarks)


def _clashes(rows: Sequence[Row], numbers: list[int]) -> set[int]:
    found: set[int] = set()
    order = sorted(numbers, key=lambda n: (rows[n].started_s or 0.0, rows[n].ended_s or 0.0))
    last, end_s = -1, float("-inf")
    for n in order:
        start, end = rows[n].started_s or 0.0, rows[n].ended_s or 0.0
        if start < end_s:
            found |= {last, n}
        if end > end_s:
            last, end_s = n, end
    return found
