"""`python -m tests`: the whole suite in three lanes at once, for a machine with two cores.

Role: what starts real processes mostly waits, and goes in front; what only computes fills what is
left of both cores behind it, at the lowest priority, and is what coverage counts. Process: `make
test`. Must never: call the suite good when one lane failed, found no test, or was killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

HERE = Path(__file__).parent
WAITING = ("hil", "panel", "process")
KERNEL = ("kernel", "table")  # about half of what there is to compute
COVERAGE = ("--cov", "--cov-report=", "--cov-fail-under=0")  # judged when the lanes are joined


def lanes() -> tuple[list[str], list[str], list[str]]:
    """Folders of tests that wait, the kernel's, and all others; a new folder is one of those."""
    found = sorted(item.name for item in HERE.iterdir() if list(item.glob("test_*.py")))
    front = [name for name in found if name in WAITING]
    kernel = [name for name in found if name in KERNEL]
    rest = [name for name in found if name not in WAITING + KERNEL]
    return front, kernel, rest


class Behind:
    """A lane that computes, its output kept for the end."""

    def __init__(self, names: list[str], data: Path, told: IO[bytes]) -> None:
        self.names, self.told = names, told
        command = ["nice", "-n", "19", *_pytest(names), *COVERAGE]
        env = {**os.environ, "COVERAGE_FILE": str(data)}
        self._child = subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT, env=env)

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


def _pytest(names: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *(f"tests/{name}" for name in names)]


def _coverage(folder: Path) -> int:
    """What all lanes together reached; what it must be is in pyproject.toml."""
    env = {**os.environ, "COVERAGE_FILE": str(folder / ".coverage")}
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "-q", str(folder)], check=True, env=env)
    report = [*coverage, "report", "--show-missing", "--skip-covered"]
    return subprocess.run(report, check=False, env=env).returncode


def main() -> int:
    front, *behind = lanes()
    started = time.monotonic()
    with TemporaryDirectory(prefix="coverage-") as name, ExitStack() as files:
        folder = Path(name)
        children = [
            Behind(names, folder / f".coverage.{names[0]}", files.enter_context(TemporaryFile()))
            for names in behind
        ]
        try:
            ends = [subprocess.run(_pytest(front), check=False).returncode]
            ends += [child.end() for child in children]
            sys.stdout.flush()
            ends.append(_coverage(folder))
        finally:
            for child in children:
                child.kill()
    good = not any(ends)
    took_s = time.monotonic() - started
    print(f"all lanes {'passed' if good else 'DID NOT PASS'} in {took_s:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
