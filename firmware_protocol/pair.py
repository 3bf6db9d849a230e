# SPDX-License-Identifier: Apache-2.0
"""Acceleration and rotation of one sensor joined on the times of the acceleration.

Where both come in one frame their times are equal and nothing is interpolated. Where they are
streams of their own (Polar) rotation is interpolated between its two neighbours. An acceleration
sample waits for rotation until acceleration has gone on for `wait_ns` beyond it: measured in
samples' time, so the outcome depends on the order of the samples alone, never on how they were
cut into blocks. What stays without rotation carries NaN.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.frame import Kind
from firmware_protocol.sequence import Block

S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PairParams:
    """wait_ns: a Verity Sense sends either stream every 1.4 s (polar-ble-sdk #317), in bursts.

    reach_ns: neighbours further apart than this are a gap, which is not bridged.
    """

    wait_ns: int = 3 * S
    reach_ns: int = S // 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paired:
    """t_ns (n,) int64; acc_g (n, 3) float32; gyr_dps (n, 3) float32, NaN without rotation."""

    t_ns: NDArray[np.int64]
    acc_g: NDArray[np.float32]
    gyr_dps: NDArray[np.float32]
    replayed: bool = False

    def __len__(self) -> int:
        return int(self.t_ns.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lane:
    """Samples of one stream that are still needed."""

    t_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    values: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 3), np.float32))

    def add(self, block: Block) -> "_Lane":
        return _Lane(
            t_ns=np.concatenate([self.t_ns, block.t_ns]),
            values=np.concatenate([self.values, block.values]),
        )

    def since(self, k: int) -> "_Lane":
        return _Lane(t_ns=self.t_ns[k:], values=self.values[k:])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    acc: _Lane = field(default_factory=_Lane)
    gyro: _Lane = field(default_factory=_Lane)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairState:
    """Live and replayed samples wait apart: a replay lies in the past. Start with `PairState()`."""

    live: _Side = field(default_factory=_Side)
    replay: _Side = field(default_factory=_Side)


def advance(
    state: PairState, block: Block, params: PairParams | None = None
) -> tuple[tuple[Paired, ...], PairState]:
    """Take a block of either stream; return the acceleration samples that are complete now."""
    params = params or PairParams()
    side = state.replay if block.replayed else state.live
    done: list[Paired] = []
    if len(block) and block.stream.kind == Kind.ACC:
        if len(side.acc.t_ns) and block.t_ns[0] <= side.acc.t_ns[-1]:
            # A replay of another hole: what waited for the one before waits no longer.
            done.append(_take(side, len(side.acc.t_ns), params, replayed=block.replayed))
            side = _Side()
        side = replace(side, acc=side.acc.add(block))
    elif len(block) and block.stream.kind == Kind.GYRO:
        if len(side.gyro.t_ns) and block.t_ns[0] <= side.gyro.t_ns[-1]:
            side = replace(side, gyro=_Lane())
        side = replace(side, gyro=side.gyro.add(block))
    out, side = _release(side, params, block.replayed)
    done.append(out)
    after = replace(state, replay=side) if block.replayed else replace(state, live=side)
    return tuple(p for p in done if len(p)), after


def flush(
    state: PairState, params: PairParams | None = None
) -> tuple[tuple[Paired, ...], PairState]:
    """At the end of a connection: everything that waits, replayed samples first."""
    params = params or PairParams()
    parts = [
        _take(side, len(side.acc.t_ns), params, replayed=replayed)
        for side, replayed in ((state.replay, True), (state.live, False))
    ]
    return tuple(p for p in parts if len(p)), PairState()


def _release(side: _Side, params: PairParams, replayed: bool) -> tuple[Paired, _Side]:
    acc, gyro = side.acc.t_ns, side.gyro.t_ns
    ready = 0
    if len(acc):
        reached = int(acc[-1]) - params.wait_ns - 1
        if len(gyro):
            reached = max(reached, int(gyro[-1]))
        ready = int(np.searchsorted(acc, reached, side="right"))
    out = _take(side, ready, params, replayed=replayed)
    # Of the rotation keep one sample before the next acceleration sample that can come.
    floor = int(acc[ready - 1]) if ready else (int(acc[0]) if len(acc) else None)
    drop = 0
    if floor is not None and len(gyro):
        drop = max(0, int(np.searchsorted(gyro, floor, side="right")) - 1)
    elif len(gyro):
        drop = int(np.searchsorted(gyro, gyro[-1] - 10 * params.wait_ns))
    return out, _Side(acc=side.acc.since(ready), gyro=side.gyro.since(drop))


def _take(side: _Side, k: int, params: PairParams, *, replayed: bool) -> Paired:
    t, gt, gv = side.acc.t_ns[:k], side.gyro.t_ns, side.gyro.values
    gyr = np.full((k, 3), np.nan, np.float32)
    if k and len(gt):
        right = np.clip(np.searchsorted(gt, t, side="left"), 0, len(gt) - 1)
        left = np.clip(right - 1, 0, len(gt) - 1)
        exact = gt[right] == t
        span = gt[right] - gt[left]
        between = (gt[left] < t) & (t < gt[right]) & (span <= params.reach_ns)
        part = np.where(between, (t - gt[left]) / np.maximum(span, 1), 0.0)[:, None]
        mixed = gv[left] * (1.0 - part) + gv[right] * part
        gyr[between] = mixed[between].astype(np.float32)
        gyr[exact] = gv[right[exact]]
    return Paired(t_ns=t, acc_g=side.acc.values[:k], gyr_dps=gyr, replayed=replayed)
