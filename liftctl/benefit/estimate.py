"""Saved staff-seconds with an interval that knows that one resident's transfers are alike.

Role: the estimator. All arrays are (..., residents, cells); leading axes are independent studies,
so that ten thousand simulated ones go through the very code that judges a real one. Process:
library (`evidence` extra). Must never: treat transfers of one resident as independent.

A cell is a kind of transfer (with mobility class or assessment where the baseline has enough). The
saving is the mean over today's transfers of (baseline mean of the cell - own staff-seconds). Its
variance is the linearised, cluster-robust one: each resident's influence, over both periods at
once, squared and summed, each residual sum divided by sqrt(1 - share of its cell): that is CR2
(Bell and McCaffrey 2002) in closed form, because cell means have no other regressors. The t
quantile has Satterthwaite degrees of freedom (Imbens and Kolesar 2016) under an equal-correlation
working model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

LEVEL = 0.95
ALONE = 1e-9


@dataclass(frozen=True, slots=True)
class Sums:
    """One period: numbers, sums and sums of squares per resident and cell."""

    n: Array
    total: Array
    squares: Array

    @property
    def cell_n(self) -> Array:
        """(..., cells)"""
        return np.asarray(self.n.sum(-2))


@dataclass(frozen=True, slots=True)
class Published:
    """Baseline means known from outside: mean, variance of the mean (NaN: unknown), its df."""

    mean: Array
    variance: Array
    df: Array


@dataclass(frozen=True, slots=True)
class Extra:
    """Further uncertainty: `influence` per resident (..., residents), `variance` and its df."""

    influence: Array
    variance: Array
    df: Array


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean, standard error, degrees of freedom and the 95 % interval; NaN where unknown."""

    mean: Array
    se: Array
    df: Array
    low: Array
    high: Array
    icc: Array


def _over(top: Array, bottom: Array) -> Array:
    """top / bottom, 0 where there is nothing to divide by."""
    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom != 0)


def _cr2(n: Array, of: Array) -> Array:
    """1 / sqrt(1 - n / of), 0 for a resident who is alone: there is no residual to judge by."""
    left = 1.0 - _over(n, of)
    return np.where(left > ALONE, 1.0 / np.sqrt(np.maximum(left, ALONE)), 0.0)


def saving(
    before: Sums,
    after: Sums,
    published: Published | None = None,
    extra: Extra | None = None,
    corrected: bool = True,
) -> Estimate:
    """Mean of baseline minus own over the transfers of `after`.

    `corrected=False` is the plain sandwich (CR0): for comparison with others' software only.
    """
    share = after.cell_n / after.cell_n.sum(-1, keepdims=True)
    base, own = cell_means(before, published), _over(after.total.sum(-2), after.cell_n)
    mean = (share * (base - own)).sum(-1)
    influence = (
        _period(before, share, corrected)
        - _period(after, share, corrected)
        + _mix(after, base - own, mean, corrected)
    )
    if extra is not None:
        influence = influence + extra.influence
    variance = (influence**2).sum(-1)
    icc = intraclass(before, after)
    df = satterthwaite(before, after, share, icc)
    if published is not None:
        variance, df = _with_published(variance, df, before, share, published)
    if extra is not None:
        variance, df = _pool(variance, df, extra.variance, extra.df)
    return _interval(mean, variance, df, icc)


def cell_means(before: Sums, published: Published | None) -> Array:
    """Baseline mean of each cell; a measured one outranks a published one."""
    own = _over(before.total.sum(-2), before.cell_n)
    return own if published is None else np.where(before.cell_n > 0, own, published.mean)


def _period(sums: Sums, share: Array, corrected: bool) -> Array:
    """Each resident's influence on the share-weighted mean of the cells, (..., residents)."""
    of = sums.cell_n[..., None, :]
    mean = _over(sums.total.sum(-2), sums.cell_n)[..., None, :]
    residual = sums.total - sums.n * mean
    factor = _cr2(sums.n, of) if corrected else 1.0
    return np.asarray((_over(share[..., None, :], of) * residual * factor).sum(-1))


def _mix(after: Sums, gain: Array, mean: Array, corrected: bool) -> Array:
    """Each resident's influence through the mix of kinds (0 with one kind)."""
    n = after.n.sum(-1)
    of = n.sum(-1, keepdims=True)
    factor = _cr2(n, of) if corrected else 1.0
    own = (after.n * (gain - mean[..., None])[..., None, :]).sum(-1)
    return np.asarray(_over(own, of) * factor)


def _with_published(
    variance: Array, df: Array, before: Sums, share: Array, published: Published
) -> tuple[Array, Array]:
    weight = np.where(before.cell_n > 0, 0.0, share) ** 2
    each = np.where(weight > 0, weight * published.variance, 0.0)
    added = each.sum(-1)
    their_df = _over(added**2, _over(each**2, published.df).sum(-1))
    return _pool(variance, df, added, their_df)


def _pool(variance: Array, df: Array, added: Array, its_df: Array) -> tuple[Array, Array]:
    """Welch and Satterthwaite: the df of a sum of variances."""
    both = variance + added
    parts = _over(variance**2, df) + _over(added**2, its_df)
    return both, np.where(parts > 0, _over(both**2, parts), df)


def _interval(mean: Array, variance: Array, df: Array, icc: Array) -> Estimate:
    se = np.sqrt(variance)
    reach = stats.t.ppf(0.5 + LEVEL / 2, np.maximum(df, 1.0)) * se
    return Estimate(mean, se, df, mean - reach, mean + reach, icc)


def intraclass(*periods: Sums) -> Array:
    """Share of the variance inside cells that is between residents (analysis of variance)."""
    between, within, of_between, of_within, size = (np.zeros(periods[0].n.shape[:-2]),) * 5
    for sums in periods:
        mean = _over(sums.total.sum(-2), sums.cell_n)
        ss_all = sums.squares.sum(-2) - sums.cell_n * mean**2
        ss_within = (sums.squares - _over(sums.total**2, sums.n)).sum(-2)
        groups = (sums.n > 0).sum(-2)
        between = between + (ss_all - ss_within).sum(-1)
        within = within + ss_within.sum(-1)
        of_between = of_between + np.maximum(groups - 1, 0).sum(-1)
        of_within = of_within + (sums.cell_n - groups).sum(-1)
        size = size + (sums.cell_n - _over((sums.n**2).sum(-2), sums.cell_n)).sum(-1)
    ms_within = _over(within, of_within)
    of_residents = _over(_over(between, of_between) - ms_within, _over(size, of_between))
    return np.clip(_over(of_residents, of_residents + ms_within), 0.0, 1.0)


def satterthwaite(before: Sums, after: Sums, share: Array, icc: Array) -> Array:
    """Degrees of freedom of the CR2 variance: 2 E[V]^2 / Var[V] under the working model.

    Residuals of one resident in one period correlate with `icc`. The covariance of the residents'
    influences is diagonal plus low rank, so traces need only (4 cells) x (4 cells) matrices.
    """
    noise, shared = (1.0 - icc)[..., None], icc[..., None]
    parts = [
        _working(sums, share, noise * scale, shared * scale)
        for sums in (before, after)
        for scale in (_spread(sums)[..., None],)
    ]
    diagonal = parts[0][0] + parts[1][0]
    low = np.concatenate([part[1] for part in parts], axis=-1)
    inner = _blocks(parts[0][2], parts[1][2])
    gram = np.swapaxes(low, -1, -2) @ low
    weighted = np.swapaxes(low, -1, -2) @ (diagonal[..., None] * low)
    step = inner @ gram
    first = diagonal.sum(-1) + np.trace(step, axis1=-2, axis2=-1)
    second = (
        (diagonal**2).sum(-1)
        + 2 * np.trace(inner @ weighted, axis1=-2, axis2=-1)
        + np.trace(step @ step, axis1=-2, axis2=-1)
    )
    return _over(first**2, second)


def _spread(sums: Sums) -> Array:
    """Pooled variance inside the cells of a period."""
    mean = _over(sums.total.sum(-2), sums.cell_n)
    inside = (sums.squares.sum(-2) - sums.cell_n * mean**2).sum(-1)
    return _over(np.maximum(inside, 0.0), sums.cell_n.sum(-1))


def _working(sums: Sums, share: Array, noise: Array, shared: Array) -> tuple[Array, Array, Array]:
    """(diagonal, low-rank factor, its inner matrix) of one period's influences."""
    of = sums.cell_n[..., None, :]
    weight = _over(share[..., None, :], of) * _cr2(sums.n, of)
    own = (weight * sums.n).sum(-1)
    diagonal = noise * (weight**2 * sums.n).sum(-1) + shared * own**2
    pull = _over(weight * sums.n, of)
    low = np.concatenate([pull, own[..., None] * sums.n], axis=-1)
    cells = sums.n.shape[-1]
    eye = np.eye(cells)
    cross = -shared[..., None] * eye
    corner = shared[..., None] * (np.swapaxes(sums.n, -1, -2) @ sums.n)
    corner = corner - noise[..., None] * eye * sums.cell_n[..., None, :]
    zero = np.zeros_like(corner)
    inner = np.concatenate(
        [np.concatenate([corner, cross + zero], -1), np.concatenate([cross + zero, zero], -1)], -2
    )
    return diagonal, low, inner


def _blocks(first: Array, second: Array) -> Array:
    """Block diagonal of two stacks of matrices."""
    size = first.shape[-1]
    made = np.zeros((*first.shape[:-2], 2 * size, 2 * size))
    made[..., :size, :size], made[..., size:, size:] = first, second
    return made
