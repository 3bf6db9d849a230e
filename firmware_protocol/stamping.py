# SPDX-License-Identifier: Apache-2.0
"""Device time and UTC of a live packet's samples: by the device's clock, or by counting."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.clockfit import DEVICE_CLOCK, SAMPLE_COUNT, ClockFit, begin, observe
from firmware_protocol.frame import Packet
from firmware_protocol.sequence_state import SequenceState
from firmware_protocol.timing import after, lost_by_time, sample_times, ticks_to_ns, unwrap_ticks

S = 1_000_000_000
US = 1_000
SILENCE_NS = 2 * S  # a stream without device time is taken to have paused after this
STALE_NS = 10 * S  # device time this far back is a restart, not a late packet
IMPOSSIBLE_NS = 400 * 86_400 * S  # no device clock jumps by more than a year
SLOW_HZ = 2.5  # below this, arrival is the sample's time (advertisements)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timed:
    """Device times of a live packet's samples and what was found while working them out."""

    dev_ns: NDArray[np.int64]
    ref_ns: int
    step_ns: float
    lost: int
    base_ns: int = 0
    restarted: bool = False


def by_clock(state: SequenceState, packet: Packet, index: int | None, lost: int) -> Timed | None:
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
    return Timed(dev_ns=dev, ref_ns=ref, step_ns=step, lost=lost, base_ns=state.base_ns)


def _first(packet: Packet, step_ns: float, lost: int) -> Timed:
    """Device time begins at this packet."""
    base = ticks_to_ns(packet.ticks or 0, packet.stream.tick_hz or 1.0)
    dev, _ = sample_times(packet, 0, previous_ns=None, previous_n=0, step_ns=step_ns)
    return Timed(dev_ns=dev, ref_ns=0, step_ns=step_ns, lost=lost, base_ns=base)


def by_count(state: SequenceState, packet: Packet, lost: int) -> Timed:
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
    return Timed(dev_ns=dev, ref_ns=end, step_ns=step, lost=lost)


class Stamped(NamedTuple):
    """UTC of the samples, the new line, the new end of output time, and whether time jumped."""

    t_ns: NDArray[np.int64]
    fit: ClockFit
    sync: tuple[int, int] | None
    out_dev_ns: int
    out_utc_ns: int
    jumped: bool


def to_utc(state: SequenceState, packet: Packet, timed: Timed, *, clocked: bool) -> Stamped:
    """UTC of the samples.

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
    return Stamped(t_ns, fit, sync, end, target, jumped)
