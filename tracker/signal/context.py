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


def describe(
    rows: NDArray[np.float32], lifted: NDArray[np.float64] | None = None
) -> NDArray[np.float32]:
    """Numbers (n, len(NAMES)) float32 of consecutive rows; NaN where there is no gyro.

    `lifted` is `events.lift` of the same rows where the caller has it already.
    """
    n = rows.shape[0]
    lifted = lift(rows) if lifted is None else lifted
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
    near, far, wide = _around(both)
    for total in (near, far):
        out[:, at : at + k] = total[:, :k] / np.maximum(total[:, -1:], np.float32(1))
        at += k
    for total in (near, far, wide):
        mean = total[:, k:-1] / np.maximum(total[:, -1:], np.float32(1))
        out[:, at : at + 3] = mean[:, :3]
        spread = np.asarray(mean[:, 3:] - mean[:, :3] * mean[:, :3], np.float32)
        out[:, at + 9 : at + 12] = _log(spread, 1e-7)
        at += 3
    at += 9
    motion = np.where(there > 0, own[:, 0], np.float32(-3))
    out[:, at : at + 3] = _most(motion).T
    at += 3
    out[:, at] = wide[:, 0] / np.maximum(wide[:, -1], np.float32(1))
    at += 1
    rise = np.minimum(np.maximum(lifted, -1.5), 1.5).astype(np.float32)
    out[:, at] = rise
    _strongest(rise, out[:, at + 1 : at + 5])
    return out


def _strongest(values: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """The value of greatest size among 4 blocks before, 4 after, 12 before, 12 after; 0 if none.

    Windows are put together from halves, which selects the same value and takes a tenth of the
    steps.
    """
    n, most = values.shape[0], 12
    padded = _padded(values[:, None], most, 0.0)[:, 0]

    def stronger(first: NDArray[np.float32], then: NDArray[np.float32]) -> NDArray[np.float32]:
        m = then.shape[0]
        return np.asarray(np.where(np.abs(then) > np.abs(first[:m]), then, first[:m]))

    two = stronger(padded, padded[1:])
    four = stronger(two, two[2:])
    twelve = stronger(stronger(four, four[4:]), four[8:])
    for j, (table, reach) in enumerate(((four, 4), (twelve, 12))):
        out[:, 2 * j] = table[most - reach : most - reach + n]
        out[:, 2 * j + 1] = table[most + 1 : most + 1 + n]


def _padded(values: NDArray[np.float32], half: int, fill: float) -> NDArray[np.float32]:
    n, k = values.shape
    out = np.full((n + 2 * half, k), fill, np.float32)
    out[half : half + n] = values
    return out


def _around(
    values: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Sums (n, k) over NEAR, FAR and WIDE neighbours on either side.

    5, 13 and 25 blocks are put together from sums of 1, 4, 8 and 16, always the same way.
    """
    n = values.shape[0]
    one = _padded(values, WIDE, 0.0)
    two = one[:-1] + one[1:]
    four = two[:-2] + two[2:]
    eight = four[:-4] + four[4:]
    sixteen = eight[:-8] + eight[8:]
    a, b = WIDE - NEAR, WIDE - FAR
    near = four[a : a + n] + one[a + 4 : a + 4 + n]
    far = eight[b : b + n] + four[b + 8 : b + 8 + n]
    far += one[b + 12 : b + 12 + n]
    wide = sixteen[:n] + eight[16 : 16 + n]
    wide += one[24 : 24 + n]
    return near, far, wide


def _most(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Greatest value (3, n) among NEAR, FAR and WIDE neighbours on either side."""
    n = values.shape[0]
    one = _padded(values[:, None], WIDE, -3.0)[:, 0]
    two = np.maximum(one[:-1], one[1:])
    four = np.maximum(two[:-2], two[2:])
    eight = np.maximum(four[:-4], four[4:])
    sixteen = np.maximum(eight[:-8], eight[8:])
    out = np.empty((3, n), np.float32)
    for row, (table, first, width) in enumerate(
        ((four, WIDE - NEAR, 1), (eight, WIDE - FAR, 5), (sixteen, 0, 9))
    ):
        np.maximum(table[first : first + n], table[first + width : first + width + n], out=out[row])
    return out
