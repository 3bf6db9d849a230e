# SPDX-License-Identifier: Apache-2.0
"""InfiniTime (PineTime watch): acceleration about ten times a second; listed for completeness.

Source: InfiniTimeOrg/InfiniTime 8250565, `doc/MotionService.md`. Worn on the wrist it says nothing
about the back; clipped to a shirt it gives slow posture.
"""

from collections.abc import Sequence

from firmware_protocol.decoders._base import BATTERY_STEPS, exactly, int16s
from firmware_protocol.decoders._simple import (
    GattDecoder,
    RowPeripheral,
    TableSession,
    counts,
    ignore,
)
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Step, Wish

SERVICE, STEPS, MOTION = (f"0003000{k}-78fc-48fe-8e23-433b3a1942d0" for k in range(3))


class InfiniTimeSession(TableSession):
    """One connection; no rate control."""

    title = "InfiniTime watch"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self._acc = Stream(kind=Kind.ACC, fs_hz=10.0, scale=1 / 1024)
        self._streams = (self._acc,)
        self._handlers = {MOTION: self._motion, STEPS: ignore}

    def start(self) -> Sequence[Step]:
        """Subscribing starts it."""
        return (*BATTERY_STEPS, Step(action="subscribe", channel=MOTION, why="acceleration"))

    def _motion(self, frame: Frame) -> Sequence[Packet]:
        raw = int16s(exactly(frame, 6))
        return (Packet(stream=self._acc, raw=raw, received_ns=frame.received_ns),)


DECODER = GattDecoder(
    name="infinitime",
    title=InfiniTimeSession.title,
    services=(SERVICE,),
    session=InfiniTimeSession,
    device=lambda: RowPeripheral(
        name="InfiniTime",
        service=SERVICE,
        notifies=(MOTION,),
        row=lambda acc, _gyr: [(MOTION, counts(acc, 1024))],
        has_battery=True,
    ),
    names=("InfiniTime",),
)

GOLDEN = (golden("IT-1", MOTION, "000000FC0004", samples=1),)
