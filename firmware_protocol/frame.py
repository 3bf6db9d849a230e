# SPDX-License-Identifier: Apache-2.0
"""What travels between a sensor and the signal chain: frames in, packets out.

A frame is one notification, advertisement or HTTP batch exactly as it arrived. A decoder turns it
into packets: raw counts with the scale that makes them physical, the device's own time and counter
where the protocol has them. `sequence.py` turns packets into samples with UTC.
"""

from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Kind(StrEnum):
    """The physical quantity of a stream and its unit after scaling."""

    ACC = "acc"  # g, specific force: +1 on the axis that points up at rest
    GYRO = "gyro"  # deg/s, right-hand rule about the same axes
    QUAT = "quat"  # unit quaternion w, x, y, z
    PRESSURE = "pressure"  # hPa
    TEMPERATURE = "temperature"  # degrees Celsius
    BATTERY = "battery"  # percent
    MAG = "mag"  # microtesla
    EULER = "euler"  # degrees: roll, pitch, yaw as the vendor's fusion defines them
    GRAVITY = "gravity"  # g, the vendor's fused direction of up; same sign as ACC
    FREE_ACC = "free_acc"  # g, gravity removed, earth frame: never posture


class PacketFlag(Flag):
    """What the device or the decoder says about a packet besides its values."""

    NONE = 0
    REPLAY = auto()  # sent again after a reconnect; its time lies in the past
    GAP_BEFORE = auto()  # the device itself lost samples before this packet
    CLIPPED = auto()  # at least one value sits at the end of the range
    SYNC = auto()  # no samples: `ticks` was measured to be `received_ns` UTC (clock exchange)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One notification as it arrived: bytes, where from, when.

    `channel` is the characteristic's UUID in lower case (full 128-bit form), `advert:XXXX` with the
    company id in hex for an advertisement, or `http:SOURCE` for a phone.
    """

    sensor: str
    channel: str
    payload: bytes
    received_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What a decoder knows of one stream before the first byte arrives.

    `fs_hz` is the nominal rate. `tick_hz`/`tick_bits` describe the device clock (`tick_hz = None`:
    the protocol sends no time, so time is fitted to the running sample count). `index_bits`
    describes the counter; `index_unit` says whether it counts samples or packets.
    """

    kind: Kind
    fs_hz: float
    scale: float = 1.0
    full_scale: float | None = None  # in the unit of `kind`, for clipping
    tick_hz: float | None = None
    tick_bits: int = 64
    index_bits: int | None = None
    index_unit: str = "sample"  # or "packet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One decoded block of one stream.

    `raw` has shape (n, channels), any integer or float dtype; `raw * stream.scale` is physical.
    `valid` (n,) marks samples the device itself calls invalid; None means all valid.
    `ticks` is the device time, modulo 2**tick_bits, of the first or last sample (`ticks_at`).
    `index` is the counter of the first sample (or of the packet), modulo 2**index_bits.
    `boot` changes when the device restarted, so that index and ticks begin anew.
    """

    stream: Stream
    raw: NDArray[Any]
    received_ns: int
    ticks: int | None = None
    ticks_at: str = "last"  # or "first"
    index: int | None = None
    valid: NDArray[np.bool_] | None = None
    flags: PacketFlag = PacketFlag.NONE
    boot: int | None = None
    info: dict[str, str] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.raw.shape[0])

    @property
    def values(self) -> NDArray[np.float32]:
        """Physical values, shape (n, channels), in the unit of the stream's kind."""
        return np.asarray(self.raw * np.float64(self.stream.scale), dtype=np.float32)
