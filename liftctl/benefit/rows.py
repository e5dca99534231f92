"""The analysis table: one typed row per logged transfer, wherever it came from.

Role: the one form in which transfers are judged. Process: library. Must never: hold a badge, a
carer or a name (a carer is a number), or import what the lift's own computer does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

ANALYSED_OUTCOMES = ("completed", "fallback2")
OTHER_OUTCOMES = ("aborted", "fault", "emergency", "interrupted", "training")
LEAST_STAFFED = 0.1  # somebody was there for a tenth of it: less is a slip of the pen
EARLY_S = 600.0  # so long a carer may have been there before the begin, waiting for the other
OUTCOME_WORDS = {"estop": "emergency"}


class EvidenceError(Exception):
    """Input that cannot be used; the message is one line (per finding) with the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One transfer. Moments are UTC seconds since 1970, None when they are not known.

    `day`: on which it began, where the home is. `carers`: the most present at once. `staff_s`: the
    sum of each carer's presence, with waiting for the second carer inside. `follows`: the
    interrupted transfer before it on this lift. `trouble`: why the reader made no sense of the row.
    """

    id: str
    resident: str
    kind: str
    outcome: str
    home: str = ""
    ward: str = ""
    municipality: str = ""
    lift: str = ""
    mobility: str = ""
    carers_planned: int | None = None
    carers: int | None = None
    started_s: float | None = None
    ended_s: float | None = None
    day: date | None = None
    elapsed_s: float | None = None
    staff_s: float | None = None
    waiting_s: float | None = None
    baseline_version: str = ""
    follows: str = ""
    training: bool = False
    out_of_plan: bool = False
    erased: bool = False
    trips: int = 0
    adverse: int = 0
    trouble: str = ""
    line: int = 0

    @property
    def staff_limits(self) -> tuple[float, float]:
        """Staff-seconds that so many carers can have spent on a transfer of that length."""
        elapsed_s = self.elapsed_s or 0.0
        return LEAST_STAFFED * elapsed_s, (self.carers or 0) * (elapsed_s + EARLY_S)

    @property
    def staffed(self) -> bool:
        """Whether the staff-seconds, where they are known, are within these limits."""
        if self.staff_s is None or not self.carers:
            return True
        low, high = self.staff_limits
        return low <= self.staff_s <= high

    @property
    def by_assessment(self) -> bool:
        """Two carers because the assessment asks for them."""
        return (self.carers_planned or 1) > 1
