# SPDX-License-Identifier: Apache-2.0
"""Grid values into blocks of 2.5 s; the newest block stays open until its last place is filled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.signal.blocks import BLOCK_N, Blocks, no_blocks

NO_BLOCK = -(2**62)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenBlock:
    """The block that is being filled: values (c, 125) and which places are filled (125,)."""

    index: int
    values: NDArray[np.float32]
    valid: NDArray[np.bool_]


def no_block(channels: int) -> OpenBlock:
    """Nothing is open."""
    return OpenBlock(
        index=NO_BLOCK,
        values=np.zeros((channels, BLOCK_N), np.float32),
        valid=np.zeros(BLOCK_N, np.bool_),
    )


def pack(
    begun: OpenBlock, k: NDArray[np.int64], values: NDArray[np.float32], fs_hz: float
) -> tuple[OpenBlock, Blocks]:
    """Put values (c, n) of the grid numbers `k` (n,), increasing, where they belong."""
    low, high = int(k[0]), int(k[-1])
    c, first = values.shape[0], low // BLOCK_N
    if high - low + 1 == k.shape[0]:
        index = np.arange(first, high // BLOCK_N + 1)
        place: slice | NDArray[np.int64] = slice(low - first * BLOCK_N, high + 1 - first * BLOCK_N)
    else:
        index = np.unique(k // BLOCK_N)
        place = np.searchsorted(index, k // BLOCK_N) * BLOCK_N + k % BLOCK_N
    if begun.index not in (NO_BLOCK, first):
        index = np.concatenate([[begun.index], index])
        place = place + BLOCK_N if not isinstance(place, slice) else _later(place)
    n = index.shape[0]
    if k.shape[0] == n * BLOCK_N:
        table = values.reshape(c, n, BLOCK_N)
        valid = np.ones((n, BLOCK_N), np.bool_)
    else:
        table = np.zeros((c, n, BLOCK_N), np.float32)
        valid = np.zeros((n, BLOCK_N), np.bool_)
        if begun.index != NO_BLOCK:
            table[:, 0] = begun.values
            valid[0] = begun.valid
        table.reshape(c, -1)[:, place] = values
        valid.reshape(-1)[place] = True
    if high % BLOCK_N == BLOCK_N - 1:
        return no_block(c), _closed(index, table, valid, fs_hz)
    left = OpenBlock(
        index=int(index[-1]), values=np.ascontiguousarray(table[:, -1]), valid=valid[-1].copy()
    )
    return left, _closed(index[:-1], table[:, :-1], valid[:-1], fs_hz)


def close(begun: OpenBlock, fs_hz: float) -> Blocks:
    """What is open as a block of its own, partly empty; nothing where nothing is open."""
    if begun.index == NO_BLOCK or not begun.valid.any():
        return no_blocks(begun.values.shape[0], fs_hz)
    return _closed(
        np.array([begun.index], np.int64), begun.values[:, None, :], begun.valid[None, :], fs_hz
    )


def _later(place: slice) -> slice:
    return slice(place.start + BLOCK_N, place.stop + BLOCK_N)


def _closed(
    index: NDArray[np.int64],
    table: NDArray[np.float32],
    valid: NDArray[np.bool_],
    fs_hz: float,
) -> Blocks:
    return Blocks(index=index, values=_held(table, valid), valid=valid, fs_hz=fs_hz)


def _held(table: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fill places without samples with the nearest earlier (else later) value of the block."""
    if valid.all():
        return table
    table = table.copy()
    for b in np.flatnonzero(~valid.all(axis=1)).tolist():
        there = np.flatnonzero(valid[b])
        if not there.size:
            continue
        nearest = np.maximum(np.searchsorted(there, np.arange(BLOCK_N), side="right") - 1, 0)
        table[:, b] = table[:, b][:, there[nearest]]
    return table
