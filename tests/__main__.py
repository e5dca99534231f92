"""`python -m tests`: the whole suite in two halves at once, for a machine with two cores.

Role: what starts real processes mostly waits, and goes in front; what only computes fills the other
core behind it, at the lowest priority, and is the half that coverage counts. Process: `make test`.
Must never: call the suite good when one half failed, found no test, or was killed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
WAITING = ("hil", "panel", "process")
COVERAGE = ("--cov", "--cov-report=term-missing:skip-covered")


def halves() -> tuple[list[str], list[str]]:
    """Folders of tests that wait, and those that compute; a new folder computes."""
    found = sorted(item.name for item in HERE.iterdir() if list(item.glob("test_*.py")))
    front = [f"tests/{name}" for name in found if name in WAITING]
    return front, [f"tests/{name}" for name in found if name not in WAITING]


def main() -> int:
    front, back = halves()
    pytest, started = [sys.executable, "-m", "pytest"], time.monotonic()
    with tempfile.TemporaryFile() as told:
        behind = subprocess.Popen(
            ["nice", "-n", "19", *pytest, *COVERAGE, *back], stdout=told, stderr=subprocess.STDOUT
        )
        try:
            first = subprocess.run([*pytest, *front], check=False).returncode
            print("\n--- beside it, without coverage of other processes: " + " ".join(back))
            second = behind.wait()
        finally:
            behind.kill()
        told.seek(0)
        sys.stdout.write(told.read().decode("utf-8", "replace"))
    good = first == second == 0
    print(
        f"both halves {'passed' if good else 'DID NOT PASS'} in {time.monotonic() - started:.0f} s"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
