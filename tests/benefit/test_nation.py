"""A nation's year in Parquet: the same sums whichever way they are added."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from liftctl.benefit import nation
from tests.benefit.made import run

ROWS = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("nation") / "rows"
    assert run("synth", "--out", where, "--nation", ROWS).exit_code == 0
    return where


def still(_: int, __: int) -> None:
    """No bar."""


def test_rows_and_cube_add_up_to_the_same(folder: Path) -> None:
    rows = nation.roll_up(folder, still)
    nation.cube(folder, still)
    cube = nation.roll_up_cube(folder)
    assert [row[:3] for row in rows.rows] == [row[:3] for row in cube.rows]
    assert rows.saved_hours == pytest.approx(cube.saved_hours, rel=1e-9)
    table = pa.concat_tables(pq.read_table(path) for path in nation.files(folder))
    saved = table["saved_s"].to_numpy().astype(np.float64)
    assert table.num_rows == ROWS
    assert rows.n == int((~np.isnan(saved)).sum()) < ROWS
    assert rows.saved_hours == pytest.approx(np.nansum(saved) / 3600, rel=1e-9)


def test_the_interval_is_that_of_a_sum_over_residents(folder: Path) -> None:
    found = nation.interval(folder, still)
    table = pa.concat_tables(pq.read_table(path) for path in nation.files(folder))
    saved, resident = table["saved_s"].to_numpy(), table["resident"].to_numpy()
    known = ~np.isnan(saved)
    mean = saved[known].astype(np.float64).mean()
    pull = np.bincount(resident[known], saved[known].astype(np.float64) - mean) / known.sum()
    assert found.mean == pytest.approx(mean, rel=1e-9)
    assert found.se == pytest.approx(np.sqrt((pull**2).sum()), rel=1e-3)  # CR2 adds a little


def test_the_command_and_its_refusals(folder: Path, tmp_path: Path) -> None:
    told = json.loads(run("evidence", "rollup", folder, "--json").stdout)
    assert {item["municipality"] for item in told} == set(range(nation.MUNICIPALITIES))
    assert "no Parquet files here" in run("evidence", "rollup", tmp_path).stderr
    pq.write_table(pa.table({"ward": [1]}), tmp_path / "x.parquet")
    done = run("evidence", "rollup", tmp_path)
    assert done.exit_code == 2
    assert "columns missing: municipality, resident, day, saved_s" in done.stderr
