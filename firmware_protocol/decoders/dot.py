# SPDX-License-Identifier: Apache-2.0
"""Xsens / Movella DOT: rate mode (acceleration and rotation) with microsecond device time.

Source: Xsens DOT BLE Services Specifications XD0506P rev F, User Manual; njanssen/node-movella-dot
3c55c3a for mode 26. Subscribe before starting: the other order loses the stream.
"""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.decoders._base import ABSURD, G, at_least, battery
from firmware_protocol.decoders._simple import (
    GattDecoder,
    RowPeripheral,
    TableSession,
    floats,
    ignore,
)
from firmware_protocol.errors import BadChecksum, BadField, TruncatedFrame, UnknownFrame
from firmware_protocol.frame import Frame, Kind, Packet, PacketFlag, Stream
from firmware_protocol.peripheral import Motion, Notification, golden
from firmware_protocol.registry import Advert, Step, Wish


def uuid(short: int) -> str:
    """A characteristic or service of the DOT."""
    return f"1517{short:04x}-4947-11e9-8646-d663bd873d93"


CONFIGURATION_SERVICE, SERVICE = uuid(0x1000), uuid(0x2000)
DEVICE_CONTROL, REPORT = uuid(0x1002), uuid(0x1004)
CONTROL, LONG, MEDIUM, SHORT = (uuid(k) for k in range(0x2001, 0x2005))
DOT_BATTERY = uuid(0x3001)
LENGTHS = {LONG: 63, MEDIUM: 40, SHORT: 20}
RATES_HZ = (1, 4, 10, 12, 15, 20, 30, 60)
RATE_MODE = 21
QUAT, EULER, FREE, ACC, GYRO, MAG = "quat", "euler", "free_acc", "acc", "gyro", "mag"
DQ, DV, STATUS = "delta_quat", "delta_v", "status"
# Mode -> characteristic and the fields after the time stamp.
MODES: dict[int, tuple[str, tuple[str, ...]]] = {
    2: (MEDIUM, (QUAT, FREE, STATUS)),
    3: (MEDIUM, (QUAT, FREE)),
    4: (SHORT, (EULER,)),
    5: (SHORT, (QUAT,)),
    6: (SHORT, (FREE,)),
    7: (MEDIUM, (EULER, FREE, STATUS)),
    16: (MEDIUM, (EULER, FREE)),
    18: (MEDIUM, (DQ, DV, MAG)),
    19: (MEDIUM, (DQ, DV)),
    20: (MEDIUM, (ACC, GYRO, MAG)),
    21: (MEDIUM, (ACC, GYRO)),
    22: (MEDIUM, (EULER, FREE, GYRO)),
    23: (MEDIUM, (EULER, FREE, MAG)),
    24: (MEDIUM, (QUAT, GYRO)),
    26: (LONG, (QUAT, ACC, GYRO)),
}
SIZES = {QUAT: 16, DQ: 16, MAG: 6, STATUS: 4}
KINDS = {
    QUAT: (Kind.QUAT, 1.0, None),
    EULER: (Kind.EULER, 1.0, None),
    FREE: (Kind.FREE_ACC, 1 / G, None),
    ACC: (Kind.ACC, 1 / G, 16.0),
    GYRO: (Kind.GYRO, 1.0, 2000.0),
    # Counts are 1/4096 of "about the earth's field", taken as 40 microtesla.
    MAG: (Kind.MAG, 40.0 / 4096, None),
}


def fields(mode: int, payload: bytes) -> tuple[int, Mapping[str, NDArray[np.float32]]]:
    """Microseconds and the fields of a payload; mag in counts, status as (bits, clips)."""
    if mode not in MODES:
        raise UnknownFrame(f"payload mode {mode} is not one that can be read; use mode 21")
    names = MODES[mode][1]
    wanted = 4 + sum(SIZES.get(n, 12) for n in names)
    if len(payload) < wanted:
        raise TruncatedFrame(
            f"payload of {len(payload)} bytes, mode {mode} needs {wanted}; check the MTU"
        )
    (time_us,) = struct.unpack_from("<I", payload)
    found: dict[str, NDArray[np.float32]] = {}
    at = 4
    for name in names:
        size = SIZES.get(name, 12)
        part = payload[at : at + size]
        if name == STATUS:
            found[name] = np.array(struct.unpack("<HBB", part), np.float32)
        else:
            kind = "<i2" if name == MAG else "<f4"
            found[name] = np.frombuffer(part, kind).astype(np.float32)
        if not (np.abs(found[name]) < ABSURD).all():
            raise BadField(f"{name} is not a finite number in mode {mode}; drop this frame")
        at += size
    return time_us, found


def check_message(data: bytes) -> tuple[int, bytes]:
    """Id and data of a message of the 7000 service; all bytes must add up to 0 modulo 256."""
    if len(data) < 3 or len(data) != data[1] + 3:
        raise TruncatedFrame(
            f"message of {len(data)} bytes says it has {data[1:2].hex()}; ask again"
        )
    if sum(data) % 256:
        raise BadChecksum(f"message {data.hex()} does not add up to 0; ask again")
    return data[0], data[2:-1]


def encode_message(message: int, data: bytes) -> bytes:
    """With length and checksum."""
    head = bytes([message, len(data)]) + data
    return head + bytes([-sum(head) % 256])


class DotSession(TableSession):
    """One connection in one payload mode."""

    title = "Movella DOT"

    def __init__(self, wish: Wish, advert: Advert | None = None, *, mode: int = RATE_MODE) -> None:
        super().__init__()
        self._mode = mode
        self._rate_hz = min(RATES_HZ, key=lambda r: abs(r - wish.fs_hz))
        self._channel, names = MODES[mode]
        self._by_name = {
            n: Stream(
                kind=KINDS[n][0],
                fs_hz=float(self._rate_hz),
                scale=KINDS[n][1],
                full_scale=KINDS[n][2],
                tick_hz=1e6,
                tick_bits=32,
            )
            for n in names
            if n in KINDS
        }
        self._streams = tuple(self._by_name.values())
        self._handlers = {
            self._channel: self._measurement,
            DEVICE_CONTROL: self._device_control,
            DOT_BATTERY: self._battery,
            REPORT: ignore,
        }
        self._out: list[Step] = []

    def start(self) -> Sequence[Step]:
        """Stop what may still run, subscribe, read the device control; the rest follows."""
        return (
            Step(action="read", channel=DOT_BATTERY, optional=True, why="battery level"),
            Step(action="subscribe", channel=DOT_BATTERY, optional=True, why="battery level"),
            *self.stop(),
            Step(action="subscribe", channel=self._channel, why="measurements"),
            Step(action="read", channel=DEVICE_CONTROL, why="settings to change"),
        )

    def stop(self) -> Sequence[Step]:
        """The rate cannot be changed while measuring."""
        data = bytes([1, 0, self._mode])
        return (Step(action="write", channel=CONTROL, data=data, why="stop measuring"),)

    def pending(self) -> Sequence[Step]:
        """Rate and start, once the settings were read."""
        out, self._out = self._out, []
        return out

    def _device_control(self, frame: Frame) -> Sequence[Packet]:
        data = bytearray(at_least(frame, 32)[:32])
        data[0] = 1 << 4  # apply the output rate only
        data[24:26] = struct.pack("<H", self._rate_hz)
        start = bytes([1, 1, self._mode])
        self._out = [
            Step(action="write", channel=DEVICE_CONTROL, data=bytes(data), why="rate"),
            Step(action="write", channel=CONTROL, data=start, why="start measuring"),
        ]
        return ()

    def _battery(self, frame: Frame) -> Sequence[Packet]:
        return (battery(frame, float(at_least(frame, 2)[0])),)

    def _measurement(self, frame: Frame) -> Sequence[Packet]:
        if len(frame.payload) > LENGTHS[frame.channel]:
            raise TruncatedFrame(f"payload of {len(frame.payload)} bytes is too long for a DOT")
        time_us, found = fields(self._mode, frame.payload)
        status = found.get(STATUS)
        clip = status is not None and bool(status[1:].any())
        return tuple(
            Packet(
                stream=stream,
                raw=found[name][None, :],
                received_ns=frame.received_ns,
                ticks=time_us,
                flags=PacketFlag.CLIPPED if clip else PacketFlag.NONE,
            )
            for name, stream in self._by_name.items()
        )


class DotPeripheral(RowPeripheral):
    """A simulated DOT in rate mode."""

    def __init__(self) -> None:
        super().__init__(
            name="Movella DOT",
            service=SERVICE,
            notifies=(LONG, MEDIUM, SHORT, DOT_BATTERY),
            writes=(CONTROL, DEVICE_CONTROL),
            reads={DEVICE_CONTROL: bytes(24) + b"\x3c\x00" + bytes(6), DOT_BATTERY: b"\x57\x00"},
        )
        self.measuring = False
        self._epoch_ns: int | None = None

    def advert(self) -> Advert:
        """Name and the maker's number."""
        return Advert(
            address="00:00:5E:00:53:06", name=self.name, manufacturer={0x0886: bytes.fromhex("00")}
        )

    def answer(self, uuid: str, data: bytes) -> list[Notification]:
        """Start and stop."""
        if uuid == CONTROL and len(data) == 3:
            # Started before anyone subscribed, the stream is lost.
            self.measuring = data[1] == 1 and MEDIUM in self.subscribed
        return []

    def notify(self, samples: Motion) -> list[Notification]:
        """One padded medium payload per sample."""
        gyr = samples.gyr_dps if samples.gyr_dps is not None else np.zeros_like(samples.acc_g)
        out: list[Notification] = []
        for t, a, g in zip(samples.t_ns.tolist(), samples.acc_g, gyr, strict=True):
            self._epoch_ns = t if self._epoch_ns is None else self._epoch_ns
            if self.measuring and MEDIUM in self.subscribed:
                time_us = (t - self._epoch_ns) // 1000 % 2**32
                body = floats([*(v * G for v in a.tolist()), *g.tolist()])
                out.append((MEDIUM, (struct.pack("<I", time_us) + body).ljust(40, b"\0")))
        return out


DECODER = GattDecoder(
    name="dot",
    title=DotSession.title,
    services=(SERVICE, CONFIGURATION_SERVICE),
    session=DotSession,
    device=DotPeripheral,
    names=("Xsens DOT", "Movella DOT"),
    company=0x0886,
)

GOLDEN = (
    golden(
        "XD-2",
        MEDIUM,
        "40420F0000000000000000000AE81C410000803F000000C00000003F",
        samples=1,
    ),
    golden("device-control", DEVICE_CONTROL, "00" * 24 + "3C00" + "00" * 6),
    golden("battery", DOT_BATTERY, "5700", samples=0),
)
