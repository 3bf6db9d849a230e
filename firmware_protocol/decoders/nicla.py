# SPDX-License-Identifier: Apache-2.0
"""Arduino Nicla Sense ME with the web-dashboard sketch of Arduino's tutorial; no device time.

The sketch sends the library's unscaled values: acceleration 8/32768 g (the same number as the
16/65536 of a derived sketch), rotation 2000/32768 deg/s; neither was confirmed on a board, so the
check that |acc| is 1 g at rest matters here. It notifies in a tight loop: repeats are echoes. Some
forks put other types under the same UUIDs: anything but 12 bytes is refused.
"""

from collections.abc import Sequence

from firmware_protocol.decoders._base import exactly, float32s
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, floats
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Step, Wish


def uuid(short: int) -> str:
    """A characteristic or service of the sketch."""
    return f"19b10000-{short:04x}-537e-4f6c-d104768a1214"


SERVICE, ACC, GYRO, QUATERNION = uuid(0), uuid(0x5001), uuid(0x6001), uuid(0x7001)
RATE_HZ = 50.0  # an assumption; the real rate is fitted to what arrives


class NiclaSession(TableSession):
    """One connection."""

    title = "Arduino Nicla Sense ME"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self._acc = Stream(kind=Kind.ACC, fs_hz=RATE_HZ, scale=8 / 32768, full_scale=8.0)
        self._gyr = Stream(kind=Kind.GYRO, fs_hz=RATE_HZ, scale=2000 / 32768, full_scale=2000.0)
        self._quat = Stream(kind=Kind.QUAT, fs_hz=RATE_HZ)
        self._gyro = wish.gyro
        self._streams = (self._acc, self._gyr) if wish.gyro else (self._acc,)
        self._handlers = {ACC: self._vector, GYRO: self._vector, QUATERNION: self._attitude}

    def start(self) -> Sequence[Step]:
        """Subscribing starts it."""
        steps = [Step(action="subscribe", channel=ACC, why="acceleration")]
        if self._gyro:
            steps.append(Step(action="subscribe", channel=GYRO, why="rotation"))
        return steps

    def _vector(self, frame: Frame) -> Sequence[Packet]:
        stream = self._acc if frame.channel == ACC else self._gyr
        raw = float32s(exactly(frame, 12), what=stream.kind.value)
        return (Packet(stream=stream, raw=raw, received_ns=frame.received_ns),)

    def _attitude(self, frame: Frame) -> Sequence[Packet]:
        xyzw = float32s(exactly(frame, 16), 4, what="quaternion")
        raw = xyzw[:, [3, 0, 1, 2]]
        return (Packet(stream=self._quat, raw=raw, received_ns=frame.received_ns),)


DECODER = GattDecoder(
    name="nicla",
    title=NiclaSession.title,
    services=(SERVICE,),
    session=NiclaSession,
    device=lambda: RowPeripheral(
        name="NiclaSenseME-00AB",
        service=SERVICE,
        notifies=(ACC, GYRO),
        row=lambda acc, gyr: [
            (ACC, floats([v * 4096 for v in acc])),
            (GYRO, floats([v * 32768 / 2000 for v in gyr])),
        ],
        advertises=True,
    ),
    names=("NiclaSenseME",),
)

GOLDEN = (
    golden("acc", ACC, "000000000000000000008045", samples=1),
    golden("quaternion", QUATERNION, "00" * 12 + "0000803F", samples=1),
)
