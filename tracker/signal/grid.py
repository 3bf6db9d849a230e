# SPDX-License-Identifier: Apache-2.0
"""Samples of any rate to a 50 Hz grid in blocks of 2.5 s; gaps stay gaps.

Everything downstream works on blocks that are aligned to absolute time, so the same numbers come
out however the stream was split. Two steps (recognition.md section 6):

1. samples are averaged in bins of one grid period (20 ms, centred on the grid points); at rates up
   to 50 Hz a bin holds one sample and nothing changes, above it this is the anti-alias filter;
2. grid points are interpolated linearly between the averaged samples.

A gap is a step of more than max(0.5 s, 8 sample periods); nothing is interpolated across it.
Deviation from a polyphase resampler: a box filter is enough, because no feature looks above 10 Hz.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracker.errors import InputError
from tracker.model import SECOND_NS, Samples
from tracker.signal.blocks import STEP_NS, Blocks, no_blocks
from tracker.signal.body import channels_of, to_body
from tracker.signal.packing import OpenBlock, close, no_block, pack

GAP_MIN_NS = SECOND_NS // 2
GAP_PERIODS = 8
_RATE_SPAN_NS = 2 * SECOND_NS
_HALF_NS = STEP_NS // 2


_NONE = -(2**62)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridState:
    """What one call leaves for the next. Arrays are channel-major: (c, n)."""

    channels: int = 0  # 0: nothing seen yet; 3 or 6
    fs_hz: float = 0.0
    raw_t: NDArray[np.int64]  # samples of the newest, still open bin (or before the rate is known)
    raw_v: NDArray[np.float32]
    newest_ns: int = _NONE  # time of the newest sample
    point_t: int = _NONE  # newest averaged sample
    point_v: NDArray[np.float32]
    next_k: int = 0  # next grid number to fill
    begun: OpenBlock


def start_grid(channels: int = 0) -> GridState:
    """No samples yet."""
    return GridState(
        channels=channels,
        raw_t=np.empty(0, np.int64),
        raw_v=np.empty((channels, 0), np.float32),
        point_v=np.zeros(channels, np.float32),
        begun=no_block(channels),
    )


def advance_grid(
    state: GridState,
    samples: Samples,
    rotation: NDArray[np.float32],
    offset_g: NDArray[np.float32],
    gain: NDArray[np.float32],
) -> tuple[GridState, Blocks]:
    """Take samples in the sensor's frame, return the blocks that became complete, in body axes.

    Rows with values that are not finite are left out (they become part of a gap). Raises
    InputError where time does not increase.
    """
    t, v = channels_of(samples, state.channels or (6 if samples.gyr_dps is not None else 3))
    if t.shape[0] == 0:
        return state, no_blocks(state.channels, state.fs_hz)
    newest = int(t[-1])
    if state.newest_ns >= int(t[0]) or not (t[1:] > t[:-1]).all():
        raise InputError(
            "sample times do not increase: sort the samples, remove repeated ones, and start a new "
            "stream after the clock was set back"
        )
    v = to_body(v, rotation, offset_g, gain)
    if state.channels == 0:
        state = start_grid(v.shape[0])
    if state.raw_t.shape[0]:
        t = np.concatenate([state.raw_t, t])
        v = np.concatenate([state.raw_v, v], axis=1)
    fs_hz = state.fs_hz
    if fs_hz == 0.0:
        if newest - t[0] < _RATE_SPAN_NS:
            held = replace(state, raw_t=t, raw_v=v, newest_ns=newest)
            return held, no_blocks(state.channels)
        fs_hz = _rate(t)
    return _fill(state, t, v, newest, fs_hz, flush=False)


def finish_grid(state: GridState) -> tuple[GridState, Blocks]:
    """Everything that is still held, as blocks; the last one may be partly empty."""
    if state.channels == 0:
        return state, no_blocks()
    fs_hz = state.fs_hz or _rate(state.raw_t)
    state, blocks = _fill(state, state.raw_t, state.raw_v, state.newest_ns, fs_hz, flush=True)
    last = close(state.begun, fs_hz)
    return replace(state, begun=no_block(state.channels)), blocks.join(last)


def _rate(t: NDArray[np.int64]) -> float:
    """Mean rate of the first two seconds, in Hz; 0 for a single sample."""
    head = t[: int(np.searchsorted(t, t[0] + _RATE_SPAN_NS)) + 1]
    if head.shape[0] < 2:
        return 0.0
    return float(SECOND_NS * (head.shape[0] - 1) / (head[-1] - head[0]))


def _points(
    raw_t: NDArray[np.int64], raw_v: NDArray[np.float32], *, flush: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32], int]:
    """Averages of the closed bins; how many raw samples they used."""
    bins = (raw_t + _HALF_NS) // STEP_NS
    n = raw_t.shape[0]
    other = bins[1:] != bins[:-1]
    if other.all():
        used = n if flush else n - 1
        return raw_t[:used], raw_v[:, :used], used
    first = np.concatenate([[0], np.flatnonzero(other) + 1])
    used = n if flush else int(first[-1])
    if not flush:
        first = first[:-1]
    if first.shape[0] == 0:
        return raw_t[:0], raw_v[:, :0], 0
    count = np.diff(first, append=used)
    shift = np.add.reduceat(raw_t[:used] - np.repeat(raw_t[first], count), first)
    t = raw_t[first] + shift // count
    v = np.add.reduceat(raw_v[:, :used], first, axis=1) / count.astype(np.float32)
    return t, v.astype(np.float32, copy=False), used


def _longest_step_ns(fs_hz: float) -> int:
    """A longer step between samples is a gap."""
    return GAP_MIN_NS if fs_hz <= 0 else max(GAP_MIN_NS, round(GAP_PERIODS * SECOND_NS / fs_hz))


def _fill(
    state: GridState,
    raw_t: NDArray[np.int64],
    raw_v: NDArray[np.float32],
    newest_ns: int,
    fs_hz: float,
    *,
    flush: bool,
) -> tuple[GridState, Blocks]:
    """Bins that are closed to points, points to grid values, grid values to blocks."""
    t, v, used = raw_t, raw_v, 0
    if raw_t.shape[0]:
        t, v, used = _points(raw_t, raw_v, flush=flush)
    if state.point_t != _NONE:
        t = np.concatenate([[state.point_t], t])
        v = np.concatenate([state.point_v[:, None], v], axis=1)
    next_k, begun, blocks = state.next_k, state.begun, no_blocks(state.channels, fs_hz)
    if t.shape[0]:
        low = next_k if state.point_t != _NONE else _NONE
        k, values = _interpolate(t, v, low, fs_hz, flush=flush)
        if k.shape[0]:
            next_k = int(k[-1]) + 1
            begun, blocks = pack(begun, k, values, fs_hz)
    state = GridState(
        channels=state.channels,
        fs_hz=fs_hz,
        raw_t=raw_t[used:].copy(),
        raw_v=raw_v[:, used:].copy(),
        newest_ns=newest_ns,
        point_t=int(t[-1]) if t.shape[0] else _NONE,
        point_v=v[:, -1].copy() if t.shape[0] else state.point_v,
        next_k=next_k,
        begun=begun,
    )
    return state, blocks


def _interpolate(
    t: NDArray[np.int64], v: NDArray[np.float32], low: int, fs_hz: float, *, flush: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Grid numbers from `low` on that are covered, and the values there."""
    step = t[1:] - t[:-1]
    if t.shape[0] > 1 and not flush and t[0] % STEP_NS == 0 and (step == STEP_NS).all():
        first = int(t[0]) // STEP_NS
        skip = max(0, low - first)
        return np.arange(first + skip, first + t.shape[0] - 1), v[:, skip:-1]
    cut = np.flatnonzero(step > _longest_step_ns(fs_hz))
    ends = [*cut.tolist(), t.shape[0] - 1]
    begins = [0, *(cut + 1).tolist()]
    pieces = []
    for a, b in zip(begins, ends, strict=True):
        k0 = max(-(-int(t[a]) // STEP_NS), low)
        open_end = b == t.shape[0] - 1 and not flush
        k1 = -(-int(t[b]) // STEP_NS) if open_end else int(t[b]) // STEP_NS + 1
        if k1 > k0:
            pieces.append(np.arange(k0, k1))
    if not pieces:
        return np.empty(0, np.int64), v[:, :0]
    k = np.concatenate(pieces)
    at = k * STEP_NS
    j = np.searchsorted(t, at, side="right") - 1
    after = np.minimum(j + 1, t.shape[0] - 1)
    span = np.maximum(t[after] - t[j], 1)
    w = ((at - t[j]) / span).astype(np.float32)
    left = v[:, j]
    return k, left + w * (v[:, after] - left)
