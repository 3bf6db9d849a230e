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
from tracker.signal.grid import FS_HZ

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
    subs = rows[:, f.SUB_X.start : f.SUB_Z.stop].reshape(n, 3, f.SUBS).astype(np.float64)
    subs = np.where(there[:, None, None], subs, 0.0)
    inner = np.where(there[:, None], rows[:, f.VAR], 0).astype(np.float64)
    mean = subs.mean(axis=2)
    within = ((subs - mean[:, :, None]) ** 2).mean(axis=2)
    steps = ((subs[:, :, 1:] - subs[:, :, :-1]) ** 2).sum(axis=2)
    steps[1:] += np.where(
        (there[1:] & there[:-1])[:, None], (subs[1:, :, 0] - subs[:-1, :, -1]) ** 2, 0
    )
    count = _sum(there[:, None].astype(np.float64))
    safe = np.maximum(count, 1.0)
    centre = _sum(mean) / safe
    spread = np.zeros((n, 3))
    for j in range(-HALF, HALF + 1):
        away = _shift(mean, j) - centre
        spread += _shift(there[:, None].astype(np.float64), j) * (away * away)
    variance = (_sum(within) + spread) / safe
    wander = np.sqrt(variance)
    alike = _sum(steps) / safe / (f.SUBS - 0.2) / np.maximum(2 * variance, 1e-12)
    per_half_second = f.SUB_N if fs_hz <= 0 or fs_hz >= FS_HZ else max(1.0, 0.375 * fs_hz)
    white = np.sqrt(_sum(inner) / safe / per_half_second)
    bands = _sum(
        np.where(there[:, None], rows[:, f.BANDS_X.start : f.BANDS_Z.stop], 0).astype(float)
    )
    bands = bands.reshape(n, 3, 4)
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
