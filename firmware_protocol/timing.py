# SPDX-License-Identifier: Apache-2.0
"""Device time of every sample in a packet, from what little the packet carries."""

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.frame import Packet

S = 1_000_000_000


def ticks_to_ns(tick: int, tick_hz: float) -> int:
    """Device time in ns; exact where the tick rate is a whole number."""
    if tick_hz == int(tick_hz):
        return tick * S // int(tick_hz)
    return round(tick * (S / tick_hz))


def unwrap_ticks(tick: int, tick_hz: float, bits: int, expected_ns: int) -> int:
    """The device time in ns, congruent to the tick count, that is nearest to the expected one.

    Nearest to *expected* rather than "next after the previous": a 16-bit millisecond counter
    wraps every 65 s, a link may be away for longer, and late packets lie behind.
    """
    if bits < 64:
        wanted = round(expected_ns * (tick_hz / S))
        modulus = 1 << bits
        tick += round((wanted - tick) / modulus) * modulus
    return ticks_to_ns(tick, tick_hz)


def lost_by_time(ahead_ns: int, n: int, period_ns: float) -> int:
    """Samples missing between two time stamps `ahead_ns` apart that should hold `n` samples.

    A fifth of the packet is allowed for a rate that differs from the nominal one: a lost
    notification is as long as its neighbours, so it stands out far above that.
    """
    missing = ahead_ns / period_ns - n
    return round(missing) if missing > max(0.5, 0.2 * n) else 0


def sample_times(
    packet: Packet,
    ref_ns: int,
    *,
    previous_ns: int | None,
    previous_n: int,
    step_ns: float,
) -> tuple[NDArray[np.int64], float]:
    """Device time of each sample, and the spacing used.

    `ref_ns` is the device time of the packet's first or last sample (`ticks_at`), `previous_ns`
    that of the packet directly before (None: there is a gap), `step_ns` the spacing to use then.
    Between two contiguous time stamps the samples lie evenly (Polar online measurement, section
    "time of each sample"; our profile, receiver rule 3). A spacing that differs from the one
    before by more than half is a glitch of the stamp and is not used.
    """
    n = packet.n
    between = n if packet.ticks_at == "last" else previous_n
    if previous_ns is not None and between:
        measured = (ref_ns - previous_ns) / between
        if 0.5 * step_ns < measured < 1.5 * step_ns:
            step_ns = measured
    place = np.arange(n) - (n - 1 if packet.ticks_at == "last" else 0)
    odd = ref_ns % 2  # halves round to even on the time itself, as Polar's SDK does
    return ref_ns - odd + np.rint(odd + place * step_ns).astype(np.int64), step_ns


def after(dev_ns: NDArray[np.int64], last_ns: int | None, step_ns: float) -> NDArray[np.int64]:
    """The same times, pushed together where they would reach back behind `last_ns`."""
    if last_ns is None or dev_ns[0] > last_ns:
        return dev_ns
    n = len(dev_ns)
    end = max(int(dev_ns[-1]), last_ns + round(n * step_ns * 0.5))
    spread = np.rint(np.arange(1, n + 1) * ((end - last_ns) / n)).astype(np.int64)
    return np.asarray(last_ns + spread, np.int64)
