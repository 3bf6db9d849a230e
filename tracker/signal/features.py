# SPDX-License-Identifier: Apache-2.0
"""One row of numbers per block of 2.5 s: the only pass over the full rate.

Every row depends on its own block and the block before it, so rows are the same however the stream
was split. Sums run along one contiguous axis of fixed length; nothing goes through BLAS.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.signal.grid import BLOCK_N, FS_HZ, Blocks

SUB_N = 25  # 0.5 s
SUBS = BLOCK_N // SUB_N

# Columns of a row. `_SUB` columns hold one number per half second.
MEAN = slice(0, 3)  # g
VAR = slice(3, 6)  # g^2 within the block
VM_MEAN, VM_VAR, VM_MAD, VM_MAX, VM_MIN = 6, 7, 8, 9, 10
GYR_MEAN = slice(11, 14)  # deg/s; NaN without gyro
GYR_VAR = slice(14, 17)
VALID = 17
DOM_HZ, DOM_SHARE, BAND_LOW, BAND_STEP, BAND_HIGH, BAND_NOISE = 18, 19, 20, 21, 22, 23
SUB_X = slice(24, 29)
SUB_Y = slice(29, 34)
SUB_Z = slice(34, 39)
SUB_VM = slice(39, 44)  # mean of |a| - 1 g
SUB_MOM = slice(44, 49)  # first moment of |a| about the middle of the half second, g s
JERK = 49  # mean |difference| of |a|, g
COLUMNS = 50

_FREQ = np.fft.rfftfreq(2 * BLOCK_N, 1 / FS_HZ)
_WINDOW = np.hanning(2 * BLOCK_N + 1)[:-1].astype(np.float32)


def _band(low: float, high: float) -> slice:
    at = np.flatnonzero((low <= _FREQ) & (high > _FREQ))
    return slice(int(at[0]), int(at[-1]) + 1)


_LOW, _STEP, _HIGH, _NOISE = _band(0.19, 0.6), _band(0.6, 3.4), _band(3.4, 8.0), _band(8.0, 20.0)
_MOMENT = ((np.arange(SUB_N) - (SUB_N - 1) / 2) / FS_HZ).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureState:
    """|a| of the newest block, for the 5 s spectrum."""

    index: int
    vm: NDArray[np.float32]


def start_features() -> FeatureState:
    """Nothing seen."""
    return FeatureState(index=-(2**62), vm=np.zeros(BLOCK_N, np.float32))


def advance_features(
    state: FeatureState, blocks: Blocks
) -> tuple[FeatureState, NDArray[np.float32]]:
    """Rows (n, COLUMNS) float32 of the blocks."""
    n = len(blocks)
    rows = np.empty((n, COLUMNS), np.float32)
    if n == 0:
        return state, rows
    acc = blocks.values[:3]
    rows[:, VALID] = blocks.valid.mean(axis=1, dtype=np.float32)
    sub = acc.reshape(3, n, SUBS, SUB_N).mean(axis=3)
    rows[:, SUB_X], rows[:, SUB_Y], rows[:, SUB_Z] = sub
    mean = sub.mean(axis=2)
    rows[:, MEAN] = mean.T
    rows[:, VAR] = _variance(acc).T
    vm = np.sqrt(acc[0] * acc[0] + acc[1] * acc[1] + acc[2] * acc[2])
    _magnitude(rows, vm)
    if blocks.values.shape[0] == 6:
        gyr = blocks.values[3:]
        rows[:, GYR_MEAN] = gyr.mean(axis=2).T
        rows[:, GYR_VAR] = _variance(gyr).T
    else:
        rows[:, 11:17] = np.nan
    _spectrum(rows, vm, state, blocks.index)
    return FeatureState(index=int(blocks.index[-1]), vm=vm[-1].copy()), rows


def _variance(values: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = values - values.mean(axis=2, keepdims=True)
    centred *= centred
    return np.asarray(centred.mean(axis=2))


def _magnitude(rows: NDArray[np.float32], vm: NDArray[np.float32]) -> None:
    n = vm.shape[0]
    mean = vm.mean(axis=1)
    rows[:, VM_MEAN] = mean
    rows[:, VM_MAX] = vm.max(axis=1)
    rows[:, VM_MIN] = vm.min(axis=1)
    centred = vm - mean[:, None]
    rows[:, VM_MAD] = np.abs(centred).mean(axis=1)
    rows[:, JERK] = np.abs(vm[:, 1:] - vm[:, :-1]).mean(axis=1)
    parts = vm.reshape(n, SUBS, SUB_N)
    rows[:, SUB_VM] = parts.mean(axis=2) - np.float32(1)
    rows[:, SUB_MOM] = (parts * _MOMENT).sum(axis=2) / np.float32(FS_HZ)
    centred *= centred
    rows[:, VM_VAR] = centred.mean(axis=1)


def _spectrum(
    rows: NDArray[np.float32],
    vm: NDArray[np.float32],
    state: FeatureState,
    index: NDArray[np.int64],
) -> None:
    n = vm.shape[0]
    pair = np.empty((n, 2 * BLOCK_N), np.float32)
    pair[:, BLOCK_N:] = vm
    pair[1:, :BLOCK_N] = vm[:-1]
    pair[0, :BLOCK_N] = state.vm
    alone = np.diff(index, prepend=state.index) != 1
    if alone.any():
        # No block before this one: the window is the block and its own mean.
        pair[alone, :BLOCK_N] = rows[alone, VM_MEAN][:, None]
    pair -= pair.mean(axis=1, keepdims=True)
    pair *= _WINDOW
    spectrum = np.fft.rfft(pair, axis=1)
    power = spectrum.real * spectrum.real + spectrum.imag * spectrum.imag
    # Hann power: sum of window squared is 3/8 N; one-sided spectrum counts twice.
    power *= np.float32(2 / (0.375 * (2 * BLOCK_N) ** 2))
    rows[:, BAND_LOW] = power[:, _LOW].sum(axis=1)
    rows[:, BAND_STEP] = power[:, _STEP].sum(axis=1)
    rows[:, BAND_HIGH] = power[:, _HIGH].sum(axis=1)
    rows[:, BAND_NOISE] = power[:, _NOISE].sum(axis=1)
    step = power[:, _STEP]
    at = step.argmax(axis=1)
    rows[:, DOM_HZ] = _FREQ[_STEP][at]
    near = np.take_along_axis(step, at[:, None], 1)[:, 0]
    total = rows[:, BAND_LOW] + rows[:, BAND_STEP] + rows[:, BAND_HIGH]
    rows[:, DOM_SHARE] = near / np.maximum(total, np.float32(1e-9))
