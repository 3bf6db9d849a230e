# SPDX-License-Identifier: Apache-2.0
"""Where a walk begins and ends, to the half second.

The decoder answers in blocks of 2.5 s; a walk begins and ends inside one. A half second belongs to
the walk beside it when it swings with at least a quarter of that walk's own amplitude (thresholds
that follow the walk: Paraschiv-Ionescu 2014) and no half second between them stands still. What
comes after a pause, a turn on the spot or a hand on the sensor, is no walk.
"""

import numpy as np
from numpy.typing import NDArray

from tracker.signal import features as f
from tracker.signal.decode import EXER, STAND, WALK

STEP_G = 0.055  # standard deviation of |a| over half a second that steps reach
STRIDE_SHARE = 0.25  # of the amplitude of the walk beside
CLOSING = 0.1  # of a block: the last, soft step ends half a half second after the last swing
MOSTLY = 0.5


def stepping(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Share of each block's half seconds that move like steps (n,)."""
    return np.asarray((rows[:, f.SUB_SD] > np.float32(STEP_G)).mean(axis=1))


def edges(
    index: NDArray[np.int64], rows: NDArray[np.float32], posterior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Posterior (n, 5) in which a block at the edge of a walk walks for the part that steps.

    Each block needs the one before and the one after it, nothing else.
    """
    n = index.shape[0]
    walk = posterior[:, WALK]
    sure = (walk > MOSTLY) & (stepping(rows) > MOSTLY)
    touch = np.diff(index) == 1
    before, after = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    before[1:] = sure[:-1] & touch
    after[:-1] = sure[1:] & touch
    sd = rows[:, f.SUB_SD].astype(np.float64)
    typical = np.where(sure, np.sort(sd, axis=1)[:, f.SUBS // 2], 0.0)
    beside = typical.copy()
    beside[1:] = np.where(before[1:], np.maximum(beside[1:], typical[:-1]), beside[1:])
    beside[:-1] = np.where(after[:-1], np.maximum(beside[:-1], typical[1:]), beside[:-1])
    steps = sd > np.where(beside > 0, STRIDE_SHARE * beside, STEP_G)[:, None]
    lead = np.logical_and.accumulate(steps, axis=1).mean(axis=1)
    trail = np.logical_and.accumulate(steps[:, ::-1], axis=1).mean(axis=1)
    part = np.where(before, lead + CLOSING, np.where(after, trail, steps.mean(axis=1)))
    part = np.minimum(part, 1.0)
    edge = (before ^ after) | ((walk > MOSTLY) & ~before & ~after)
    edge &= posterior[:, EXER] < MOSTLY
    near = np.maximum(walk, np.where(before | after, 0.95, 0.0))
    wanted = np.where(edge, near * part, walk)
    out = posterior.copy()
    # What walking gives up goes to standing, what it takes comes from the rest in proportion.
    fewer = wanted < walk
    out[fewer, WALK] = wanted[fewer]
    out[fewer, STAND] += walk[fewer] - wanted[fewer]
    more = wanted > walk
    out[more] *= ((1 - wanted[more]) / np.maximum(1 - walk[more], 1e-9))[:, None]
    out[more, WALK] = wanted[more]
    return out
