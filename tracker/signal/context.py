# SPDX-License-Identifier: Apache-2.0
"""What a model sees of a block: its own numbers and those of the blocks around it.

Amplitudes are logarithms, so a gain error of a few percent is a small shift and ratios of
amplitudes are differences. Directions are of unit length. Blocks without data do not count.
"""

import numpy as np
from numpy.typing import NDArray

from tracker.signal import features as f
from tracker.signal.events import lift

NEAR, FAR, WIDE = 2, 6, 12  # blocks on either side: 12.5 s, 32.5 s, 62.5 s


def _log(values: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    return np.asarray(np.log10(np.maximum(values, np.float32(floor))) * np.float32(0.5))


_OWN = [
    "vm",
    "x",
    "y",
    "z",
    "jerk",
    "vm_low",
    "vm_step",
    "vm_high",
    "dom",
    "share",
    "range",
    "skew",
    "x_sway",
    "x_stride",
    "x_step",
    "x_fast",
    "y_sway",
    "y_stride",
    "y_step",
    "y_fast",
    "z_sway",
    "z_stride",
    "z_step",
    "z_fast",
    "dom_x",
    "dom_y",
    "gyr_x",
    "gyr_y",
    "gyr_z",
]
_UNIT = ["ux", "uy", "uz"]
NAMES: tuple[str, ...] = (
    *_UNIT,
    "abs_uy",
    "ux2",
    "uy2",
    "uz2",
    *_OWN,
    *(f"near_{n}" for n in _OWN),
    *(f"far_{n}" for n in _OWN),
    *(f"{w}_{n}" for w in ("near", "far", "wide") for n in ("ux", "uy", "uz")),
    *(f"{w}_sway_{n}" for w in ("near", "far", "wide") for n in ("ux", "uy", "uz")),
    "near_most",
    "far_most",
    "wide_most",
    "wide_vm",
    "lift",
    "lift_before",
    "lift_after",
    "lift_before_far",
    "lift_after_far",
)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean direction of gravity, unit length (n, 3)."""
    mean = rows[:, f.MEAN]
    x, y, z = mean[:, 0], mean[:, 1], mean[:, 2]
    length = np.maximum(np.sqrt(x * x + y * y + z * z), np.float32(1e-3))
    return np.asarray(mean / length[:, None])


def describe(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Numbers (n, len(NAMES)) float32 of consecutive rows; NaN where there is no gyro."""
    n = rows.shape[0]
    there = (rows[:, f.VALID] > 0.2).astype(np.float32)
    rows = np.where(there[:, None] > 0, rows, np.float32(0))
    own = np.empty((n, len(_OWN)), np.float32)
    own[:, 0] = _log(rows[:, f.VM_VAR], 1e-6)
    own[:, 1:4] = _log(rows[:, f.VAR], 1e-6)
    own[:, 4] = _log(rows[:, f.JERK] * rows[:, f.JERK], 2.5e-7)
    own[:, 5:8] = _log(rows[:, f.BANDS_VM], 1e-8)[:, :3]
    own[:, 8] = rows[:, f.DOM_HZ]
    own[:, 9] = rows[:, f.DOM_SHARE]
    spread = rows[:, f.VM_MAX] - rows[:, f.VM_MIN]
    own[:, 10] = _log(spread * spread, 1e-6)
    own[:, 11] = rows[:, f.SKEW]
    own[:, 12:24] = _log(rows[:, f.BANDS_X.start : f.BANDS_Z.stop], 1e-8)
    own[:, 24:26] = rows[:, f.DOM_X : f.DOM_Y + 1]
    own[:, 26:29] = _log(rows[:, f.GYR_VAR], 1e-2)
    u = unit(rows)
    out = np.empty((n, len(NAMES)), np.float32)
    out[:, 0:3] = u
    out[:, 3] = np.abs(u[:, 1])
    out[:, 4:7] = u * u
    k = len(_OWN)
    out[:, 7 : 7 + k] = own
    at = 7 + k
    weight = there[:, None]
    own *= weight
    both = np.concatenate([own, u * weight, u * u * weight, weight], axis=1)
    near = _around(both, NEAR)
    far = _around(both, FAR)
    narrow = np.ascontiguousarray(np.concatenate([own[:, :1], both[:, k:]], axis=1))
    wide = _around(narrow, WIDE)
    for total in (near, far):
        out[:, at : at + k] = total[:, :k] / np.maximum(total[:, -1:], np.float32(1))
        at += k
    for total in (near, far, wide):
        mean = total[:, -7:-1] / np.maximum(total[:, -1:], np.float32(1))
        out[:, at : at + 3] = mean[:, :3]
        spread = np.asarray(mean[:, 3:] - mean[:, :3] * mean[:, :3], np.float32)
        out[:, at + 9 : at + 12] = _log(spread, 1e-7)
        at += 3
    at += 9
    motion = np.where(there > 0, own[:, 0], np.float32(-3))[:, None]
    for half in (NEAR, FAR, WIDE):
        out[:, at] = _most(motion, half)[:, 0]
        at += 1
    out[:, at] = wide[:, 0] / np.maximum(wide[:, -1], np.float32(1))
    at += 1
    rise = np.clip(lift(rows), -1.5, 1.5).astype(np.float32)
    out[:, at] = rise
    for j, reach in enumerate((4, 12)):
        out[:, at + 1 + 2 * j] = _strongest(rise, range(-reach, 0))
        out[:, at + 2 + 2 * j] = _strongest(rise, range(1, reach + 1))
    return out


def _strongest(values: NDArray[np.float32], steps: range) -> NDArray[np.float32]:
    """The value of greatest size among the neighbours at `steps`; 0 where there are none."""
    n = values.shape[0]
    half = max(abs(steps[0]), abs(steps[-1]))
    padded = _padded(values[:, None], half, 0.0)[:, 0]
    best = np.zeros(n, np.float32)
    for j in steps:
        here = padded[half + j : half + j + n]
        best = np.where(np.abs(here) > np.abs(best), here, best)
    return best


def _padded(values: NDArray[np.float32], half: int, fill: float) -> NDArray[np.float32]:
    n, k = values.shape
    out = np.full((n + 2 * half, k), fill, np.float32)
    out[half : half + n] = values
    return out


def _around(values: NDArray[np.float32], half: int) -> NDArray[np.float32]:
    """Sums over 2 half + 1 neighbours, always added in the same order."""
    n = values.shape[0]
    padded = _padded(values, half, 0.0)
    total = padded[0:n].copy()
    for j in range(1, 2 * half + 1):
        total += padded[j : j + n]
    return total


def _most(values: NDArray[np.float32], half: int) -> NDArray[np.float32]:
    n = values.shape[0]
    padded = _padded(values, half, -3.0)
    total = padded[0:n].copy()
    for j in range(1, 2 * half + 1):
        np.maximum(total, padded[j : j + n], out=total)
    return total
