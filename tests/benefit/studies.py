"""Simulated studies whose truth is known: skewed, clustered, aborted, called for help, misreported.

Role: stacks of studies for the estimator. Must never: share code with what it judges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liftctl.benefit.audits import least_variance, seen_to_logged
from liftctl.benefit.estimate import Array, Estimate, Extra, Sums, saving

RESIDENTS = 36
TRANSFERS = 14
BASE_S, NOW_S = 273.6, 156.9
ICC, CV, ALIKE = 0.3, 0.6, 0.7
ABORTED, FALLBACK, MISREPORTED, AUDITED = 0.08, 0.05, 0.07, 0.25
HELP_SHARE = 0.5
TRUTH = 2 * BASE_S - NOW_S * (1 + FALLBACK * HELP_SHARE + (1 - FALLBACK) * MISREPORTED)


@dataclass(frozen=True)
class Studies:
    """`rows`: plain arrays (studies, residents, transfers) of today's staff-seconds, NaN absent."""

    before: Sums
    after: Sums
    extra: Extra
    rows_before: Array
    rows_after: Array


def _sums(rows: Array) -> Sums:
    there = ~np.isnan(rows)
    values = np.where(there, rows, 0.0)
    return Sums(
        there.sum(-1, keepdims=True).astype(float),
        values.sum(-1, keepdims=True),
        (values**2).sum(-1, keepdims=True),
    )


def _durations(rng: np.random.Generator, mean_s: float, resident: Array) -> Array:
    """Log-normal with the given mean, 30 % of the log variance between residents, uneven counts."""
    variance = np.log(1 + CV**2)
    count = np.maximum(1, np.round(TRANSFERS * rng.lognormal(-0.2, 0.6, resident.shape)))
    most = int(count.max())
    noise = rng.standard_normal((*resident.shape, most)) * np.sqrt(variance * (1 - ICC))
    log = resident[..., None] * np.sqrt(variance * ICC) + noise - variance / 2
    aborted = rng.random(log.shape) < ABORTED
    gone = (np.arange(most) >= count[..., None]) | aborted
    gone[..., 0] = False
    return np.where(gone, np.nan, mean_s * np.exp(log))


def make(n: int, seed: int) -> Studies:
    """`n` studies of 36 residents, before and after."""
    rng = np.random.default_rng(seed)
    first = rng.standard_normal((n, RESIDENTS))
    second = ALIKE * first + np.sqrt(1 - ALIKE**2) * rng.standard_normal(first.shape)
    before = 2 * _durations(rng, BASE_S, first)
    elapsed = _durations(rng, NOW_S, second)
    helped = rng.random(elapsed.shape) < FALLBACK
    hidden = ~helped & (rng.random(elapsed.shape) < MISREPORTED)
    logged = elapsed * np.where(helped, 1 + HELP_SHARE, 1.0)
    audited = (rng.random(elapsed.shape) < AUDITED) & ~np.isnan(elapsed) & ~helped
    factor, influence, variance, df = _audit(elapsed, hidden, audited)
    after = np.where(helped, logged, logged * factor[..., None, None])
    weight = np.nansum(np.where(helped, 0.0, logged), (-1, -2)) / (~np.isnan(logged)).sum((-1, -2))
    least = np.maximum(variance - (influence**2).sum(-1), 0)
    extra = Extra(-weight[..., None] * influence, weight**2 * least, df)
    return Studies(_sums(before), _sums(after), extra, before, after)


def _audit(elapsed: Array, hidden: Array, audited: Array) -> tuple[Array, Array, Array, Array]:
    logged = np.where(audited, elapsed, 0.0)
    seen = logged * np.where(hidden, 2, 1)
    factor, influence = seen_to_logged(seen.sum(-1), logged.sum(-1))
    n, wrong = audited.sum((-1, -2)), (audited & hidden).sum((-1, -2))
    df = audited.any(-1).sum(-1) - 1.0
    return factor, influence, least_variance(n, wrong, 1), df


def judge(studies: Studies) -> Estimate:
    """As the report judges."""
    return saving(studies.before, studies.after, extra=studies.extra)


def naive(studies: Studies) -> tuple[Array, Array]:
    """(low, high) as if every transfer were a person of its own."""
    parts = []
    for rows in (studies.rows_before, studies.rows_after):
        n = (~np.isnan(rows)).sum((-1, -2))
        parts.append((np.nanmean(rows, (-1, -2)), np.nanvar(rows, (-1, -2), ddof=1) / n))
    (base, base_var), (own, own_var) = parts
    reach = 1.96 * np.sqrt(base_var + own_var)
    return base - own - reach, base - own + reach


def coverage(n: int, seed: int, batch: int = 250) -> dict[str, float]:
    """Share of intervals that hold the truth: ours, and the naive one's; mean error of the mean."""
    held, fooled, error = [], [], []
    for start in range(0, n, batch):
        studies = make(min(batch, n - start), seed + start)
        found, (low, high) = judge(studies), naive(studies)
        held.append((found.low <= TRUTH) & (found.high >= TRUTH))
        fooled.append((low <= TRUTH) & (high >= TRUTH))
        error.append(found.mean - TRUTH)
    return {
        "ours": float(np.concatenate(held).mean()),
        "naive": float(np.concatenate(fooled).mean()),
        "bias_s": float(np.concatenate(error).mean()),
    }
