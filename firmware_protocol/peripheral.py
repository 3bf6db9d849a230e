# SPDX-License-Identifier: Apache-2.0
"""The device side of a protocol, for simulators and tests: what a sensor answers and sends.

A peripheral is a small state machine without radio or clock. Whoever plays it (a fake `org.bluez`,
the demo, a unit test) passes writes and reads in and carries the payloads out. Its device clock
runs on the times of the samples it is given, and on `now_ns` where a caller passes one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.errors import ProtocolError
from firmware_protocol.frame import Frame
from firmware_protocol.registry import Advert, Resume, Session, Wish

Notification = tuple[str, bytes]


class AttError(ProtocolError):
    """The device refuses a read or write; `code` is the ATT error code."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"ATT error 0x{code:02x}: {why}")
        self.code = code


class Motion(Protocol):
    """Samples to send; `tracker.model.Samples` is one.

    t_ns (n,) int64; acc_g (n, 3) float32 in g; gyr_dps (n, 3) float32 in deg/s or None.
    """

    @property
    def t_ns(self) -> NDArray[np.int64]:
        """UTC in nanoseconds, increasing."""

    @property
    def acc_g(self) -> NDArray[np.float32]:
        """Specific force in g."""

    @property
    def gyr_dps(self) -> NDArray[np.float32] | None:
        """Rotation in deg/s."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """The plainest :class:`Motion`."""

    t_ns: NDArray[np.int64]
    acc_g: NDArray[np.float32]
    gyr_dps: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """One characteristic as BlueZ lists it; `flags` are BlueZ's names (read, write, notify...)."""

    service: str
    uuid: str
    flags: tuple[str, ...]
    value: bytes = b""


class Peripheral(Protocol):
    """One simulated device."""

    name: str

    def advert(self) -> Advert:
        """What a scan shows."""

    def characteristics(self) -> Sequence[Characteristic]:
        """The GATT table, in order; empty for a device that only advertises."""

    def on_write(self, uuid: str, data: bytes, now_ns: int | None = None) -> list[Notification]:
        """Take a write; return what is notified or indicated in answer. May raise AttError."""

    def on_read(self, uuid: str, now_ns: int | None = None) -> bytes:
        """Answer a read. May raise AttError."""

    def on_subscribe(self, uuid: str, on: bool) -> list[Notification]:
        """Notifications of a characteristic were switched on or off."""

    def on_disconnect(self) -> None:
        """The link is gone; whatever the device does then."""

    def notify(self, samples: Motion) -> list[Notification]:
        """Sample this motion; return the notifications that are full by now, in order.

        An advertising-only device returns (`advert:XXXX`, manufacturer data) pairs.
        Samples must come at the rate the device was configured to.
        """


class BasePeripheral:
    """Defaults: a table, stored values, subscriptions; subclasses fill in the rest."""

    name = ""
    services: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.subscribed: set[str] = set()
        self.now_ns = 0
        self.battery = 87

    def advert(self) -> Advert:
        """Name and services."""
        return Advert(address="00:00:5E:00:53:01", name=self.name, services=self.services)

    def characteristics(self) -> Sequence[Characteristic]:
        """No table."""
        return ()

    def on_write(self, uuid: str, data: bytes, now_ns: int | None = None) -> list[Notification]:
        """Refuse: not permitted (ATT 0x03)."""
        raise AttError(0x03, f"{uuid} cannot be written")

    def on_read(self, uuid: str, now_ns: int | None = None) -> bytes:
        """The battery level, or the value in the table."""
        if uuid == "00002a19-0000-1000-8000-00805f9b34fb":
            return bytes([self.battery])
        for c in self.characteristics():
            if c.uuid == uuid and "read" in c.flags:
                return c.value
        raise AttError(0x02, f"{uuid} cannot be read")

    def on_subscribe(self, uuid: str, on: bool) -> list[Notification]:
        """Remember it."""
        (self.subscribed.add if on else self.subscribed.discard)(uuid)
        return []

    def on_disconnect(self) -> None:
        """Forget the subscriptions."""
        self.subscribed.clear()

    def seen(self, now_ns: int | None) -> None:
        """Advance the device's clock."""
        if now_ns is not None and now_ns > self.now_ns:
            self.now_ns = now_ns


class SimulatedDecoder(Protocol):
    """The part of a decoder that a simulator needs besides the Decoder protocol."""

    name: str

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> Session:
        """Begin a connection."""

    def peripheral(self) -> Peripheral:
        """A simulated device this decoder understands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """A frame with known bytes, for the contract test over all decoders.

    `before` are frames fed first (settings the decoder must know); `samples` is how many samples
    of motion the payload holds (0 for answers and settings).
    """

    name: str
    frame: Frame
    before: tuple[Frame, ...] = ()
    samples: int = 0


def golden(
    name: str,
    channel: str,
    payload: str,
    *,
    before: Sequence[tuple[str, str]] = (),
    samples: int = 0,
) -> Golden:
    """A golden frame from hex."""

    def frame(where: str, data: str) -> Frame:
        return Frame(
            sensor="golden",
            channel=where,
            payload=bytes.fromhex(data.replace(" ", "")),
            received_ns=10**18,
        )

    return Golden(
        name=name,
        frame=frame(channel, payload),
        before=tuple(frame(c, p) for c, p in before),
        samples=samples,
    )
