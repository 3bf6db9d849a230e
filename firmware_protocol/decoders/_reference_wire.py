# SPDX-License-Identifier: Apache-2.0
"""Bytes of our open profile, both directions; the layout is PROTOCOL.md sections 3 to 5."""

import math
import struct
from dataclasses import dataclass

from firmware_protocol.decoders._base import DPS_PER_RAD, G, enough, nearest
from firmware_protocol.decoders._reference_answer import Answer
from firmware_protocol.decoders._reference_stream import StreamFrame
from firmware_protocol.decoders._reference_words import (
    ABORT,
    BAD_PARAMETER,
    BATCH_S,
    BUSY,
    CAPABILITIES,
    CHANNELS,
    CONFIG,
    CONTROL,
    ERASE,
    EVENT,
    IDENTIFY,
    INVALID,
    KEEP_SAMPLING,
    LIVE,
    NOT_SUPPORTED,
    OK,
    PARTLY,
    RANGE,
    REPLAY,
    REPLAY_OP,
    SCALE,
    SERVICE,
    SLEEP,
    START,
    STATUS,
    STOP,
    SYNC,
    UNKNOWN_OP,
    VERSION,
    WRONG_STATE,
    need,
    uuid,
)  # fmt: skip
from firmware_protocol.errors import BadField, TruncatedFrame, UnknownFrame
from firmware_protocol.registry import Wish

__all__ = [
    "ABORT", "BAD_PARAMETER", "BATCH_S", "BUSY", "CAPABILITIES", "CHANNELS", "CONFIG",
    "CONTROL", "ERASE", "EVENT", "IDENTIFY", "INVALID", "KEEP_SAMPLING", "LIVE",
    "NOT_SUPPORTED", "OK", "PARTLY", "RANGE", "REPLAY", "REPLAY_OP", "SCALE", "SERVICE",
    "SLEEP", "START", "STATUS", "STOP", "SYNC", "UNKNOWN_OP", "VERSION", "WRONG_STATE",
    "Answer", "Capabilities", "Config", "Scale", "Status", "StreamFrame", "uuid",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the device can do, as type-length-value."""

    major: int = 1
    minor: int = 0
    tick_hz: int = 32768
    layouts: tuple[int, ...] = (0, 1)
    rates_hz: tuple[int, ...] = (50,)
    acc_ranges_g: tuple[int, ...] = (8,)
    gyro_ranges_dps: tuple[int, ...] = (1000,)
    ring_samples: int = 0
    chip: str = ""
    axes: str = ""

    @classmethod
    def decode(cls, data: bytes) -> "Capabilities":
        """Known types are read, unknown ones skipped by their length."""
        found: dict[int, bytes] = {}
        at = 0
        while at < len(data):
            if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
                raise TruncatedFrame(
                    f"capabilities end inside entry {data[at]:#04x}; read them again"
                )
            found[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
            at += 2 + data[at + 1]
        version = found.get(1, b"")
        if len(version) != 2:
            raise BadField("capabilities carry no version (type 01); the firmware is incomplete")
        if version[0] != VERSION:
            raise UnknownFrame(f"profile version {version[0]} is not known; update Backstay")
        try:
            caps = cls(
                major=version[0],
                minor=version[1],
                tick_hz=int(*struct.unpack("<I", found[2])) if 2 in found else 32768,
                layouts=_bits(found.get(3, b"\x03\x00")),
                rates_hz=_u16s(found.get(4, b"")) or (50,),
                acc_ranges_g=tuple(found.get(5, b"")) or (8,),
                gyro_ranges_dps=_u16s(found.get(6, b"")) or (1000,),
                ring_samples=int(*struct.unpack("<I", found[7])) if 7 in found else 0,
                chip=found.get(8, b"").decode("ascii", "replace"),
                axes=found.get(9, b"").decode("ascii", "replace"),
            )
        except struct.error as error:
            raise BadField(
                f"a capability has the wrong length ({error}); see PROTOCOL.md 3.1"
            ) from None

        if caps.tick_hz == 0 or 0 in caps.rates_hz or not caps.layouts:
            raise BadField("capabilities name a rate of 0 or no layout; the firmware is incomplete")
        return caps

    def encode(self) -> bytes:
        """The device's answer to a read."""

        def entry(kind: int, value: bytes) -> bytes:
            return bytes([kind, len(value)]) + value

        parts = [
            entry(1, bytes([self.major, self.minor])),
            entry(2, struct.pack("<I", self.tick_hz)),
            entry(3, struct.pack("<H", sum(1 << k for k in self.layouts))),
            entry(4, b"".join(struct.pack("<H", r) for r in self.rates_hz)),
            entry(5, bytes(self.acc_ranges_g)),
            entry(6, b"".join(struct.pack("<H", r) for r in self.gyro_ranges_dps)),
            entry(7, struct.pack("<I", self.ring_samples)),
        ]
        if self.chip:
            parts.append(entry(8, self.chip.encode("ascii")))
        if self.axes:
            parts.append(entry(9, self.axes.encode("ascii")))
        return b"".join(parts)


def _u16s(data: bytes) -> tuple[int, ...]:
    return tuple(v for (v,) in struct.iter_unpack("<H", data))


def _bits(data: bytes) -> tuple[int, ...]:
    (mask,) = struct.unpack("<H", data)
    return tuple(k for k in range(16) if mask >> k & 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The ten bytes of characteristic 0003."""

    layout: int = 1
    rate_hz: int = 50
    acc_range_g: int = 8
    gyro_range_dps: int = 1000
    per_frame: int = 0
    flags: int = KEEP_SAMPLING

    @classmethod
    def wished(cls, wish: Wish, caps: Capabilities | None) -> "Config":
        """The nearest the device offers: rate not below the wish, ranges not below the wish."""
        caps = caps or Capabilities()
        gyro = wish.gyro and 1 in caps.layouts
        return cls(
            layout=1 if gyro else 0 if 0 in caps.layouts else caps.layouts[0],
            rate_hz=int(nearest(wish.fs_hz, caps.rates_hz)),
            acc_range_g=int(enough(wish.acc_range_g, caps.acc_ranges_g)),
            gyro_range_dps=int(enough(wish.gyro_range_dps, caps.gyro_ranges_dps)),
        )

    @classmethod
    def decode(cls, data: bytes) -> "Config":
        """As read back."""
        need(data, 10, "configuration")
        version, layout, rate, acc, _, gyro, n, flags = struct.unpack("<BBHBBHBB", data)
        if version != VERSION:
            raise UnknownFrame(f"configuration version {version} is not known; update Backstay")
        if layout not in CHANNELS or rate == 0:
            raise BadField(f"configuration names layout {layout} at {rate} Hz; write a valid one")
        return cls(
            layout=layout,
            rate_hz=rate,
            acc_range_g=acc,
            gyro_range_dps=gyro,
            per_frame=n,
            flags=flags,
        )

    def encode(self) -> bytes:
        """For writing."""
        return struct.pack(
            "<BBHBBHBB",
            VERSION,
            self.layout,
            self.rate_hz,
            self.acc_range_g,
            0,
            self.gyro_range_dps,
            self.per_frame,
            self.flags,
        )

    def samples_per_frame(self, mtu: int) -> int:
        """N of this configuration: as asked, or the largest that fits and stays below 200 ms."""
        fits = (mtu - 3 - 8) // (2 * CHANNELS[self.layout])
        if self.per_frame:
            return min(self.per_frame, fits, 63)
        return max(1, min(fits, 63, math.floor(self.rate_hz * BATCH_S + 1e-9)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What one count is worth: m/s2, rad/s, microtesla, quaternion units."""

    acc: float
    gyro: float
    mag: float = 0.0
    quat: float = 1.0 / 16384.0

    @classmethod
    def typical(cls, config: Config) -> "Scale":
        """Full scale over 32768; a device may say otherwise."""
        return cls(
            acc=config.acc_range_g * G / 32768, gyro=config.gyro_range_dps / DPS_PER_RAD / 32768
        )

    @classmethod
    def decode(cls, data: bytes) -> "Scale":
        """Sixteen bytes of characteristic 0004."""
        need(data, 16, "scale")
        values = struct.unpack("<4f", data)
        if not all(math.isfinite(v) and 0 <= v < 1e4 for v in values):
            raise BadField(f"scale {data.hex()} holds a value that is no scale; read it again")
        return cls(acc=values[0], gyro=values[1], mag=values[2], quat=values[3])

    def encode(self) -> bytes:
        """The device's answer to a read."""
        return struct.pack("<4f", self.acc, self.gyro, self.mag, self.quat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Twenty bytes of characteristic 0008."""

    bits: int
    boot: int
    next_index: int
    oldest_index: int
    tick: int

    @property
    def streaming(self) -> bool:
        """Whether live frames are being sent."""
        return bool(self.bits & 1)

    @property
    def buffering(self) -> bool:
        """Whether the device samples into its ring."""
        return bool(self.bits & 2)

    @classmethod
    def decode(cls, data: bytes) -> "Status":
        """As read or notified."""
        need(data, 20, "status")
        version, bits, boot, following, oldest, tick = struct.unpack("<BBHIIQ", data)
        if version != VERSION:
            raise UnknownFrame(f"status version {version} is not known; update Backstay")
        return cls(bits=bits, boot=boot, next_index=following, oldest_index=oldest, tick=tick)

    def encode(self) -> bytes:
        """The device's answer to a read."""
        return struct.pack(
            "<BBHIIQ",
            VERSION,
            self.bits,
            self.boot,
            self.next_index & 0xFFFFFFFF,
            self.oldest_index & 0xFFFFFFFF,
            self.tick,
        )
