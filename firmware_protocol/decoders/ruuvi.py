# SPDX-License-Identifier: Apache-2.0
"""RuuviTag advertisements, formats 5 and 3: about one sample a second. Slow posture only.

Source: ruuvi/ruuvi-sensor-protocols 56978e4. Big-endian. Format 5 counts its measurements, so
repeated advertisements are dropped; format 3 does not.
"""

import struct
from collections.abc import Sequence

import numpy as np

from firmware_protocol.decoders._base import exactly
from firmware_protocol.decoders._simple import TableSession
from firmware_protocol.errors import BadField, TruncatedFrame, UnknownFrame
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import BasePeripheral, Motion, Notification, golden
from firmware_protocol.registry import Advert, Match, Resume, Wish

COMPANY = 0x0499
CHANNEL = "advert:0499"
ABSENT = -32768
ACC_5 = Stream(
    kind=Kind.ACC, fs_hz=0.8, scale=1e-3, full_scale=16.0, index_bits=16, index_unit="packet"
)
ACC_3 = Stream(kind=Kind.ACC, fs_hz=0.8, scale=1e-3, full_scale=16.0)
TEMPERATURE = Stream(kind=Kind.TEMPERATURE, fs_hz=0.8, scale=0.005)
PRESSURE = Stream(kind=Kind.PRESSURE, fs_hz=0.8, scale=0.01)


class RuuviSession(TableSession):
    """No connection: every advertisement is fed."""

    title = "RuuviTag"

    def __init__(self) -> None:
        super().__init__()
        self._streams = (ACC_5,)
        self._handlers = {CHANNEL: self._advert}

    def _advert(self, frame: Frame) -> Sequence[Packet]:
        if not frame.payload:
            raise TruncatedFrame("an empty RuuviTag advertisement; ignore it")
        if frame.payload[0] == 5:
            return _format_5(frame)
        if frame.payload[0] == 3:
            return _format_3(frame)
        raise UnknownFrame(
            f"RuuviTag data format {frame.payload[0]} is not known; update the tag's firmware"
        )


def _format_5(frame: Frame) -> Sequence[Packet]:
    data = exactly(frame, 24)
    temperature, humidity, pressure, x, y, z, power, moves, number = struct.unpack_from(
        ">hHHhhhHBH", data, 1
    )
    millivolts = power >> 5
    info = {
        "humidity_pct": "" if humidity == 0xFFFF else f"{humidity * 0.0025:.2f}",
        "battery_mv": "" if millivolts == 0x7FF else str(1600 + millivolts),
        "tx_dbm": "" if power & 0x1F == 0x1F else str(-40 + 2 * (power & 0x1F)),
        "moves": "" if moves == 0xFF else str(moves),
    }
    at = frame.received_ns
    packets: list[Packet] = []
    if ABSENT not in (x, y, z):
        packets.append(
            Packet(
                stream=ACC_5,
                raw=np.array([[x, y, z]], np.int16),
                received_ns=at,
                index=None if number == 0xFFFF else number,
                info=info,
            )
        )
    if temperature != ABSENT:
        packets.append(Packet(stream=TEMPERATURE, raw=np.array([[temperature]]), received_ns=at))
    if pressure != 0xFFFF:
        pascal = np.array([[pressure + 50_000]])
        packets.append(Packet(stream=PRESSURE, raw=pascal, received_ns=at))
    return packets


def _format_3(frame: Frame) -> Sequence[Packet]:
    data = exactly(frame, 14)
    humidity, whole, hundredth, pressure, x, y, z, millivolts = struct.unpack_from(
        ">BBBHhhhH", data, 1
    )
    if hundredth > 99:
        raise BadField(f"temperature of {hundredth} hundredths; drop this advertisement")
    degrees = (whole & 0x7F) + hundredth / 100
    centi = round((-degrees if whole & 0x80 else degrees) / 0.005)
    at = frame.received_ns
    info = {"humidity_pct": f"{humidity * 0.5:.1f}", "battery_mv": str(millivolts)}
    return (
        Packet(stream=ACC_3, raw=np.array([[x, y, z]], np.int16), received_ns=at, info=info),
        Packet(stream=TEMPERATURE, raw=np.array([[centi]]), received_ns=at),
        Packet(stream=PRESSURE, raw=np.array([[pressure + 50_000]]), received_ns=at),
    )


def encode(acc_g: Sequence[float], number: int) -> bytes:
    """A format 5 advertisement at 24.3 degrees."""
    counts = np.clip(np.rint(np.asarray(acc_g, float) * 1000), -32767, 32767).astype(int).tolist()
    head = struct.pack(">BhHH3hHBH", 5, 4860, 21396, 50044, *counts, 0xAC36, 66, number % 65535)
    return head + bytes.fromhex("CBB8334C884F")


class RuuviPeripheral(BasePeripheral):
    """A simulated tag; each measurement is advertised twice."""

    name = ""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0

    def advert(self) -> Advert:
        """Manufacturer data alone."""
        data = encode((0, 0, 1), self._number)
        return Advert(address="00:00:5E:00:53:04", manufacturer={COMPANY: data})

    def notify(self, samples: Motion) -> list[Notification]:
        """Advertisements."""
        out: list[Notification] = []
        for a in samples.acc_g.tolist():
            out.append((CHANNEL, encode(a, self._number)))
            self._number += 1
        return out


class Ruuvi:
    """The decoder of RuuviTags."""

    name = "ruuvi"
    title = "RuuviTag (advertisements, slow posture only)"
    connects = False
    services: tuple[str, ...] = ()

    def match(self, advert: Advert, services: Sequence[str] = ()) -> Match:
        """By the maker's number and a known format."""
        data = advert.manufacturer.get(COMPANY, b"")
        if (data[:1], len(data)) in ((b"\x05", 24), (b"\x03", 14)):
            return Match(score=95, why=f"advertises RuuviTag data format {data[0]}")
        if data:
            return Match(score=0, why=f"a Ruuvi device with unknown data format {data[0]}")
        return Match(score=0, why="no RuuviTag data in the advertisement")

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> RuuviSession:
        """Nothing is configured."""
        return RuuviSession()

    def peripheral(self) -> RuuviPeripheral:
        """A simulated tag."""
        return RuuviPeripheral()


DECODER = Ruuvi()

GOLDEN = (
    golden("RU-1", CHANNEL, "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F", samples=1),
    golden("RU-2", CHANNEL, "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F", samples=1),
    golden("RU-3", CHANNEL, "058001000000008001800180010000000000CBB8334C884F", samples=1),
    golden("RU-4", CHANNEL, "058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF"),
    golden("RU-5", CHANNEL, "03291A1ECE1EFC18F94202CA0B53", samples=1),
)
