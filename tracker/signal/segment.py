# SPDX-License-Identifier: Apache-2.0
"""One stretch without long gaps: rows in, smoothed posture per block out.

A stretch ends at a gap of more than `BRIDGE` blocks; what was known before it fades. Evidence may
look `LOOK_AHEAD` blocks ahead and smoothing `LAG` more, so a block is final after a fixed time.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracker.signal import decode, features, wear
from tracker.signal import posture as p
from tracker.signal.results import Setup

BRIDGE = 12  # missing blocks (30 s) that are bridged as rows without data
_PRIOR = np.array([0.1, 0.4, 0.3, 0.15, 0.05])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentState:
    """Rows that are still needed, from block `first` on; `done` blocks of them are final."""

    first: int
    rows: NDArray[np.float32]
    done: int
    alpha: NDArray[np.float64]  # filtered probabilities of the block before `done`
    quiet_run: int = 0  # blocks in a row before `done` that were as quiet as a table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """Blocks with their posterior (n, 5); the last `open_n` are provisional."""

    index: NDArray[np.int64]
    rows: NDArray[np.float32]
    posterior: NDArray[np.float64]
    wear: NDArray[np.uint8]
    open_n: int


def start_segment() -> SegmentState:
    """Nothing seen."""
    return SegmentState(
        first=-(2**62),
        rows=np.empty((0, features.COLUMNS), np.float32),
        done=0,
        alpha=_PRIOR.copy(),
    )


def advance_segment(
    state: SegmentState,
    index: NDArray[np.int64],
    rows: NDArray[np.float32],
    setup: Setup,
    *,
    fs_hz: float,
    flush: bool,
) -> tuple[SegmentState, list[Decoded]]:
    """Take rows of new blocks; return what is final and what is provisional."""
    out: list[Decoded] = []
    cuts = np.flatnonzero(np.diff(index) > BRIDGE + 1) + 1
    pieces = np.split(np.arange(index.shape[0]), cuts)
    for at in pieces:
        if at.size:
            end = state.first + state.rows.shape[0]
            if state.rows.shape[0] and int(index[at[0]]) > end + BRIDGE:
                state, closed = _decode(state, setup, fs_hz, close=True)
                out.append(closed)
            first, table = append_rows(state.first, state.rows, index[at], rows[at])
            state = replace(state, first=first, rows=table)
    if state.rows.shape[0]:
        state, newest = _decode(state, setup, fs_hz, close=flush)
        out.append(newest)
    return state, out


def append_rows(
    first: int,
    rows: NDArray[np.float32],
    index: NDArray[np.int64],
    new: NDArray[np.float32],
) -> tuple[int, NDArray[np.float32]]:
    """Rows of consecutive blocks from `first` on; missing blocks are rows without data."""
    if rows.shape[0] == 0:
        first = int(index[0])
    n = int(index[-1]) + 1 - first
    if rows.shape[0] == 0 and n == new.shape[0]:
        return first, new
    table = np.full((n, features.COLUMNS), np.nan, np.float32)
    table[:, features.VALID] = 0
    table[: rows.shape[0]] = rows
    table[index - first] = new
    return first, table


def _decode(
    state: SegmentState, setup: Setup, fs_hz: float, *, close: bool
) -> tuple[SegmentState, Decoded]:
    n = state.rows.shape[0]
    worn = wear.wear(state.rows, fs_hz)
    worn[state.done :], runs = wear.settle(worn, state.rows, state.done, state.quiet_run)
    new = p.evidence(state.rows, worn, setup, first=state.done)
    alpha = decode.forward(state.alpha, new)
    final = n if close else max(state.done, n - p.LOOK_AHEAD - decode.LAG)
    k = final - state.done
    settled = decode.smooth(alpha, new, k)
    open_from = max(final, n - decode.LAG)
    posterior = np.concatenate([settled, decode.smooth_tail(alpha, new, open_from - state.done)])
    at = np.concatenate([np.arange(state.done, final), np.arange(open_from, n)])
    decoded = Decoded(
        index=state.first + at,
        rows=state.rows[at],
        posterior=posterior,
        wear=worn[at],
        open_n=n - open_from,
    )
    if close:
        return replace(start_segment(), alpha=_fade(alpha[-1])), decoded
    keep = max(0, final - p.LOOK_BACK)
    state = replace(
        state,
        first=state.first + keep,
        rows=state.rows[keep:],
        done=final - keep,
        alpha=alpha[k - 1] if k else state.alpha,
        quiet_run=int(runs[k - 1]) if k else state.quiet_run,
    )
    return state, decoded


def _fade(alpha: NDArray[np.float64]) -> NDArray[np.float64]:
    """After a gap of more than half a minute anything may have happened."""
    return 0.2 * alpha + 0.8 * _PRIOR
