"""What a report is asked to look at: ledgers or files, a baseline, audits, inputs.

Role: reads everything a person named and judges the rows. Process: library, plain Python. Must
never: write, or go on with a file it could not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from config.schema import Site
from liftctl.benefit.baseline import Baseline, flow_of, of_site, read
from liftctl.benefit.csv_rows import read_transfers_csv
from liftctl.benefit.flow import Flow, Rules
from liftctl.benefit.inputs import NONE, read_inputs
from liftctl.benefit.ledger_rows import rows_of
from liftctl.benefit.moments import zone
from liftctl.benefit.rows import EvidenceError, Row
from liftctl.recorder.reader import VerifyResult, read_transfers, verify

if TYPE_CHECKING:
    from liftctl.benefit.case import Case

LEDGERS = "*.sqlite"
REMEDY = "look at `liftctl ledger verify`"
DESPITE = "--unverified reports all the same, says so and makes no evidence pack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What was named on the command line."""

    site: Site | None = None
    ledgers: tuple[Path, ...] = ()
    transfers: Path | None = None
    baseline: Path | None = None
    audits: Path | None = None
    inputs: Path | None = None
    timezone: str = "Europe/Copenhagen"
    rules: Rules = field(default_factory=Rules)
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """`odd`: lines that were read but not understood, with their numbers. `checked`: each ledger's
    name and what verifying it found.
    """

    flow: Flow
    baseline: Baseline
    odd: tuple[str, ...]
    checked: tuple[tuple[str, VerifyResult], ...] = ()

    @property
    def not_holding(self) -> tuple[str, ...]:
        """The ledgers nobody should believe."""
        return tuple(name for name, found in self.checked if not found.ok)


def ledger_files(path: Path) -> tuple[Path, ...]:
    """The ledger itself, or every ledger below a folder."""
    if not path.is_dir():
        return (path,)
    found = tuple(sorted(path.rglob(LEDGERS)))
    if not found:
        raise EvidenceError(f"{path}: no ledger ({LEDGERS}) below this folder")
    return found


def gather(sources: Sources) -> Gathered:
    """Rows, judged against their baseline."""
    local = zone(sources.timezone)
    rows, odd = _rows(sources)
    checked = checked_ledgers(sources.ledgers)
    odd += doubts(checked, DESPITE, despite=sources.unverified)
    if sources.baseline:
        baseline, more = read(sources.baseline, local, sources.rules)
        odd += more
    elif sources.site and sources.site.baseline:
        baseline = of_site(sources.site.baseline)
    elif sources.transfers:
        raise EvidenceError("transfers need something to be held against: name it with --baseline")
    else:
        baseline = of_site(())
    return Gathered(flow_of(rows, baseline, sources.rules), baseline, tuple(odd), checked)


def checked_ledgers(paths: Sequence[Path]) -> tuple[tuple[str, VerifyResult], ...]:
    """Each ledger's name, and what verifying it found."""
    return tuple((_name(path), verify(path)) for path in paths)


def _name(path: Path) -> str:
    """Ledgers of several sites have one file name."""
    return f"{path.resolve().parent.name}/{path.name}"


def doubts(
    checked: Sequence[tuple[str, VerifyResult]], way_out: str = "", *, despite: bool = False
) -> list[str]:
    """One line per ledger that does not hold; EvidenceError unless it is to be used `despite`."""
    told = [f"ledger {name} does not hold: {'; '.join(found.problems[:2])}"
            for name, found in checked if not found.ok]  # fmt: skip
    if told and not despite:
        raise EvidenceError("\n".join([*told, "; ".join(filter(None, (REMEDY, way_out)))]))
    return told


def _rows(sources: Sources) -> tuple[Sequence[Row], list[str]]:
    if sources.transfers:
        return read_transfers_csv(sources.transfers, zone(sources.timezone))
    records = [record for path in sources.ledgers for record in read_transfers(path)]
    return rows_of(records, zone(sources.timezone)), []


def to_case(gathered: Gathered, sources: Sources) -> Case:
    """The case of a full report; needs the `evidence` extra."""
    from liftctl.benefit.audits import read_audits
    from liftctl.benefit.case import case_of

    rules = sources.rules
    audits = read_audits(sources.audits, gathered.flow.rows) if sources.audits else {}
    settings = {
        "shortest_s": rules.shortest_s,
        "longest_s": rules.longest_s,
        "learning_days": rules.learning_days,
        "not_holding": gathered.not_holding,
    }
    inputs = read_inputs(sources.inputs) if sources.inputs else NONE
    return case_of(gathered.flow, gathered.baseline, inputs, audits, settings, gathered.odd)
