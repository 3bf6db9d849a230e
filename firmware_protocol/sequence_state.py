# SPDX-License-Identifier: Apache-2.0
"""What :mod:`firmware_protocol.sequence` remembers of a stream and what it returns per packet."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.clockfit import ClockFit
from firmware_protocol.echo import Echo
from firmware_protocol.frame import Stream
from firmware_protocol.holes import Hole


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
