# SPDX-License-Identifier: Apache-2.0
"""A sensor described by its owner in a small TOML file: no Python needed.

``load(text)`` gives a decoder for :func:`firmware_protocol.registry.best` (`extra`). The format is
described in docs/sensors/user-described.md. The description that ships here is that of a widely
copied Arduino sketch: six floats in one notification.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.decoders import _described_load as load_
from firmware_protocol.decoders._base import (
    BATTERY_STEPS,
    match_services,
)
from firmware_protocol.decoders._described_peripheral import DescribedPeripheral
from firmware_protocol.decoders._simple import TableSession
from firmware_protocol.errors import BadField, TruncatedFrame
from firmware_protocol.frame import Frame, Packet, PacketFlag, Stream
from firmware_protocol.peripheral import (
    golden,
)
from firmware_protocol.registry import Advert, Match, Resume, Step, Wish

LONGEST_LINE = 256


class DescribedSession(TableSession):
    """One connection to a described sensor."""

    def __init__(self, description: load_.Description) -> None:
        super().__init__()
        self.title = description.title
        self._description = description
        self._lines: dict[str, bytes] = {}
        self._by_uuid: dict[str, tuple[Stream, ...]] = {}
        for c in description.characteristics:
            self._by_uuid[c.uuid] = tuple(_stream(c, v) for v in c.vectors)
            self._handlers[c.uuid] = self._text if c.text else self._binary
        self._streams = tuple(s for group in self._by_uuid.values() for s in group)
        self._characteristics = {c.uuid: c for c in description.characteristics}

    def start(self) -> Sequence[Step]:
        """The described writes, then the subscriptions."""
        subscribe = [
            Step(action="subscribe", channel=c.uuid, why="measurements")
            for c in self._description.characteristics
        ]
        return (*BATTERY_STEPS, *_steps(self._description.start, "start"), *subscribe)

    def stop(self) -> Sequence[Step]:
        """The described writes."""
        return tuple(_steps(self._description.stop, "stop"))

    def _binary(self, frame: Frame) -> Sequence[Packet]:
        c = self._characteristics[frame.channel]
        header = struct.Struct(c.order + "".join(f.letter for f in c.header))
        sample = struct.Struct(c.order + "".join(f.letter for f in c.sample))
        body = len(frame.payload) - header.size
        fits = body > 0 and body % sample.size == 0 if c.many else body == sample.size
        if not fits:
            wanted = f"{header.size} + n * {sample.size}" if c.many else header.size + sample.size
            raise TruncatedFrame(
                f"{self.title}: {len(frame.payload)} bytes, the description expects {wanted}; "
                "compare sample and header with the firmware"
            )
        head = header.unpack_from(frame.payload)
        rows = list(sample.iter_unpack(frame.payload[header.size :]))
        values = dict(zip([f.name for f in c.header], head, strict=True))
        values |= dict(zip([f.name for f in c.sample], rows[0], strict=True))
        return self._packets(c, np.array(rows, np.float64), values, frame.received_ns)

    def _text(self, frame: Frame) -> Sequence[Packet]:
        c = self._characteristics[frame.channel]
        text = self._lines.pop(frame.channel, b"") + frame.payload
        *lines, rest = text.split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise BadField(
                f"{self.title}: a line of over {LONGEST_LINE} characters; end lines with \\n"
            )
        self._lines[frame.channel] = rest
        packets: list[Packet] = []
        for line in lines:
            packets += self._line(c, line, frame.received_ns)
        return packets

    def _line(self, c: load_.Characteristic, line: bytes, received_ns: int) -> Sequence[Packet]:
        text = line.decode("ascii", "replace").strip()
        if not text:
            return ()
        parts = text.split(c.separator)
        if len(parts) != len(c.sample):
            raise BadField(f"{self.title}: {text!r} has {len(parts)} values, not {len(c.sample)}")
        values: dict[str, float] = {}
        for field, part in zip(c.sample, parts, strict=True):
            try:
                values[field.name] = float(part) if field.name != "skip" else 0.0
            except ValueError:
                raise BadField(f"{self.title}: {part!r} in {text!r} is no number") from None
        row = np.array([[values[f.name] for f in c.sample]])
        return self._packets(c, row, values, received_ns)

    def _packets(
        self,
        c: load_.Characteristic,
        rows: NDArray[np.float64],
        values: dict[str, float],
        received_ns: int,
    ) -> Sequence[Packet]:
        names = [f.name for f in c.sample]
        packets = []
        for vector, stream in zip(c.vectors, self._by_uuid[c.uuid], strict=True):
            prefix = load_.PREFIX[vector.kind]
            columns = [names.index(f"{prefix}_{'xyz'[a]}") for a, _ in vector.axes]
            raw = rows[:, columns] * [sign for _, sign in vector.axes]
            physical = raw * vector.scale
            if not (np.abs(physical) < 1e9).all():
                raise BadField(f"{self.title}: {prefix} is no usable number; drop this frame")
            clip = vector.full_scale is not None and bool(
                (np.abs(physical) >= 0.999 * vector.full_scale).any()
            )
            packets.append(
                Packet(
                    stream=stream,
                    raw=raw,
                    received_ns=received_ns,
                    ticks=_whole(values.get("time"), stream.tick_bits if c.time else 0),
                    ticks_at=c.time.of if c.time else "last",
                    index=_whole(values.get("counter"), c.counter_bits or 0),
                    flags=PacketFlag.CLIPPED if clip else PacketFlag.NONE,
                )
            )
        return packets


def _whole(value: float | None, bits: int) -> int | None:
    if value is None or not bits:
        return None
    if not abs(value) < 2**64:
        raise BadField(f"time or counter {value} is no usable number; drop this frame")
    return int(value) % (1 << bits)


def _stream(c: load_.Characteristic, vector: load_.Vector) -> Stream:
    return Stream(
        kind=vector.kind,
        fs_hz=c.rate_hz,
        scale=vector.scale,
        full_scale=vector.full_scale,
        tick_hz=None if c.time is None else 1 / c.time.tick_s,
        tick_bits=64 if c.time is None else c.time.bits,
        index_bits=c.counter_bits,
        index_unit=c.counter_of,
    )


def _steps(writes: Sequence[load_.Write], why: str) -> list[Step]:
    return [
        Step(
            action="write" if w.response else "write_no_response",
            channel=w.uuid,
            data=w.data,
            why=why,
        )
        for w in writes
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A decoder made from a description."""

    description: load_.Description
    connects: bool = True

    @property
    def name(self) -> str:
        """As described."""
        return self.description.name

    @property
    def title(self) -> str:
        """As described."""
        return self.description.title

    @property
    def services(self) -> tuple[str, ...]:
        """As described."""
        return self.description.services

    def match(self, advert: Advert, services: Sequence[str] = ()) -> Match:
        """By the described service; a described device name is a hint."""
        return match_services(
            self.services,
            advert,
            services,
            title=self.title,
            names=self.description.device_names,
        )

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> DescribedSession:
        """Begin a connection; the rate is the described one whatever the wish."""
        return DescribedSession(self.description)

    def peripheral(self) -> DescribedPeripheral:
        """A simulated device."""
        return DescribedPeripheral(self.description)


def load(text: str) -> Described:
    """A decoder from a TOML description.

    Raises :class:`~firmware_protocol.errors.BadDescription` naming the key and the remedy.
    """
    return Described(description=load_.parse(text))


EXAMPLE = """\
name = "arduino-six-floats"
title = "Arduino sketch with six floats"
service = "13012f00-f8c3-4f4a-a8f4-15cd926da146"
device_names = ["Arduino"]

[[stream]]
characteristic = "13012f01-f8c3-4f4a-a8f4-15cd926da146"
rate_hz = 50
sample = ["acc_x:f32", "acc_y:f32", "acc_z:f32", "gyr_x:f32", "gyr_y:f32", "gyr_z:f32"]
acc = { unit = "g", scale = 1.0, axes = ["x", "y", "z"] }
gyr = { unit = "deg/s", scale = 1.0 }
"""

DECODER = load(EXAMPLE)

GOLDEN = (
    golden(
        "six-floats",
        "13012f01-f8c3-4f4a-a8f4-15cd926da146",
        "0000803C000080BE0000803F000048410000 00BF00007A43",
        samples=1,
    ),
)
