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
    high = _prominence(x, at, window // 2)
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
    place: list[int] = at.tolist()
    n = len(place)
    keep = [True] * n
    for j in np.argsort(height)[::-1].tolist():
        if not keep[j]:
            continue
        # Peaks are in order of time, so only those right beside can be too near.
        for step, end in ((-1, -1), (1, n)):
            i = j + step
            while i != end and abs(place[i] - place[j]) < distance:
                keep[i] = False
                i += step
    return np.array(keep, np.bool_)


def _prominence(x: Floats, at: Ints, half: int) -> Floats:
    """Height above the higher of the two lowest points before a higher one is met, all at once."""
    padded = np.full(x.shape[0] + 2 * half, np.inf)  # the end of the rows ends a side
    padded[half : half + x.shape[0]] = x
    sides = sliding_window_view(padded, half + 1)
    after, before = sides[at + half], sides[at][:, ::-1]
    low: Floats = np.maximum(_base(before), _base(after))
    return np.asarray(x[at] - low)


def _base(side: Floats) -> Floats:
    """Lowest point (k,) going away from peaks (k, n) until something higher than the peak."""
    higher = side > side[:, :1]
    end = np.where(higher.any(axis=1), higher.argmax(axis=1), side.shape[1])
    inside = np.arange(side.shape[1]) < end[:, None]
    low: Floats = np.where(inside, side, np.inf).min(axis=1)
    return low
