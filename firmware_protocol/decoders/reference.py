# SPDX-License-Identifier: Apache-2.0
"""Our own open profile, version 1 (`firmware_protocol/PROTOCOL.md`): the sensor that loses nothing.

Every frame carries a sample index and the device's clock; the device keeps a ring buffer, and
after each reconnect (and after a lost notification) this session asks for what is missing.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from firmware_protocol.decoders import _reference_wire as wire
from firmware_protocol.decoders._base import (
    BATTERY_LEVEL,
    BATTERY_STEPS,
    DPS_PER_RAD,
    BaseSession,
    G,
    battery,
    clipped,
    match_services,
    unknown_channel,
)
from firmware_protocol.decoders._reference_account import Account
from firmware_protocol.decoders._reference_clock import ClockExchange
from firmware_protocol.decoders._reference_device import ReferencePeripheral
from firmware_protocol.errors import BadField
from firmware_protocol.frame import Frame, Kind, Packet, PacketFlag, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Match, Resume, Step, Wish


class _Part(NamedTuple):
    """A stream inside a frame: its columns and what one count is worth."""

    stream: Stream
    columns: slice


class ReferenceSession(BaseSession):
    """One connection to a device that speaks the profile."""

    def __init__(self, wish: Wish, resume: Resume | None = None) -> None:
        self._wish = wish
        self._old = resume if resume and resume.decoder == "reference" else None
        self._caps: wire.Capabilities | None = None
        self._config: wire.Config | None = None
        self._scale: wire.Scale | None = None
        self._status: wire.Status | None = None
        self._parts: tuple[_Part, ...] = ()
        self._started = False
        self._account = Account()
        self._clock = ClockExchange()

    @property
    def streams(self) -> Sequence[Stream]:
        """Streams of the configured layout; as wished until the device has answered."""
        if self._parts:
            return tuple(p.stream for p in self._parts)
        wished = wire.Config.wished(self._wish, None)
        return tuple(p.stream for p in _parts(wished, wire.Scale.typical(wished), 32768.0))

    @property
    def status(self) -> wire.Status | None:
        """The device's last status."""
        return self._status

    def start(self) -> Sequence[Step]:
        """Read what the device is and does; configuring and START follow from the answers."""
        return (
            Step(action="read", channel=wire.CAPABILITIES, why="what the device can do"),
            Step(action="read", channel=wire.CONFIG, why="how it is set"),
            Step(action="read", channel=wire.SCALE, why="what one count is worth"),
            Step(action="read", channel=wire.STATUS, why="sample index, boot counter, buffer"),
            *BATTERY_STEPS,
            Step(action="subscribe", channel=wire.CONTROL, why="answers"),
            Step(action="subscribe", channel=wire.LIVE, why="live samples"),
            Step(action="subscribe", channel=wire.REPLAY, why="replayed samples"),
            Step(action="subscribe", channel=wire.STATUS, optional=True, why="status changes"),
        )

    def stop(self) -> Sequence[Step]:
        """Unsubscribe: streaming ends, and a device told to keep sampling fills its ring.

        Not STOP, which would end the sampling too: a restarted collector would find a gap.
        """
        return tuple(
            Step(action="unsubscribe", channel=c, why="stop streaming")
            for c in (wire.LIVE, wire.REPLAY)
        )

    def pending(self) -> Sequence[Step]:
        """Configuration and START once the device is known; then SYNC and REPLAY when due."""
        steps: list[Step] = []
        if not self._started:
            if not (self._caps and self._config and self._scale and self._status):
                return ()
            self._started = True
            self._account.buffers = self._caps.ring_samples > 0
            self._account.begin(self._status, self._old)
            steps += self._configure(self._config, self._status)
            steps += self._clock.steps()
            start = bytes([wire.START])
            steps.append(Step(action="write", channel=wire.CONTROL, data=start, why="start"))
        if self._clock.due:
            steps += self._clock.steps()
        if (wanted := self._account.ask()) is not None:
            first, last = wanted
            data = struct.pack("<BII", wire.REPLAY_OP, first & 0xFFFFFFFF, last & 0xFFFFFFFF)
            why = f"samples {first} to {last} are missing"
            steps.append(Step(action="write", channel=wire.CONTROL, data=data, why=why))
        return steps

    def _configure(self, now: wire.Config, status: wire.Status) -> list[Step]:
        wanted = wire.Config.wished(self._wish, self._caps)
        if now == wanted:
            return []  # the buffer of a device that kept sampling stays usable
        self._account.missing.clear()  # a new layout empties the buffer
        steps = []
        if status.streaming or status.buffering:
            stop = bytes([wire.STOP])
            steps.append(Step(action="write", channel=wire.CONTROL, data=stop, why="to configure"))
        return [
            *steps,
            Step(action="write", channel=wire.CONFIG, data=wanted.encode(), why="configure"),
            Step(action="read", channel=wire.CONFIG, why="as applied"),
            Step(action="read", channel=wire.SCALE, why="scale of the new ranges"),
        ]

    def vibrate(self, ms: int) -> Sequence[Step]:
        """IDENTIFY for as long, in whole seconds: the device vibrates, else it lights a lamp."""
        data, why = bytes([wire.IDENTIFY, -(-ms // 1000)]), "prompt"
        return (Step(action="write", channel=wire.CONTROL, data=data, why=why, optional=True),)

    def wrote(self, step: Step, at_ns: int) -> None:
        """Keep when a SYNC request left."""
        self._clock.wrote(step, at_ns)

    def resume(self) -> Resume | None:
        """Newest index and the ranges still missing, with the boot counter they belong to."""
        if not self._account.buffers:
            return None  # nothing is buffered, so nothing can be asked for
        if not self._started or self._status is None or self._account.next is None:
            return self._old
        return Resume(
            decoder="reference",
            boot=self._status.boot,
            next_index=self._account.next,
            missing=tuple(self._account.missing),
        )

    def feed(self, frame: Frame) -> Sequence[Packet]:
        """Decode a stream frame; take answers, settings and status in."""
        if frame.channel in (wire.LIVE, wire.REPLAY):
            return self._samples(frame)
        if frame.channel == wire.CONTROL:
            return self._answer(frame)
        if frame.channel == wire.STATUS:
            self._status = wire.Status.decode(frame.payload)
        elif frame.channel == wire.CAPABILITIES:
            self._caps = wire.Capabilities.decode(frame.payload)
        elif frame.channel == wire.CONFIG:
            self._config = wire.Config.decode(frame.payload)
        elif frame.channel == wire.SCALE:
            self._scale = wire.Scale.decode(frame.payload)
        elif frame.channel == BATTERY_LEVEL:
            return (battery(frame),)
        else:
            raise unknown_channel(frame, DECODER.title)
        if self._config and self._scale:
            tick_hz = float(self._caps.tick_hz) if self._caps else 32768.0
            self._parts = _parts(self._config, self._scale, tick_hz)
        return ()

    def _samples(self, frame: Frame) -> Sequence[Packet]:
        block = wire.StreamFrame.decode(frame.payload)
        if block.layout == wire.EVENT:
            return ()
        if self._config is None or not self._parts:
            raise BadField("samples came before the scale was read; read 0002 to 0004 first")
        if block.layout != self._config.layout:
            raise BadField(
                f"layout {block.layout} although {self._config.layout} is configured; "
                "read the configuration again"
            )
        n, at = block.raw.shape[0], frame.received_ns
        replayed = block.replay or frame.channel == wire.REPLAY
        if replayed:
            index = self._account.place_replayed(block.index16, n, at)
        else:
            index = self._account.place_live(block.index16, n, at, lost_there=block.gap)
        self._clock.tick_by(at)
        flags = clipped(block.raw, low=-32767)
        if replayed:
            flags |= PacketFlag.REPLAY
        if block.gap:
            flags |= PacketFlag.GAP_BEFORE
        boot = self._status.boot if self._status else None
        return tuple(
            Packet(
                stream=part.stream,
                raw=block.raw[:, part.columns],
                received_ns=frame.received_ns,
                ticks=block.tick,
                index=index,
                valid=(block.raw[:, part.columns] != wire.INVALID).all(axis=1),
                flags=flags,
                boot=boot,
            )
            for part in self._parts
        )

    def _answer(self, frame: Frame) -> Sequence[Packet]:
        answer = wire.Answer.decode(frame.payload)
        if answer.op == wire.SYNC and answer.status == wire.OK:
            return self._exchanged(answer, frame.received_ns)
        if answer.op in (wire.START, wire.STOP) and answer.status:
            raise BadField(
                f"the sensor refused operation {answer.op}: status {answer.status} "
                "(PROTOCOL.md 3.6); reconnect"
            )
        if answer.op == wire.REPLAY_OP:
            self._account.answered(answer.status)
        return ()

    def _exchanged(self, answer: wire.Answer, arrived_ns: int) -> Sequence[Packet]:
        if not self._parts:
            return ()
        pair = self._clock.answered(answer, arrived_ns, self._parts[0].stream.tick_hz or 32768.0)
        if pair is None:
            return ()
        boot = self._status.boot if self._status else None
        return tuple(
            Packet(
                stream=part.stream,
                raw=np.empty((0, 3), np.int16),
                received_ns=pair.utc_ns,
                ticks=pair.tick % (1 << part.stream.tick_bits),
                flags=PacketFlag.SYNC,
                boot=boot,
            )
            for part in self._parts
        )


def _parts(config: wire.Config, scale: wire.Scale, tick_hz: float) -> tuple[_Part, ...]:
    def stream(kind: Kind, count: float, full: float | None) -> Stream:
        return Stream(
            kind=kind,
            fs_hz=float(config.rate_hz),
            scale=count,
            full_scale=full,
            tick_hz=tick_hz,
            tick_bits=32,
            index_bits=32,
        )

    acc = stream(Kind.ACC, scale.acc / G, float(config.acc_range_g))
    gyro = stream(Kind.GYRO, scale.gyro * DPS_PER_RAD, float(config.gyro_range_dps))
    mag = stream(Kind.MAG, scale.mag, None)
    quat = stream(Kind.QUAT, scale.quat, None)
    a, g, m = slice(0, 3), slice(3, 6), slice(6, 9)
    return {
        0: (_Part(acc, a),),
        1: (_Part(acc, a), _Part(gyro, g)),
        2: (_Part(acc, a), _Part(gyro, g), _Part(mag, m)),
        3: (_Part(quat, slice(0, 4)),),
        4: (_Part(acc, a), _Part(quat, slice(3, 7))),
    }[config.layout]


class Reference:
    """The decoder of our own profile."""

    name = "reference"
    title = "Backstay open profile"
    connects = True
    services = (wire.SERVICE,)

    def match(self, advert: Advert, services: Sequence[str] = ()) -> Match:
        """By the service, which every device of the profile advertises."""
        return match_services(
            self.services, advert, services, title=self.title, names=("PostureIMU",)
        )

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> ReferenceSession:
        """Begin a connection; with `resume` what was missed meanwhile is replayed."""
        return ReferenceSession(wish, resume)

    def peripheral(self) -> ReferencePeripheral:
        """A simulated device with ring buffer and replay."""
        return ReferencePeripheral()


DECODER = Reference()

_CAPABILITIES = (
    "0102010002040080000003020B000408190032006400C800050402040810"
    "0606FA00F401D0070704409C0000080B4C534D3644533354522D43"
)
_KNOWN = (
    (wire.CAPABILITIES, _CAPABILITIES),
    (wire.SCALE, "0AE81C3B787D0B3A0000000000008038"),
    (wire.STATUS, "010907000000000000000000B168DE3A00000000"),
)
_AG = (*_KNOWN, (wire.CONFIG, "010132000800E8030001"))
_A = (*_KNOWN, (wire.CONFIG, "010032000800E8030001"))
_Q = (*_KNOWN, (wire.CONFIG, "010332000800E8030001"))
GOLDEN = (
    golden("OP-1", wire.LIVE, "1101E803000005000000000000106400 38FF3200", before=_AG, samples=1),
    golden("OP-2", wire.LIVE, "1002FFFF000001001000F0FFF00F1400F4FFFB0F", before=_A, samples=2),
    golden(
        "OP-3", wire.REPLAY, "10420500 00F0FFFF 000000100000 000000800000", before=_A, samples=2
    ),
    golden(
        "OP-4",
        wire.LIVE,
        "1183F20320300500010002000300040005000600070008000900 0A000B000C00FFFFFEFFFDFFFCFFFBFFFAFF",
        before=_AG,
        samples=3,
    ),
    golden("OP-5", wire.LIVE, "13010000008000000040000000000000", before=_Q, samples=1),
    golden("OP-8", wire.STATUS, "0109070040E20100A0860100B168DE3A00000000"),
    golden("OP-9", wire.CONTROL, "86002AB168DE3A000000002100", before=_AG),
    golden("OP-10", wire.CONTROL, "8400CF070000E8030000"),
    golden("OP-12", wire.CAPABILITIES, _CAPABILITIES),
)

# Other devices the contract test plays besides `DECODER.peripheral()`.
VARIANTS = {
    "MTU-23": lambda: ReferencePeripheral(mtu=23),
    "crystal-300ppm-slow": lambda: ReferencePeripheral(drift_ppm=-300.0),
}
