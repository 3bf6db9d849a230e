# SPDX-License-Identifier: Apache-2.0
"""TI SensorTag CC2650: at most 10 samples a second; no device time. Posture only, no gait.

Source: TI wiki user's guide and firmware `sensortag_mov.c`. Some firmware ignores the range and
stays at 8 g (node-sensortag #62, #77): 8 g is what is written. Wake-on-motion stays off, or data
end ten seconds after the last movement.
"""

import struct
from collections.abc import Sequence

from firmware_protocol.decoders._base import BATTERY_STEPS, clipped, exactly, int16s
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, counts
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Step, Wish


def uuid(short: int) -> str:
    """A characteristic or service of TI's tags."""
    return f"f000{short:04x}-0451-4000-b000-000000000000"


SERVICE, DATA, CONFIG, PERIOD = (uuid(k) for k in range(0xAA80, 0xAA84))
ALL_AXES, MAGNETOMETER, WAKE_ON_MOTION = 0x3F, 0x40, 0x80
ACC_ONLY = 0x38
RANGES_G = (2, 4, 8, 16)
FASTEST_HZ = 10.0


def configuration(*, range_g: int = 8, axes: int = ALL_AXES, magnetometer: bool = True) -> bytes:
    """The bit field of AA82; wake-on-motion is never set."""
    bits = axes | (MAGNETOMETER if magnetometer else 0) | RANGES_G.index(range_g) << 8
    return struct.pack("<H", bits)


class SensorTagSession(TableSession):
    """One connection at 8 g."""

    title = "TI SensorTag CC2650"

    def __init__(self, wish: Wish, advert: Advert | None = None, *, range_g: int = 8) -> None:
        super().__init__()
        fs = min(max(wish.fs_hz, 1 / 2.55), FASTEST_HZ)
        self._period = round(100 / fs)
        fs = 100 / self._period
        self._acc = Stream(
            kind=Kind.ACC, fs_hz=fs, scale=range_g / 32768, full_scale=float(range_g)
        )
        self._gyro = Stream(kind=Kind.GYRO, fs_hz=fs, scale=500 / 65536, full_scale=250.0)
        # Clients disagree about the magnetometer's unit; TI's document says microtesla.
        self._mag = Stream(kind=Kind.MAG, fs_hz=fs)
        self._streams = (self._acc, self._gyro, self._mag)
        self._handlers = {DATA: self._movement}
        self._range_g = range_g
        self._silent = True

    def start(self) -> Sequence[Step]:
        """Subscribe, period, switch on."""
        config = configuration(range_g=self._range_g)
        return (
            *BATTERY_STEPS,
            Step(action="subscribe", channel=DATA, why="movement"),
            Step(action="write", channel=PERIOD, data=bytes([self._period]), why="period"),
            Step(action="write", channel=CONFIG, data=config, why="all axes, 8 g"),
        )

    def stop(self) -> Sequence[Step]:
        """Everything off."""
        return (Step(action="write", channel=CONFIG, data=b"\x00\x02", why="switch off"),)

    def _movement(self, frame: Frame) -> Sequence[Packet]:
        raw = int16s(exactly(frame, 18), 9)
        if self._silent and not raw.any():
            return ()  # the chip powers up: 100 ms or more of zeros
        self._silent = False
        return tuple(
            Packet(
                stream=stream,
                raw=raw[:, at : at + 3],
                received_ns=frame.received_ns,
                flags=clipped(raw[:, at : at + 3]),
            )
            for stream, at in ((self._acc, 3), (self._gyro, 0), (self._mag, 6))
        )


def encode(acc_g: Sequence[float], gyr_dps: Sequence[float], *, range_g: int = 8) -> bytes:
    """An AA81 notification."""
    return counts(gyr_dps, 65536 / 500) + counts(acc_g, 32768 / range_g) + counts((20, 0, -40), 1)


DECODER = GattDecoder(
    name="sensortag",
    title=SensorTagSession.title,
    services=(SERVICE,),
    advertised=("0000aa80-0000-1000-8000-00805f9b34fb",),
    session=SensorTagSession,
    device=lambda: RowPeripheral(
        name="CC2650 SensorTag",
        service=SERVICE,
        notifies=(DATA,),
        writes=(CONFIG, PERIOD),
        row=lambda acc, gyr: [(DATA, encode(acc, gyr))],
        has_battery=True,
    ),
    names=("SensorTag",),
)

GOLDEN = (
    golden("TI-2", DATA, "83007DFF000000000000001064 00CEFFF401", samples=1),
    golden("TI-3", DATA, "000000000000004000C00000000000000000", samples=1),
    golden("TI-4", DATA, "008000800080008000800080008000800080", samples=1),
)
