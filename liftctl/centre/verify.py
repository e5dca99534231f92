"""Every stored chain, computed anew.

Role: proof that what the centre holds is what the homes chained. Process: `liftctl centre verify`.
Must never: write.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, Engine, text

ROWS = """
SELECT seq, header, commitment, hash, sealed FROM entry WHERE municipality = :municipality
  AND controller = :controller AND epoch = :epoch ORDER BY seq
"""


def chains(engine: Engine) -> list[dict[str, Any]]:
    """One result for each epoch of each controller: rows (those that are left where it was pruned),
    sealed rows, and what does not hold.
    """
    with engine.connect() as db:
        heads = db.execute(text("SELECT * FROM head ORDER BY municipality, controller, at"))
        return [_chain(db, dict(head)) for head in heads.mappings().all()]


def _chain(db: Connection, head: dict[str, Any]) -> dict[str, Any]:
    key = {name: head[name] for name in ("municipality", "controller", "epoch")}
    prev, seq, aside, problem = bytes(head["parent"]), head["first_seq"] - 1, 0, ""
    if pruned := head["pruned_seq"]:
        prev, seq = bytes(head["pruned_hash"]), pruned
    found = db.execution_options(yield_per=5000).execute(text(ROWS), key)
    for row in found:
        seq += 1
        aside += bool(row.sealed)
        digest = hashlib.sha256(prev + bytes(row.header) + bytes(row.commitment)).digest()
        alone = bool(row.sealed) and not row.header
        if row.seq != seq or (digest != bytes(row.hash) and not alone):
            problem = problem or f"row {row.seq} does not follow row {seq - 1}"
        prev = bytes(row.hash)
    if not problem and (seq != head["seq"] or prev != bytes(head["hash"])):
        problem = f"the head says row {head['seq']}, the rows end at {seq}"
    rows = seq - (pruned or head["first_seq"] - 1)
    told = {**key, "stream": head["stream"], "rows": rows, "pruned_to": pruned}
    return {**told, "sealed": aside, "ok": not problem, "problem": problem}
