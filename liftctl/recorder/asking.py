"""Asking the ledger for something that writes: of the recorder, or by its own lock.

Role: the one way for commands. Process: a person's shell. Must never: write beside a recorder.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from liftctl import ipc
from liftctl.places import Places
from liftctl.recorder.erasure import Retention
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.requests import answer
from liftctl.recorder.store import Busy, LedgerError
from liftctl.recorder.verify import SECOND_PLACE

PATIENCE_S = 30.0
FOREVER = Retention(payload_days=0)


def ask_ledger(file: Path, ask: ipc.LedgerAsk, keep: Retention = FOREVER) -> ipc.LedgerSays:
    """Of the ledger itself, or of the recorder that holds it; what was not done is said."""
    if not file.is_file():
        return ipc.LedgerSays(False, f"{file}: no ledger here")
    try:
        with closing(Ledger(file, time.time_ns, file.parent / SECOND_PLACE)) as ledger:
            if ledger.notice:
                sys.stderr.write(f"liftctl: {ledger.notice}\n")
            return answer(ledger, ask, keep, time.time_ns())
    except Busy:
        return _ask_recorder(file, ask)
    except (LedgerError, sqlite3.Error, OSError) as error:
        return ipc.LedgerSays(False, str(error))


def _ask_recorder(file: Path, ask: ipc.LedgerAsk) -> ipc.LedgerSays:
    places = Places(file.resolve().parent.name)
    channel = ipc.connect(places.sock("recorder"))
    if channel is None:
        return ipc.LedgerSays(False, f"another process holds {file}; its recorder does not answer")
    with closing(channel):
        channel.send(ipc.Hello("ledger"))
        channel.send(ask)
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s and not channel.closed:
            for message in channel.receive():
                if isinstance(message, ipc.LedgerSays):
                    return message
            time.sleep(0.02)
    return ipc.LedgerSays(False, "the recorder did not answer; look at liftctl status")


def note(ledger: Path, event: str, **detail: str) -> str:
    """An audit entry about something that is done; "" when it is durable, else why it is not."""
    says = ask_ledger(ledger, ipc.LedgerAsk("note", {"event": event, **detail}))
    return "" if says.ok else says.text
