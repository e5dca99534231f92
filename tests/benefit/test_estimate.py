"""The estimator against other people's formulas and software."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from liftctl.benefit.bootstrap import wild
from liftctl.benefit.estimate import Array, Published, Sums, intraclass, satterthwaite, saving

RESIDENTS, CELLS = 9, 2


def rows(seed: int = 5) -> dict[str, Array]:
    """Unbalanced rows of two kinds, before and after, the same residents."""
    rng = np.random.default_rng(seed)
    n = 160
    made = {
        "resident": rng.integers(0, RESIDENTS, n) ** 2 // RESIDENTS,
        "cell": rng.integers(0, CELLS, n),
        "after": rng.integers(0, 2, n),
    }
    level = rng.normal(0, 30, RESIDENTS)[made["resident"]]
    made["y"] = 500 - 330 * made["after"] + 40 * made["cell"] + level + rng.gamma(2, 40, n)
    return made


def sums(made: dict[str, Array], after: int) -> Sums:
    shape = (RESIDENTS, CELLS)
    of = made["after"] == after
    flat = (made["resident"] * CELLS + made["cell"])[of].astype(int)

    def add(weights: Array | None) -> Array:
        return np.bincount(flat, weights, minlength=RESIDENTS * CELLS).reshape(shape).astype(float)

    return Sums(add(None), add(made["y"][of]), add(made["y"][of] ** 2))


def design(made: dict[str, Array]) -> tuple[Array, Array]:
    """One dummy per cell and period, and the contrast that `saving` estimates at a fixed mix."""
    place = (made["after"] * CELLS + made["cell"]).astype(int)
    matrix = np.eye(2 * CELLS)[place]
    share = sums(made, 1).cell_n / sums(made, 1).cell_n.sum()
    return matrix, np.concatenate([share, -share])


def one_kind(made: dict[str, Array]) -> dict[str, Array]:
    """All of one kind: then the mix has no part in the variance."""
    return {**made, "cell": np.zeros_like(made["cell"])}


def test_point_and_plain_sandwich_are_those_of_statsmodels() -> None:
    made = one_kind(rows())
    matrix, contrast = design(made)
    keep = matrix.any(0)
    fit = sm.OLS(made["y"], matrix[:, keep]).fit(
        cov_type="cluster", cov_kwds={"groups": made["resident"], "use_correction": False}
    )
    found = saving(sums(made, 0), sums(made, 1), corrected=False)
    contrast = contrast[keep]
    assert found.mean == pytest.approx(contrast @ fit.params, rel=1e-12)
    assert found.se == pytest.approx(math.sqrt(contrast @ fit.cov_params() @ contrast), rel=1e-12)


def generic_cr2(made: dict[str, Array]) -> tuple[float, Array]:
    """CR2 by matrices, as in Pustejovsky and Tipton (2018) with an identity working model.

    Returned: the variance, and each resident's vector over all rows (for degrees of freedom).
    """
    matrix, contrast = design(made)
    keep = matrix.any(0)
    matrix, contrast, y = matrix[:, keep], contrast[keep], made["y"]
    bread = np.linalg.inv(matrix.T @ matrix)
    hat = matrix @ bread @ matrix.T
    residual, vectors = y - hat @ y, []
    for who in np.unique(made["resident"]):
        of = made["resident"] == who
        values, axes = np.linalg.eigh(np.eye(of.sum()) - hat[np.ix_(of, of)])
        root = axes @ np.diag([v**-0.5 if v > 1e-9 else 0.0 for v in values]) @ axes.T
        weights = contrast @ bread @ matrix[of].T @ root
        vectors.append(weights @ (np.eye(len(y)) - hat)[of])
    found = np.array(vectors)
    return float(((found @ residual) ** 2).sum()), found


@pytest.mark.parametrize("seed", range(4))
def test_the_closed_form_is_cr2(seed: int) -> None:
    made = one_kind(rows(seed))
    variance, _ = generic_cr2(made)
    assert saving(sums(made, 0), sums(made, 1)).se == pytest.approx(math.sqrt(variance), rel=1e-9)


@pytest.mark.parametrize("icc", [0.0, 0.3, 0.9])
def test_degrees_of_freedom_are_those_of_the_dense_formula(icc: float) -> None:
    made = rows(2)
    before, after = sums(made, 0), sums(made, 1)
    share = after.cell_n / after.cell_n.sum()
    _, vectors = generic_cr2(made)
    spread = []
    for part in (before, after):
        mean = part.total.sum(0) / part.cell_n
        spread.append((part.squares.sum(0) - part.cell_n * mean**2).sum() / part.cell_n.sum())
    scale = np.array(spread)[made["after"].astype(int)]
    same = (made["resident"][:, None] == made["resident"]) & (
        made["after"][:, None] == made["after"]
    )
    working = np.where(same, icc, 0.0) * scale
    np.fill_diagonal(working, scale)
    covariance = vectors @ working @ vectors.T
    dense = np.trace(covariance) ** 2 / np.trace(covariance @ covariance)
    assert satterthwaite(before, after, share, np.array(icc)) == pytest.approx(dense, rel=1e-9)


def test_likeness_within_residents_is_found() -> None:
    rng = np.random.default_rng(3)
    level = rng.normal(0, math.sqrt(0.3), (400, 1))
    values = level + rng.normal(0, math.sqrt(0.7), (400, 12))
    part = Sums(*(np.array(x)[:, None].astype(float) for x in (
        np.full(400, 12), values.sum(1), (values**2).sum(1))))  # fmt: skip
    assert intraclass(part) == pytest.approx(0.3, abs=0.05)


def simulated(mean: float, carers: int, residents: int, each: int, seed: int) -> Sums:
    """Exactly the mean that was asked for, spread and clustered."""
    rng = np.random.default_rng(seed)
    values = np.exp(rng.normal(0, 0.3, (residents, 1)) + rng.normal(0, 0.4, (residents, each)))
    values *= carers * mean / values.mean()
    n = np.full((residents, 1), float(each))
    return Sums(n, values.sum(1, keepdims=True), (values**2).sum(1, keepdims=True))


def test_the_published_table_comes_out_of_rows_with_its_means() -> None:
    """Alamgir 2009: 273.6 s with a floor lift (two carers assumed), 156.9 s with a ceiling lift."""
    before, after = simulated(273.6, 2, 30, 20, 1), simulated(156.9, 1, 30, 20, 2)
    assert before.total.sum() / before.n.sum() == pytest.approx(547.2)
    assert after.total.sum() / after.n.sum() == pytest.approx(156.9)
    found = saving(before, after)
    assert found.mean == pytest.approx(390.3)
    assert found.low < 390.3 < found.high


def none(residents: int) -> Sums:
    zero = np.zeros((residents, 1))
    return Sums(zero, zero, zero)


def test_a_published_mean_brings_its_own_uncertainty() -> None:
    after = simulated(156.9, 1, 30, 20, 2)
    told = [
        saving(none(30), after, Published(np.array([547.2]), np.array([v]), np.array([20.0])))
        for v in (0.0, 400.0, math.nan)
    ]
    assert [float(item.mean) for item in told] == [pytest.approx(390.3)] * 3
    assert told[1].se == pytest.approx(math.hypot(told[0].se, 20.0))
    assert math.isnan(told[2].se)


def test_the_wild_bootstrap_agrees_where_residents_are_enough() -> None:
    before, after = simulated(273.6, 2, 39, 20, 3), simulated(156.9, 1, 39, 20, 4)
    found, (low, high) = saving(before, after), wild(before, after)
    assert low == pytest.approx(float(found.low), abs=0.25 * float(found.se))
    assert high == pytest.approx(float(found.high), abs=0.25 * float(found.se))
