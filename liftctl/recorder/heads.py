"""The second place: the last signed head, where cutting off the ledger's tail does not reach it.

Role: one small file for each epoch, best on another disk. Process: the recorder writes, anybody
reads. Must never: be the reason that an entry is not written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from liftctl.files import replace_file
from liftctl.recorder.checkpoint import Checkpoint, NoteError, parse


@dataclass(frozen=True, slots=True)
class Heads:
    """A folder of `head-EPOCH.note`."""

    folder: Path

    def put(self, epoch: int, note: str) -> None:
        """Replace the epoch's head; OSError when the place cannot be reached."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(self.folder / f"head-{epoch}.note", note.encode())

    def of(self, epoch: int) -> Checkpoint | None:
        """The epoch's last head; None when there is none that can be read."""
        return _read(self.folder / f"head-{epoch}.note")

    def newest(self) -> Checkpoint | None:
        """The head that was written last, of any epoch."""
        files = sorted(self.folder.glob("head-*.note"), key=_written_ns)
        return next((head for path in reversed(files) if (head := _read(path))), None)


def _written_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(path: Path) -> Checkpoint | None:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NoteError):
        return None
