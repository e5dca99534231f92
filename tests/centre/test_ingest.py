"""What a home's batches become at the centre, and what a wrong batch does not."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from liftctl.recorder.readonly import connect
from liftctl.uplink import protocol
from liftctl.uplink.protocol import Ack, Batch, Conflict, Need, Record, Refused
from liftctl.uplink.sender import post
from tests.centre.home import URL, Home


def chain(engine: Engine, home: Home) -> list[tuple[int, bytes]]:
    """What the centre holds of a home's transfers: (seq, hash)."""
    with engine.begin() as db:
        rows = db.execute(
            text(
                "SELECT e.seq, e.hash FROM entry e JOIN head h USING (municipality, controller,"
                " epoch) WHERE stream = 'transfers' AND e.controller = :c ORDER BY epoch, e.seq"
            ),
            {"c": home.enrolment.controller},
        ).all()
    return [(int(seq), bytes(digest)) for seq, digest in rows]


def ledger(home: Home) -> list[tuple[int, bytes]]:
    with connect(home.path / "ledger.sqlite") as db:
        return [tuple(row) for row in db.execute("SELECT seq, hash FROM entry ORDER BY seq")]


def count(engine: Engine, table: str) -> int:
    with engine.begin() as db:
        return int(db.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)


def test_what_the_ledger_holds_is_at_the_centre_hash_by_hash(home: Home, engine: Engine) -> None:
    home.transfers(1200)
    home.drain()
    assert chain(engine, home) == ledger(home)
    assert count(engine, "transfer") == 1200
    assert home.folder.memory().positions["transfers"].seq == 1201


def test_no_resident_weight_or_free_text_leaves_the_home(home: Home, engine: Engine) -> None:
    home.transfers(3)
    home.drain()
    with engine.begin() as db:
        held = str(db.execute(text("SELECT * FROM entry")).all()) + str(
            db.execute(text("SELECT * FROM transfer")).all()
        )
    assert not any(secret in held for secret in ("r-secret", "83.25", "private words"))


def test_a_replayed_batch_is_acknowledged_and_changes_nothing(home: Home, engine: Engine) -> None:
    home.transfers(20)
    batch = home.batch()
    assert home.post(batch) == home.post(batch) == Ack(batch.epoch, 21)
    assert (count(engine, "entry"), count(engine, "transfer")) == (21, 20)


def test_a_gap_is_answered_with_what_is_needed(home: Home) -> None:
    home.transfers(20)
    first = home.batch(most=5)
    assert isinstance(home.post(first), Ack)
    assert home.post(home.batch(after=10)) == Need(first.epoch, 6)


def test_a_centre_that_lost_its_newest_rows_gets_them_again(home: Home, engine: Engine) -> None:
    home.transfers(30)
    sender = home.drain()
    with engine.begin() as db:  # as after a restore of the centre's own backup
        db.execute(text("DELETE FROM entry WHERE seq > 11"))
        db.execute(text("DELETE FROM transfer WHERE seq > 11"))
        db.execute(
            text("UPDATE head SET seq = 11, hash = (SELECT hash FROM entry WHERE seq = 11 AND"
                 " entry.epoch = head.epoch) WHERE stream = 'transfers'")
        )  # fmt: skip
    home.transfers(1)
    home.drain(sender)
    assert chain(engine, home) == ledger(home)


def test_an_uplink_that_forgot_its_place_goes_on_where_the_centre_is(
    home: Home, engine: Engine
) -> None:
    home.transfers(600)
    home.drain()
    (home.folder.path / "memory.json").write_text("not json")
    home.transfers(1)
    home.drain()
    assert chain(engine, home) == ledger(home)


def test_a_forked_ledger_is_caught_kept_and_called(
    home: Home, engine: Engine, tmp_path: Path
) -> None:
    home.transfers(5)
    home.close()
    shutil.copytree(home.path, tmp_path / "copy")
    home.open()
    twin = Home(tmp_path / "copy", home.http, home.enrolment, type(home.folder)(
        tmp_path / "copy" / "uplink"))  # fmt: skip
    home.transfers(2)
    twin.transfers(2)
    home.drain()
    twin.drain()
    twin.drain()
    assert "differs" in twin.folder.memory().positions["transfers"].trouble
    assert chain(engine, home) == ledger(home)
    with engine.begin() as db:
        assert db.execute(text("SELECT quarantined_at IS NOT NULL FROM controller")).scalar()
        alarms = db.execute(text("SELECT kind FROM event WHERE seq = 0")).scalars().all()
        assert alarms == ["conflict"]
        kept = db.execute(text("SELECT body FROM quarantine")).scalar()
    assert isinstance(protocol.from_home(bytes(kept)), Batch)


def test_a_row_the_centre_cannot_take_does_not_hold_up_the_others(
    home: Home, engine: Engine
) -> None:
    home.transfers(10)
    home.transfers(1, reason="x" * (protocol.MAX_CONTENT_BYTES + 1))
    home.transfers(10)
    home.drain()
    assert chain(engine, home) == ledger(home)
    told = home.folder.memory().positions["transfers"].set_aside
    assert [seq for seq, _ in told] == [12]
    with engine.begin() as db:
        assert db.execute(text("SELECT set_aside FROM controller")).scalar() == 1


HOSTILE = "'); DROP TABLE entry; -- <script>alert(1)</script> \0 \ud800 ${7*7} ' OR ''='"


def test_sql_and_html_in_every_text_are_only_text(home: Home, engine: Engine) -> None:
    home.transfers(1, kind=HOSTILE, reason=HOSTILE, outcome=HOSTILE, blocks=[{"row": HOSTILE}])
    home.event("trip", row=HOSTILE, active=[HOSTILE], window={HOSTILE: [HOSTILE]})
    home.event("report", mode=HOSTILE, counters={HOSTILE: HOSTILE})
    home.event("trend", values={HOSTILE: 1.0, "b": HOSTILE, "c": 10**400})
    home.drain()
    assert (count(engine, "entry"), count(engine, "transfer")) == (6, 1)
    with engine.begin() as db:
        name = str(db.execute(text("SELECT name FROM event WHERE kind = 'trip'")).scalar())
    assert "<script>" in name
    assert "\0" not in name


def test_a_clock_a_year_off_does_not_put_a_transfer_a_year_away(home: Home, engine: Engine) -> None:
    for off_days in (365, -365):
        home.clock_off_s = off_days * 86400.0
        home.transfers(2)
        home.drain()
    with engine.begin() as db:
        far = text("SELECT count(*) FROM transfer WHERE abs(extract(epoch FROM now() - at)) > 60")
        assert db.execute(far).scalar() == 0
        off = db.execute(text("SELECT clock_off_s FROM controller")).scalar()
    assert off == pytest.approx(365 * 86400, abs=60)


def test_a_corrected_close_counts_once(home: Home, engine: Engine) -> None:
    from liftctl.recorder.ledger import Entry

    record = {"kind": "bed-chair", "carers_actual": 1, "elapsed_s": 100.0, "staff_s": 100.0}
    interrupted = record | {"outcome": "interrupted"}
    home.ledger.append(Entry("closed", "a", 1, interrupted, {"outcome": "interrupted"}))
    home.drain()
    home.ledger.append(
        Entry("closed", "a", 2, record | {"outcome": "completed"}, {"outcome": "completed"})
    )
    home.drain()
    with engine.begin() as db:
        rows = db.execute(text("SELECT outcome, n FROM tally WHERE n <> 0")).all()
    assert [tuple(row) for row in rows] == [("completed", 1)]
    assert count(engine, "entry") - 1 == 3


def test_a_later_word_about_a_transfer_changes_the_evidence_not_the_chain(
    home: Home, engine: Engine
) -> None:
    from liftctl.recorder.ledger import Entry

    home.transfers(2)
    with connect(home.path / "ledger.sqlite") as db:
        (name,) = db.execute("SELECT transfer_id FROM entry WHERE seq = 2").fetchone()
    home.drain()
    fields = {"carers_actual": 2, "staff_s": 480.0, "note": "private words"}
    home.ledger.append(Entry("correction", name, 3, {"fields": fields, "reason": "spot audit"}))
    home.drain()
    with engine.begin() as db:
        rows = db.execute(text("SELECT carers, n, staff_s FROM tally WHERE n > 0 ORDER BY 1")).all()
    assert [tuple(row) for row in rows] == [(1, 1, 240.0), (2, 1, 480.0)]
    assert chain(engine, home) == ledger(home)


def _bad(home: Home) -> dict[str, tuple[Batch, type, str]]:
    good = home.batch()
    change = msgspec.structs.replace
    swapped = (*good.records[:3], good.records[4], good.records[3], *good.records[5:])
    forged = change(good.records[5], summary=b'{"kind": "bed-chair", "n": 1}', salt=b"",
                    header=good.records[5].header.replace(b"completed", b"abortedxx"))  # fmt: skip
    return {
        "reordered": (change(good, records=swapped), Refused, "another place"),
        "without its beginning": (change(good, records=good.records[1:]), Refused, "another place"),
        "with another beginning": (change(good, prev=b"x" * 32), Need, ""),
        "no records": (change(good, records=()), Refused, "0 records"),
        "too many records": (change(good, records=good.records * 100), Refused, "records; send"),
        "an unknown stream": (change(good, stream="orders"), Refused, "unknown"),
        "a negative place": (change(good, first_seq=-5), Refused, "out of range"),
        "an epoch of nobody": (change(good, epoch=-1), Refused, "out of range"),
        "a huge record": (
            change(good, records=(Record(b"x" * 20000, b""),)), Refused, "too large"),
        "contents of another record": (
            change(good, records=(change(good.records[0], body=b"{}"),)), Refused, "commitment"),
        "another's name": (change(good, controller="lift-2"), Refused, "not enrolled"),
        "another's municipality": (change(good, municipality="odense"), Refused, "not enrolled"),
        "a name with a NUL": (change(good, controller="lift\0"), Refused, "no controller"),
        "a changed record in the middle": (
            change(good, records=(*good.records[:5], forged, *good.records[6:])), Ack, ""),
    }  # fmt: skip


@pytest.mark.parametrize("case", [
    "reordered", "without its beginning", "with another beginning", "no records",
    "too many records", "an unknown stream", "a negative place", "an epoch of nobody",
    "a huge record", "contents of another record", "another's name", "another's municipality",
    "a name with a NUL",
])  # fmt: skip
def test_a_bad_batch_is_refused_with_a_reason_and_leaves_nothing(
    home: Home, engine: Engine, case: str
) -> None:
    home.transfers(11)
    batch, expected, why = _bad(home)[case]
    answer = home.post(batch)
    assert isinstance(answer, expected), answer
    assert why in getattr(answer, "why", "")
    assert count(engine, "entry") == 0


def test_a_record_changed_after_the_fact_contradicts_what_is_stored(
    home: Home, engine: Engine
) -> None:
    home.transfers(11)
    assert isinstance(home.post(home.batch()), Ack)
    forged, _, _ = _bad(home)["a changed record in the middle"]
    assert isinstance(home.post(forged), Conflict)
    assert chain(engine, home) == ledger(home)


def test_bytes_that_are_no_message_or_not_signed_are_refused(home: Home, engine: Engine) -> None:
    home.transfers(3)
    body = protocol.encode(home.batch())
    signature = protocol.sign(home.folder.key(), body)
    other = protocol.sign(Ed25519PrivateKey.generate(), body)
    for sent, header, code in (
        (body[:-9], signature, "message"),
        (b"", signature, "message"),
        (b"\xc1\xff", signature, "message"),
        (body, other, "signature"),
        (body, "zz", "signature"),
        (body, "", "signature"),
        (body.replace(b"completed", b"abortedxx"), signature, "signature"),
        (b"x" * (protocol.MAX_BODY_BYTES + 1), signature, "large"),
    ):
        answer = home.http.post(
            URL + protocol.PATH, content=sent, headers={protocol.SIGNATURE: header}
        )
        found = protocol.from_centre(answer.content)
        assert isinstance(found, Refused)
        assert (found.code, answer.status_code >= 400) == (code, True)
        assert found.why
    assert count(engine, "entry") == 0


def test_a_code_makes_one_controller_once(
    engine: Engine, ingest: TestClient, home: Home, tmp_path: Path
) -> None:
    from datetime import UTC, datetime

    from liftctl.centre.ingest.directory import invite

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    code = invite(engine, "aarhus", "skovly", "lift-1", datetime.now(UTC))
    taken = post(ingest, URL, key, protocol.Enrol(code, public, "lift", "x"))
    assert isinstance(taken, Refused)
    assert taken.code == "taken"
    code = invite(engine, "aarhus", "skovly", "lift-9", datetime.now(UTC))
    for kind, expected in (("lift", protocol.Enrolled), ("lift", Refused)):
        answer = post(ingest, URL, key, protocol.Enrol(code, public, kind, "x"))
        assert isinstance(answer, expected)


def test_the_stored_signature_proves_what_the_home_sent(home: Home, engine: Engine) -> None:
    home.transfers(3)
    batch = home.batch()
    home.post(batch)
    body = protocol.encode(batch)
    with engine.begin() as db:
        row = db.execute(text("SELECT body_sha256, signature FROM head")).one()
    assert bytes(row[0]) == hashlib.sha256(body).digest()
    public = home.folder.key().public_key().public_bytes_raw()
    assert protocol.signed_by(public, body, bytes(row[1]).hex())
