# SPDX-License-Identifier: Apache-2.0
"""Cheap first look: which quanta of 2.5 s may belong to training at all.

From 50 Hz to 10 Hz by means of five samples (a box is enough: nothing here looks above 2 Hz), then
to means over 0.5 s. A quantum is active when those means travel further than the fast movement in
it can explain (walking: much fast, little slow movement), or when the trunk turns about the
vertical, or when the pose is that of a hold.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

QUANTUM_ROWS = 25  # 2.5 s at 10 Hz
PARTS = 5  # of 0.5 s

SLOW_MIN_G = 0.07  # 4 deg of slow tilt
FAST_SHARE = 0.9  # of the mean absolute fast movement; walking: slow/fast below 1
TURN_MIN_DPS = 9.0
TURN_SHARE = 1.0
QUIET_G = 0.06  # turning counts only where nobody walks


def decimate(values: Floats) -> Floats:
    """(..., n) at 50 Hz to (..., n/5) at 10 Hz; n must be a multiple of five."""
    total = values[..., 0::5] + values[..., 1::5]
    for i in (2, 3, 4):
        total += values[..., i::5]
    total *= np.float32(0.2)
    return total


def active(rows: Floats, before: Floats | None) -> NDArray[np.bool_]:
    """Which quanta are worth a look.

    rows    (3 or 6, q * 25) at 10 Hz: acceleration in g, then deg/s where there is a gyro
    before  (3,) mean of the last 0.5 s before, or None
    """
    q = rows.shape[1] // QUANTUM_ROWS
    slow, fast, means = _travel(rows[:3], before, q)
    flags: NDArray[np.bool_] = slow > SLOW_MIN_G + FAST_SHARE * fast
    flags |= _holding(means[:, PARTS // 2 :: PARTS])
    if rows.shape[0] == 6:
        rate, fast_rate = _parts(rows[5:6])
        turned = rate[0].reshape(q, PARTS)
        swing = turned.max(axis=1) - turned.min(axis=1)
        limit = TURN_MIN_DPS + TURN_SHARE * fast_rate[0].reshape(q, PARTS).sum(axis=1) / PARTS
        flags |= (swing > limit) & (fast < QUIET_G)
    return flags


def _parts(rows: Floats) -> tuple[Floats, Floats]:
    """Mean of each 0.5 s (c, q * 5) and three samples' distance from it, added up."""
    means = decimate(rows.reshape(-1)).reshape(rows.shape[0], -1)
    away = np.abs(rows[:, 0::5] - means)
    away += np.abs(rows[:, 2::5] - means)
    away += np.abs(rows[:, 4::5] - means)
    return means, away


def _travel(acc: Floats, before: Floats | None, q: int) -> tuple[Floats, Floats, Floats]:
    """Slow travel (q,), fast movement (q,) and the means of 0.5 s (3, q * 5)."""
    means, away = _parts(acc)
    fast = (away[0] + away[1] + away[2]).reshape(q, PARTS).sum(axis=1) * np.float32(1 / 3 / PARTS)
    first = means[:, :1] if before is None else before[:, None]
    led = np.concatenate([first, means[:, PARTS - 1 :: PARTS]], axis=1)
    grouped = means.reshape(3, q, PARTS)
    high = np.maximum(grouped.max(axis=2), led[:, :-1])
    low = np.minimum(grouped.min(axis=2), led[:, :-1])
    slow: Floats = (high - low).max(axis=0)
    return slow, fast, means


def _holding(mean: Floats) -> NDArray[np.bool_]:
    """Face down with the head end up, or on a side with the head end up: where holds happen."""
    x, y, z = mean
    raised = (z > 0.05) & (z < 0.7)
    held: NDArray[np.bool_] = raised & ((x < -0.7) | (np.abs(y) > 0.6))
    return held
