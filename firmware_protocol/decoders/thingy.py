# SPDX-License-Identifier: Apache-2.0
"""Nordic Thingy:52: raw acceleration and rotation, or its own fused attitude; no device time.

Source: NordicSemiconductor/Nordic-Thingy52-FW 6ada0a9 (fixed-point formats of `ble_tms.h`).
Only one motion characteristic is switched on: all at once fail on some hosts (#22). Older Nordic
libraries converted the fixed-point values wrongly (Android-Nordic-Thingy PR #8).
"""

import struct
from collections.abc import Sequence

import numpy as np

from firmware_protocol.decoders._base import (
    BATTERY_LEVEL,
    BATTERY_SERVICE,
    BATTERY_STEPS,
    BaseSession,
    G,
    battery,
    clipped,
    exactly,
    float32s,
    int16s,
    match_services,
    unknown_channel,
)
from firmware_protocol.errors import BadField
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import (
    AttError,
    BasePeripheral,
    Characteristic,
    Motion,
    Notification,
    golden,
)
from firmware_protocol.registry import Advert, Match, Resume, Step, Wish


def uuid(short: int) -> str:
    """A characteristic or service of the Thingy."""
    return f"ef68{short:04x}-9b35-4933-9b10-52ffa9740042"


CONFIGURATION_SERVICE, MOTION_SERVICE = uuid(0x0100), uuid(0x0400)
CONFIG, TAP, ORIENTATION, QUATERNION, STEPS, RAW = (uuid(k) for k in range(0x0401, 0x0407))
EULER, MATRIX, HEADING, GRAVITY = (uuid(k) for k in range(0x0407, 0x040B))
LENGTHS = {TAP: 2, ORIENTATION: 1, STEPS: 8, MATRIX: 18, HEADING: 4}
FASTEST_HZ, SLOWEST_HZ = 200, 5


def encode_config(rate_hz: int, *, wake_on_motion: bool = False) -> bytes:
    """Steps 1000 ms, temperature and magnetometer compensation 500 ms, then rate and wake."""
    return struct.pack("<HHHHB", 1000, 500, 500, rate_hz, wake_on_motion)


class ThingySession(BaseSession):
    """One connection."""

    def __init__(self, wish: Wish) -> None:
        self._rate_hz = round(min(max(wish.fs_hz, SLOWEST_HZ), FASTEST_HZ))
        self._build(float(self._rate_hz))

    def _build(self, fs_hz: float) -> None:
        self._acc = Stream(kind=Kind.ACC, fs_hz=fs_hz, scale=1 / 1024, full_scale=32.0)
        self._gyro = Stream(kind=Kind.GYRO, fs_hz=fs_hz, scale=1 / 32, full_scale=1024.0)
        self._mag = Stream(kind=Kind.MAG, fs_hz=fs_hz, scale=1 / 16)
        self._quat = Stream(kind=Kind.QUAT, fs_hz=fs_hz, scale=1 / 2**30)
        self._euler = Stream(kind=Kind.EULER, fs_hz=fs_hz, scale=1 / 65536)
        self._gravity = Stream(kind=Kind.GRAVITY, fs_hz=fs_hz, scale=1 / G)

    @property
    def streams(self) -> Sequence[Stream]:
        """The raw characteristic's three."""
        return (self._acc, self._gyro, self._mag)

    def start(self) -> Sequence[Step]:
        """Write the rate (kept in flash), then switch the raw characteristic on."""
        return (
            *BATTERY_STEPS,
            Step(action="write", channel=CONFIG, data=encode_config(self._rate_hz), why="rate"),
            Step(action="read", channel=CONFIG, why="rate as applied"),
            Step(action="subscribe", channel=RAW, why="acceleration and rotation"),
        )

    def stop(self) -> Sequence[Step]:
        """The chip rests when no motion notification is on."""
        return (Step(action="unsubscribe", channel=RAW, why="stop"),)

    def feed(  # noqa: PLR0911 - one return per characteristic
        self, frame: Frame
    ) -> Sequence[Packet]:
        """Decode any motion characteristic; events are checked and ignored."""
        at = frame.received_ns
        if frame.channel == RAW:
            raw = int16s(exactly(frame, 18), 9)
            return tuple(
                Packet(
                    stream=s,
                    raw=raw[:, k : k + 3],
                    received_ns=at,
                    flags=clipped(raw[:, k : k + 3]),
                )
                for s, k in ((self._acc, 0), (self._gyro, 3), (self._mag, 6))
            )
        if frame.channel == QUATERNION:
            q = np.frombuffer(exactly(frame, 16), "<i4").astype(np.int64).reshape(1, 4)
            return (Packet(stream=self._quat, raw=q, received_ns=at),)
        if frame.channel == EULER:
            angles = np.frombuffer(exactly(frame, 12), "<i4").astype(np.int64).reshape(1, 3)
            return (Packet(stream=self._euler, raw=angles, received_ns=at),)
        if frame.channel == GRAVITY:
            up = float32s(exactly(frame, 12), what="gravity")
            return (Packet(stream=self._gravity, raw=up, received_ns=at),)
        if frame.channel == CONFIG:
            (rate,) = struct.unpack_from("<H", exactly(frame, 9), 6)
            if not SLOWEST_HZ <= rate <= FASTEST_HZ:
                raise BadField(f"the Thingy says {rate} Hz; it can do 5 to 200, write it again")
            self._build(float(rate))
            return ()
        if frame.channel in LENGTHS:
            exactly(frame, LENGTHS[frame.channel])
            return ()
        if frame.channel == BATTERY_LEVEL:
            return (battery(frame),)
        raise unknown_channel(frame, DECODER.title)


def encode_raw(acc_g: Sequence[float], gyr_dps: Sequence[float]) -> bytes:
    """A 0406 notification of one sample; the magnetic field is a constant one."""
    counts = np.rint([*(1024 * v for v in acc_g), *(32 * v for v in gyr_dps), 320, 0, -640])
    return np.clip(counts, -32768, 32767).astype("<i2").tobytes()


class ThingyPeripheral(BasePeripheral):
    """A simulated Thingy:52."""

    name = "Thingy"
    services = (CONFIGURATION_SERVICE,)

    def __init__(self) -> None:
        super().__init__()
        self.config = encode_config(10, wake_on_motion=True)

    def characteristics(self) -> Sequence[Characteristic]:
        """Motion service and battery."""
        both = ("read", "write")
        return (
            Characteristic(service=MOTION_SERVICE, uuid=CONFIG, flags=both, value=self.config),
            Characteristic(service=MOTION_SERVICE, uuid=RAW, flags=("notify",)),
            Characteristic(service=BATTERY_SERVICE, uuid=BATTERY_LEVEL, flags=("read", "notify")),
        )

    def on_write(self, uuid: str, data: bytes, now_ns: int | None = None) -> list[Notification]:
        """Only the motion configuration."""
        if uuid != CONFIG:
            return super().on_write(uuid, data, now_ns)
        if len(data) != 9:
            raise AttError(0x0D, "the motion configuration has nine bytes")
        self.config = data
        return []

    def notify(self, samples: Motion) -> list[Notification]:
        """One notification per sample."""
        if RAW not in self.subscribed:
            return []
        gyr = samples.gyr_dps if samples.gyr_dps is not None else np.zeros_like(samples.acc_g)
        return [(RAW, encode_raw(a, g)) for a, g in zip(samples.acc_g, gyr, strict=True)]


class Thingy:
    """The decoder of the Thingy:52."""

    name = "thingy"
    title = "Nordic Thingy:52"
    connects = True
    services = (MOTION_SERVICE, CONFIGURATION_SERVICE)

    def match(self, advert: Advert, services: Sequence[str] = ()) -> Match:
        """By the motion service; the advertisement shows the configuration service."""
        wanted = (MOTION_SERVICE,) if services else self.services
        return match_services(wanted, advert, services, title=self.title, names=("Thingy",))

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> ThingySession:
        """Begin a connection."""
        return ThingySession(wish)

    def peripheral(self) -> ThingyPeripheral:
        """A simulated device."""
        return ThingyPeripheral()


DECODER = Thingy()

GOLDEN = (
    golden("TH-2", RAW, "FAFFF4FFF6032000E0FF4006C8FE2A0180FD", samples=1),
    golden("TH-4", QUATERNION, "CD3C412D00000000CD3C412D00000000", samples=1),
    golden("TH-5", EULER, "0080F3FF00005A0000F0B300", samples=1),
    golden("TH-6", GRAVITY, "00000000000000000AE81C41", samples=1),
    golden("TH-7", CONFIG, "E803F401F401640000"),
)
