"""`python -m tests`: the whole suite in five lanes at once, for a machine with two cores.

Role: what starts real processes mostly waits, and goes in front: wards in one lane, one after the
other, what needs no ward in another; what only computes fills what is left of both cores behind
them, at the lowest priority. Coverage counts one of those lanes, without the long tests: counted, a
test takes three times as long. Process: `make test`. Must never: call
the suite good when one lane failed, found no test, or was killed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

HERE = Path(__file__).parent
WARDS, WAITING = ("process",), ("hil", "panel")
COUNTED = ("drivers", "gate", "kernel", "table")
# Walks, sweeps and whole worlds in virtual time: the lines they reach, shorter tests have reached.
LONG = {
    "drivers": "third_look with_rooms",
    "gate": "fourth_look id_sweep lost_frame minted pairs room walk",
    "hil": "scenarios selftest",
    "kernel": "bad_signals corners device modes regressions regressions_degraded review "
    "second_look space third_look walk",
}
LONG_FILES = [f"tests/{place}/test_{name}.py" for place in LONG for name in LONG[place].split()]
PYTEST = (sys.executable, "-m", "pytest")
COVERAGE = ("--cov", "--cov-report=term-missing:skip-covered")


def lanes() -> tuple[list[str], ...]:
    """Wards, what else waits, what is counted, what is long, all else; a new folder is in one."""
    found = sorted(item.name for item in HERE.iterdir() if list(item.glob("test_*.py")))
    wards, waiting, counted = (
        [f"tests/{name}" for name in found if name in some] for some in (WARDS, WAITING, COUNTED)
    )
    rest = [f"tests/{name}" for name in found if name not in WARDS + WAITING + COUNTED]
    later = [f"--ignore={name}" for name in LONG_FILES]
    return wards, [*waiting, *later], [*counted, *later, *COVERAGE], LONG_FILES, rest


class Beside:
    """A lane beside the first one, its output kept for the end; `nice`: how far it stands back."""

    def __init__(self, told: IO[bytes], what: list[str], nice: int) -> None:
        self.told = told
        self.names = [Path(item).stem for item in what if not item.startswith("-")]
        command = ["nice", "-n", str(nice), *PYTEST, *what]
        self._child = subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT)

    def end(self) -> int:
        """Wait, and say what it said."""
        status = self._child.wait()
        sys.stdout.write(f"\n--- beside it: {' '.join(self.names)}\n")
        self.told.seek(0)
        sys.stdout.write(self.told.read().decode("utf-8", "replace"))
        return status

    def kill(self) -> None:
        """Whatever it is doing."""
        self._child.kill()


def main() -> int:
    wards, waiting, *computing = lanes()
    started = time.monotonic()
    with ExitStack() as files:
        ranks = [(waiting, 10), *((what, 19) for what in computing)]
        children = [Beside(files.enter_context(TemporaryFile()), *lane) for lane in ranks]
        try:
            ends = [subprocess.run([*PYTEST, *wards], check=False).returncode]
            ends += [child.end() for child in children]
        finally:
            for child in children:
                child.kill()
    good = not any(ends)
    took_s = time.monotonic() - started
    print(f"all lanes {'passed' if good else 'DID NOT PASS'} in {took_s:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
