"""A lift's own computer has no numpy: it has plain means, and is told what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benefit.made import FIRST_AFTER, FIRST_BEFORE, drawn, write

BLOCKED = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"numpy", "scipy", "pandas", "pyarrow", "matplotlib", "babel",
                                  "typst", "xlsxwriter", "duckdb", "statsmodels"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from liftctl.cli import main
sys.argv = ["liftctl", *sys.argv[1:]]
main()
"""


def bare(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    where = tmp_path_factory.mktemp("light")
    before = write(where / "b.csv", drawn(FIRST_BEFORE, 2, 273.6))
    return write(where / "t.csv", drawn(FIRST_AFTER, 1, 156.9)), before


def test_what_needs_the_extra_says_so(files: tuple[Path, Path]) -> None:
    done = bare("report", "--transfers", files[0], "--baseline", files[1])
    assert done.returncode == 2
    assert "-r requirements/evidence.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_quick_figure_needs_no_extra(tmp_path: Path) -> None:
    code = (
        "import sys, liftctl.desk.ledger, liftctl.benefit.quick, liftctl.cli\n"
        "heavy = {'numpy', 'scipy', 'pandas', 'matplotlib', 'babel'} & set(sys.modules)\n"
        "print(sorted(heavy)); print(liftctl.benefit.quick.summarise([], [])['statement'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\nnothing to analyse yet\n"
