# SPDX-License-Identifier: Apache-2.0
"""Worn or not: a trunk breathes, a table does not.

Over 40 s the half-second means of a worn sensor wander with breath, heart and sway; those of a
sensor that lies still are white noise: successive means are no more alike than distant ones (von
Neumann's ratio near 1), their spread is what the noise inside the half seconds foretells, and slow
bands are no stronger than fast ones. All must hold on every axis. People sitting and standing
(dsads_torso, hapt_waist, sit_postures) fail one of them on some axis; simulated sensors on a table
(noise 0.3-8 mg, steps of 0.5-16 mg, 10-100 Hz) pass. Two of five people lying on their backs pass
too for a while, so a quiet sensor that lies flat is away only after five minutes of it.
Deviation from van Hees 2014 (sd < 13 mg over 60 min): a person sitting still is below that, and an
hour is too long to call a drawer sitting.
"""

import numpy as np
from numpy.typing import NDArray

from tracker.signal import features as f
from tracker.signal.blocks import FS_HZ

HALF = 8  # blocks on either side: a window of 42.5 s
FEWEST = 8  # blocks with data in a window
RATIO = 1.6  # spread of half-second means over that of white noise; 1.45 measured on tables
LIKE = 0.62  # von Neumann's ratio of white noise is 1 +- 0.11
SILENT_G = 4e-4  # no trunk is this quiet (1.0 mg measured)
LOUDEST_G = 6e-3
SLOW = 1.27  # breath raises 0.2-0.5 Hz over 2.5-5 Hz; white noise of a rate stays below this
PLAUSIBLE_G = (0.7, 1.4)
WORN, AWAY, BROKEN, QUIET = 0, 1, 2, 3
LYING_DEG = 52.0
SHAKE_G = 0.1
TURN = 0.012  # of a unit direction between blocks: 0.7 deg
LYING_RUN = 120  # blocks (5 min): somebody lying still is nearly as quiet as a table


def wear(rows: NDArray[np.float32], fs_hz: float) -> NDArray[np.uint8]:
    """WORN, AWAY, BROKEN or QUIET per block (n,); looks 2 * HALF blocks to either side."""
    n = rows.shape[0]
    there = rows[:, f.VALID] > 0.5
    data = np.where(there[:, None], rows, np.float32(0)).astype(np.float64)
    subs = data[:, f.SUB_X.start : f.SUB_Z.stop].reshape(n, 3, f.SUBS)
    mean = np.add.reduce(subs, axis=2) / f.SUBS
    within = np.add.reduce((subs - mean[:, :, None]) ** 2, axis=2) / f.SUBS
    steps = np.add.reduce((subs[:, :, 1:] - subs[:, :, :-1]) ** 2, axis=2)
    steps[1:] += np.where(
        (there[1:] & there[:-1])[:, None], (subs[1:, :, 0] - subs[:-1, :, -1]) ** 2, 0
    )
    # One sum over all that is summed: mean, within, steps, var, bands of the axes, blocks.
    parts = (mean, within, steps, data[:, f.VAR], data[:, f.BANDS_X.start : f.BANDS_Z.stop])
    total = _sum(np.concatenate([*parts, there[:, None]], axis=1))
    count = total[:, 24:]
    safe = np.maximum(count, 1.0)
    centre = total[:, :3] / safe
    spread = _spread(mean, there, centre)
    variance = (total[:, 3:6] + spread) / safe
    wander = np.sqrt(variance)
    alike = total[:, 6:9] / safe / (f.SUBS - 0.2) / np.maximum(2 * variance, 1e-12)
    per_half_second = f.SUB_N if fs_hz <= 0 or fs_hz >= FS_HZ else max(1.0, 0.375 * fs_hz)
    white = np.sqrt(total[:, 9:12] / safe / per_half_second)
    bands = total[:, 12:24].reshape(n, 3, 4)
    slow = np.sqrt(bands[:, :, 0] / 0.3 / np.maximum(bands[:, :, 3] / 2.5, 1e-12))
    # Interpolating a slow sensor takes away some of its noise above 2.5 Hz.
    foretold = 1.2 + 135.0 / max(5.0, min(fs_hz, FS_HZ) if fs_hz > 0 else FS_HZ) ** 2
    noise = (
        (slow < SLOW * foretold) & (alike > LIKE) & (wander < RATIO * white) & (wander < LOUDEST_G)
    )
    quiet = (noise | (wander < SILENT_G)).all(axis=1) & (count[:, 0] >= FEWEST)
    # A block is away when some quiet window holds it and it is quiet itself.
    near = _sum(quiet[:, None].astype(np.float64))[:, 0] > 0
    own = (np.sqrt(within) < np.maximum(4 * white, 3 * SILENT_G)).all(axis=1)
    state = np.where(near & own & there, AWAY, WORN).astype(np.uint8)
    state[(state == AWAY) & (wander >= SILENT_G).any(axis=1)] = QUIET
    level = rows[:, f.VM_MEAN]
    steady = rows[:, f.VM_VAR] < np.float32(0.01)
    wrong = there & steady & ((level < PLAUSIBLE_G[0]) | (level > PLAUSIBLE_G[1]))
    state[wrong] = BROKEN
    return state


def settle(
    state: NDArray[np.uint8], rows: NDArray[np.float32], first: int, run: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """From block `first` on: QUIET becomes AWAY, upright at once, lying once it lasted.

    What was away stays so until it moves. `run` is the number of quiet blocks in a row before
    `first`; returns states and run lengths of the blocks from `first` on.
    """
    moved = _moved(rows)[first:]
    state, rows = state[first:], rows[first:]
    n = state.shape[0]
    at = np.arange(n)
    calm = (state == QUIET) | (state == AWAY)
    last_calm = np.maximum.accumulate(np.where(calm, at, -1 if run else -2)) if n else at
    last_moved = np.maximum.accumulate(np.where(moved & ~calm, at, -2)) if n else at
    calm = last_calm > last_moved
    last = np.maximum.accumulate(np.where(calm, -1, at)) if n else at
    runs = np.where(calm, np.where(last >= 0, at - last, at + 1 + run), 0)
    mean = np.nan_to_num(rows[:, f.MEAN]).astype(np.float64)
    flat = mean[:, 2] < np.cos(np.radians(LYING_DEG)) * np.sqrt((mean * mean).sum(axis=1))
    silent = state == AWAY
    out = state.copy()
    worn = calm & (state != BROKEN)
    out[worn] = AWAY
    out[worn & ~silent & flat & (runs < LYING_RUN)] = WORN
    return out, runs.astype(np.int64)


def _moved(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Blocks that shook or turned; what has no data moved."""
    u = np.nan_to_num(rows[:, f.MEAN]).astype(np.float64)
    u /= np.maximum(np.sqrt((u * u).sum(axis=1)), 1e-6)[:, None]
    turned = np.ones(rows.shape[0])
    turned[1:] = np.abs(u[1:] - u[:-1]).max(axis=1)
    if turned.shape[0]:
        turned[0] = 0.0
    shook = ~(rows[:, f.VM_MAX] - rows[:, f.VM_MIN] < SHAKE_G)
    return np.asarray(shook | (turned > TURN) | (rows[:, f.VALID] < 0.5))


def _spread(
    mean: NDArray[np.float64], there: NDArray[np.bool_], centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum over a window's blocks of the squared distance from its centre."""
    n, k = mean.shape
    padded = np.zeros((n + 2 * HALF, k))
    padded[HALF : HALF + n] = mean
    weight = np.zeros((n + 2 * HALF, 1))
    weight[HALF : HALF + n, 0] = there
    spread = np.zeros((n, k))
    for j in range(2 * HALF + 1):
        away = padded[j : j + n] - centre
        away *= away
        away *= weight[j : j + n]
        spread += away
    return spread


def _sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over HALF neighbours on either side, from sums of 1 and 16, always the same way."""
    n, k = values.shape
    one = np.zeros((n + 2 * HALF, k))
    one[HALF : HALF + n] = values
    total = one
    for step in (1, 2, 4, 8):
        total = total[:-step] + total[step:]
    return np.asarray(total[:n] + one[2 * HALF :])
