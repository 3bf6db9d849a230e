# SPDX-License-Identifier: Apache-2.0
"""Packets from the past, replayed or overtaken: where their samples belong.

A sensor that counts its samples says which hole a packet fills. A phone does not count, but its
clock goes on: its samples lie where that clock says. Neither moves the clock's line.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.clockfit import ClockFit
from firmware_protocol.frame import Packet, PacketFlag
from firmware_protocol.holes import fill
from firmware_protocol.sequence_state import Block, SequenceState
from firmware_protocol.stamping import IMPOSSIBLE_NS, US, S
from firmware_protocol.timing import sample_times, unwrap_ticks


def empty(packet: Packet, duplicates: int = 0) -> Block:
    """Nothing comes out of a packet."""
    width = packet.raw.shape[1] if packet.raw.ndim == 2 else 0
    return Block(
        stream=packet.stream,
        t_ns=np.empty(0, np.int64),
        values=np.empty((0, width), np.float32),
        duplicates=duplicates,
    )


def drop(state: SequenceState, packet: Packet) -> tuple[Block, SequenceState]:
    """A packet that was here before, or that nothing can be hung on."""
    counters = replace(state.counters, duplicates=state.counters.duplicates + packet.n)
    return empty(packet, packet.n), replace(state, counters=counters)


def by_own_clock(state: SequenceState, packet: Packet) -> tuple[Block, SequenceState]:
    """An overtaken packet of a device that does not count its samples.

    That it comes once is the caller's to know (a phone numbers its bodies).
    """
    stream = packet.stream
    known = state.fit is not None and packet.ticks is not None and stream.tick_hz is not None
    if not known or state.out_utc_ns is None or state.last_dev_ns is None:
        return drop(state, packet)  # nothing is known yet to hang the past on
    assert state.fit is not None  # noqa: S101 - `known` says so
    expected = state.last_dev_ns + state.base_ns
    ref = unwrap_ticks(packet.ticks or 0, stream.tick_hz or 1.0, stream.tick_bits, expected)
    ref -= state.base_ns
    if ref >= state.last_dev_ns or state.last_dev_ns - ref > IMPOSSIBLE_NS:
        return drop(state, packet)
    step = state.step_ns or S / stream.fs_hz
    dev, _ = sample_times(packet, ref, previous_ns=None, previous_n=packet.n, step_ns=step)
    t_ns = _utc(dev, state.out_dev_ns, state.out_utc_ns, state.fit)
    keep = np.ones(packet.n, np.bool_) if packet.valid is None else packet.valid
    block = Block(
        stream=stream,
        t_ns=t_ns[keep],
        values=packet.values[keep],
        replayed=True,
        invalid=packet.n - int(keep.sum()),
        gap_before=PacketFlag.GAP_BEFORE in packet.flags,
        clipped=PacketFlag.CLIPPED in packet.flags,
    )
    totals = replace(
        state.counters,
        recovered=state.counters.recovered + int(keep.sum()),
        invalid=state.counters.invalid + packet.n - int(keep.sum()),
    )
    return block, replace(state, counters=totals)


def _utc(
    dev_ns: NDArray[np.int64], out_dev_ns: int, out_utc_ns: int, fit: ClockFit
) -> NDArray[np.int64]:
    """UTC (n,) of device times before the newest one, on the line the output follows."""
    past = dev_ns - out_dev_ns
    near: NDArray[np.int64] = out_utc_ns + past + np.rint(past * fit.drift).astype(np.int64)
    return (near + US // 2) // US * US


def fill_hole(state: SequenceState, packet: Packet, index: int) -> tuple[Block, SequenceState]:
    """A replayed or late packet: what it holds of the holes comes out, marked."""
    fit = state.fit
    if (
        packet.stream.index_unit != "sample"
        or fit is None
        or state.out_utc_ns is None
        or state.last_dev_ns is None
        or state.next_index is None
    ):
        return drop(state, packet)
    n, stream = packet.n, packet.stream
    step = state.step_ns or S / stream.fs_hz
    contiguous = state.replay_index == index
    near, near_dev = state.next_index - 1, state.last_dev_ns
    if contiguous:
        near, near_dev = index - 1, state.replay_dev_ns
    at = index if packet.ticks_at == "first" else index + n - 1
    ref = near_dev + round((at - near) * step)
    if packet.ticks is not None and stream.tick_hz is not None:
        expected = ref + state.base_ns
        ref = unwrap_ticks(packet.ticks, stream.tick_hz, stream.tick_bits, expected)
        ref -= state.base_ns
        if abs(ref - state.last_dev_ns) > IMPOSSIBLE_NS:
            return drop(state, packet)
    dev, _ = sample_times(
        packet,
        ref,
        previous_ns=state.replay_dev_ns if contiguous and packet.ticks_at == "last" else None,
        previous_n=n,
        step_ns=step,
    )
    wished = _utc(dev, state.out_dev_ns, state.out_utc_ns, fit)
    taken, t_ns, holes = fill(state.holes, index, wished)
    keep = taken if packet.valid is None else taken & packet.valid
    known = n - int(taken.sum())
    invalid = int(taken.sum()) - int(keep.sum())
    totals = replace(
        state.counters,
        recovered=state.counters.recovered + int(keep.sum()),
        duplicates=state.counters.duplicates + known,
        invalid=state.counters.invalid + invalid,
    )
    block = Block(
        stream=stream,
        t_ns=t_ns[keep],
        values=packet.values[keep],
        replayed=True,
        duplicates=known,
        invalid=invalid,
        gap_before=PacketFlag.GAP_BEFORE in packet.flags,
        clipped=PacketFlag.CLIPPED in packet.flags,
    )
    return block, replace(
        state,
        holes=holes,
        replay_index=index + n,
        replay_dev_ns=int(dev[-1]),
        counters=totals,
    )
