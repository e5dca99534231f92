"""Wild cluster bootstrap: the second opinion where residents are few.

Role: a percentile-t interval from sign flips of whole residents (Cameron, Gelbach and Miller 2008),
six-point weights (Webb) below twelve residents. Process: library (`evidence` extra). Must never:
resample single transfers.
"""

from __future__ import annotations

import numpy as np

from liftctl.benefit.estimate import LEVEL, Array, Sums, saving

FEW_RESIDENTS = 40
VERY_FEW = 12
REPLICATES = 1999


def wild(before: Sums, after: Sums, seed: int = 1, replicates: int = REPLICATES) -> Array:
    """(low, high) of the mean saving; one study, no leading axes.

    The replicates are themselves a stack of studies: residual sums flipped, cells refitted, and
    each judged by `saving`, so that the variance of every replicate is its own.
    """
    estimate = saving(before, after)
    flips = _weights(after.n.shape[0], replicates, seed)
    studies = [_flipped(sums, flips) for sums in (before, after)]
    found = _statistic(*studies)
    low, high = np.quantile(found, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return np.array([estimate.mean - high * estimate.se, estimate.mean - low * estimate.se])


def _weights(residents: int, replicates: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    webb = np.sqrt([0.5, 1.0, 1.5])
    points = np.concatenate([-webb, webb]) if residents < VERY_FEW else np.array([-1.0, 1.0])
    return rng.choice(points, (replicates, residents))


def _flipped(sums: Sums, flips: Array) -> Sums:
    """Residual sums of each resident times its flip: a stack of studies whose truth is zero."""
    mean = np.divide(sums.total.sum(0), sums.cell_n, where=sums.cell_n > 0,
                     out=np.zeros_like(sums.cell_n))  # fmt: skip
    residual = (sums.total - sums.n * mean) * flips[..., None]
    n = np.broadcast_to(sums.n, residual.shape)
    return Sums(n, residual, np.zeros_like(residual))


def _statistic(before: Sums, after: Sums) -> Array:
    found = saving(before, after)
    return np.divide(found.mean, found.se, out=np.zeros_like(found.mean), where=found.se > 0)
