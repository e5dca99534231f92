"""What a campaign amounts to: figures, survivors with their reasons, and pass or fail.

Role: the report. Process: the mutation test. Must never: count anything but a failed test as a
kill, or take an equivalent without a reason.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from hil.selftest.mutants import Mutant
from tests.mutation.campaign import Found
from tests.mutation.pool import End, Outcome

LEAST_KILLED = 0.99
MOST_EQUIVALENT = 0.03


@dataclass(frozen=True, slots=True)
class Verdict:
    """`errors` are what makes the run fail, besides the share of kills."""

    found: Found
    equivalent: dict[str, str]
    errors: tuple[str, ...]

    @property
    def counted(self) -> Found:
        """Without the argued equivalents."""
        return [item for item in self.found if item[0].key not in self.equivalent]

    @property
    def killed(self) -> int:
        return sum(outcome.end is End.KILLED for _, outcome in self.counted)

    @property
    def good(self) -> bool:
        share = self.killed / len(self.counted) if self.counted else 1.0
        return not self.errors and share >= LEAST_KILLED


def judged(found: Found, reasons: dict[str, str], wrong: list[str], modules: set[str]) -> Verdict:
    """The figures, and everything that is wrong with the run itself."""
    ends = {mutant.key: outcome.end for mutant, outcome in found}
    reasons = {key: why for key, why in reasons.items() if key.partition(":")[0] in modules}
    errors = list(wrong)
    errors += [f"stale: no mutant is {key}" for key in reasons if key not in ends]
    errors += [f"not equivalent, it is killed: {k}" for k in reasons if ends.get(k) is End.KILLED]
    errors += [f"{m.key}: {o.says}" for m, o in found if o.end is End.BROKEN]
    if len(reasons) > MOST_EQUIVALENT * len(found):
        errors.append(f"{len(reasons)} of {len(found)} are argued equivalent, at most 3 %")
    return Verdict(found, reasons, tuple(errors))


def equivalents(path: Path) -> dict[str, str]:
    """Key to reason, as argued."""
    items = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    return {item["key"]: item["reason"] for item in items}


def lines(verdict: Verdict, planted: Found, must_survive: int) -> list[str]:
    """The report; the last line is the result."""
    out = [_told(m, o, "planted") for m, o in planted if o.end is not End.KILLED]
    for mutant, outcome in verdict.found:
        if mutant.key in verdict.equivalent:
            out.append(_told(mutant, outcome, f"equivalent: {verdict.equivalent[mutant.key]}"))
        elif outcome.end is not End.KILLED:
            out.append(_told(mutant, outcome, outcome.says))
    out += _table(verdict)
    out += [f"error: {item}" for item in verdict.errors]
    reported = sum(outcome.end is End.SURVIVED for _, outcome in planted)
    out.append(
        f"mutants: {verdict.killed}/{len(verdict.counted)} killed, "
        f"{reported}/{must_survive} planted survivors reported"
    )
    return out


def _told(mutant: Mutant, outcome: Outcome, why: str) -> str:
    place = f"{mutant.module}:{mutant.first_line}"
    return f"{outcome.end}: {mutant.key}\n    {place}: {why}"


def _table(verdict: Verdict) -> list[str]:
    modules: dict[str, list[tuple[Mutant, Outcome]]] = defaultdict(list)
    for mutant, outcome in verdict.found:
        modules[mutant.module].append((mutant, outcome))
    out = []
    for path, items in modules.items():
        ends = Counter(o.end for m, o in items if m.key not in verdict.equivalent)
        others = ", ".join(f"{n} {end}" for end, n in ends.items() if end is not End.KILLED)
        each_s = sum(outcome.took_s for _, outcome in items) / len(items)
        equivalent = len(items) - ends.total()
        out.append(
            f"{path}: {ends[End.KILLED]}/{ends.total()} killed, {equivalent} equivalent, "
            f"{each_s:.2f} s each{'; ' if others else ''}{others}"
        )
    return out
