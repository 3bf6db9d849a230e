# SPDX-License-Identifier: Apache-2.0
"""BBC micro:bit with the accelerometer service: milli-g, about 50 Hz in bursts, no device time.

Source: lancaster-university/microbit-dal 318c6ab. The public document says "unsigned
milli-newtons": wrong, they are signed milli-g. Face up, z reads -1000: the frame is only turned
over (x to the left edge, y to the logo, z out of the back), which the mounting step takes care of.
"""

import struct
from collections.abc import Sequence

from firmware_protocol.decoders._base import exactly, int16s
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, counts
from firmware_protocol.errors import BadField
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Step, Wish

SERVICE = "e95d0753-251d-470a-a062-fa1922dfa9a8"
DATA = "e95dca4b-251d-470a-a062-fa1922dfa9a8"
PERIOD = "e95dfb24-251d-470a-a062-fa1922dfa9a8"
PERIODS_MS = (10, 20, 80, 160, 640)  # 1 ms crashes a version 1; 2 and 5 give about 8


class MicrobitSession(TableSession):
    """One connection; the period is read back, the nearest supported one is chosen by the board."""

    title = "BBC micro:bit"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self._period_ms = min(PERIODS_MS, key=lambda p: abs(1000 / p - wish.fs_hz))
        self._build(self._period_ms)
        self._handlers = {DATA: self._acceleration, PERIOD: self._period}

    def _build(self, period_ms: int) -> None:
        fs = 1000 / period_ms
        self._acc = Stream(kind=Kind.ACC, fs_hz=fs, scale=1e-3, full_scale=2.0)
        self._streams = (self._acc,)

    def start(self) -> Sequence[Step]:
        """Period, then subscribe."""
        data = struct.pack("<H", self._period_ms)
        return (
            Step(action="write", channel=PERIOD, data=data, why="period"),
            Step(action="read", channel=PERIOD, why="period as applied"),
            Step(action="subscribe", channel=DATA, why="acceleration"),
        )

    def _period(self, frame: Frame) -> Sequence[Packet]:
        (period_ms,) = struct.unpack("<H", exactly(frame, 2))
        if not 1 <= period_ms <= 10_000:
            raise BadField(f"the micro:bit says a period of {period_ms} ms; write it again")
        self._build(period_ms)
        return ()

    def _acceleration(self, frame: Frame) -> Sequence[Packet]:
        raw = int16s(exactly(frame, 6))
        return (Packet(stream=self._acc, raw=raw, received_ns=frame.received_ns),)


DECODER = GattDecoder(
    name="microbit",
    title=MicrobitSession.title,
    services=(SERVICE,),
    session=MicrobitSession,
    device=lambda: RowPeripheral(
        name="BBC micro:bit [zutav]",
        service=SERVICE,
        notifies=(DATA,),
        writes=(PERIOD,),
        reads={PERIOD: b"\x14\x00"},
        row=lambda acc, _gyr: [(DATA, counts(acc, 1000))],
    ),
    names=("BBC micro:bit",),
)

GOLDEN = (
    golden("MB-1", DATA, "0001A0032001", samples=1),
    golden("MB-2", DATA, "0001A0031001", samples=1),
    golden("MB-3", DATA, "1000F0FF18FC", samples=1),
    golden("period", PERIOD, "1400"),
)
