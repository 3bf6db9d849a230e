# SPDX-License-Identifier: Apache-2.0
"""Moving mean, moving rank and peaks in numpy alone.

The same answers as `scipy.ndimage.uniform_filter1d`, `scipy.ndimage.rank_filter` and
`scipy.signal.find_peaks` (a test compares them), without their import: it costs as much as the
analysis of a whole day, and `backstay analyze` is run on single recordings.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def moving_mean(values: NDArray[np.floating], size: int, *, origin: int = 0) -> Floats:
    """Mean over `size` rows, edges continued; `origin` -1 moves an even window one row on.

    values  (n,) or (n, k)
    """
    x = np.asarray(values, np.float64)
    if size <= 1:
        return x.copy()
    before = size // 2 + origin
    pad = [(before, size - 1 - before)] + [(0, 0)] * (x.ndim - 1)
    total = np.cumsum(np.pad(x, pad, mode="edge"), axis=0)
    out: Floats = total[size - 1 :].copy()
    out[1:] -= total[:-size]
    out /= size
    return out


def moving_rank(values: Floats, rank: int, size: int) -> Floats:
    """The value of this rank (0 is the least) among `size` neighbours (odd), edges continued."""
    windows = sliding_window_view(np.pad(values, size // 2, mode="edge"), size)
    ranked: Floats = np.partition(windows, rank, axis=1)[:, rank]
    return ranked


def peaks(
    x: Floats, *, prominence: float, distance: int, window: int, widest: int
) -> tuple[Ints, Floats]:
    """Peaks and their prominences.

    prominence  least height above the higher of the two lowest points around, within `window`
    distance    least distance in rows; of two that are closer the higher one stays
    widest      a flat top of more rows is no peak
    """
    at, left, right = _local_maxima(x)
    narrow = right - left + 1 <= widest
    at = at[narrow]
    at = at[_far_apart(at, x[at], distance)]
    high = np.array([_prominence(x, int(i), window) for i in at], np.float64)
    kept = high >= prominence
    return at[kept], high[kept]


def _local_maxima(x: Floats) -> tuple[Ints, Ints, Ints]:
    """Middles, first and last rows of tops: higher than both neighbours, flat ones included."""
    n = x.shape[0]
    none = np.empty(0, np.intp)
    if n < 3:
        return none, none, none
    change = np.flatnonzero(x[1:] != x[:-1])
    first = np.concatenate(([0], change + 1))  # runs of equal values
    last = np.concatenate((change, [n - 1]))
    level = x[first]
    top = np.zeros(first.shape[0], bool)
    top[1:-1] = (level[1:-1] > level[:-2]) & (level[1:-1] > level[2:])
    a, b = first[top], last[top]
    return (a + b) // 2, a, b


def _far_apart(at: Ints, height: Floats, distance: int) -> NDArray[np.bool_]:
    """Which peaks stay when the highest claims its surroundings first."""
    keep = np.ones(at.shape[0], bool)
    for j in np.argsort(height)[::-1]:
        if not keep[j]:
            continue
        near = np.abs(at - at[j]) < distance
        near[j] = False
        keep &= ~near
    return keep


def _prominence(x: Floats, peak: int, window: int) -> float:
    """Height above the higher of the two lowest points before a higher one is met."""
    half = window // 2
    low, high = max(peak - half, 0), min(peak + half, x.shape[0] - 1)
    return float(x[peak] - max(_base(x[low : peak + 1][::-1]), _base(x[peak : high + 1])))


def _base(side: Floats) -> float:
    """Lowest point going away from a peak until something higher than the peak."""
    higher = np.flatnonzero(side > side[0])
    return float(side[: higher[0] if higher.size else None].min())
