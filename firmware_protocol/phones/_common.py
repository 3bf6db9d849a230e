# SPDX-License-Identifier: Apache-2.0
"""What all phone formats share: strict JSON, numbers checked one by one, packets of one sample.

A phone stamps every sample itself and the stamps are not evenly spaced, so each sample is a
packet of its own with its own ticks; `sequence.py` fits the phone's clock to UTC as it does for any
sensor.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from firmware_protocol.errors import BadField, TruncatedFrame
from firmware_protocol.frame import Frame, Kind, Packet, PacketFlag, Stream
from firmware_protocol.registry import Resume, Step

G_MS2 = 9.80665  # standard gravity, CGPM 1901
RAD_TO_DEG = 180.0 / math.pi
# A phone's accelerometer ends at 8 or 16 g; what is far beyond is a broken number, not a movement.
ACC_LIMIT_G = 64.0
GYRO_LIMIT_DPS = 10_000.0
# A batch of ten minutes at 200 Hz, two streams; larger bodies are refused before they are parsed.
MAX_SAMPLES = 240_000
NS_TICKS = 1e9
LATE = ";late"  # suffix of the channel: the batch came after its turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One stamped vector: ticks in ns of the phone's clock, x, y, z in the stream's unit."""

    ticks_ns: int
    xyz: tuple[float, float, float]


@dataclass(slots=True, kw_only=True)
class PhoneSession:
    """The state of one phone's stream: which streams it has and how its samples become packets.

    `parse` is the format's own function; it may keep what it must remember in `memory`.
    """

    parse: "ParseFunction"
    fs_hz: float = 60.0
    memory: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    clock_ns: tuple[int, int] | None = None

    @property
    def streams(self) -> Sequence[Stream]:
        """Acceleration and rotation, each sample with its own time in ns."""
        return (self._stream(Kind.ACC), self._stream(Kind.GYRO))

    def start(self) -> Sequence[Step]:
        """Nothing has to be written: a phone sends by itself."""
        return ()

    def stop(self) -> Sequence[Step]:
        """Nothing has to be written."""
        return ()

    def pending(self) -> Sequence[Step]:
        """Nothing has to be written."""
        return ()

    def feed(self, frame: Frame) -> Sequence[Packet]:
        """Packets of one body, in order of time. Raises only ProtocolError."""
        self.clock_ns = None
        readings = self.parse(self, read_json(frame.payload), frame.received_ns)
        flags = PacketFlag.REPLAY if frame.channel.endswith(LATE) else PacketFlag.NONE
        packets = [
            self._packet(kind, r, self._sent_ns(r, frame.received_ns), flags)
            for kind, rows in readings.items()
            for r in sorted(rows, key=lambda r: r.ticks_ns)
        ]
        packets.sort(key=lambda p: p.ticks or 0)
        if self.clock_ns is not None and packets and not flags:
            kinds = sorted({p.stream.kind for p in packets})
            packets = [*(self._sync(kind, *self.clock_ns) for kind in kinds), *packets]
        return packets

    def _sent_ns(self, reading: Reading, received_ns: int) -> int:
        """When a reading would have arrived had it not waited for its body.

        A body says what its clock showed when it was sent. Without this a phone that was offline
        for minutes would look like a clock that jumped by minutes.
        """
        if self.clock_ns is None:
            return received_ns
        ticks_ns, utc_ns = self.clock_ns
        return utc_ns - max(0, ticks_ns - reading.ticks_ns)

    def clock_is(self, ticks_ns: int, utc_ns: int) -> None:
        """Say that the phone's clock showed `ticks_ns` at `utc_ns` (called by the format)."""
        self.clock_ns = (ticks_ns, utc_ns)

    def wrote(self, step: Step, at_ns: int) -> None:
        """Nothing is written to a phone."""

    def resume(self) -> Resume | None:
        """A phone repeats what was not acknowledged by itself."""
        return None

    def refuse(self, reason: str) -> None:
        """Count a sample that was left out, by reason; the rest of the body is kept."""
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def _stream(self, kind: Kind) -> Stream:
        return Stream(kind=kind, fs_hz=self.fs_hz, tick_hz=NS_TICKS, tick_bits=64)

    def _sync(self, kind: Kind, ticks_ns: int, utc_ns: int) -> Packet:
        return Packet(
            stream=self._stream(kind),
            raw=np.empty((0, 3), np.float32),
            received_ns=utc_ns,
            ticks=ticks_ns,
            flags=PacketFlag.SYNC,
        )

    def _packet(self, kind: Kind, reading: Reading, received_ns: int, flags: PacketFlag) -> Packet:
        return Packet(
            stream=self._stream(kind),
            raw=np.array([reading.xyz], np.float32),
            received_ns=received_ns,
            ticks=reading.ticks_ns,
            flags=flags,
        )


Readings = Mapping[Kind, Sequence[Reading]]
ParseFunction = Callable[[PhoneSession, object, int], Readings]


def read_json(payload: bytes) -> object:
    """JSON with integers kept exact; NaN and Infinity are refused."""

    def _no_constant(name: str) -> object:
        raise BadField(f"{name} is not a number: leave the sample out")

    try:
        return json.loads(payload.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise BadField("the body is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise TruncatedFrame(f"the body is no complete JSON ({error.msg})") from error
    except RecursionError as error:
        raise BadField("the body is nested too deeply") from error


def table(value: object, what: str) -> Mapping[str, object]:
    """The value as a JSON object."""
    if not isinstance(value, Mapping):
        raise BadField(f"{what} must be an object")
    return value


def rows(value: object, what: str) -> Sequence[object]:
    """The value as a JSON array of bounded length."""
    if not isinstance(value, list):
        raise BadField(f"{what} must be an array")
    if len(value) > MAX_SAMPLES:
        raise BadField(f"{what} holds {len(value)} items, at most {MAX_SAMPLES} are taken at once")
    return value


def whole(value: object, what: str) -> int:
    """The value as an exact integer within 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadField(f"{what} must be a whole number")
    if not 0 <= value < 2**63:
        raise BadField(f"{what} lies outside 0..2^63")
    return value


def vector(
    session: PhoneSession, values: Sequence[object], scale: float, limit: float
) -> tuple[float, float, float] | None:
    """Three finite numbers times a scale, or None (counted) when one is missing or absurd."""
    if len(values) != 3:
        session.refuse("not three values")
        return None
    out = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            session.refuse("not a number")
            return None
        number = value * scale if abs(value) < 1e9 else math.inf
        if not math.isfinite(number) or abs(number) > limit:
            session.refuse("out of range")
            return None
        out.append(float(number))
    return out[0], out[1], out[2]
