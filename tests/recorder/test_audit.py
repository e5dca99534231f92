"""What people did is an entry of its own: inspections, exports, support; and what it leads to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as replace_struct
from typer.testing import CliRunner

from liftctl import ipc
from liftctl.centre.ingest.project import rows
from liftctl.centre.ingest.verify import Link
from liftctl.cli import app
from liftctl.places import Places
from liftctl.recorder import audit, erasure
from liftctl.recorder.entries import Entry
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.readonly import connect
from liftctl.recorder.requests import answer
from liftctl.recorder.store import LedgerError
from liftctl.recorder.verify import verify
from liftctl.upkeep import UpkeepError, due, shown, taken
from liftctl.uplink.outbox import Outbox
from tests.controller.world import World

SITE = "config/sites/demo-lift.toml"
TODAY = date(2026, 11, 25)
NOW_NS = 1_795_600_800 * 10**9  # 2026-11-25, ten o'clock UTC
KEEP = erasure.Retention()
PASSED = ipc.Upkeep("inspection", "2026-11-24", "2027-11-24")
IN_PLACE = replace_struct(PASSED, instead_of="2026-11-01")
FAILED = ipc.Upkeep("inspection", str(TODAY), "", False, "2026-11-01")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "ledger.sqlite", lambda: NOW_NS, tmp_path / "heads")) as found:
        yield found


def upkeep(ledger: Ledger, by: str = "T. Technician", **fields: Any) -> ipc.LedgerSays:
    told = {"what": "inspection", "done": "2026-11-24", "next_due": "2027-11-24", **fields}
    return answer(ledger, ipc.LedgerAsk("upkeep", {"by": by}, told), KEEP, NOW_NS)


# --- inspections ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"done": "24.11.2026"}, "on '24.11.2026' is no date; write YYYY-MM-DD"),
        ({"done": "2026-11-26"}, "on 2026-11-26 is after today"),
        ({"next_due": ""}, "next '' is no date"),
        ({"next_due": "2026-11-24"}, "next 2026-11-24 is not after on 2026-11-24; are they"),
        ({"next_due": "2028-01-01"}, "more than 366 days after"),
        ({"done": "2025-11-20", "next_due": "2026-11-20"}, "next 2026-11-20 is past"),
        ({"passed": False}, "a failed inspection has no next date"),
        ({"what": "paint"}, "what 'paint' is unknown; use inspection or service"),
        ({"what": "service", "cycles": -1}, "cycles -1 is outside"),
        ({"passed": "maybe"}, "name what, on, next and by"),
    ],
)
def test_a_wrong_word_about_an_inspection_names_the_field_and_leaves_no_entry(
    ledger: Ledger, fields: dict[str, Any], why: str
) -> None:
    said = upkeep(ledger, **fields)
    assert not said.ok and why in said.text
    assert ledger.seq == 1
    assert "by: who did it" in upkeep(ledger, by=" ").text


def test_the_newest_word_counts_and_an_older_one_is_refused(ledger: Ledger) -> None:
    assert upkeep(ledger).ok
    assert "before the inspection of 2026-11-24" in upkeep(ledger, done="2026-05-01").text
    assert upkeep(ledger, done="2026-11-25", next_due="2027-05-25").ok
    assert audit.upkept(ledger.db) == (ipc.Upkeep("inspection", "2026-11-25", "2027-05-25"),)
    assert upkeep(ledger, what="service", next_due="2029-11-24", cycles=2500).ok
    assert [word.what for word in audit.upkept(ledger.db)] == ["inspection", "service"]


@pytest.mark.parametrize(
    ("set_on_site", "word", "until"),
    [
        ("2026-11-01", IN_PLACE, "2027-11-24"),
        ("2026-12-01", IN_PLACE, "2026-12-01"),
        ("", PASSED, "2027-11-24"),
        ("2027-06-01", replace_struct(FAILED, next_due="2026-11-24"), "2026-11-24"),
        ("2026-11-01", None, "2026-11-01"),
    ],
    ids=["in place of the file's", "the file was changed since", "no date in the file",
         "a failed one stands", "no word"],
)  # fmt: skip
def test_whoever_sets_another_date_on_site_has_the_last_word(
    set_on_site: str, word: ipc.Upkeep | None, until: str
) -> None:
    assert due((word,) if word else (), "inspection", set_on_site) == until


def test_an_inspection_done_clears_the_overdue_row_and_a_failed_one_sets_it() -> None:
    world = World(today=str(TODAY))
    world.config = replace(
        world.config, site=replace(world.config.site, inspection_due="2026-11-01")
    )
    state = ipc.RecorderState(1, True, "", "", 1, 1, 1, "synchronised")
    failed = taken(FAILED, "Ann", "", TODAY, PASSED)
    for said, locked in (((), True), ((IN_PLACE,), False), ((failed,), True)):
        world.turn(replace_struct(state, upkeep=said))
        world.tick()
        assert ("overdue" in world.lease.locks) == locked, said


def test_desk_and_command_say_when_it_is_due() -> None:
    table = {item["what"]: item for item in shown((PASSED,), "", "2027-11-01")}
    assert (table["inspection"]["due"], table["inspection"]["notice"]) == (
        "2027-11-24", "inspection_due")  # fmt: skip
    assert table["service"]["due"] is None and table["service"]["notice"] == ""
    assert shown((PASSED,), "", "2027-11-25")[0]["notice"] == "inspection_overdue"
    with pytest.raises(UpkeepError):
        taken(PASSED, "A", "", TODAY, None)


def test_the_centre_reads_the_dates_from_the_chained_header(ledger: Ledger) -> None:
    upkeep(ledger)
    upkeep(ledger, what="service", next_due="2028-01-01", cycles=2500)
    ledger.write(audit.entry("audit-1", 1, "support_granted", {"name": "Nurse N."}))
    batch = Outbox(ledger.path, "transfers").batch(1, ("m", "c"), 1)
    assert batch is not None
    links = [Link(n, b"", json.loads(item.header), item) for n, item in enumerate(batch.records)]
    found = rows(links, 0.0, datetime(2026, 11, 25, 12, tzinfo=UTC))
    assert found.facts == {
        "inspection_by": date(2027, 11, 24), "service_by": date(2028, 1, 1), "service_cycles": 2500,
    }  # fmt: skip
    assert [(kind, event) for _, _, kind, event, _ in found.events] == [
        ("audit", "inspection_done"), ("audit", "service_done"), ("audit", "support_granted"),
    ]  # fmt: skip
    assert "Nurse" not in str(found) and "Technician" not in str(found)


# --- the entry itself -----------------------------------------------------------------------------


def test_names_stay_out_of_the_header_are_erased_when_due_and_the_dates_stay(
    ledger: Ledger, tmp_path: Path
) -> None:
    upkeep(ledger)
    batch = Outbox(ledger.path, "transfers").batch(1, ("m", "c"), 1)
    assert batch is not None
    (record,) = batch.records
    assert b"Technician" not in record.header + record.body + record.summary
    header = json.loads(record.header)
    assert header["next_due"] == "2027-11-24"
    assert ledger.head_seq == ledger.seq, "signed at once"
    name = header["transfer_id"]
    year_ns = 366 * erasure.DAY_NS
    assert erasure.due(ledger.db, KEEP, NOW_NS + 9 * year_ns) == []
    assert erasure.due(ledger.db, KEEP, NOW_NS + 11 * year_ns) == [name]
    erasure.erase(ledger, name, "retention")
    (line,) = audit.trail(ledger.db)
    assert (line["event"], line["next_due"], line["detail"]) == (
        "inspection_done", "2027-11-24", None)  # fmt: skip
    assert verify(ledger.path, against=[tmp_path / "heads"]).ok


def test_what_was_written_as_a_phase_before_is_still_read_verified_and_erased(
    ledger: Ledger,
) -> None:
    ledger.append(Entry("phase", "t1", 1, {"name": "raise", "data": {}}))
    old = {"name": "support_granted", "data": {"name": "Nurse N."}}
    ledger.append(Entry("phase", "audit-1-1", 2, old))
    ledger.write(audit.entry("audit-2-1", 3, "support_ended", {"why": "over"}))
    assert [(item["event"], item["detail"]) for item in audit.trail(ledger.db)] == [
        ("support_ended", {"why": "over"}),
        ("support_granted", {"name": "Nurse N."}),
    ]
    late_ns = NOW_NS + 4000 * erasure.DAY_NS
    assert erasure.due(ledger.db, KEEP, late_ns) == ["audit-1-1", "audit-2-1"]
    ledger.seal()
    assert verify(ledger.path).ok


def test_an_event_is_a_code_and_what_names_a_resident_goes_with_the_resident(
    ledger: Ledger,
) -> None:
    for event, detail in (("Ann did it", {}), ("x", {str(n): "" for n in range(40)})):
        with pytest.raises(LedgerError):
            audit.entry("audit-1", 1, event, detail)
    ask = ipc.LedgerAsk("note", {"event": "file_exported", "resident": "r-7f3a", "sha256": "ab"})
    assert answer(ledger, ask, KEEP, NOW_NS).ok
    (line,) = audit.trail(ledger.db)
    assert line["detail"] == {"sha256": "ab", "resident": "r-7f3a"}
    ask = ipc.LedgerAsk("erase", {"resident": "r-7f3a", "reason": "asked"})
    assert answer(ledger, ask, KEEP, NOW_NS).ok
    assert audit.trail(ledger.db)[0]["detail"] is None


def test_the_command_records_and_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    places = Places("demo-lift")

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, list(words))
        return done.exit_code, done.output

    words = ("upkeep", "done", "inspection", "--site", SITE, "--by", "T. Technician")
    status, said = run(*words, "--on", "2026-11-24", "--next", "2027-11-24")
    assert (status, "no ledger here" in said) == (2, True)
    Ledger(places.ledger, lambda: NOW_NS, places.heads).close()
    assert run(*words, "--on", "2026-11-24", "--next", "soon")[0] == 2
    status, said = run(*words, "--on", "2026-11-24", "--next", "2027-11-24")
    assert status == 0 and "next by 2027-11-24" in said
    told = json.loads(run("upkeep", "show", "--site", SITE)[1])
    assert (told[0]["done"], told[0]["due"]) == ("2026-11-24", "2027-11-24")
    line = json.loads(run("ledger", "audit", str(places.ledger))[1])
    assert (line["event"], line["detail"]) == ("inspection_done", {"by": "T. Technician"})
    with closing(connect(places.ledger)) as db:
        assert len(audit.trail(db)) == 1
