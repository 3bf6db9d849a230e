# SPDX-License-Identifier: Apache-2.0
"""Adafruit's Bluefruit services (Circuit Playground, CLUE, Feather Sense); no device time.

Source: adafruit/Adafruit_CircuitPython_BLE_Adafruit 8d02b94. The period's UUID stands in every
service, so it is named together with its service. The shipped sketch has no gyroscope service.
"""

import struct
from collections.abc import Sequence

from firmware_protocol.decoders._base import DPS_PER_RAD, G, exactly, float32s
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, floats
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Step, Wish


def uuid(short: int) -> str:
    """A characteristic or service of Adafruit's."""
    return f"adaf{short:04x}-c332-42a8-93bd-25e905756cb8"


PERIOD = uuid(0x0001)
ACC_SERVICE, ACC = uuid(0x0200), uuid(0x0201)
GYRO_SERVICE, GYRO = uuid(0x0400), uuid(0x0401)
MAG, QUATERNION = uuid(0x0501), uuid(0x0D01)
SHORTEST_MS = 20


class AdafruitSession(TableSession):
    """One connection."""

    title = "Adafruit Bluefruit board"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self._period_ms = max(SHORTEST_MS, round(1000 / wish.fs_hz))
        fs = 1000 / self._period_ms
        acc = Stream(kind=Kind.ACC, fs_hz=fs, scale=1 / G, full_scale=2.0)
        gyro = Stream(kind=Kind.GYRO, fs_hz=fs, scale=DPS_PER_RAD, full_scale=250.0)
        mag = Stream(kind=Kind.MAG, fs_hz=fs)
        quat = Stream(kind=Kind.QUAT, fs_hz=fs)
        self._gyro = wish.gyro
        self._streams = (acc, gyro) if wish.gyro else (acc,)
        self._layouts = {ACC: (acc, 3), GYRO: (gyro, 3), MAG: (mag, 3), QUATERNION: (quat, 4)}
        self._handlers = dict.fromkeys(self._layouts, self._values)

    def start(self) -> Sequence[Step]:
        """Period in each service, then subscribe; the gyroscope may be absent."""
        data = struct.pack("<i", self._period_ms)
        steps = [
            Step(action="write", channel=PERIOD, service=ACC_SERVICE, data=data, why="period"),
            Step(action="subscribe", channel=ACC, why="acceleration"),
        ]
        if self._gyro:
            steps += [
                Step(
                    action="write",
                    channel=PERIOD,
                    service=GYRO_SERVICE,
                    data=data,
                    optional=True,
                    why="period",
                ),
                Step(action="subscribe", channel=GYRO, optional=True, why="rotation"),
            ]
        return steps

    def stop(self) -> Sequence[Step]:
        """Period -1."""
        data = struct.pack("<i", -1)
        return (Step(action="write", channel=PERIOD, service=ACC_SERVICE, data=data, why="stop"),)

    def _values(self, frame: Frame) -> Sequence[Packet]:
        stream, width = self._layouts[frame.channel]
        raw = float32s(exactly(frame, 4 * width), width, what=stream.kind.value)
        return (Packet(stream=stream, raw=raw, received_ns=frame.received_ns),)


DECODER = GattDecoder(
    name="adafruit",
    title=AdafruitSession.title,
    services=(ACC_SERVICE,),
    session=AdafruitSession,
    device=lambda: RowPeripheral(
        name="CLUE",
        service=ACC_SERVICE,
        notifies=(ACC, GYRO),
        writes=(PERIOD,),
        row=lambda acc, gyr: [
            (ACC, floats([v * G for v in acc])),
            (GYRO, floats([v / DPS_PER_RAD for v in gyr])),
        ],
    ),
    names=("CPlay", "CLUE", "Sense"),
    company=0x0822,
)

GOLDEN = (
    golden("AD-1", ACC, "00000000000000000AE81C41", samples=1),
    golden("AD-2", GYRO, "0000803F000000C00000803E", samples=1),
    golden("quaternion", QUATERNION, "0000803F" + "00" * 12, samples=1),
)
