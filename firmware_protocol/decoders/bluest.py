# SPDX-License-Identifier: Apache-2.0
"""ST BlueST boards (SensorTile, BlueCoin, BlueNRG-Tile): features told by the UUID's own bits.

Source: ST UM2496, STMicroelectronics/BlueSTSDK_Python 0a492c9. Each notification begins with a
16-bit time whose unit is 8 ms in ST's function packs and 1 ms elsewhere: it is measured against
arrival over the first two seconds, whose packets are held back until then. The rate is the
firmware's.
"""

import struct
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from firmware_protocol.decoders._base import at_least, battery, clipped, exactly, int16s
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, counts
from firmware_protocol.errors import BadField, UnknownFrame
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import Motion, Notification, golden
from firmware_protocol.registry import Advert, Step, Wish

SERVICE = "00000000-0001-11e1-9ab4-0002a5d5c51b"
SUFFIX = "-0001-11e1-ac36-0002a5d5c51b"
ACC, GYRO, MAG, BATTERY, FUSION_COMPACT, FUSION = (
    0x00800000, 0x00400000, 0x00200000, 0x00020000, 0x00000100, 0x00000080,
)  # fmt: skip
# In the order in which a board is likely to have them; what is missing is skipped.
CANDIDATES = (ACC | GYRO | MAG, ACC | GYRO, ACC, GYRO)
DEMO_HZ = 20.0
HOLD_NS, HOLD_N = 2_000_000_000, 10
UNITS_MS = (1.0, 8.0)
FASTEST_TICKS = 1 << 16


def feature(mask: int) -> str:
    """The characteristic of a combination of features."""
    return f"{mask:08x}{SUFFIX}"


class BlueStSession(TableSession):
    """One connection; packets of the first two seconds wait for the unit of time."""

    title = "ST BlueST board"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self._wanted = CANDIDATES if wish.gyro else (*CANDIDATES[:3],)
        self.tick_ms: float | None = None
        self._ticks: list[tuple[int, int]] = []
        self._held: list[Packet] = []
        self._source: dict[Kind, str] = {}
        self._streams = (self._stream(Kind.ACC, 1e-3), self._stream(Kind.GYRO, 0.1))

    def _stream(self, kind: Kind, scale: float) -> Stream:
        tick_hz = 1000.0 / (self.tick_ms or 1.0)
        return Stream(kind=kind, fs_hz=DEMO_HZ, scale=scale, tick_hz=tick_hz, tick_bits=16)

    def start(self) -> Sequence[Step]:
        """Subscribe to whatever combination of features the board has."""
        return tuple(
            Step(action="subscribe", channel=feature(mask), optional=True, why="features")
            for mask in (*self._wanted, BATTERY)
        )

    def feed(self, frame: Frame) -> Sequence[Packet]:
        """Decode by the mask in the UUID."""
        if not frame.channel.endswith(SUFFIX):
            return super().feed(frame)
        try:
            mask = int(frame.channel[:8], 16)
        except ValueError:
            raise UnknownFrame(f"{frame.channel} is no feature of a BlueST board") from None
        if mask == BATTERY:
            percent, _, _, _ = struct.unpack_from("<HhhB", exactly(frame, 9), 2)
            return (battery(frame, percent / 10),)
        packets = self._features(mask, frame)
        if self.tick_ms is not None or not packets:
            return packets
        return self._wait(packets)

    def _features(self, mask: int, frame: Frame) -> list[Packet]:
        (tick,) = struct.unpack_from("<H", at_least(frame, 2))
        if mask in (FUSION_COMPACT, FUSION):
            return self._attitude(mask, frame, tick)
        known = [(ACC, Kind.ACC, 1e-3), (GYRO, Kind.GYRO, 0.1), (MAG, Kind.MAG, 0.1)]
        parts = [(kind, scale) for bit, kind, scale in known if mask & bit]
        if not parts or mask & ~(ACC | GYRO | MAG):
            raise UnknownFrame(f"features {mask:#010x} are not used here; ignore them")
        raw = int16s(exactly(frame, 2 + 6 * len(parts))[2:])
        packets = []
        for k, (kind, scale) in enumerate(parts):
            if self._source.setdefault(kind, frame.channel) == frame.channel:
                row = raw[k : k + 1]
                packets.append(
                    Packet(
                        stream=self._stream(kind, scale),
                        raw=row,
                        received_ns=frame.received_ns,
                        ticks=tick,
                        flags=clipped(row),
                    )
                )
        return packets

    def _attitude(self, mask: int, frame: Frame, tick: int) -> list[Packet]:
        data = frame.payload[2:]
        if mask == FUSION_COMPACT:
            exactly(frame, 8, 14, 20)
            vector = int16s(data).astype(np.float64) / 10_000
        else:
            exactly(frame, 14, 18)
            vector = np.frombuffer(data[:12], "<f4").astype(np.float64).reshape(1, 3)
        rest = 1.0 - (vector**2).sum(axis=1)
        if not (np.isfinite(rest) & (rest > -0.01)).all():
            raise BadField(f"quaternion {data.hex()} is longer than 1; drop this frame")
        raw = np.column_stack([np.sqrt(np.maximum(rest, 0.0)), vector])
        stream = self._stream(Kind.QUAT, 1.0)
        return [Packet(stream=stream, raw=raw, received_ns=frame.received_ns, ticks=tick)]

    def _wait(self, packets: list[Packet]) -> list[Packet]:
        newest = packets[0]
        self._ticks.append((newest.received_ns, newest.ticks or 0))
        self._held += packets
        passed = newest.received_ns - self._ticks[0][0]
        if (passed < HOLD_NS or len(self._ticks) < HOLD_N) and len(self._ticks) < 1000:
            return []
        steps = [
            (b[1] - a[1]) % FASTEST_TICKS
            for a, b in zip(self._ticks, self._ticks[1:], strict=False)
        ]
        unit = max(passed, 1) / 1e6 / max(sum(s for s in steps if s < FASTEST_TICKS // 2), 1)
        self.tick_ms = min(UNITS_MS, key=lambda u: abs(np.log(unit / u)))
        period_ms = median(steps) * self.tick_ms
        held, self._held = self._held, []
        fs = 1000 / period_ms if period_ms else DEMO_HZ
        tick_hz = 1000.0 / self.tick_ms
        self._streams = tuple(replace(s, tick_hz=tick_hz, fs_hz=fs) for s in self._streams)
        return [replace(p, stream=replace(p.stream, tick_hz=tick_hz)) for p in held]


class BlueStPeripheral(RowPeripheral):
    """A simulated SensorTile; `tick_ms` is the unit of its time."""

    def __init__(self, *, tick_ms: int = 8) -> None:
        self.channel = feature(ACC | GYRO)
        super().__init__(name="BCN-002", service=SERVICE, notifies=(self.channel, feature(BATTERY)))
        self.tick_ms = tick_ms
        self._epoch_ns: int | None = None

    def notify(self, samples: Motion) -> list[Notification]:
        """Time, acceleration, rotation."""
        gyr = samples.gyr_dps if samples.gyr_dps is not None else np.zeros_like(samples.acc_g)
        out: list[Notification] = []
        for t, a, g in zip(samples.t_ns.tolist(), samples.acc_g, gyr, strict=True):
            self._epoch_ns = t if self._epoch_ns is None else self._epoch_ns
            if self.channel in self.subscribed:
                tick = (t - self._epoch_ns) // 1_000_000 // self.tick_ms % FASTEST_TICKS
                body = counts(a.tolist(), 1000) + counts(g.tolist(), 10)
                out.append((self.channel, struct.pack("<H", tick) + body))
        return out


DECODER = GattDecoder(
    name="bluest",
    title=BlueStSession.title,
    services=(SERVICE,),
    session=BlueStSession,
    device=BlueStPeripheral,
)

GOLDEN = (
    # Held back until the unit of time is known, so no samples come out yet.
    golden("ST-1", feature(ACC | GYRO | MAG), "E8030A00F6FFE803640038FF00002C01D4FE9001"),
    golden("ST-2", feature(FUSION_COMPACT), "64000000 00009F1B"),
    golden("battery", feature(BATTERY), "6400 E803 A00F 0000 00"),
)

# Other devices the contract test plays besides `DECODER.peripheral()`.
VARIANTS = {"1-ms": lambda: BlueStPeripheral(tick_ms=1)}
