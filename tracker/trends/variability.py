# SPDX-License-Identifier: Apache-2.0
"""Movement variability while sitting: SD and sample entropy of the angle in 15-min windows.

Sample entropy (Richman and Moorman 2000) with m = 2 and r = 0.2 SD: the negative log of the chance
that stretches which agree over two epochs agree over the third, too. Low: regular or still; high:
hard to predict. Only windows that are sitting throughout count; no norm exists, so it is shown
against the wearer's own baseline alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, EPOCH_S, Epochs
from tracker.trends.motion import seated

WINDOW_EPOCHS = 15 * 60 // EPOCH_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Variability:
    """Medians over the windows; None without a full window (or, for entropy, without movement)."""

    windows: int
    sd_deg: float | None
    sample_entropy: float | None


def variability(epochs: Epochs) -> Variability:
    """Windows of 15 min of unbroken sitting with known angles, one after another."""
    good = seated(epochs) & ~np.isnan(epochs.tilt_deg)
    new = np.ones(len(epochs), bool)
    new[1:] = ~good[1:] | ~good[:-1] | (np.diff(epochs.start_ns) != EPOCH_NS)
    begins = np.flatnonzero(good & new)
    run = np.cumsum(new)
    sds, entropies = [], []
    for first in begins.tolist():
        stop = int(np.searchsorted(run, run[first], side="right"))
        for a in range(first, stop - WINDOW_EPOCHS + 1, WINDOW_EPOCHS):
            x = epochs.tilt_deg[a : a + WINDOW_EPOCHS].astype(np.float64)
            sds.append(float(x.std(ddof=1)))
            found = sample_entropy(x)
            if found is not None:
                entropies.append(found)
    return Variability(
        windows=len(sds),
        sd_deg=float(np.median(sds)) if sds else None,
        sample_entropy=float(np.median(entropies)) if entropies else None,
    )


def sample_entropy(x: NDArray[np.float64], *, m: int = 2, r_sd: float = 0.2) -> float | None:
    """Sample entropy of a series; None where nothing moves or no stretch of m + 1 recurs."""
    sd = float(x.std(ddof=1)) if x.size > m + 1 else 0.0
    if sd == 0:
        return None
    near = np.abs(x[:, None] - x[None, :]) <= r_sd * sd + 1e-12
    n = x.size - m
    both = np.ones((n, n), bool)
    for k in range(m):
        both &= near[k : k + n, k : k + n]
    longer = both & near[m : m + n, m : m + n]
    shorter_pairs = int(both.sum()) - n  # without each stretch meeting itself
    longer_pairs = int(longer.sum()) - n
    if shorter_pairs == 0 or longer_pairs == 0:
        return None
    return float(-np.log(longer_pairs / shorter_pairs))
