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
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tracker.errors import InputError
from tracker.model import SECOND_NS, Samples

FS_HZ = 50.0
STEP_NS = 20_000_000
BLOCK_N = 125
BLOCK_NS = BLOCK_N * STEP_NS
GAP_MIN_NS = SECOND_NS // 2
GAP_PERIODS = 8
_RATE_SPAN_NS = 2 * SECOND_NS
_HALF_NS = STEP_NS // 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyBlock:
    """Consecutive samples in body axes on the 50 Hz grid, as the exercises get them.

    t0_ns         time of the first row
    acc_body_g    (n, 3) float32, forward, left, up; g
    gyr_body_dps  (n, 3) float32, deg/s, or None
    valid         (n,) bool: False where no sample was near (values there are held)
    source_fs_hz  rate of the sensor before gridding; 0 where unknown
    """

    t0_ns: int
    acc_body_g: NDArray[np.float32]
    gyr_body_dps: NDArray[np.float32] | None
    valid: NDArray[np.bool_]
    source_fs_hz: float
    fs_hz: float = FS_HZ


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """Blocks of 2.5 s, channel-major.

    index   (n,) int64: block number; block i starts at i * 2.5 s
    values  (c, n, 125) float32: acc forward, left, up in g, then gyro in deg/s where there is one
    valid   (n, 125) bool
    fs_hz   rate of the sensor
    """

    index: NDArray[np.int64]
    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    fs_hz: float

    def __len__(self) -> int:
        return int(self.index.shape[0])

    def join(self, later: "Blocks") -> "Blocks":
        """These blocks and later ones."""
        if not len(self):
            return later
        if not len(later):
            return replace(self, fs_hz=later.fs_hz or self.fs_hz)
        return Blocks(
            index=np.concatenate([self.index, later.index]),
            values=np.concatenate([self.values, later.values], axis=1),
            valid=np.concatenate([self.valid, later.valid]),
            fs_hz=later.fs_hz or self.fs_hz,
        )

    def runs(self) -> list[BodyBlock]:
        """The same as stretches of consecutive blocks for the exercises."""
        if not len(self):
            return []
        cuts = np.flatnonzero(np.diff(self.index) != 1) + 1
        edges = [0, *cuts.tolist(), len(self)]
        runs = []
        for a, b in pairwise(edges):
            flat = self.values[:, a:b].reshape(self.values.shape[0], -1)
            runs.append(
                BodyBlock(
                    t0_ns=int(self.index[a]) * BLOCK_NS,
                    acc_body_g=flat[:3].T,
                    gyr_body_dps=flat[3:].T if flat.shape[0] == 6 else None,
                    valid=self.valid[a:b].reshape(-1),
                    source_fs_hz=self.fs_hz,
                )
            )
        return runs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridState:
    """What one call leaves for the next. Arrays are channel-major: (c, n)."""

    channels: int = 0  # 0: nothing seen yet; 3 or 6
    fs_hz: float = 0.0
    raw_t: NDArray[np.int64]  # samples of the newest, still open bin (or before the rate is known)
    raw_v: NDArray[np.float32]
    last_t: NDArray[np.int64]  # (9,) newest sample times, oldest first; -1 where none
    point_t: int = -1  # newest averaged sample
    point_v: NDArray[np.float32]
    next_k: int = 0  # next grid number to fill
    open_index: int = -1  # block being filled
    open_v: NDArray[np.float32]
    open_ok: NDArray[np.bool_]


_NONE = -(2**62)


def no_blocks() -> Blocks:
    """Nothing."""
    return Blocks(
        index=np.empty(0, np.int64),
        values=np.empty((0, 0, BLOCK_N), np.float32),
        valid=np.empty((0, BLOCK_N), np.bool_),
        fs_hz=0.0,
    )


def start_grid() -> GridState:
    """No samples yet."""
    return GridState(
        raw_t=np.empty(0, np.int64),
        raw_v=np.empty((0, 0), np.float32),
        last_t=np.full(GAP_PERIODS + 1, _NONE, np.int64),
        point_t=_NONE,
        point_v=np.empty(0, np.float32),
        open_index=_NONE,
        open_v=np.empty((0, BLOCK_N), np.float32),
        open_ok=np.zeros(BLOCK_N, np.bool_),
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
    t, v = _rows(state, samples)
    if t.shape[0] == 0:
        return state, _no_blocks(state)
    if int(state.last_t[-1]) >= int(t[0]) or (t.shape[0] > 1 and not bool((t[1:] > t[:-1]).all())):
        raise InputError(
            "sample times do not increase: sort the samples, remove repeated ones, and start a new "
            "stream after the clock was set back"
        )
    v = _to_body(v, rotation, offset_g, gain)
    if state.channels == 0:
        state = replace(
            state,
            channels=v.shape[0],
            raw_v=np.empty((v.shape[0], 0), np.float32),
            open_v=np.zeros((v.shape[0], BLOCK_N), np.float32),
            point_v=np.zeros(v.shape[0], np.float32),
        )
    raw_t = np.concatenate([state.raw_t, t])
    raw_v = np.concatenate([state.raw_v, v], axis=1)
    last_t = np.concatenate([state.last_t, t[-(GAP_PERIODS + 1) :]])[-(GAP_PERIODS + 1) :]
    if state.fs_hz == 0.0:
        if raw_t[-1] - raw_t[0] < _RATE_SPAN_NS:
            return replace(state, raw_t=raw_t, raw_v=raw_v, last_t=last_t), _no_blocks(state)
        state = replace(state, fs_hz=_rate(raw_t))
    before = replace(state, last_t=last_t)
    return _fill(before, raw_t, raw_v, flush=False)


def finish_grid(state: GridState) -> tuple[GridState, Blocks]:
    """Everything that is still held, as blocks; the last one may be partly empty."""
    if state.channels == 0:
        return state, _no_blocks(state)
    if state.fs_hz == 0.0:
        state = replace(state, fs_hz=_rate(state.raw_t))
    state, blocks = _fill(state, state.raw_t, state.raw_v, flush=True)
    if state.open_index == _NONE or not state.open_ok.any():
        return state, blocks
    valid = state.open_ok[None, :]
    last = _blocks(
        state, np.array([state.open_index]), _held(state.open_v[:, None, :], valid), valid
    )
    state = replace(state, open_index=_NONE, open_ok=np.zeros(BLOCK_N, np.bool_))
    return state, Blocks(
        index=np.concatenate([blocks.index, last.index]),
        values=np.concatenate([blocks.values, last.values], axis=1),
        valid=np.concatenate([blocks.valid, last.valid]),
        fs_hz=state.fs_hz,
    )


def _rate(t: NDArray[np.int64]) -> float:
    """Mean rate of the first two seconds, in Hz; 0 for a single sample."""
    head = t[: int(np.searchsorted(t, t[0] + _RATE_SPAN_NS)) + 1]
    if head.shape[0] < 2:
        return 0.0
    return float(SECOND_NS * (head.shape[0] - 1) / (head[-1] - head[0]))


def _rows(state: GridState, samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    t, acc, gyr = samples.t_ns, samples.acc_g, samples.gyr_dps
    wanted = state.channels or (6 if gyr is not None else 3)
    out = np.empty((wanted, t.shape[0]), np.float32)
    out[:3] = acc.T
    if wanted == 6:
        out[3:] = 0.0 if gyr is None else gyr.T
    if out.size and not np.isfinite(out.sum(dtype=np.float64)):
        # After a reconnect rotation may begin later than acceleration. A row without rotation is
        # then the same as in a block without any: the sensor counts as not turning there.
        still = np.isfinite(out[:3]).all(axis=0) & ~np.isfinite(out[3:]).all(axis=0)
        out[3:, still] = 0.0
        good = np.isfinite(out).all(axis=0)
        t, out = t[good], out[:, good]
    return t, out


def _to_body(
    v: NDArray[np.float32],
    rotation: NDArray[np.float32],
    offset_g: NDArray[np.float32],
    gain: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Rotate by explicit sums: a BLAS product may round differently for other lengths."""
    out = np.empty_like(v)
    if bool((offset_g != 0).any()) or bool((gain != 1).any()):
        v = v.copy()
        v[:3] = (v[:3] - offset_g[:, None]) * gain[:, None]
    plain = bool(((rotation == 0) | (np.abs(rotation) == 1)).all())
    for first in range(0, v.shape[0], 3):
        x, y, z = v[first], v[first + 1], v[first + 2]
        for row in range(3):
            r = rotation[row]
            if plain:
                axis = int(np.abs(r).argmax())
                np.multiply(v[first + axis], r[axis], out=out[first + row])
            else:
                out[first + row] = x * r[0] + y * r[1] + z * r[2]
    return out


def _no_blocks(state: GridState) -> Blocks:
    return Blocks(
        index=np.empty(0, np.int64),
        values=np.empty((state.channels, 0, BLOCK_N), np.float32),
        valid=np.empty((0, BLOCK_N), np.bool_),
        fs_hz=state.fs_hz,
    )


def _blocks(
    state: GridState,
    index: NDArray[np.int64],
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
) -> Blocks:
    return Blocks(index=index, values=values, valid=valid, fs_hz=state.fs_hz)


def _points(
    raw_t: NDArray[np.int64], raw_v: NDArray[np.float32], flush: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32], int]:
    """Averages of the closed bins; how many raw samples they used."""
    bins = (raw_t + _HALF_NS) // STEP_NS
    n = raw_t.shape[0]
    first = np.flatnonzero(np.diff(bins, prepend=bins[0] - 1))
    used = n if flush else int(first[-1])
    if not flush:
        first = first[:-1]
    if first.shape[0] == used:
        return raw_t[:used], raw_v[:, :used], used
    count = np.diff(first, append=used)
    shift = np.add.reduceat(raw_t[:used] - np.repeat(raw_t[first], count), first)
    t = raw_t[first] + shift // count
    v = np.add.reduceat(raw_v[:, :used], first, axis=1) / count.astype(np.float32)
    return t, v.astype(np.float32, copy=False), used


def _gaps(t: NDArray[np.int64], fs_hz: float) -> NDArray[np.bool_]:
    limit = GAP_MIN_NS if fs_hz <= 0 else max(GAP_MIN_NS, round(GAP_PERIODS * SECOND_NS / fs_hz))
    return np.diff(t) > limit


def _fill(
    state: GridState, raw_t: NDArray[np.int64], raw_v: NDArray[np.float32], *, flush: bool
) -> tuple[GridState, Blocks]:
    if raw_t.shape[0] == 0:
        t, v, used = raw_t, raw_v, 0
    else:
        t, v, used = _points(raw_t, raw_v, flush)
    state = replace(state, raw_t=raw_t[used:], raw_v=np.ascontiguousarray(raw_v[:, used:]))
    if state.point_t != _NONE:
        t = np.concatenate([np.array([state.point_t], np.int64), t])
        v = np.concatenate([state.point_v[:, None], v], axis=1)
    if t.shape[0] == 0:
        return state, _no_blocks(state)
    k, values = _interpolate(state, t, v, flush)
    state = replace(state, point_t=int(t[-1]), point_v=np.ascontiguousarray(v[:, -1]))
    if k.shape[0] == 0:
        return state, _no_blocks(state)
    state = replace(state, next_k=int(k[-1]) + 1)
    return _pack(state, k, values)


def _interpolate(
    state: GridState, t: NDArray[np.int64], v: NDArray[np.float32], flush: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Grid numbers that are covered and the values there."""
    low = state.next_k if state.point_t != _NONE else _NONE
    step = np.diff(t)
    if t.shape[0] > 1 and not flush and t[0] % STEP_NS == 0 and bool((step == STEP_NS).all()):
        first = int(t[0]) // STEP_NS
        skip = max(0, low - first)
        return np.arange(first + skip, first + t.shape[0] - 1), v[:, skip:-1]
    cut = np.flatnonzero(_gaps(t, state.fs_hz))
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


def _pack(
    state: GridState, k: NDArray[np.int64], values: NDArray[np.float32]
) -> tuple[GridState, Blocks]:
    """Put grid values into blocks; the newest block stays open."""
    own = k // BLOCK_N
    new = np.flatnonzero(np.diff(own, prepend=own[0] - 1))
    index = own[new]
    row = np.repeat(np.arange(index.shape[0]), np.diff(new, append=k.shape[0]))
    if state.open_index != _NONE and state.open_index != index[0]:
        index = np.concatenate([[state.open_index], index])
        row = row + 1
    n, c = index.shape[0], state.channels
    full = k.shape[0] == n * BLOCK_N
    if full:
        table = values.reshape(c, n, BLOCK_N)
        valid = np.ones((n, BLOCK_N), np.bool_)
    else:
        table = np.zeros((c, n, BLOCK_N), np.float32)
        valid = np.zeros((n, BLOCK_N), np.bool_)
        if state.open_index != _NONE:
            table[:, 0] = state.open_v
            valid[0] = state.open_ok
        first = int(row[0]) * BLOCK_N + int(k[0] - own[0] * BLOCK_N)
        unbroken = int(k[-1] - k[0]) + 1 == k.shape[0]
        place = (
            slice(first, first + k.shape[0]) if unbroken else row * BLOCK_N + (k - own * BLOCK_N)
        )
        table.reshape(c, -1)[:, place] = values
        valid.reshape(-1)[place] = True
    closed = n if int(k[-1]) % BLOCK_N == BLOCK_N - 1 else n - 1
    blocks = _blocks(
        state, index[:closed], _held(table[:, :closed], valid[:closed]), valid[:closed]
    )
    if closed == n:
        state = replace(
            state,
            open_index=_NONE,
            open_v=np.zeros((c, BLOCK_N), np.float32),
            open_ok=np.zeros(BLOCK_N, np.bool_),
        )
    else:
        state = replace(
            state,
            open_index=int(index[-1]),
            open_v=np.ascontiguousarray(table[:, -1]),
            open_ok=valid[-1].copy(),
        )
    return state, blocks


def _held(table: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fill places without samples with the nearest earlier (else later) value of the block."""
    partly = np.flatnonzero(~valid.all(axis=1))
    if not partly.size:
        return table
    table = table.copy()
    for b in partly.tolist():
        there = np.flatnonzero(valid[b])
        if not there.size:
            continue
        nearest = np.maximum(np.searchsorted(there, np.arange(BLOCK_N), side="right") - 1, 0)
        table[:, b] = table[:, b][:, there[nearest]]
    return table
