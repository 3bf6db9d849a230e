# SPDX-License-Identifier: Apache-2.0
"""TI SensorTag CC2541, the first generation: 8-bit acceleration at 10 Hz. Posture only.

Source: TI wiki attribute table; bluepy #28 (firmware before 1.5 counts 64 per g, later 16).
Range codes and the gyro's x sign differ between clients: nothing is changed here.
"""

from collections.abc import Sequence

import numpy as np

from firmware_protocol.decoders._base import BATTERY_STEPS, clipped, exactly, int16s, sig
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, counts
from firmware_protocol.decoders.sensortag import uuid
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Step, Wish

ACC_SERVICE, ACC, ACC_CONFIG, ACC_PERIOD = (uuid(k) for k in range(0xAA10, 0xAA14))
GYRO_SERVICE, GYRO, GYRO_CONFIG, GYRO_PERIOD = (uuid(k) for k in range(0xAA50, 0xAA54))
FIRMWARE = sig(0x2A26)
FASTEST_HZ = 10.0


class Cc2541Session(TableSession):
    """One connection; the firmware's version decides the scale."""

    title = "TI SensorTag CC2541"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self._wish = wish
        self._fs = min(max(wish.fs_hz, 1 / 2.55), FASTEST_HZ)
        self._build(per_g=16)
        self._handlers = {ACC: self._acceleration, GYRO: self._rotation, FIRMWARE: self._version}

    def _build(self, *, per_g: int) -> None:
        acc = Stream(kind=Kind.ACC, fs_hz=self._fs, scale=1 / per_g, full_scale=127 / per_g)
        gyro = Stream(kind=Kind.GYRO, fs_hz=self._fs, scale=500 / 65536, full_scale=250.0)
        self._streams = (acc, gyro) if self._wish.gyro else (acc,)
        self._acc, self._gyro = acc, gyro

    def start(self) -> Sequence[Step]:
        """Firmware version, subscriptions, periods, on."""
        period = bytes([round(100 / self._fs)])
        steps = [
            *BATTERY_STEPS,
            Step(action="read", channel=FIRMWARE, optional=True, why="the scale depends on it"),
            Step(action="subscribe", channel=ACC, why="acceleration"),
            Step(action="write", channel=ACC_PERIOD, data=period, why="period"),
            Step(action="write", channel=ACC_CONFIG, data=b"\x01", why="switch on"),
        ]
        if self._wish.gyro:
            steps += [
                Step(action="subscribe", channel=GYRO, why="rotation"),
                Step(action="write", channel=GYRO_PERIOD, data=period, why="period"),
                Step(action="write", channel=GYRO_CONFIG, data=b"\x07", why="all axes"),
            ]
        return steps

    def stop(self) -> Sequence[Step]:
        """Both off."""
        return tuple(
            Step(action="write", channel=c, data=b"\x00", why="switch off")
            for c in ((ACC_CONFIG, GYRO_CONFIG) if self._wish.gyro else (ACC_CONFIG,))
        )

    def _version(self, frame: Frame) -> Sequence[Packet]:
        major, _, rest = frame.payload.decode("ascii", "replace").strip().partition(".")
        minor = rest[:1]
        if major == "0" or (major == "1" and minor.isdecimal() and int(minor) < 5):
            self._build(per_g=64)
        return ()

    def _acceleration(self, frame: Frame) -> Sequence[Packet]:
        raw = np.frombuffer(exactly(frame, 3), np.int8).astype(np.int16).reshape(1, 3)
        flags = clipped(raw, -128, 127)
        return (Packet(stream=self._acc, raw=raw, received_ns=frame.received_ns, flags=flags),)

    def _rotation(self, frame: Frame) -> Sequence[Packet]:
        raw = int16s(exactly(frame, 6))
        flags = clipped(raw)
        return (Packet(stream=self._gyro, raw=raw, received_ns=frame.received_ns, flags=flags),)


def encode_acc(acc_g: Sequence[float]) -> bytes:
    """An AA11 notification of firmware 1.5."""
    scaled = np.clip(np.rint(np.asarray(acc_g, float) * 16), -128, 127)
    return bytes(scaled.astype(np.int8).tobytes())


DECODER = GattDecoder(
    name="sensortag-cc2541",
    title=Cc2541Session.title,
    services=(ACC_SERVICE,),
    session=Cc2541Session,
    device=lambda: RowPeripheral(
        name="TI BLE Sensor Tag",
        service=ACC_SERVICE,
        notifies=(ACC, GYRO),
        writes=(ACC_CONFIG, ACC_PERIOD, GYRO_CONFIG, GYRO_PERIOD),
        reads={FIRMWARE: b"1.5 (Oct 23 2013)"},
        row=lambda acc, gyr: [(ACC, encode_acc(acc)), (GYRO, counts(gyr, 65536 / 500))],
        has_battery=True,
    ),
    names=("TI BLE Sensor Tag", "SensorTag"),
)

GOLDEN = (
    golden("TI-5", ACC, "F00040", samples=1),
    golden("gyro", GYRO, "83007DFF0000", samples=1),
    golden("firmware", FIRMWARE, "312E34"),
)
