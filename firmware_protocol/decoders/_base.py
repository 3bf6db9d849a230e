# SPDX-License-Identifier: Apache-2.0
"""What most decoders share: a session with defaults, battery level, int16 triples, matching."""

import struct
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.errors import BadField, TruncatedFrame, UnknownFrame
from firmware_protocol.frame import Frame, Kind, Packet, PacketFlag, Stream
from firmware_protocol.registry import Advert, Match, Resume, Step

BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"  # Bluetooth SIG: uint8 percent
BATTERY_STREAM = Stream(kind=Kind.BATTERY, fs_hz=1 / 60)

G = 9.80665  # m/s2 per g, CGPM 1901
DPS_PER_RAD = 180.0 / np.pi


def sig(short: int) -> str:
    """The full UUID of a 16-bit number of the Bluetooth SIG."""
    return f"{short:08x}-0000-1000-8000-00805f9b34fb"


def exactly(frame: Frame, *lengths: int) -> bytes:
    """The payload, if its length is one of `lengths`."""
    if len(frame.payload) not in lengths:
        wanted = " or ".join(str(n) for n in lengths)
        raise TruncatedFrame(
            f"{frame.channel}: {len(frame.payload)} bytes, expected {wanted}; "
            "check that the firmware is the one this decoder was written for"
        )
    return frame.payload


def at_least(frame: Frame, length: int) -> bytes:
    """The payload, if it has at least `length` bytes."""
    if len(frame.payload) < length:
        raise TruncatedFrame(
            f"{frame.channel}: {len(frame.payload)} bytes, expected at least {length}; "
            "the notification was cut short, check the link's MTU"
        )
    return frame.payload


ABSURD = 1e9  # broken bits: scaled, such a number would leave the range of float32


def unknown_channel(frame: Frame, title: str) -> UnknownFrame:
    """The error for a characteristic that is not one of this decoder's."""
    return UnknownFrame(f"{title}: nothing is known of characteristic {frame.channel}; ignore it")


def int16s(data: bytes, columns: int = 3, *, big: bool = False) -> NDArray[np.int16]:
    """int16 values as (n, columns)."""
    return np.frombuffer(data, ">i2" if big else "<i2").astype(np.int16).reshape(-1, columns)


def float32s(data: bytes, columns: int = 3, *, what: str = "value") -> NDArray[np.float32]:
    """Finite float32 values as (n, columns); what no sensor measures in any unit is refused."""
    values = np.frombuffer(data, "<f4").astype(np.float32).reshape(-1, columns)
    if not (np.abs(values) < ABSURD).all():
        raise BadField(f"{what}: not a finite number in {data.hex()}; drop this frame")
    return values


def clipped(raw: NDArray[np.integer], low: int = -32768, high: int = 32767) -> PacketFlag:
    """CLIPPED when a count stands at either end of its range."""
    at_end = bool(((raw <= low) | (raw >= high)).any())
    return PacketFlag.CLIPPED if at_end else PacketFlag.NONE


def battery(frame: Frame, percent: float | None = None) -> Packet:
    """A battery packet from 2A19, or from a percentage the device reports in its own way."""
    if percent is None:
        percent = float(exactly(frame, 1)[0])
    if not 0 <= percent <= 100:
        raise BadField(f"battery level {percent} is outside 0..100 percent; drop this reading")
    return Packet(stream=BATTERY_STREAM, raw=np.array([[percent]]), received_ns=frame.received_ns)


BATTERY_STEPS = (
    Step(action="read", channel=BATTERY_LEVEL, optional=True, why="battery level"),
    Step(action="subscribe", channel=BATTERY_LEVEL, optional=True, why="battery level changes"),
)


def nearest(wanted: float, offered: Iterable[float]) -> float:
    """The offered value nearest to the wanted one; the higher one on a tie."""
    return min(offered, key=lambda v: (abs(v - wanted), -v))


def enough(wanted: float, offered: Sequence[float]) -> float:
    """The smallest offered value that is not below the wanted one, else the largest."""
    above = [v for v in offered if v >= wanted]
    return min(above) if above else max(offered)


def u16(value: int) -> bytes:
    """Little-endian uint16."""
    return struct.pack("<H", value)


class BaseSession:
    """A session without pending steps, resume or clock exchange; most sensors need no more."""

    def stop(self) -> Sequence[Step]:
        """Nothing to write: the device stops when notifications end."""
        return ()

    def pending(self) -> Sequence[Step]:
        """Nothing."""
        return ()

    def wrote(self, step: Step, at_ns: int) -> None:
        """Nothing to learn."""

    def resume(self) -> Resume | None:
        """The device buffers nothing."""
        return None


def match_services(
    wanted: Sequence[str],
    advert: Advert,
    services: Sequence[str],
    *,
    title: str,
    names: Sequence[str] = (),
    company: int | None = None,
) -> Match:
    """The usual judgement: services seen after connecting decide, advertised ones nearly do.

    A name or a company id alone gives a hint (below 50: connect and look), never certainty.
    """
    have = {s.lower() for s in services}
    if services:
        if any(w in have for w in wanted):
            return Match(score=100, why=f"has the service of {title}")
        return Match(score=0, why=f"lacks the service of {title}")
    if any(s.lower() in wanted for s in advert.services):
        return Match(score=90, why=f"advertises the service of {title}")
    if any(n.lower() in advert.name.lower() for n in names if advert.name):
        return Match(score=40, why=f"is named like {title}; its services will tell")
    if company is not None and company in advert.manufacturer:
        return Match(score=20, why=f"carries the maker's number of {title}; its services will tell")
    return Match(score=0, why=f"nothing in the advertisement fits {title}")
