# SPDX-License-Identifier: Apache-2.0
"""Packets of one stream to samples with UTC: duplicates out, losses counted, clock fitted.

``(state, packet) -> (block, state)``, pure and streaming; one state per sensor and stream, kept
across reconnects. What it does, in order:

* unwraps the counter and the device clock (nearest to what counter or arrival lead to expect);
* drops what was delivered before (a sloppy reconnect delivers each value two or three times);
* counts what is missing and remembers it as holes; replayed or late packets fill holes only, come
  out marked, with their own past time (:mod:`firmware_protocol.past`);
* fits the device clock (or, without one, the running sample count) to UTC under the arrivals
  (:mod:`firmware_protocol.clockfit`) and lets output time slew towards that line, so that neither
  jitter nor bursts of arrival reach the samples;
* notices a restarted device (boot counter, clock running backwards or ahead of arrival) and a
  host clock that jumped.

Times of live blocks increase strictly over the life of a state and are whole microseconds.
"""

from dataclasses import replace

from firmware_protocol.echo import hear
from firmware_protocol.frame import Packet, PacketFlag
from firmware_protocol.holes import OPEN, Hole
from firmware_protocol.past import by_own_clock, drop, empty, fill_hole
from firmware_protocol.sequence_state import Block, Counters, SequenceState
from firmware_protocol.stamping import IMPOSSIBLE_NS, STALE_NS, S, by_clock, by_count, to_utc
from firmware_protocol.timing import ticks_to_ns, unwrap_ticks

__all__ = ["Block", "Counters", "SequenceState", "advance"]

MAX_HOLES = 256


def advance(state: SequenceState, packet: Packet) -> tuple[Block, SequenceState]:
    """Take one packet; return its samples with UTC and the next state."""
    reset = ""
    if packet.boot is not None and packet.boot != state.boot:
        if state.boot is not None:
            state, reset = _restarted(state), "boot"
        state = replace(state, boot=packet.boot)
    if PacketFlag.SYNC in packet.flags:
        return empty(packet), _synced(state, packet)
    if packet.n == 0:
        return empty(packet), state
    index = _unwrap_index(state, packet)
    if index is not None and state.next_index is not None:
        back = PacketFlag.REPLAY in packet.flags or index < state.next_index
        if back and not _count_restarted(state, packet, index):
            return fill_hole(state, packet, index)
        if back:
            state, reset, index = _restarted(state), reset or "device_clock", packet.index
    elif PacketFlag.REPLAY in packet.flags:
        return by_own_clock(state, packet)
    return _live(state, packet, index, reset)


def _restarted(state: SequenceState) -> SequenceState:
    """Forget counter and clock; keep output time and totals."""
    return SequenceState(
        boot=state.boot,
        last_received_ns=state.last_received_ns,
        last_t_ns=state.last_t_ns,
        counters=replace(state.counters, resets=state.counters.resets + 1),
    )


def _unwrap_index(state: SequenceState, packet: Packet) -> int | None:
    if packet.index is None or state.next_index is None or packet.stream.index_bits is None:
        return packet.index
    modulus = 1 << packet.stream.index_bits
    ahead = (packet.index - state.next_index) % modulus
    return state.next_index + (ahead if ahead < modulus // 2 else ahead - modulus)


def _samples_between(packet: Packet, first: int, second: int) -> int:
    """Samples that lie between two counter values."""
    return (second - first) * (1 if packet.stream.index_unit == "sample" else packet.n)


def _count_restarted(state: SequenceState, packet: Packet, index: int) -> bool:
    """Whether a counter that went back means a restarted device rather than a late packet.

    A packet delivered again carries its old time with its old index; after a restart the device
    clock does not fit the index. Without a clock, a counter far back is a restart.
    """
    if PacketFlag.REPLAY in packet.flags or packet.boot is not None:
        return False
    period = S / packet.stream.fs_hz
    back = _samples_between(packet, index, state.next_index or 0) * period
    stream = packet.stream
    if packet.ticks is None or state.ref_dev_ns is None or stream.tick_hz is None:
        return back > STALE_NS
    expected = state.ref_dev_ns - round(back - packet.n * period)
    dev = unwrap_ticks(packet.ticks, stream.tick_hz, stream.tick_bits, expected + state.base_ns)
    dev -= state.base_ns
    return abs(dev - expected) > 2 * S + round(abs(back) * 0.05)


def _synced(state: SequenceState, packet: Packet) -> SequenceState:
    """A measured pair (ticks, UTC): output time goes through it, the fit only gives the slope."""
    stream = packet.stream
    if packet.ticks is None or stream.tick_hz is None:
        return state
    if state.ref_dev_ns is None:
        return replace(
            state,
            sync=(0, packet.received_ns),
            base_ns=ticks_to_ns(packet.ticks, stream.tick_hz),
            ref_dev_ns=0,
            last_received_ns=packet.received_ns,
        )
    waited = packet.received_ns - state.last_received_ns
    expected = state.base_ns + state.ref_dev_ns + waited
    dev = unwrap_ticks(packet.ticks, stream.tick_hz, stream.tick_bits, expected) - state.base_ns
    if abs(dev - state.ref_dev_ns) > IMPOSSIBLE_NS:
        return state
    return replace(state, sync=(dev, packet.received_ns))


def _live(
    state: SequenceState, packet: Packet, index: int | None, reset: str
) -> tuple[Block, SequenceState]:
    lost = 0
    if index is not None and state.next_index is not None:
        lost = _samples_between(packet, state.next_index, index)
    clocked = packet.ticks is not None and packet.stream.tick_hz is not None
    echo = state.echo
    if not clocked and index is None:
        copy, echo = hear(echo, packet.raw.tobytes(), packet.received_ns)
        if copy:
            return drop(replace(state, echo=echo), packet)
    timed = by_clock(state, packet, index, lost) if clocked else by_count(state, packet, lost)
    if timed is None:
        return drop(state, packet)
    if timed.restarted:
        state, reset = _restarted(state), reset or "device_clock"

    stamped = to_utc(state, packet, timed, clocked=clocked)
    t_ns, n = stamped.t_ns, packet.n
    host_jumped = stamped.jumped and clocked
    if host_jumped:
        reset = reset or "host_clock"
    values, times = packet.values, t_ns
    invalid = overlapped = 0
    keep = packet.valid
    if keep is not None and not keep.all():
        invalid = n - int(keep.sum())
    if state.last_t_ns is not None and t_ns[0] <= state.last_t_ns:
        past = t_ns <= state.last_t_ns
        overlapped = int(past.sum()) if keep is None else int((past & keep).sum())
        keep = ~past if keep is None else keep & ~past
    if keep is not None:
        times, values = t_ns[keep], values[keep]
    old = state.counters
    totals = Counters(
        samples=old.samples + len(times),
        lost=old.lost + timed.lost,
        recovered=old.recovered,
        duplicates=old.duplicates,
        invalid=old.invalid + invalid,
        overlapped=old.overlapped + overlapped,
        resets=old.resets + int(host_jumped),
    )
    block = Block(
        stream=packet.stream,
        t_ns=times,
        values=values,
        lost=timed.lost,
        invalid=invalid,
        reset=reset,
        gap_before=PacketFlag.GAP_BEFORE in packet.flags,
        clipped=PacketFlag.CLIPPED in packet.flags,
    )
    end = int(t_ns[-1])
    return block, SequenceState(  # spelt out: replace() would take a third of the time
        fit=stamped.fit,
        sync=stamped.sync,
        boot=state.boot,
        echo=echo,
        out_dev_ns=stamped.out_dev_ns,
        out_utc_ns=stamped.out_utc_ns,
        replay_index=state.replay_index,
        replay_dev_ns=state.replay_dev_ns,
        holes=_holes(state, packet, index, int(t_ns[0])),
        next_index=_next(packet, index),
        base_ns=timed.base_ns,
        ref_dev_ns=timed.ref_ns,
        ref_n=packet.n,
        last_dev_ns=int(timed.dev_ns[-1]),
        step_ns=timed.step_ns,
        last_received_ns=packet.received_ns,
        last_t_ns=end if state.last_t_ns is None else max(end, state.last_t_ns),
        counters=totals,
    )


def _next(packet: Packet, index: int | None) -> int | None:
    if index is None:
        return None
    return index + (packet.n if packet.stream.index_unit == "sample" else 1)


def _holes(
    state: SequenceState, packet: Packet, index: int | None, start_ns: int
) -> tuple[Hole, ...]:
    if index is None or packet.stream.index_unit != "sample":
        return state.holes
    if state.next_index is None:
        return (Hole(first=OPEN, last=index - 1, after_ns=0, before_ns=start_ns),)
    if index == state.next_index or state.last_t_ns is None:
        return state.holes
    new = Hole(first=state.next_index, last=index - 1, after_ns=state.last_t_ns, before_ns=start_ns)
    return (*state.holes, new)[-MAX_HOLES:]
