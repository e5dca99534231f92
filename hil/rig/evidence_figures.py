"""What evidence costs: adding up rows, and the interval by bootstrap or by linearisation.

Role: measurement for `make bench`. Must never: judge; ratios are the figure.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from hil.figures.table import Spread, row, say
from liftctl.benefit import nation
from liftctl.benefit.bootstrap import REPLICATES, wild
from liftctl.benefit.estimate import Sums, saving

ROWS = 2_000_000
RESIDENTS = 32
TIMES = 5


def evidence_figures(rows: int = ROWS, times: int = TIMES) -> None:
    """Rows in a temporary folder; files are in the page cache."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "rows"
        nation.synthetic(folder, rows, 1, _still)
        nation.cube(folder, _still)
        read = _ms(lambda: _stream(folder), times)
        counted = _ms(lambda: _bincount(folder), times)
        rolled = _ms(lambda: nation.roll_up(folder, _still), times)
        row(f"roll-up of {rows:,} rows", "ms", rolled, counted, "numpy bincount, same files")
        row("the same", "ms", rolled, read, "one streaming read of the same bytes")
        cubed = _ms(lambda: nation.roll_up_cube(folder), times)
        row("roll-up from the ward x day cube", "ms", cubed, rolled, "roll-up from rows")
    before, after = _study(2, 273.6, 1), _study(1, 156.9, 2)
    linear = _ms(lambda: saving(before, after), 20)
    again = _ms(lambda: wild(before, after), times)
    row(f"interval of {RESIDENTS} residents, linearised", "ms", linear, again,
        f"wild bootstrap, {REPLICATES} replicates")  # fmt: skip
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    say(f"peak memory of this process so far: {peak_mb:.0f} MB")


def _still(_: int, __: int) -> None:
    """Nobody watches."""


def _ms(work: Callable[[], object], times: int) -> Spread:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append((time.perf_counter() - start) * 1000)
    return Spread.of(found)


def _stream(folder: Path) -> int:
    read = 0
    for path in nation.files(folder):
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                read += len(block)
    return read


def _bincount(folder: Path) -> float:
    cells = nation.MUNICIPALITIES * nation.MONTHS
    total = np.zeros(cells)
    for path in nation.files(folder):
        table = pq.read_table(path, columns=["municipality", "day", "saved_s"])
        place, day = (table[name].to_numpy().astype(np.int64) for name in ("municipality", "day"))
        key = place * nation.MONTHS + day * nation.MONTHS // nation.DAYS
        total += np.bincount(key, np.nan_to_num(table["saved_s"].to_numpy()), cells)
    return float(total.sum())


def _study(carers: int, mean_s: float, seed: int) -> Sums:
    values = carers * mean_s * np.random.default_rng(seed).lognormal(-0.1, 0.45, (RESIDENTS, 20))
    n = np.full((RESIDENTS, 1), 20.0)
    return Sums(n, values.sum(1, keepdims=True), (values**2).sum(1, keepdims=True))
