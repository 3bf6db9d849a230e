# SPDX-License-Identifier: Apache-2.0
"""Worn or not: a trunk breathes, a table does not.

Over half a minute the half-second means of a worn sensor wander (breath, heart, sway); those of a
sensor that lies still differ only by its white noise, which the spread inside the half seconds
foretells. Measured over 30 s: sitting, standing and lying people (dsads_torso, hapt_waist,
sit_postures) wander at least 3.0 times as much (variance) as white noise would and 1.0 mg at the
least, simulated sensors on a table (noise 0.3-8 mg, steps of 0.5-16 mg) at most 1.7 times.
Deviation from van Hees 2014 (sd < 13 mg over 60 min): a person sitting still is below that, and an
hour is too long to call a drawer sitting.
"""

import numpy as np
from numpy.typing import NDArray

from tracker.signal import features as f
from tracker.signal.grid import FS_HZ

HALF = 6  # blocks on either side: a window of 32.5 s
FEWEST = 4  # blocks with data in a window
RATIO = 1.45  # of standard deviations; 1.31 measured on tables, 1.73 on people
QUIET_G = 5.5e-4
LOUDEST_G = 2.5e-3
PLAUSIBLE_G = (0.7, 1.4)
WORN, AWAY, BROKEN = 0, 1, 2


def wear(rows: NDArray[np.float32], fs_hz: float) -> NDArray[np.uint8]:
    """WORN, AWAY or BROKEN per block (n,); looks 2 * HALF blocks to either side."""
    n = rows.shape[0]
    there = rows[:, f.VALID] > 0.5
    subs = rows[:, f.SUB_X.start : f.SUB_Z.stop].reshape(n, 3, f.SUBS).astype(np.float64)
    subs = np.where(there[:, None, None], subs, 0.0)
    mean = np.where(there[:, None], rows[:, f.MEAN], 0).astype(np.float64)
    inner = np.where(there[:, None], rows[:, f.VAR], 0).astype(np.float64)
    # Second moments about the block's own mean stay exact where gravity is 1 g.
    within = ((subs - subs.mean(axis=2, keepdims=True)) ** 2).mean(axis=2)
    weight = there.astype(np.float64)
    count = _sum(weight[:, None])[:, 0]
    safe = np.maximum(count, 1.0)[:, None]
    centre = _sum(mean) / safe
    noise = _sum(inner) / safe
    spread = np.zeros((n, 3))
    for j in range(-HALF, HALF + 1):
        there_j = _shift(weight[:, None], j)
        away = _shift(mean, j) - centre
        spread += there_j * (away * away)
    around = _sum(within) / safe + spread / safe
    wander = np.sqrt(around.max(axis=1))
    per_half_second = f.SUB_N if fs_hz <= 0 or fs_hz >= FS_HZ else max(1.0, 0.35 * fs_hz)
    white = np.sqrt(noise.max(axis=1) / per_half_second)
    quiet = (wander < np.maximum(QUIET_G, np.minimum(RATIO * white, LOUDEST_G))) & (count >= FEWEST)
    # A block is away when some quiet window holds it and it is quiet itself.
    near = _sum(quiet[:, None].astype(np.float64))[:, 0] > 0
    own = np.sqrt(within.max(axis=1)) < np.maximum(4 * white, 2 * QUIET_G)
    state = np.where(near & own & there, AWAY, WORN).astype(np.uint8)
    level = rows[:, f.VM_MEAN]
    steady = rows[:, f.VM_VAR] < np.float32(0.01)
    wrong = there & steady & ((level < PLAUSIBLE_G[0]) | (level > PLAUSIBLE_G[1]))
    state[wrong] = BROKEN
    return state


def _shift(values: NDArray[np.float64], j: int) -> NDArray[np.float64]:
    n = values.shape[0]
    out = np.zeros_like(values)
    if abs(j) < n:
        if j >= 0:
            out[: n - j] = values[j:]
        else:
            out[-j:] = values[: n + j]
    return out


def _sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    n, k = values.shape
    padded = np.zeros((n + 2 * HALF, k))
    padded[HALF : HALF + n] = values
    total = padded[0:n].copy()
    for j in range(1, 2 * HALF + 1):
        total += padded[j : j + n]
    return total
