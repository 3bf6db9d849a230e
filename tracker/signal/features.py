# SPDX-License-Identifier: Apache-2.0
"""One row of numbers per block of 2.5 s: the only pass over the full rate.

Every row depends on its own block and the block before it, so rows are the same however the stream
was split. Sums run along one contiguous axis of fixed length; nothing goes through BLAS.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.signal.blocks import BLOCK_N, FS_HZ, Blocks

SUB_N = 25  # 0.5 s
SUBS = BLOCK_N // SUB_N

# Columns of a row. `SUB_` columns hold one number per half second.
MEAN = slice(0, 3)  # g
VAR = slice(3, 6)  # g^2 within the block
VM_MEAN, VM_VAR, VM_MAD, VM_MAX, VM_MIN = 6, 7, 8, 9, 10
GYR_MEAN = slice(11, 14)  # deg/s; NaN without gyro
GYR_VAR = slice(14, 17)
VALID = 17
DOM_HZ, DOM_SHARE = 18, 19  # of |a|, 0.6 to 3.4 Hz, 5 s
BANDS_VM = slice(20, 24)  # g^2: 0.2-0.6, 0.6-3.4, 3.4-8, 8-20 Hz
SUB_X = slice(24, 29)
SUB_Y = slice(29, 34)
SUB_Z = slice(34, 39)
SUB_VM = slice(39, 44)  # mean of |a| - 1 g
SUB_MOM = slice(44, 49)  # first moment of |a| about the middle of the half second, g s
JERK = 49  # mean |difference| of |a|, g
SKEW = 50  # third standardised moment of |a|: heel strikes make it positive
BANDS_X = slice(51, 55)  # g^2: 0.2-0.5, 0.5-1.2, 1.2-2.5, 2.5-5 Hz of 10 Hz means, 5 s
BANDS_Y = slice(55, 59)
BANDS_Z = slice(59, 63)
DOM_X, DOM_Y = 63, 64  # Hz, 0.2 to 5
SUB_SD = slice(65, 70)  # standard deviation of |a|, g
COLUMNS = 70

TENTH_N = 5  # samples per value of the 10 Hz series
TENTHS = BLOCK_N // TENTH_N
_FREQ = np.fft.rfftfreq(2 * BLOCK_N, 1 / FS_HZ)
_WINDOW = np.hanning(2 * BLOCK_N + 1)[:-1].astype(np.float32)


def _band(low: float, high: float) -> slice:
    at = np.flatnonzero((low <= _FREQ) & (high > _FREQ))
    return slice(int(at[0]), int(at[-1]) + 1)


_LOW, _STEP, _HIGH, _NOISE = _band(0.19, 0.6), _band(0.6, 3.4), _band(3.4, 8.0), _band(8.0, 20.0)
_FREQ_10 = np.fft.rfftfreq(2 * TENTHS, TENTH_N / FS_HZ)
_FREQ_10_F32 = _FREQ_10[1:].astype(np.float32)
_EDGES_10 = np.searchsorted(_FREQ_10, [0.19, 0.5, 1.2, 2.5]).astype(np.intp)
_WINDOW_10 = np.hanning(2 * TENTHS + 1)[:-1].astype(np.float32)
_MOMENT = ((np.arange(SUB_N) - (SUB_N - 1) / 2) / FS_HZ).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureState:
    """The newest block, for the spectra of 5 s: |a| at 50 Hz and the axes at 10 Hz."""

    index: int
    vm: NDArray[np.float32]
    tenths: NDArray[np.float32]


def start_features() -> FeatureState:
    """Nothing seen."""
    return FeatureState(
        index=-(2**62), vm=np.zeros(BLOCK_N, np.float32), tenths=np.zeros((3, TENTHS), np.float32)
    )


def advance_features(
    state: FeatureState, blocks: Blocks
) -> tuple[FeatureState, NDArray[np.float32]]:
    """Rows (n, COLUMNS) float32 of the blocks."""
    n = len(blocks)
    rows = np.empty((n, COLUMNS), np.float32)
    if n == 0:
        return state, rows
    acc = blocks.values[:3]
    rows[:, VALID] = _mean(blocks.valid.astype(np.float32))
    tenths = _fives(acc)
    sub = _fives(tenths)
    rows[:, SUB_X.start : SUB_Z.stop] = sub.transpose(1, 0, 2).reshape(n, 3 * SUBS)
    rows[:, MEAN] = _mean(sub).T
    mean = _mean(blocks.values)
    rows[:, VAR] = _variance(acc, mean[:3]).T
    vm = np.sqrt(acc[0] * acc[0] + acc[1] * acc[1] + acc[2] * acc[2])
    _magnitude(rows, vm)
    if blocks.values.shape[0] == 6:
        rows[:, GYR_MEAN] = mean[3:].T
        rows[:, GYR_VAR] = _variance(blocks.values[3:], mean[3:]).T
    else:
        rows[:, 11:17] = np.nan
    alone = np.diff(blocks.index, prepend=state.index) != 1
    _spectrum(rows, vm, state.vm, alone)
    _spectrum_10(rows, tenths, state.tenths, alone)
    state = FeatureState(
        index=int(blocks.index[-1]), vm=vm[-1].copy(), tenths=np.ascontiguousarray(tenths[:, -1])
    )
    return state, rows


def _mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean along the last axis: what `ndarray.mean` computes, without its checks at each hop."""
    total: NDArray[np.float32] = np.add.reduce(values, axis=-1)
    total /= np.float32(values.shape[-1])
    return total


def _fives(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of five along the last axis: sums of so few are quicker written out."""
    total = values[..., 0::5] + values[..., 1::5]
    for i in (2, 3, 4):
        total += values[..., i::5]
    total /= np.float32(5)
    return total


def _variance(values: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = values - mean[..., None]
    centred *= centred
    return _mean(centred)


def _magnitude(rows: NDArray[np.float32], vm: NDArray[np.float32]) -> None:
    n = vm.shape[0]
    mean = _mean(vm)
    rows[:, VM_MEAN] = mean
    rows[:, VM_MAX] = np.maximum.reduce(vm, axis=1)
    rows[:, VM_MIN] = np.minimum.reduce(vm, axis=1)
    centred = vm - mean[:, None]
    rows[:, VM_MAD] = _mean(np.abs(centred))
    rows[:, JERK] = _mean(np.abs(vm[:, 1:] - vm[:, :-1]))
    parts = vm.reshape(n, SUBS, SUB_N)
    level = _mean(parts)
    rows[:, SUB_VM] = level - np.float32(1)
    inner = parts - level[:, :, None]
    inner *= inner
    rows[:, SUB_SD] = np.sqrt(_mean(inner))
    rows[:, SUB_MOM] = np.add.reduce(parts * _MOMENT, axis=2) / np.float32(FS_HZ)
    square = centred * centred
    variance = _mean(square)
    rows[:, VM_VAR] = variance
    square *= centred
    rows[:, SKEW] = _mean(square) / np.maximum(variance, np.float32(1e-6)) ** np.float32(1.5)


def _pairs(
    values: NDArray[np.float32], before: NDArray[np.float32], alone: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Windows (..., n, 2 k) of two blocks, centred; without a block before it one stands alone."""
    k = values.shape[-1]
    pair = np.empty((*values.shape[:-1], 2 * k), np.float32)
    pair[..., k:] = values
    pair[..., 1:, :k] = values[..., :-1, :]
    pair[..., 0, :k] = before
    if alone.any():
        pair[..., alone, :k] = _mean(values[..., alone, :])[..., None]
    pair -= _mean(pair)[..., None]
    return pair


def _power(pair: NDArray[np.float32], window: NDArray[np.float32]) -> NDArray[np.float32]:
    """One-sided power; the Hann window's mean square is 3/8."""
    pair *= window
    spectrum = np.fft.rfft(pair)
    power = spectrum.real * spectrum.real + spectrum.imag * spectrum.imag
    power *= np.float32(2 / (0.375 * window.shape[0] ** 2))
    return np.asarray(power, np.float32)


def _spectrum(
    rows: NDArray[np.float32],
    vm: NDArray[np.float32],
    before: NDArray[np.float32],
    alone: NDArray[np.bool_],
) -> None:
    power = _power(_pairs(vm, before, alone), _WINDOW)
    bands = rows[:, BANDS_VM]
    for i, band in enumerate((_LOW, _STEP, _HIGH, _NOISE)):
        bands[:, i] = np.add.reduce(power[:, band], axis=1)
    step = power[:, _STEP]
    at = step.argmax(axis=1)
    rows[:, DOM_HZ] = _FREQ[_STEP][at]
    peak = step[np.arange(step.shape[0]), at]
    rows[:, DOM_SHARE] = peak / np.maximum(bands[:, 0] + bands[:, 1] + bands[:, 2], 1e-9)


def _spectrum_10(
    rows: NDArray[np.float32],
    tenths: NDArray[np.float32],
    before: NDArray[np.float32],
    alone: NDArray[np.bool_],
) -> None:
    """Bands of the axes at 10 Hz, and the dominant frequency forward and sideways."""
    n = rows.shape[0]
    power = _power(_pairs(tenths, before, alone), _WINDOW_10)
    bands = np.add.reduceat(power, _EDGES_10, axis=2)
    rows[:, BANDS_X.start : BANDS_Z.stop] = bands.transpose(1, 0, 2).reshape(n, -1)
    rows[:, DOM_X : DOM_Y + 1] = _FREQ_10_F32[power[:2, :, 1:].argmax(axis=2)].T
