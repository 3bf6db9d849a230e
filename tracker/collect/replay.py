# SPDX-License-Identifier: Apache-2.0
"""A recording through the live path: frames, sequence, chain, store, at any speed.

By default the recording travels in frames of its own that carry its times and values; with a
decoder's name it is encoded as that sensor would send it. Time is a clock that starts where the
recording starts and runs `speed` times as fast.
"""

import struct
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from firmware_protocol.errors import TruncatedFrame
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import BasePeripheral, Motion, Notification
from firmware_protocol.registry import Advert, Decoder, Match, Resume, Step, Wish, decoders
from tracker.clock import Clock
from tracker.collect.hub import Sensor
from tracker.collect.simulate import Played, device_of, in_time
from tracker.errors import UsageError
from tracker.model import MICROSECOND_NS, SECOND_NS, Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANNEL = "replay:samples"
RELATIVE_NS = 10**17  # below this (1973) times are relative to the recording's start
_HEAD = struct.Struct("<BI")  # 1 with gyro, number of samples


class RecordingSession:
    """Decodes the replay's own frames: times in microseconds, values as float32."""

    def __init__(self, fs_hz: float) -> None:
        clock = {"tick_hz": 1e6, "tick_bits": 64}
        self._acc = Stream(kind=Kind.ACC, fs_hz=fs_hz, **clock)  # type: ignore[arg-type]
        self._gyro = Stream(kind=Kind.GYRO, fs_hz=fs_hz, **clock)  # type: ignore[arg-type]
        self._with_gyro = False
        self._last: NDArray[np.int64] | None = None

    @property
    def streams(self) -> Sequence[Stream]:
        """Acceleration, and rotation once it was seen."""
        return (self._acc, self._gyro) if self._with_gyro else (self._acc,)

    def start(self) -> Sequence[Step]:
        """Nothing to do."""
        return ()

    def stop(self) -> Sequence[Step]:
        """Nothing to do."""
        return ()

    def pending(self) -> Sequence[Step]:
        """Nothing to do."""
        return ()

    def wrote(self, step: Step, at_ns: int) -> None:
        """Nothing is written."""

    def resume(self) -> Resume | None:
        """A recording misses nothing."""
        return None

    def feed(self, frame: Frame) -> Sequence[Packet]:
        """One packet a frame where the samples are regular, else one a sample."""
        if len(frame.payload) < _HEAD.size:
            raise TruncatedFrame(f"{len(frame.payload)} bytes, expected a header of {_HEAD.size}")
        gyro, n = _HEAD.unpack_from(frame.payload)
        width = 6 if gyro else 3
        if n < 1 or len(frame.payload) != _HEAD.size + n * (8 + 4 * width):
            raise TruncatedFrame(f"{len(frame.payload)} bytes do not hold {n} samples")
        self._with_gyro = bool(gyro)
        ticks = np.frombuffer(frame.payload, "<i8", n, _HEAD.size)
        values = np.frombuffer(frame.payload, "<f4", n * width, _HEAD.size + 8 * n)
        table = values.reshape(n, width)
        before = ticks[:1] - round(1e6 / self._acc.fs_hz) if self._last is None else self._last
        steps = np.diff(np.concatenate([before, ticks]))
        regular = np.abs(steps - 1e6 / self._acc.fs_hz).max() <= 2
        self._last = ticks[-1:]
        edges = [0, n] if regular else list(range(n + 1))
        packets: list[Packet] = []
        for a, b in pairwise(edges):
            tick = int(ticks[b - 1])
            at = tick * MICROSECOND_NS
            rows = table[a:b]
            packets.append(Packet(stream=self._acc, raw=rows[:, :3], received_ns=at, ticks=tick))
            if gyro:
                packets.append(
                    Packet(stream=self._gyro, raw=rows[:, 3:], received_ns=at, ticks=tick)
                )
        return packets


class RecordingDevice(BasePeripheral):
    """The "device" of a recording: packs samples as they are."""

    name = "recording"

    def notify(self, samples: Motion) -> list[Notification]:
        """One frame per chunk."""
        gyr = samples.gyr_dps
        table = samples.acc_g if gyr is None else np.hstack([samples.acc_g, gyr])
        head = _HEAD.pack(int(gyr is not None), len(samples.t_ns))
        ticks = (samples.t_ns // MICROSECOND_NS).astype("<i8").tobytes()
        return [(CHANNEL, head + ticks + table.astype("<f4").tobytes())]


class RecordingDecoder:
    """Fits nothing in the air; used by name."""

    name = "recording"
    title = "Recording"
    connects = False
    services: tuple[str, ...] = ()

    def __init__(self, fs_hz: float = 50.0) -> None:
        self._fs_hz = fs_hz

    def match(self, advert: Advert, services: Sequence[str] = ()) -> Match:
        """Never."""
        return Match(score=0, why="a recording is no device")

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> RecordingSession:
        """A session."""
        return RecordingSession(self._fs_hz)

    def peripheral(self) -> RecordingDevice:
        """The device."""
        return RecordingDevice()


def rate_hz(samples: Samples) -> float:
    """Median rate of a recording."""
    return SECOND_NS / max(1.0, float(np.median(np.diff(samples.t_ns)))) if len(samples) > 1 else 1


def decoder_of(name: str, samples: Samples) -> Decoder:
    """The decoder to replay through; "" is the recording's own. Raises UsageError."""
    if name in ("", "recording"):
        return RecordingDecoder(rate_hz(samples))
    known = decoders()
    if name not in known:
        raise UsageError(f"--decoder {name}: known are recording, {', '.join(known)}")
    return known[name]


def replay_clock(samples: Samples, speed: float) -> tuple[Samples, Clock]:
    """The recording in UTC and a clock that starts with it.

    A recording with relative times is laid so that it ends when its replay ends.
    """
    origin = time.time_ns()  # the one place where a replay touches the machine's clock
    if samples.t_ns[0] < RELATIVE_NS:
        length = int(samples.t_ns[-1] - samples.t_ns[0])
        begin = origin - max(0, round(length * (1 - 1 / speed)))
        shift = begin - begin % (5 * SECOND_NS) - int(samples.t_ns[0])
        shift -= shift % (5 * SECOND_NS)  # epochs stay where `analyze` puts them
        samples = Samples(t_ns=samples.t_ns + shift, acc_g=samples.acc_g, gyr_dps=samples.gyr_dps)
    return samples, Clock(start_ns=int(samples.t_ns[0]), origin_ns=origin, speed=speed)


async def replay(
    sensor: Sensor,
    samples: Samples,
    decoder: Decoder,
    clock: Clock,
    *,
    progress: Callable[[float], None] = lambda _: None,
    done: Callable[[], None] = lambda: None,
) -> None:
    """Play a recording once; `progress` gets the share 0..1, `done` is called at its end."""
    played = Played(sensor=sensor, device=device_of(decoder), clock=clock)
    played.begin(decoder, link="streaming")
    first, last = int(samples.t_ns[0]), int(samples.t_ns[-1])
    async for part in in_time([samples], clock):
        played.play(part)
        progress((int(part.t_ns[-1]) - first) / max(1, last - first))
    done()
