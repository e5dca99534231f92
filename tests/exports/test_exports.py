"""What leaves a home: complete, once, readable by others, and without anybody's name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from config.schema import load
from liftctl import ipc
from liftctl.exports import fhir, lake
from liftctl.exports.rows import COLUMNS, rows
from liftctl.exports.table import write_csv
from liftctl.recorder.entries import Entry
from liftctl.recorder.erasure import Retention
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.requests import answer

SITES = {kind: load(Path(f"config/sites/demo-{kind}.toml")) for kind in ("lift", "chair")}
NAMES = ("r-7f3a", "Resident", "Nurse", "fell", "Room 1", "0006547886")


def record(seq: int, **changes: Any) -> dict[str, Any]:
    blank: dict[str, Any] = {
        "id": f"t-{seq}", "site": "demo-lift", "room": "Room 1, ceiling lift", "kind": "bed-chair",
        "resident": "r-7f3a", "note": "Mrs. Hansen fell", "badge": "0006547886",
        "outcome": "completed", "reason": None, "started_utc": "2026-11-24T10:00:00.000+00:00",
        "ended_utc": "2026-11-24T10:03:30.000+00:00", "elapsed_s": 210, "staff_s": 210.5,
        "carers_planned": 1, "carers_actual": 1, "peak_load_kg": 81.5, "raised_mm": 420,
        "out_of_plan": False, "version": "0.1.0", "config_hash": "abc", "ledger_seq": seq,
        "changed_seq": seq, "erased": False,
    }  # fmt: skip
    return {**blank, **changes}


def nameless(text: str) -> bool:
    return not any(name in text for name in NAMES)


def test_the_document_names_every_column() -> None:
    text = Path("docs/exports.md").read_text()
    assert [column.name for column in COLUMNS if f"`{column.name}`" not in text] == []


# --- CSV ------------------------------------------------------------------------------------------


def test_a_csv_has_the_listed_columns_and_no_name() -> None:
    out = io.StringIO()
    assert write_csv([record(1), record(2, outcome="fault", reason="sling")], out) == 2
    found = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert list(found[0]) == [column.name for column in COLUMNS]
    assert found[0]["staff_s"] == "210.5" and found[1]["reason"] == "sling"
    assert nameless(out.getvalue())


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1", "-1", "\t=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    out = io.StringIO()
    write_csv([record(1, reason=text)], out)
    (found,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert found["reason"] == f"'{text}"


def test_a_value_of_another_type_is_left_out() -> None:
    (row,) = rows([record(1, carers_actual=True, elapsed_s="long", reason={"a": 1}, exclude=1)])
    assert [row[name] for name in ("carers_actual", "elapsed_s", "reason", "exclude")] == [None] * 4


# --- Parquet --------------------------------------------------------------------------------------


def asked(folder: Path, what: str) -> list[tuple[Any, ...]]:
    found = duckdb.sql(f"SELECT {what} FROM read_parquet('{folder}/**/*.parquet')").fetchall()
    return list(found)


def test_the_lake_is_added_to_and_holds_each_row_once(tmp_path: Path) -> None:
    first = [record(3), record(5, started_utc="2026-12-01T00:00:00.000+00:00")]
    assert lake.add(first, tmp_path, "demo-lift") == 2
    assert lake.add([record(7, ended_utc=None), *first], tmp_path, "demo-lift") == 1
    assert lake.add([record(7), *first], tmp_path, "demo-lift") == 0
    assert lake.add([record(2)], tmp_path, "other") == 1
    assert asked(tmp_path, "count(*), count(DISTINCT site || id), sum(staff_s)")[0] == (4, 4, 842)
    months = {path.name for path in tmp_path.glob("site=demo-lift/month=*")}
    assert months == {"month=2026-11", "month=2026-12"}
    (moment,) = asked(tmp_path, "min(started_utc)::TIMESTAMPTZ")[0]
    assert moment.astimezone(UTC) == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert nameless(str(asked(tmp_path, "*")))


def test_a_run_that_was_cut_short_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = [record(n, started_utc=f"2026-1{n % 2 + 1}-01T00:00:00.000+00:00") for n in range(1, 9)]
    real = lake._write

    def once(folder: Path, fresh: Any) -> None:
        real(folder, fresh)
        raise KeyboardInterrupt

    monkeypatch.setattr(lake, "_write", once)
    with pytest.raises(KeyboardInterrupt):
        lake.add(mixed, tmp_path, "demo-lift")
    monkeypatch.setattr(lake, "_write", real)
    assert lake.add([*mixed, record(9)], tmp_path, "demo-lift") == 9
    assert asked(tmp_path, "count(*), count(DISTINCT id)")[0] == (9, 9)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "demo-lift" / "ledger.sqlite", lambda: 10**18)) as found:
        yield found


def close(ledger: Ledger, name: str, outcome: str = "completed") -> None:
    stay = {"joined_s": 0.0, "left_s": 80.0, "source": "badge"}
    told = {"schema": 2, "id": name, "outcome": outcome, "resident": "r-7f3a", "elapsed_s": 80.0,
            "carers_actual": 1, "carers_present": [stay], "staff_s": 80.0,
            "started_utc": "2026-11-24T10:00:00+00:00"}  # fmt: skip
    ledger.append(Entry("closed", name, 1, told, {"outcome": outcome}))


def asked_of(ledger: Ledger, verb: str, args: dict[str, str], **fields: Any) -> None:
    assert answer(ledger, ipc.LedgerAsk(verb, args, fields), Retention(), 10**18).ok


def test_the_lake_hears_of_corrections_erasures_and_a_later_end(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Each transfer stays one row, the last word."""
    home = tmp_path / "lake"

    def added() -> int:
        return lake.add(read_transfers(ledger.path), home, "demo-lift")

    close(ledger, "a")
    close(ledger, "b")
    close(ledger, "c", "interrupted")
    assert added() == 3
    asked_of(ledger, "correct", {"transfer": "a", "reason": "audit"}, carers_actual=2)
    asked_of(ledger, "erase", {"transfer": "b"})
    close(ledger, "c")
    assert (added(), added()) == (3, 0)
    found = asked(home, "id, outcome, carers_actual, staff_s, erased")
    assert sorted(found) == [
        ("a", "completed", 2, 160.0, False),
        ("b", "completed", None, None, True),
        ("c", "completed", 1, 80.0, False),
    ]


def test_a_lake_from_before_corrections_were_heard_of_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = lake.SCHEMA.names[:-2]
    monkeypatch.setattr(lake, "SCHEMA", pa.schema([lake.SCHEMA.field(name) for name in names]))
    lake.add([record(3, id="kept elsewhere"), record(5)], tmp_path, "demo-lift")
    monkeypatch.undo()
    assert lake.add([record(5, staff_s=9.0, changed_seq=6)], tmp_path, "demo-lift") == 1
    found = asked(tmp_path, "id, staff_s, changed_seq")
    assert sorted(found) == [("kept elsewhere", 210.5, None), ("t-5", 9.0, 6)]


# --- FHIR -----------------------------------------------------------------------------------------

# Of FHIR R4: what each resource must have, may have, and which codes a required binding allows.
REQUIRED = {
    "Device": set(),
    "DeviceMetric": {"type", "category"},
    "Procedure": {"status", "subject"},
}
ALLOWED = {
    "Device": {"identifier", "status", "type", "property", "parent"},
    "DeviceMetric": {"identifier", "type", "unit", "source", "parent", "category", "calibration"},
    "Procedure": {
        "identifier", "status", "statusReason", "code", "subject", "performedPeriod", "outcome",
        "usedReference", "extension",
    },
}  # fmt: skip
CODES = {
    ("Device", "status"): {"active", "inactive", "entered-in-error", "unknown"},
    ("DeviceMetric", "category"): {"measurement", "setting", "calculation", "unspecified"},
    ("Procedure", "status"): {
        "preparation", "in-progress", "not-done", "on-hold", "stopped", "completed",
        "entered-in-error", "unknown",
    },
}  # fmt: skip
ID = re.compile(r"^[A-Za-z0-9\-.]{1,64}$")


@pytest.mark.parametrize("kind", SITES)
def test_every_resource_is_what_r4_asks_for_and_refers_to_one_that_is_there(kind: str) -> None:
    outcomes = (*fhir.STATUS, "", "new-word")
    records = [record(n, outcome=word) for n, word in enumerate(outcomes)]
    found = list(fhir.resources(SITES[kind], [*records, {"id": "erased", "erased": True}]))
    there = {f"{item['resourceType']}/{item['id']}" for item in found}
    assert len(there) == len(found)
    for item in found:
        name = item["resourceType"]
        keys = item.keys() - {"resourceType", "id"}
        assert REQUIRED[name] <= keys <= ALLOWED[name] and ID.match(item["id"])
        for (of, key), codes in CODES.items():
            assert of != name or item[key] in codes
        for text in re.findall(r'"reference": "([^"]+)"', json.dumps(item)):
            assert text in there
    kinds = {item["resourceType"] for item in found}
    assert kinds == {"Device", "DeviceMetric", "Procedure"}
    assert nameless(json.dumps(found))


def test_units_are_read_from_the_signals_names() -> None:
    units = {
        item["type"]["text"]: item["unit"]["coding"][0]["code"]
        for item in fhir.metrics(SITES["lift"])
        if "unit" in item
    }
    assert units["load_kg"] == "kg" and units["hoist_speed_mm_s"] == "mm/s"
    assert units["hoist_height_mm"] == "mm" and units["battery_pct"] == "%"


def test_a_resident_is_a_token_and_only_when_asked_for() -> None:
    (found,) = fhir.procedures(SITES["lift"], [record(1)], residents=True)
    assert found["subject"]["identifier"]["value"] == "r-7f3a" and "fell" not in str(found)
    (found,) = fhir.procedures(SITES["lift"], [record(1)])
    assert found["subject"] == {"type": "Patient", "display": "not exported"}


def test_lines_and_bundle_hold_the_same_and_repeat_without_change() -> None:
    found = list(fhir.resources(SITES["lift"], [record(1)]))
    lines = list(fhir.ndjson(found))
    assert [json.loads(line) for line in lines] == found
    assert all(line.count("\n") == 1 for line in lines)
    made = fhir.bundle(found)
    assert made["type"] == "transaction"
    urls = [entry["request"]["url"] for entry in made["entry"]]
    assert urls == [entry["request"]["url"] for entry in fhir.bundle(found)["entry"]]
