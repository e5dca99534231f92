"""What a person may ask of the ledger: erase, seal, rotate the key, correct, note what was done.

Role: the verbs of `liftctl ledger` that write, done by whoever holds the ledger open (the recorder,
or the command itself when no recorder runs). Process: the recorder, the CLI. Must never: change
what was written; a correction is one more entry.
"""

from __future__ import annotations

from typing import Any

import msgspec

from liftctl import records
from liftctl.ipc import LedgerAsk, LedgerSays, Upkeep
from liftctl.recorder import audit, erasure
from liftctl.recorder.checkpoint import raw_public, verifier_key
from liftctl.recorder.entries import Entry
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.reader import transfer_of
from liftctl.recorder.store import LedgerError
from liftctl.recorder.wallclock import site_day
from liftctl.upkeep import UpkeepError, newest, taken

CORRECTABLE = (
    "kind", "mobility_class", "carers_actual", "carers_present", "outcome", "reason",
    "exclude", "exclude_reason", "out_of_plan", "note",
)  # fmt: skip
REASON_CHARS = 200


def answer(ledger: Ledger, ask: LedgerAsk, keep: erasure.Retention, now_ns: int) -> LedgerSays:
    """Do it, or say in one line why not. sqlite3.Error and OSError are for the caller."""
    try:
        match ask.verb:
            case "seal":
                return _seal(ledger)
            case "rotate":
                return LedgerSays(True, f"signs with {ledger.rotate().hex()} from now on")
            case "erase":
                return _erase(ledger, ask, keep, now_ns)
            case "correct":
                return _correct(ledger, ask)
            case "note":
                return _note(ledger, ask)
            case "upkeep":
                return _upkeep(ledger, ask, now_ns)
            case _:
                return LedgerSays(False, f"'{ask.verb}' is not known; use erase, seal or correct")
    except (LedgerError, records.RecordError, UpkeepError) as error:
        return LedgerSays(False, str(error))


def _seal(ledger: Ledger) -> LedgerSays:
    note = ledger.seal()
    key = verifier_key(ledger.origin, raw_public(ledger.key))
    return LedgerSays(True, f"sealed at entry {ledger.head_seq}", {"note": note, "key": key})


def _erase(ledger: Ledger, ask: LedgerAsk, keep: erasure.Retention, now_ns: int) -> LedgerSays:
    if ask.args.get("transfer"):
        names = [ask.args["transfer"]]
    elif ask.args.get("resident"):
        names = erasure.transfers_of(ledger.db, ask.args["resident"])
    else:
        names = erasure.due(ledger.db, keep, now_ns)
    if ask.args.get("dry_run"):
        return LedgerSays(True, f"{len(names)} transfers would be erased", {"transfers": names})
    reason = ask.args.get("reason", "asked")
    payloads = sum(erasure.erase(ledger, name, reason) for name in names)
    clean = erasure.scrub(ledger)
    later = "" if clean else "; a reader still holds old pages, they go with the next erasure"
    return LedgerSays(True, f"{payloads} payloads of {len(names)} transfers erased{later}")


def _note(ledger: Ledger, ask: LedgerAsk) -> LedgerSays:
    """An export, and whatever else somebody did that is no transfer."""
    detail = {name: text for name, text in ask.args.items() if name != "event"}
    made = audit.entry(audit.fresh_id(), 0, ask.args.get("event", ""), detail)
    return LedgerSays(True, f"entry {ledger.write(made).seq}")


def _upkeep(ledger: Ledger, ask: LedgerAsk, now_ns: int) -> LedgerSays:
    by, note = ask.args.get("by", "").strip(), ask.args.get("note", "").strip()
    try:
        said = msgspec.convert(ask.fields, Upkeep)
    except msgspec.ValidationError as error:
        raise LedgerError(f"{error}; name what, on, next and by") from error
    before = newest(audit.upkept(ledger.db), said.what)
    word = taken(said, by, note, site_day(now_ns), before)
    detail = {"by": by, "note": note} if note else {"by": by}
    seq = ledger.write(audit.entry(audit.fresh_id(), 0, f"{word.what}_done", detail, word)).seq
    end = f"next by {word.next_due}" if word.passed else "NOT passed: no new transfer begins"
    return LedgerSays(True, f"entry {seq}: {word.what} of {word.done}, {end}")


def _follows(fields: dict[str, Any], after: records.TransferRecord) -> dict[str, Any]:
    """Other stays make other staff-seconds; a number alone adds stays from begin to end."""
    if not {"carers_present", "carers_actual"}.intersection(fields):
        return {}
    stays, until_s = after.carers_present, after.elapsed_s or after.last_seen_s or 0.0
    if "carers_present" not in fields:
        missing = (after.carers_actual or 0) - records.most_at_once(stays)
        if missing < 0:
            raise LedgerError("carers_actual is fewer than were seen; correct carers_present")
        stays += (records.Stay(joined_s=0.0, left_s=until_s),) * missing
    return {
        "carers_present": [msgspec.to_builtins(stay) for stay in stays],
        "staff_s": records.staff_s(stays, until_s),
        "carers_actual": records.most_at_once(stays),
    }


def _correct(ledger: Ledger, ask: LedgerAsk) -> LedgerSays:
    name, reason = ask.args.get("transfer", ""), ask.args.get("reason", "").strip()[:REASON_CHARS]
    unknown = sorted(set(ask.fields) - set(CORRECTABLE))
    if unknown or not ask.fields:
        return LedgerSays(
            False, f"cannot correct {', '.join(unknown) or 'nothing'}; use {', '.join(CORRECTABLE)}"
        )
    if not reason:
        return LedgerSays(False, "reason is empty; say why the record was wrong")
    found = transfer_of(ledger.db, name)
    if found is None or found["erased"]:
        return LedgerSays(False, f"no transfer {name} that can be corrected; see liftctl transfers")
    after = records.read({**found, **ask.fields})
    fields = {**ask.fields, **_follows(ask.fields, after)}
    if after.outcome not in records.OUTCOMES:
        return LedgerSays(False, f"outcome: use one of {', '.join(records.OUTCOMES)}")
    payload: dict[str, Any] = {"fields": fields, "reason": reason}
    header = {"corrects": found["ledger_seq"]}
    seq = ledger.write(Entry("correction", name, 0, payload, header)).seq
    return LedgerSays(True, f"entry {seq} corrects transfer {name}")
