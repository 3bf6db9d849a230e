# SPDX-License-Identifier: Apache-2.0
"""WitMotion WT901BLE and BWT901BLECL5.0: a byte stream of 20-byte frames; no device time.

Source: WITMOTION/WitBluetooth_BWT901BLE5_0 9efaab0, WT901BLECL data sheet v20-0707. The service's
UUID ends in 9A, not in the 9B of the Bluetooth SIG. The sensor's own clock was found 7000 ppm off
(rubenmuehlhans/esphome-witmotion), so time is fitted to arrival. Each setting needs the unlock
before it and a pause after it (the vendor's Python helper forgets both, and nothing is set).
"""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.decoders._base import battery, clipped
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, counts
from firmware_protocol.errors import BadField, TruncatedFrame
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import Notification, golden
from firmware_protocol.registry import Advert, Step, Wish

SERVICE = "0000ffe5-0000-1000-8000-00805f9a34fb"
NOTIFY = "0000ffe4-0000-1000-8000-00805f9a34fb"
WRITE = "0000ffe9-0000-1000-8000-00805f9a34fb"
LENGTH = 20
RATES_HZ = {0.2: 1, 0.5: 2, 1: 3, 2: 4, 5: 5, 10: 6, 20: 7, 50: 8, 100: 9, 200: 0x0B}
UNLOCK, SAVE, SIX_AXIS = b"\xff\xaa\x69\x88\xb5", b"\xff\xaa\x00\x00\x00", b"\xff\xaa\x24\x01\x00"
REGISTER_BATTERY, REGISTER_MAG, REGISTER_QUATERNION = 0x64, 0x3A, 0x51
BATTERY_EVERY_NS = 60_000_000_000
# Vendor's table: volts times 100, percent.
BATTERY = (
    (397, 100), (393, 90), (387, 75), (382, 60), (379, 50), (377, 40),
    (373, 30), (370, 20), (368, 15), (350, 10), (340, 5),
)  # fmt: skip
LEAST_G = 0.05
QUAT_STREAM = Stream(kind=Kind.QUAT, fs_hz=1.0, scale=1 / 32768)


def battery_percent(centivolts: int) -> int:
    """The vendor's steps from cell voltage to percent."""
    return next((percent for volts, percent in BATTERY if centivolts >= volts), 0)


def registers(frame: bytes) -> tuple[int, tuple[int, ...]]:
    """First register and its eight values, from a `55 71` frame."""
    if len(frame) != LENGTH or frame[:2] != b"\x55\x71":
        raise TruncatedFrame(f"{frame.hex()} is no register answer of 20 bytes; ask again")
    first, *values = struct.unpack_from("<H8h", frame, 2)
    return first, tuple(values)


def split(buffer: bytes) -> tuple[list[bytes], bytes, int]:
    """Whole frames, what to keep for the next bytes, and how many bytes were skipped.

    A frame that is not followed by the next one's 0x55 is still taken, unless another frame
    begins inside it: then the two bytes it seemed to begin with were data (or it is the 28-byte
    frame of the WTVB01 vibration sensor).
    """
    frames: list[bytes] = []
    skipped = 0
    while True:
        at = _sync(buffer, 0)
        skipped += at
        buffer = buffer[at:]
        if len(buffer) < LENGTH:
            return frames, buffer, skipped
        inside = _sync(buffer[:LENGTH], 2)
        if len(buffer) > LENGTH and buffer[LENGTH] != 0x55 and inside < LENGTH - 1:
            buffer, skipped = buffer[inside:], skipped + inside
            continue
        frames.append(buffer[:LENGTH])
        buffer = buffer[LENGTH:]


def _sync(buffer: bytes, start: int) -> int:
    """Where a frame may begin; a lone 0x55 at the very end may be half of a beginning."""
    at = start
    while (at := buffer.find(0x55, at)) >= 0:
        if at + 1 == len(buffer) or buffer[at + 1] in (0x61, 0x71):
            return at
        at += 1
    return len(buffer)


class WitMotionSession(TableSession):
    """One connection; keeps what of the byte stream is not yet a whole frame."""

    title = "WitMotion"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self._rate = min(RATES_HZ, key=lambda r: abs(r - wish.fs_hz))
        fs = float(self._rate)
        self._acc = Stream(kind=Kind.ACC, fs_hz=fs, scale=16 / 32768, full_scale=16.0)
        self._gyro = Stream(kind=Kind.GYRO, fs_hz=fs, scale=2000 / 32768, full_scale=2000.0)
        self._euler = Stream(kind=Kind.EULER, fs_hz=fs, scale=180 / 32768)
        self._streams = (self._acc, self._gyro, self._euler)
        self._handlers = {NOTIFY: self._bytes}
        self._buffer = b""
        self._asked_ns: int | None = None
        self._ask = False
        self.skipped = 0

    def start(self) -> Sequence[Step]:
        """Subscribe; unlock, six-axis fusion, rate, save, each with its pause."""
        pause = Step(action="sleep", timeout_s=0.1, why="the sensor needs a moment per setting")
        rate = b"\xff\xaa\x03" + bytes([RATES_HZ[self._rate], 0])
        steps: list[Step] = [Step(action="subscribe", channel=NOTIFY, why="measurements")]
        for data, why in ((UNLOCK, "unlock"), (SIX_AXIS, "no magnetometer"), (rate, "rate")):
            steps += [Step(action="write", channel=WRITE, data=data, why=why), pause]
        return (*steps, Step(action="write", channel=WRITE, data=SAVE, why="keep"))

    def pending(self) -> Sequence[Step]:
        """Ask for the battery once a minute."""
        if not self._ask:
            return ()
        self._ask = False
        data = b"\xff\xaa\x27" + bytes([REGISTER_BATTERY, 0])
        return (Step(action="write", channel=WRITE, data=data, why="battery level"),)

    def _bytes(self, frame: Frame) -> Sequence[Packet]:
        if self._asked_ns is None or frame.received_ns - self._asked_ns > BATTERY_EVERY_NS:
            self._ask, self._asked_ns = True, frame.received_ns
        frames, self._buffer, skipped = split(self._buffer + frame.payload)
        self.skipped += skipped
        packets: list[Packet] = []
        motion = [f for f in frames if f[1] == 0x61]
        for answer in frames:
            if answer[1] == 0x71:
                packets += self._register(answer, frame)
        if not motion:
            return packets
        raw = np.array([np.frombuffer(f, "<i2", offset=2) for f in motion], np.int16)
        self._plausible(raw[:, :3])
        for stream, at in ((self._acc, 0), (self._gyro, 3), (self._euler, 6)):
            part = raw[:, at : at + 3]
            flags = clipped(part) if stream is not self._euler else clipped(part, -40000, 40000)
            packets.append(
                Packet(stream=stream, raw=part, received_ns=frame.received_ns, flags=flags)
            )
        return packets

    def _plausible(self, acc: NDArray[np.int16]) -> None:
        norm_g = np.linalg.norm(acc.astype(float), axis=1) * self._acc.scale
        if (norm_g < LEAST_G).any():
            raise BadField(
                f"acceleration of {norm_g.min():.3f} g: this looks like a WTVB01 vibration sensor, "
                "which cannot be used, or like a sensor in free fall"
            )

    def _register(self, answer: bytes, frame: Frame) -> list[Packet]:
        first, values = registers(answer)
        if first == REGISTER_BATTERY:
            return [battery(frame, battery_percent(values[0]))]
        if first == REGISTER_QUATERNION:
            raw = np.array([values[:4]], np.int16)
            return [Packet(stream=QUAT_STREAM, raw=raw, received_ns=frame.received_ns)]
        return []


class WitMotionPeripheral(RowPeripheral):
    """A simulated sensor; a setting without a fresh unlock is ignored, as by the real one."""

    def __init__(self) -> None:
        super().__init__(
            name="WT901BLE67",
            service=SERVICE,
            notifies=(NOTIFY,),
            writes=(WRITE,),
            row=lambda acc, gyr: [(NOTIFY, encode(acc, gyr))],
        )
        self.unlocked = False
        self.rate_code = 6

    def answer(self, uuid: str, data: bytes) -> list[Notification]:
        """Unlock, rate, register reads."""
        if data == UNLOCK:
            self.unlocked = True
        elif data[:3] == b"\xff\xaa\x03" and len(data) == 5 and self.unlocked:
            self.rate_code = data[3]
        elif data[:3] == b"\xff\xaa\x27" and len(data) == 5:
            values = struct.pack("<8h", 390, 0, 0, 0, 0, 0, 0, 0)
            return [(NOTIFY, b"\x55\x71" + data[3:4] + b"\x00" + values)]
        return []


def encode(acc_g: Sequence[float], gyr_dps: Sequence[float]) -> bytes:
    """A `55 61` frame; the angles are those of a level sensor."""
    return b"\x55\x61" + counts(acc_g, 2048) + counts(gyr_dps, 32768 / 2000) + bytes(6)


DECODER = GattDecoder(
    name="witmotion",
    title=WitMotionSession.title,
    services=(SERVICE,),
    session=WitMotionSession,
    device=WitMotionPeripheral,
    names=("WT",),
)

GOLDEN = (
    golden("WT-1", NOTIFY, "5561000000080000000000000000004000000000", samples=1),
    golden("WT-2", NOTIFY, "55615AFF300025080A00F6FF01008E0538FE00A0", samples=1),
    golden("WT-3", NOTIFY, "5561FF7F00800000FF7F00800000FF7F00800000", samples=1),
    golden("WT-4", NOTIFY, "55713A00680169007A0000000000000000000000"),
    golden("WT-5", NOTIFY, "5571640086010000000000000000000000000000"),
    golden("WT-6", NOTIFY, "55715100FF7F0000000000000000000000000000", samples=1),
)
