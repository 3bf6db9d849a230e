# SPDX-License-Identifier: Apache-2.0
"""How sitting is put together: usual bout duration (W50) and the expert measures around it.

Names that clash in the literature are kept apart: `w50_min` is the bout length in *minutes* at
which half of all sitting time lies in longer bouts (Chastin; activPAL practice); `w05_share` is
GGIR's W0.5, the *share* of time in bouts longer than x0.5.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.trends.hill import fit

MIN_BOUTS = 10  # below it alpha, x0.5, W0.5 and Gini are missing, not 0 or 1 (GGIR; skdh trap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragmentation:
    """Measures of one set of sitting bouts; `None` where too few bouts or no variation."""

    n: int
    total_min: float
    w50_min: float | None
    w50_hill_min: float | None
    hill_h: float | None
    alpha: float | None
    alpha_skdh: float | None
    x05_min: float | None
    w05_share: float | None
    gini: float | None
    breaks_per_sitting_h: float | None
    transition_per_min: float | None


def fragmentation(minutes: ArrayLike, *, xmin_min: float = 1.0) -> Fragmentation:
    """All measures of bout lengths in minutes; `xmin_min` is the shortest recordable bout."""
    x = np.sort(np.asarray(minutes, np.float64))
    n, total = int(x.size), float(x.sum())
    enough = n >= MIN_BOUTS and float(x.std()) > 0
    hill = hill_fit(x) if enough else None
    alpha = power_law_alpha(x, xmin_min) if enough else None
    x05 = None if alpha is None else half_bout_min(alpha, xmin_min)
    return Fragmentation(
        n=n,
        total_min=total,
        w50_min=weighted_median_min(x),
        w50_hill_min=None if hill is None else hill[0],
        hill_h=None if hill is None else hill[1],
        alpha=alpha,
        alpha_skdh=power_law_alpha(x, float(x[0]) - 0.5) if enough and x[0] > 0.5 else None,
        x05_min=x05,
        w05_share=None if x05 is None else float(x[x > x05].sum() / total),
        gini=gini(x) if enough else None,
        breaks_per_sitting_h=60 * n / total if total > 0 else None,
        transition_per_min=n / total if total > 0 else None,
    )


def weighted_median_min(minutes: ArrayLike) -> float | None:
    """Empirical W50: the first bout length at which the sorted bouts hold half of the time."""
    x = np.sort(np.asarray(minutes, np.float64))
    if x.size == 0:
        return None
    held = np.cumsum(x)
    return float(x[np.searchsorted(held, held[-1] / 2 * (1 - 1e-12))])


def accumulation(minutes: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distinct bout lengths (min) and the share of sitting time in bouts up to each of them."""
    x = np.sort(np.asarray(minutes, np.float64))
    if x.size == 0:
        return x, x.copy()
    lengths, last = np.unique(x[::-1], return_index=True)
    share = np.cumsum(x)[x.size - 1 - last] / x.sum()
    return lengths, share


def hill_fit(minutes: ArrayLike) -> tuple[float, float] | None:
    """Smooth W50 (min) and slope h of F(t) = t^h / (t^h + W50^h), least squares on the curve."""
    lengths, share = accumulation(minutes)
    start = weighted_median_min(minutes)
    if lengths.size < 3 or start is None:
        return None
    return fit(lengths, share, start)


def power_law_alpha(minutes: ArrayLike, xmin_min: float) -> float | None:
    """Exponent of the bout-length distribution: 1 + n / sum ln(x / xmin).

    GGIR sets xmin to the shortest *recordable* bout, skdh to the shortest observed minus 0.5; the
    two conventions give different numbers, so both are kept and named.
    """
    x = np.asarray(minutes, np.float64)
    logs = float(np.log(x / xmin_min).sum())
    return 1 + x.size / logs if logs > 0 else None


def half_bout_min(alpha: float, xmin_min: float) -> float:
    """x0.5 = xmin * 2^(1 / (alpha - 1)); GGIR's code moves xmin into the exponent by mistake."""
    return float(xmin_min * 2 ** (1 / (alpha - 1)))


def gini(minutes: ArrayLike) -> float | None:
    """Gini index of bout lengths with the small-sample factor n / (n - 1)."""
    x = np.sort(np.asarray(minutes, np.float64))
    n = x.size
    if n < 2 or x.sum() <= 0:
        return None
    held = np.cumsum(x)
    return float((n + 1 - 2 * held.sum() / held[-1]) / n * n / (n - 1))
