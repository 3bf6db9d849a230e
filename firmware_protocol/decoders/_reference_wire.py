# SPDX-License-Identifier: Apache-2.0
"""Bytes of our open profile, both directions; the layout is PROTOCOL.md sections 3 to 5."""

import math
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.decoders._base import DPS_PER_RAD, G, enough, nearest
from firmware_protocol.errors import BadField, TruncatedFrame, UnknownFrame
from firmware_protocol.registry import Wish

VERSION = 1
INVALID = -32768
EVENT = 14
CHANNELS = {0: 3, 1: 6, 2: 9, 3: 4, 4: 7}
BATCH_S = 0.2
KEEP_SAMPLING = 1

START, STOP, RANGE, REPLAY_OP, ABORT, SYNC, IDENTIFY, ERASE, SLEEP = range(1, 10)
OK, UNKNOWN_OP, BAD_PARAMETER, NOT_SUPPORTED, BUSY, WRONG_STATE, PARTLY = range(7)


def uuid(short: int) -> str:
    """A characteristic of the profile."""
    return f"4a6c{short:04x}-0aa9-4205-bea2-99d70d91da5c"


SERVICE = uuid(1)
CAPABILITIES, CONFIG, SCALE, LIVE, REPLAY, CONTROL, STATUS = (uuid(k) for k in range(2, 9))


def _need(data: bytes, length: int, what: str) -> None:
    if len(data) != length:
        raise TruncatedFrame(
            f"{what}: {len(data)} bytes, expected {length}; the device does not speak version 1"
        )


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
        _need(data, 10, "configuration")
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
        _need(data, 16, "scale")
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
        _need(data, 20, "status")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An indication of the control point."""

    op: int
    status: int
    params: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> "Answer":
        """Check the length that belongs to the operation."""
        if len(data) < 2:
            raise TruncatedFrame(f"control point answer of {len(data)} bytes; expected 2 or more")
        if not data[0] & 0x80:
            raise UnknownFrame(f"control point sent {data[0]:#04x}, which is no answer; ignore it")
        answer = cls(op=data[0] & 0x7F, status=data[1], params=data[2:])
        wanted = {RANGE: 8, REPLAY_OP: 8, SYNC: 11}.get(answer.op, 0)
        if answer.status in (OK, PARTLY) and len(answer.params) != wanted:
            raise TruncatedFrame(
                f"answer to operation {answer.op}: {len(answer.params)} bytes of parameters, "
                f"expected {wanted}"
            )
        return answer

    def encode(self) -> bytes:
        """For the device."""
        return bytes([self.op | 0x80, self.status]) + self.params

    def pair(self) -> tuple[int, int]:
        """The two u32 of RANGE? (oldest, next) or REPLAY (last, count)."""
        first, second = struct.unpack("<II", self.params)
        return int(first), int(second)

    def sync(self) -> tuple[int, int, int]:
        """Id, tick at reception, ticks until the answer left."""
        sync_id, tick, gap = struct.unpack("<BQH", self.params)
        return int(sync_id), int(tick), int(gap)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamFrame:
    """A frame of 0005 or 0006; `raw` is (n, channels) int16."""

    layout: int
    index16: int
    tick: int
    raw: NDArray[np.int16]
    replay: bool = False
    gap: bool = False

    @classmethod
    def decode(cls, data: bytes) -> "StreamFrame":
        """Reject any length that is not header + n samples."""
        if len(data) < 8:
            raise TruncatedFrame(f"stream frame of {len(data)} bytes; the header alone has 8")
        head, bits, index, tick = struct.unpack_from("<BBHI", data)
        major, layout, n = head >> 4, head & 0x0F, bits & 0x3F
        if major != VERSION:
            raise UnknownFrame(f"stream frame of version {major}; update Backstay")
        if layout == EVENT:
            raw = np.empty((0, 1), np.int16)
        else:
            if layout not in CHANNELS:
                raise UnknownFrame(f"stream frame of layout {layout}, which is not defined")
            if n == 0:
                raise BadField("stream frame without samples; the firmware is faulty")
            width = CHANNELS[layout]
            if len(data) != 8 + 2 * width * n:
                raise TruncatedFrame(
                    f"stream frame of {len(data)} bytes for {n} samples of {2 * width}; "
                    f"expected {8 + 2 * width * n}, check the MTU"
                )
            raw = np.frombuffer(data, "<i2", offset=8).astype(np.int16).reshape(n, width)
        return cls(
            layout=layout,
            index16=index,
            tick=tick,
            raw=raw,
            replay=bool(bits & 0x40),
            gap=bool(bits & 0x80),
        )

    def encode(self) -> bytes:
        """For the device."""
        bits = self.raw.shape[0] | (0x40 if self.replay else 0) | (0x80 if self.gap else 0)
        head = struct.pack(
            "<BBHI",
            VERSION << 4 | self.layout,
            bits,
            self.index16 & 0xFFFF,
            self.tick & 0xFFFFFFFF,
        )
        return head + self.raw.astype("<i2").tobytes()
