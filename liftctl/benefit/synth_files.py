"""Files of a synthetic year: a ledger, the same transfers as CSV, baseline, audits, inputs.

Role: writes what `liftctl synth` made. Process: `liftctl synth`. Must never: overwrite.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from liftctl.benefit.baseline import freeze, measure
from liftctl.benefit.csv_rows import COLUMNS, OPTIONAL
from liftctl.benefit.flow import Rules
from liftctl.benefit.ledger_rows import rows_of
from liftctl.benefit.rows import EvidenceError, Row
from liftctl.benefit.synth import ZONE, Made, year
from liftctl.recorder.ledger import Entry, Ledger
from liftctl.records import TransferRecord, plain

AUDITED = 0.03
EXAMPLES = Path(__file__).with_name("examples")


def write_year(
    out: Path,
    seed: int,
    residents: int,
    days: int,
    before_days: int,
    start: date,
    progress: Callable[[int], None],
) -> int:
    """Everything into a new folder; the number of transfers after go-live."""
    try:
        out.mkdir(parents=True)
    except FileExistsError as error:
        raise EvidenceError(f"{out} exists; name a new folder") from error
    made = list(year(seed, residents, days, before_days, start))
    go_live = datetime.combine(start + timedelta(before_days), datetime.min.time(), ZONE)
    old = [item for item in made if _moment(item.record.started_utc) < go_live]
    new = made[len(old) :]
    before, after = _rows(old), _rows(new)
    write_csv(out / "before.csv", before)
    write_csv(out / "transfers.csv", after)
    measured = measure(before, Rules(), title="Synthetic home, two carers", method="ledger",
                       source="the home's own two-carer period", census=True)  # fmt: skip
    freeze(measured, out / "baseline.json")
    _write_audits(out / "audits.csv", seed, new)
    (out / "inputs.toml").write_text((EXAMPLES / "inputs.toml").read_text("utf-8"), "utf-8")
    _write_ledger(out / "ledger.sqlite", (item.record for item in new), progress)
    return len(new)


def _moment(told: str | None) -> datetime:
    return datetime.fromisoformat(told or "")


def _rows(made: Iterable[Made]) -> list[Row]:
    return rows_of((plain(item.record) for item in made), ZONE)


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """Rows as the table that `--transfers` and `--baseline` read."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow((*COLUMNS, *OPTIONAL))
        table.writerows(_line(row) for row in rows)


def _line(row: Row) -> list[object]:
    outcome = "training" if row.training else row.outcome
    told = [row.id, row.resident, row.home, row.kind, row.carers, _local(row.started_s),
            _local(row.ended_s), outcome, row.ward, row.municipality, row.lift, row.mobility,
            row.carers_planned, _rounded(row.staff_s), _rounded(row.waiting_s),
            row.trips, row.adverse, row.baseline_version]  # fmt: skip
    return ["" if item is None else item for item in told]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _local(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.fromtimestamp(round(seconds, 3), ZONE).isoformat(timespec="milliseconds")


def _write_audits(path: Path, seed: int, made: Iterable[Made]) -> None:
    rng = random.Random(seed + 1)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("transfer_id", "carers_seen"))
        for item in made:
            if item.record.outcome in ("completed", "fallback2") and rng.random() < AUDITED:
                table.writerow((item.record.id, item.really))


def _write_ledger(
    path: Path, records: Iterable[TransferRecord], progress: Callable[[int], None]
) -> None:
    now_ns = 0
    with closing(Ledger(path, lambda: now_ns)) as ledger:
        ledger.db.execute("PRAGMA synchronous=OFF")  # nobody loses anything by a power cut
        for number, record in enumerate(records, 1):
            now_ns = int(_moment(record.started_utc).astimezone(UTC).timestamp() * 1e9)
            told = plain(record)
            header = {"site": record.site, "outcome": record.outcome}
            ledger.append(Entry("closed", record.id, number, told, header))
            progress(number)
