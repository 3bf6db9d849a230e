# SPDX-License-Identifier: Apache-2.0
"""The plainest sensor there is: one notifying characteristic with a counter, for radio tests.

It keeps the tests of the supervisor apart from any real protocol: a lost, doubled or late value
shows as a number.
"""

import struct
from collections.abc import Sequence

import numpy as np

from firmware_protocol.errors import TruncatedFrame
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import BasePeripheral, Characteristic, Motion, Notification
from firmware_protocol.registry import Advert, Match, Resume, Step, Wish

SERVICE = "7e1d0001-5b3c-4f6a-9d6a-2f1c5e0a1b01"
DATA = "7e1d0002-5b3c-4f6a-9d6a-2f1c5e0a1b01"
CONTROL = "7e1d0003-5b3c-4f6a-9d6a-2f1c5e0a1b01"
BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
STREAM = Stream(kind=Kind.ACC, fs_hz=50.0, scale=1 / 1000, index_bits=32)


class PlainSensor(BasePeripheral):
    """Counts samples from the moment it is started by a write of 01 to CONTROL."""

    name = "IMU-00"
    services = (SERVICE,)

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.running = False
        self.deaf = False  # takes writes and never answers

    def advert(self) -> Advert:
        """Advertises its service."""
        return Advert(address="", name=self.name, services=self.services)

    def characteristics(self) -> Sequence[Characteristic]:
        """Battery, data, control."""
        return (
            Characteristic(service=BATTERY_SERVICE, uuid=BATTERY, flags=("read",)),
            Characteristic(service=SERVICE, uuid=DATA, flags=("read", "notify")),
            Characteristic(service=SERVICE, uuid=CONTROL, flags=("read", "write", "notify")),
        )

    def on_write(self, uuid: str, data: bytes, now_ns: int | None = None) -> list[Notification]:
        """01 starts, 00 stops; the answer is 8x on CONTROL."""
        self.running = data[0] == 1
        return [] if self.deaf else [(CONTROL, bytes([0x80 | data[0]]))]

    def on_read(self, uuid: str, now_ns: int | None = None) -> bytes:
        """Battery or the newest value."""
        return bytes([self.battery]) if uuid == BATTERY else struct.pack("<I6x", self.count)

    def on_disconnect(self) -> None:
        """Stops and forgets subscriptions."""
        super().on_disconnect()
        self.running = False

    def notify(self, samples: Motion) -> list[Notification]:
        """One notification per sample: counter and milli-g."""
        sent: list[Notification] = []
        for acc in samples.acc_g:
            milli = np.round(acc * 1000).astype("<i2").tobytes()
            if self.running and DATA in self.subscribed:
                sent.append((DATA, struct.pack("<I", self.count) + milli))
            self.count += 1
        return sent


class _Session:
    def __init__(self) -> None:
        self.streams = (STREAM,)

    def start(self) -> Sequence[Step]:
        return (
            Step(action="subscribe", channel=CONTROL),
            Step(action="subscribe", channel=DATA),
            Step(action="write", channel=CONTROL, data=b"\x01"),
            Step(action="wait", channel=CONTROL, expect=b"\x81", timeout_s=3.0, why="start"),
        )

    def stop(self) -> Sequence[Step]:
        return (Step(action="write", channel=CONTROL, data=b"\x00"),)

    def pending(self) -> Sequence[Step]:
        return ()

    def wrote(self, step: Step, at_ns: int) -> None:
        """No clock exchange."""

    def resume(self) -> Resume | None:
        return None

    def feed(self, frame: Frame) -> Sequence[Packet]:
        if frame.channel != DATA:
            return ()
        if len(frame.payload) != 10:
            raise TruncatedFrame(f"{len(frame.payload)} bytes, expected 10")
        raw = np.frombuffer(frame.payload[4:], "<i2").reshape(1, 3)
        index = int.from_bytes(frame.payload[:4], "little")
        return (Packet(stream=STREAM, raw=raw, received_ns=frame.received_ns, index=index),)


class PlainDecoder:
    """Fits by service."""

    name = "plain"
    title = "Plain test sensor"
    connects = True
    services = (SERVICE,)

    def match(self, advert: Advert, services: Sequence[str] = ()) -> Match:
        """Services decide; an advertised one nearly does."""
        if services:
            return Match(score=100 if SERVICE in services else 0, why="service")
        return Match(score=90 if SERVICE in advert.services else 0, why="advertised service")

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> _Session:
        """A session without memory."""
        return _Session()


PLAIN = PlainDecoder()
