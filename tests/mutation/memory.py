"""What earlier runs found, for `--resume`: valid while module, tests and helpers are the same.

Role: a cache for somebody who writes tests. Process: the mutation test. Must never: be used by the
nightly run; a change in a third module is not seen.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hil.selftest.mutants import Mutant
from tests.mutation.pool import End, Outcome, file_of


class Memory:
    """Outcomes by mutant, in one file outside the tree's history."""

    def __init__(self, path: Path, use: bool) -> None:
        self.path = path
        self.use = use
        self.known = self._stored()
        self._new: dict[str, Any] = {}
        self._hashes: dict[str, str] = {}

    def _stored(self) -> dict[str, Any]:
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}

    def recall(self, mutant: Mutant, tests: tuple[str, ...]) -> Outcome | None:
        """The outcome, if nothing it depends on has changed."""
        record = self.known.get(mutant.key)
        if record is None or not self.use:
            return None
        outcome = Outcome(End(record["end"]), record["test"], record["says"], record["took_s"])
        if outcome.end not in (End.KILLED, End.SURVIVED):
            return None  # perhaps it was only the machine
        same = record["digest"] == self._digest(mutant, self._judges(outcome, tests))
        return outcome if same else None

    def killer(self, mutant: Mutant) -> str:
        """The file that killed it the last time, valid or not; empty without one."""
        test: str = self.known.get(mutant.key, {}).get("test", "")
        return file_of(test)

    def killers(self) -> Iterator[tuple[str, str]]:
        """Every mutant's key, and the file that killed it the last time."""
        for key, record in self.known.items():
            if record["end"] == End.KILLED:
                yield key, file_of(record["test"])

    def keep(self, mutant: Mutant, tests: tuple[str, ...], outcome: Outcome) -> None:
        """For the next time."""
        self.known[mutant.key] = self._new[mutant.key] = {
            "end": outcome.end,
            "test": outcome.test,
            "says": outcome.says,
            "took_s": outcome.took_s,
            "digest": self._digest(mutant, self._judges(outcome, tests)),
        }

    def save(self) -> None:
        """Into what is there by now: others may run at the same time."""
        if not self._new:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            part = self.path.with_suffix(".part")
            part.write_text(json.dumps(self._stored() | self._new), encoding="utf-8")
            part.replace(self.path)

    @staticmethod
    def _judges(outcome: Outcome, tests: tuple[str, ...]) -> set[str]:
        """A kill rests on the test that failed, anything else on all of them."""
        killed = outcome.end is End.KILLED
        return {file_of(name) for name in ((outcome.test,) if killed else tests)}

    def _digest(self, mutant: Mutant, files: set[str]) -> str:
        folders = {str(Path(name).parent) for name in files}
        helpers = {str(p) for f in folders for p in Path(f).glob("*.py")}
        helpers = {name for name in helpers if not Path(name).name.startswith("test_")}
        return "".join(self._hash(name) for name in sorted(files | helpers | {mutant.module}))

    def _hash(self, name: str) -> str:
        if name not in self._hashes:
            data = Path(name).read_bytes() if Path(name).exists() else b""
            self._hashes[name] = hashlib.sha256(name.encode() + data).hexdigest()[:12]
        return self._hashes[name]
