# SPDX-License-Identifier: Apache-2.0
"""Packets of one stream to samples with UTC: duplicates out, losses counted, clock fitted.

``(state, packet) -> (block, state)``, pure and streaming; one state per sensor and stream, kept
across reconnects. What it does, in order:

* unwraps the counter and the device clock (nearest to what counter or arrival lead to expect);
* drops what was delivered before (a sloppy reconnect delivers each value two or three times);
* counts what is missing and remembers it as holes; replayed or late packets fill holes only, come
  out marked, with their own past time;
* fits the device clock (or, without one, the running sample count) to UTC under the arrivals
  (:mod:`firmware_protocol.clockfit`) and lets output time slew towards that line, so that neither
  jitter nor bursts of arrival reach the samples;
* notices a restarted device (boot counter, clock running backwards or ahead of arrival) and a
  host clock that jumped.

Times of live blocks increase strictly over the life of a state and are whole microseconds.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.clockfit import DEVICE_CLOCK, SAMPLE_COUNT, ClockFit, begin, observe
from firmware_protocol.echo import Echo, hear
from firmware_protocol.frame import Packet, PacketFlag, Stream
from firmware_protocol.holes import OPEN, Hole, fill
from firmware_protocol.timing import after, lost_by_time, sample_times, ticks_to_ns, unwrap_ticks

S = 1_000_000_000
US = 1_000
MAX_HOLES = 256
SILENCE_NS = 2 * S  # a stream without device time is taken to have paused after this
STALE_NS = 10 * S  # device time this far back is a restart, not a late packet
IMPOSSIBLE_NS = 400 * 86_400 * S  # no device clock jumps by more than a year
SLOW_HZ = 2.5  # below this, arrival is the sample's time (advertisements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Running totals in samples (resets in events)."""

    samples: int = 0
    lost: int = 0
    recovered: int = 0
    duplicates: int = 0
    invalid: int = 0
    overlapped: int = 0
    resets: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Samples of one packet.

    t_ns    (n,) int64 UTC, whole microseconds, strictly increasing
    values  (n, channels) float32 in the unit of `stream.kind`
    replayed  fills an earlier hole: its times lie in the past
    lost    samples missing between this block and the one before (0 for replayed blocks)
    reset   "" or why time or counting began anew: "boot", "device_clock", "host_clock"
    """

    stream: Stream
    t_ns: NDArray[np.int64]
    values: NDArray[np.float32]
    replayed: bool = False
    lost: int = 0
    duplicates: int = 0
    invalid: int = 0
    reset: str = ""
    gap_before: bool = False
    clipped: bool = False

    def __len__(self) -> int:
        return int(self.t_ns.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceState:
    """What one stream's past means for its next packet. Start with `SequenceState()`."""

    fit: ClockFit | None = None
    sync: tuple[int, int] | None = None  # newest measured pair: device time, UTC
    boot: int | None = None
    next_index: int | None = None
    base_ns: int = 0  # device time is kept relative to the first one, so that it stays small
    ref_dev_ns: int | None = None
    ref_n: int = 0
    last_dev_ns: int | None = None
    step_ns: float | None = None
    last_received_ns: int = 0
    echo: Echo = field(default_factory=Echo)
    out_dev_ns: int = 0
    out_utc_ns: int | None = None
    last_t_ns: int | None = None
    replay_index: int | None = None
    replay_dev_ns: int = 0
    holes: tuple[Hole, ...] = ()
    counters: Counters = Counters()

    @property
    def drift_ppm(self) -> float:
        """How much faster UTC runs than the device's clock, in parts per million."""
        return 0.0 if self.fit is None else self.fit.drift * 1e6

    @property
    def lag_ns(self) -> int:
        """How late the newest packet arrived after its newest sample."""
        return 0 if self.last_t_ns is None else self.last_received_ns - self.last_t_ns


def advance(state: SequenceState, packet: Packet) -> tuple[Block, SequenceState]:
    """Take one packet; return its samples with UTC and the next state."""
    reset = ""
    if packet.boot is not None and packet.boot != state.boot:
        if state.boot is not None:
            state, reset = _restarted(state), "boot"
        state = replace(state, boot=packet.boot)
    if PacketFlag.SYNC in packet.flags:
        return _empty(packet), _synced(state, packet)
    if packet.n == 0:
        return _empty(packet), state
    index = _unwrap_index(state, packet)
    if index is not None and state.next_index is not None:
        back = PacketFlag.REPLAY in packet.flags or index < state.next_index
        if back and not _count_restarted(state, packet, index):
            return _fill(state, packet, index)
        if back:
            state, reset, index = _restarted(state), reset or "device_clock", packet.index
    elif PacketFlag.REPLAY in packet.flags:
        return _drop(state, packet)  # nothing is known yet to hang the past on
    return _live(state, packet, index, reset)


def _restarted(state: SequenceState) -> SequenceState:
    """Forget counter and clock; keep output time and totals."""
    return SequenceState(
        boot=state.boot,
        last_received_ns=state.last_received_ns,
        last_t_ns=state.last_t_ns,
        counters=replace(state.counters, resets=state.counters.resets + 1),
    )


def _empty(packet: Packet, duplicates: int = 0) -> Block:
    width = packet.raw.shape[1] if packet.raw.ndim == 2 else 0
    return Block(
        stream=packet.stream,
        t_ns=np.empty(0, np.int64),
        values=np.empty((0, width), np.float32),
        duplicates=duplicates,
    )


def _drop(state: SequenceState, packet: Packet) -> tuple[Block, SequenceState]:
    counters = replace(state.counters, duplicates=state.counters.duplicates + packet.n)
    return _empty(packet, packet.n), replace(state, counters=counters)


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Timed:
    """Device times of a live packet's samples and what was found while working them out."""

    dev_ns: NDArray[np.int64]
    ref_ns: int
    step_ns: float
    lost: int
    base_ns: int = 0
    restarted: bool = False


def _live(
    state: SequenceState, packet: Packet, index: int | None, reset: str
) -> tuple[Block, SequenceState]:
    lost = 0
    if index is not None and state.next_index is not None:
        lost = _samples_between(packet, state.next_index, index)
    clocked = packet.ticks is not None and packet.stream.tick_hz is not None
    copy = False
    if not clocked and index is None:
        copy, echo = hear(state.echo, packet.raw.tobytes(), packet.received_ns)
        state = replace(state, echo=echo)
    timed = _by_clock(state, packet, index, lost) if clocked else _by_count(state, packet, lost)
    if timed is None or copy:
        return _drop(state, packet)
    if timed.restarted:
        state, reset = _restarted(state), reset or "device_clock"

    t_ns, state, jumped = _to_utc(state, packet, timed, clocked=clocked)
    if jumped and clocked:
        reset = reset or "host_clock"
    keep = np.ones(packet.n, np.bool_) if packet.valid is None else packet.valid.copy()
    invalid = packet.n - int(keep.sum())
    overlapped = 0
    if state.last_t_ns is not None and t_ns[0] <= state.last_t_ns:
        past = t_ns <= state.last_t_ns
        overlapped = int((past & keep).sum())
        keep &= ~past
    totals = state.counters
    totals = replace(
        totals,
        samples=totals.samples + int(keep.sum()),
        lost=totals.lost + timed.lost,
        invalid=totals.invalid + invalid,
        overlapped=totals.overlapped + overlapped,
        resets=totals.resets + int(jumped and clocked),
    )
    block = Block(
        stream=packet.stream,
        t_ns=t_ns[keep],
        values=packet.values[keep],
        lost=timed.lost,
        invalid=invalid,
        reset=reset,
        gap_before=PacketFlag.GAP_BEFORE in packet.flags,
        clipped=PacketFlag.CLIPPED in packet.flags,
    )
    end = int(t_ns[-1])
    return block, replace(
        state,
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


def _by_clock(state: SequenceState, packet: Packet, index: int | None, lost: int) -> _Timed | None:
    """Device time from the packet's own ticks; None for a packet that was here before."""
    stream, n = packet.stream, packet.n
    tick_hz = stream.tick_hz or 1.0
    step = state.step_ns or S / stream.fs_hz
    if state.ref_dev_ns is None:
        return _first(packet, step, lost)
    expected = state.ref_dev_ns + max(0, packet.received_ns - state.last_received_ns)
    ref = unwrap_ticks(packet.ticks or 0, tick_hz, stream.tick_bits, expected + state.base_ns)
    ref -= state.base_ns
    ahead = ref - state.ref_dev_ns
    restarted = abs(ahead) > IMPOSSIBLE_NS
    if state.last_dev_ns is not None and index is None:
        if -STALE_NS < ahead <= 0:
            return None
        restarted |= ahead <= -STALE_NS
        between = n if packet.ticks_at == "last" else state.ref_n
        lost = 0 if restarted else lost_by_time(ahead, between, S / stream.fs_hz)
    elif state.last_dev_ns is not None:
        restarted |= ahead <= 0  # the counter went on, the clock did not
    if restarted:
        return replace(_first(packet, S / stream.fs_hz, lost), restarted=True)
    whole = not lost and state.last_dev_ns is not None
    dev, step = sample_times(
        packet,
        ref,
        previous_ns=state.ref_dev_ns if whole else None,
        previous_n=state.ref_n,
        step_ns=step,
    )
    dev = after(dev, state.last_dev_ns, step)
    return _Timed(dev_ns=dev, ref_ns=ref, step_ns=step, lost=lost, base_ns=state.base_ns)


def _first(packet: Packet, step_ns: float, lost: int) -> _Timed:
    """Device time begins at this packet."""
    base = ticks_to_ns(packet.ticks or 0, packet.stream.tick_hz or 1.0)
    dev, _ = sample_times(packet, 0, previous_ns=None, previous_n=0, step_ns=step_ns)
    return _Timed(dev_ns=dev, ref_ns=0, step_ns=step_ns, lost=lost, base_ns=base)


def _by_count(state: SequenceState, packet: Packet, lost: int) -> _Timed:
    """Device time from the running sample count."""
    step = S / packet.stream.fs_hz
    n = packet.n
    end = 0 if state.last_dev_ns is None else state.last_dev_ns
    waited = packet.received_ns - state.last_received_ns
    end += round((lost + n) * step)
    if state.fit is not None and waited > max(SILENCE_NS, 4 * n * step):
        # The stream paused: go on where the line says that arrival is.
        end = max(end, state.fit.device(packet.received_ns))
    dev = end + np.rint((np.arange(n) - (n - 1)) * step).astype(np.int64)
    return _Timed(dev_ns=dev, ref_ns=end, step_ns=step, lost=lost)


def _to_utc(
    state: SequenceState, packet: Packet, timed: _Timed, *, clocked: bool
) -> tuple[NDArray[np.int64], SequenceState, bool]:
    """UTC of the samples; the state with the new line and the new end of output time.

    Output time is one continuous, piecewise straight line: it follows the fitted line's slope and
    closes any distance to it slowly (`settle_ns`, `slew`), so it never jumps back nor jitters.
    """
    params = DEVICE_CLOCK if clocked else SAMPLE_COUNT
    end, arrival = int(timed.dev_ns[-1]), packet.received_ns
    jumped = False
    if state.fit is None or (not clocked and packet.stream.fs_hz < SLOW_HZ):
        fit = begin(end, arrival)
        anchored = False
    else:
        fit, jumped = observe(state.fit, end, arrival, params)
        anchored = state.out_utc_ns is not None and not jumped
    target = fit.utc(end)
    sync = None if jumped else state.sync
    if sync is not None:
        late = fit.utc(sync[0]) - sync[1]
        # The fastest arrival is this late; more than that and one of the clocks jumped.
        if abs(late) < params.early_ns:
            target -= late
        else:
            sync = None
    slope = 1.0 + fit.drift
    if anchored and state.out_utc_ns is not None:
        passed = end - state.out_dev_ns
        plain = state.out_utc_ns + passed + round(passed * fit.drift)
        passed_abs = abs(passed)
        off = target - plain
        step = off * min(1.0, passed_abs / params.settle_ns)
        room = passed_abs * params.slew
        target = plain + round(min(max(step, -room), room))
        if passed > 0:
            slope = (target - state.out_utc_ns) / passed
    t_ns = target + np.rint((timed.dev_ns - end) * slope).astype(np.int64)
    t_ns = (t_ns + US // 2) // US * US
    ended = replace(state, fit=fit, sync=sync, out_dev_ns=end, out_utc_ns=target)
    return t_ns, ended, jumped


def _fill(state: SequenceState, packet: Packet, index: int) -> tuple[Block, SequenceState]:
    """A replayed or late packet: what it holds of the holes comes out, marked."""
    fit = state.fit
    if (
        packet.stream.index_unit != "sample"
        or fit is None
        or state.out_utc_ns is None
        or state.last_dev_ns is None
        or state.next_index is None
    ):
        return _drop(state, packet)
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
            return _drop(state, packet)
    dev, _ = sample_times(
        packet,
        ref,
        previous_ns=state.replay_dev_ns if contiguous and packet.ticks_at == "last" else None,
        previous_n=n,
        step_ns=step,
    )
    past = dev - state.out_dev_ns
    wished = state.out_utc_ns + past + np.rint(past * fit.drift).astype(np.int64)
    taken, t_ns, holes = fill(state.holes, index, (wished + US // 2) // US * US)
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
