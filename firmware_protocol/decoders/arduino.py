# SPDX-License-Identifier: Apache-2.0
"""Arduino Nano 33 BLE Sense with the dashboard sketch of arduino/ArduinoAI; no device time.

There is no vendor-standard profile for Arduino boards; this is the most copied convention. Other
sketches: the user-described decoder. Sent at the chip's rate, one sample a notification.
"""

from collections.abc import Sequence

from firmware_protocol.decoders._base import exactly, float32s
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, floats
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Step, Wish


def uuid(short: int) -> str:
    """A characteristic or service of the dashboard sketch."""
    return f"6fbe1da7-{short:04x}-44de-92c4-bb6e04fb0212"


SERVICE, ACC, GYRO, MAG = uuid(0), uuid(0x3001), uuid(0x3002), uuid(0x3003)
CHIP_HZ = 119.0  # LSM9DS1 at the library's setting; the real rate is fitted


class ArduinoSession(TableSession):
    """One connection."""

    title = "Arduino Nano 33 BLE Sense"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        acc = Stream(kind=Kind.ACC, fs_hz=CHIP_HZ, full_scale=4.0)
        gyro = Stream(kind=Kind.GYRO, fs_hz=CHIP_HZ, full_scale=2000.0)
        mag = Stream(kind=Kind.MAG, fs_hz=20.0)
        self._gyro = wish.gyro
        self._streams = (acc, gyro) if wish.gyro else (acc,)
        self._by_channel = {ACC: acc, GYRO: gyro, MAG: mag}
        self._handlers = dict.fromkeys(self._by_channel, self._values)

    def start(self) -> Sequence[Step]:
        """Subscribing starts it."""
        steps = [Step(action="subscribe", channel=ACC, why="acceleration")]
        if self._gyro:
            steps.append(Step(action="subscribe", channel=GYRO, why="rotation"))
        return steps

    def _values(self, frame: Frame) -> Sequence[Packet]:
        stream = self._by_channel[frame.channel]
        raw = float32s(exactly(frame, 12), what=stream.kind.value)
        return (Packet(stream=stream, raw=raw, received_ns=frame.received_ns),)


DECODER = GattDecoder(
    name="arduino",
    title=ArduinoSession.title,
    services=(SERVICE,),
    session=ArduinoSession,
    device=lambda: RowPeripheral(
        name="BLESense-00AB",
        service=SERVICE,
        notifies=(ACC, GYRO),
        row=lambda acc, gyr: [(ACC, floats(acc)), (GYRO, floats(gyr))],
        advertises=True,
    ),
    names=("BLESense-",),
)

GOLDEN = (
    golden("AR-1", ACC, "0000803C000080BE0000803F", samples=1),
    golden("AR-2", GYRO, "00004841000000BF00007A43", samples=1),
)
