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


def decimate(values: Floats) -> Floats:
    """(n, c) at 50 Hz to (n/5, c) at 10 Hz; n must be a multiple of five."""
    total = values[0::5] + values[1::5]
    for i in (2, 3, 4):
        total += values[i::5]
    total *= np.float32(0.2)
    return total


def active(acc: Floats, gyr: Floats | None, before: Floats | None) -> NDArray[np.bool_]:
    """Which quanta are worth a look.

    acc     (q * 25, 3) g at 10 Hz; gyr the same in deg/s or None
    before  (3,) mean of the last 0.5 s before, or None
    """
    q = acc.shape[0] // QUANTUM_ROWS
    parts = acc.reshape(q * PARTS, QUANTUM_ROWS // PARTS, 3)
    means = parts.sum(axis=1) * np.float32(1 / (QUANTUM_ROWS // PARTS))
    fast = np.abs(parts[:, ::2] - means[:, None]).sum(axis=(1, 2)).reshape(q, PARTS).mean(axis=1)
    fast *= np.float32(1 / 3)
    first = means[:1] if before is None else before[None]
    led = np.concatenate([first, means])
    grouped = led[: q * PARTS].reshape(q, PARTS, 3)
    last = led[PARTS::PARTS][:, None]
    both = np.concatenate([grouped, last], axis=1)
    slow = (both.max(axis=1) - both.min(axis=1)).max(axis=1)
    flags: NDArray[np.bool_] = slow > SLOW_MIN_G + FAST_SHARE * fast
    middle = means.reshape(q, PARTS, 3)[:, 2]
    flags |= _holding(middle)
    if gyr is not None:
        rate = gyr[:, 2].reshape(q * PARTS, QUANTUM_ROWS // PARTS)
        slow_rate = rate.sum(axis=1) * np.float32(1 / (QUANTUM_ROWS // PARTS))
        fast_rate = np.abs(rate[:, ::2] - slow_rate[:, None]).sum(axis=1).reshape(q, PARTS)
        turned = slow_rate.reshape(q, PARTS)
        swing = turned.max(axis=1) - turned.min(axis=1)
        quiet = fast < 0.06
        flags |= (swing > TURN_MIN_DPS + TURN_SHARE * fast_rate.mean(axis=1)) & quiet
    return flags


def _holding(mean: Floats) -> NDArray[np.bool_]:
    """Face down with the head end up, or on a side with the head end up: where holds happen."""
    x, y, z = mean[:, 0], mean[:, 1], mean[:, 2]
    raised = (z > 0.05) & (z < 0.7)
    held: NDArray[np.bool_] = raised & ((x < -0.7) | (np.abs(y) > 0.6))
    return held
