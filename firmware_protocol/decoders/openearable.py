# SPDX-License-Identifier: Apache-2.0
"""OpenEarable 2: acceleration, rotation and field with microsecond device time.

Source: OpenEarable/open-earable-2 5c4fd88, `openearable_common.h`. Its README still shows an older
32-bit millisecond header; the shipped structure has 64-bit microseconds.
"""

import struct
from collections.abc import Sequence

import numpy as np

from firmware_protocol.decoders._base import BATTERY_STEPS, G, at_least, float32s
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, floats
from firmware_protocol.errors import TruncatedFrame
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import Motion, Notification, golden
from firmware_protocol.registry import Advert, Step, Wish

SERVICE = "34c2e3bb-34aa-11eb-adc1-0242ac120002"
DATA = "34c2e3bc-34aa-11eb-adc1-0242ac120002"
CONFIG = "34c2e3be-34aa-11eb-adc1-0242ac120002"
IMU = 0
SIZE = 36
RATES_HZ = (25, 50, 100)  # more can be recorded to its card, not sent
OVER_BLE = 1


class OpenEarableSession(TableSession):
    """One connection."""

    title = "OpenEarable 2"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self._index = min(range(len(RATES_HZ)), key=lambda k: abs(RATES_HZ[k] - wish.fs_hz))
        fs = float(RATES_HZ[self._index])

        def stream(kind: Kind, scale: float) -> Stream:
            return Stream(kind=kind, fs_hz=fs, scale=scale, tick_hz=1e6, tick_bits=64)

        self._streams = (stream(Kind.ACC, 1 / G), stream(Kind.GYRO, 1.0), stream(Kind.MAG, 1.0))
        self._handlers = {DATA: self._sample}

    def start(self) -> Sequence[Step]:
        """Subscribe, then switch the IMU on over BLE."""
        data = bytes([IMU, self._index, OVER_BLE])
        return (
            *BATTERY_STEPS,
            Step(action="subscribe", channel=DATA, why="measurements"),
            Step(action="write", channel=CONFIG, data=data, why="IMU on"),
        )

    def stop(self) -> Sequence[Step]:
        """Neither BLE nor card."""
        data = bytes([IMU, self._index, 0])
        return (Step(action="write", channel=CONFIG, data=data, why="IMU off"),)

    def _sample(self, frame: Frame) -> Sequence[Packet]:
        data = at_least(frame, 10)
        sensor, size, time_us = struct.unpack_from("<BBQ", data)
        if len(data) != 10 + size or (sensor == IMU and size != SIZE):
            raise TruncatedFrame(
                f"sensor {sensor}: {len(data)} bytes with a size of {size}; check MTU and firmware"
            )
        if sensor != IMU:
            return ()
        values = float32s(data[10:], 9, what="measurement")
        return tuple(
            Packet(
                stream=stream,
                raw=values[:, at : at + 3],
                received_ns=frame.received_ns,
                ticks=time_us,
            )
            for stream, at in zip(self._streams, (0, 3, 6), strict=True)
        )


class OpenEarablePeripheral(RowPeripheral):
    """A simulated earable."""

    def __init__(self) -> None:
        super().__init__(
            name="OpenEarable-00AB",
            service=SERVICE,
            notifies=(DATA,),
            writes=(CONFIG,),
            has_battery=True,
        )
        self.on = False
        self._epoch_ns: int | None = None

    def answer(self, uuid: str, data: bytes) -> list[Notification]:
        """On and off."""
        self.on = len(data) == 3 and data[0] == IMU and bool(data[2] & OVER_BLE)
        return []

    def notify(self, samples: Motion) -> list[Notification]:
        """One notification per sample."""
        gyr = samples.gyr_dps if samples.gyr_dps is not None else np.zeros_like(samples.acc_g)
        out: list[Notification] = []
        for t, a, g in zip(samples.t_ns.tolist(), samples.acc_g, gyr, strict=True):
            self._epoch_ns = t if self._epoch_ns is None else self._epoch_ns
            if self.on and DATA in self.subscribed:
                head = struct.pack("<BBQ", IMU, SIZE, (t - self._epoch_ns) // 1000)
                body = floats([*(v * G for v in a.tolist()), *g.tolist(), 20.0, -5.0, 40.0])
                out.append((DATA, head + body))
        return out


DECODER = GattDecoder(
    name="openearable",
    title=OpenEarableSession.title,
    services=(SERVICE,),
    session=OpenEarableSession,
    device=OpenEarablePeripheral,
    names=("OpenEarable",),
)

GOLDEN = (
    golden(
        "OE-1",
        DATA,
        "002487D612000000000000000000000000000AE81C410000803F000000C00000003F"
        "0000A0410000A0C000002042",
        samples=1,
    ),
)
