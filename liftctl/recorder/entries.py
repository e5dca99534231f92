"""What an entry of the ledger is, and the one spelling of it that is hashed.

Role: values and canonical JSON. Process: the recorder and readers; pure. Must never: let one value
have two spellings.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any

GENESIS = bytes(32)
OUTCOME_INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to append. `header` is chained in clear and never erased; `payload` may be erased."""

    kind: str
    transfer_id: str
    t_mono_ns: int
    payload: dict[str, Any]
    header: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry is, durably. `fresh` False: it had been written before."""

    seq: int
    head: str
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Orphan:
    """A transfer that was opened and never closed; `phases` are (name, offset_s, data)."""

    id: str
    t_ns: int
    record: dict[str, Any]
    phases: tuple[tuple[str, float, dict[str, Any]], ...]


def canonical(value: Any) -> bytes:
    """JSON with one spelling: sorted keys, no blanks, no NaN."""
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return str(value)


def commitment_of(salt: bytes, body: bytes) -> bytes:
    """What the chain holds of a payload."""
    return hashlib.sha256(salt + body).digest()


def digest_of(prev: bytes, header: bytes, commitment: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(prev + header + commitment).digest()
