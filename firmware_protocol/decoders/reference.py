# SPDX-License-Identifier: Apache-2.0
"""Our own open profile, version 1 (`firmware_protocol/PROTOCOL.md`): the sensor that loses nothing.

Every frame carries a sample index and the device's clock; the device keeps a ring buffer, and
after each reconnect (and after a lost notification) this session asks for what is missing.
"""

import struct
from collections.abc import Sequence

import numpy as np

from firmware_protocol.decoders import _reference_wire as wire
from firmware_protocol.decoders._base import (
    BATTERY_LEVEL,
    BATTERY_STEPS,
    BaseSession,
    battery,
    clipped,
    match_services,
    unknown_channel,
)
from firmware_protocol.decoders._reference_account import Account
from firmware_protocol.decoders._reference_clock import ClockExchange
from firmware_protocol.decoders._reference_device import ReferencePeripheral
from firmware_protocol.decoders._reference_golden import GOLDEN
from firmware_protocol.decoders._reference_parts import Part
from firmware_protocol.decoders._reference_parts import parts as parts_of
from firmware_protocol.errors import BadField
from firmware_protocol.frame import Frame, Packet, PacketFlag, Stream
from firmware_protocol.registry import Advert, Match, Resume, Step, Wish

__all__ = ["DECODER", "GOLDEN", "VARIANTS"]


class ReferenceSession(BaseSession):
    """One connection to a device that speaks the profile."""

    def __init__(self, wish: Wish, resume: Resume | None = None) -> None:
        self._wish = wish
        self._old = resume if resume and resume.decoder == "reference" else None
        self._caps: wire.Capabilities | None = None
        self._config: wire.Config | None = None
        self._scale: wire.Scale | None = None
        self._status: wire.Status | None = None
        self._parts: tuple[Part, ...] = ()
        self._started = False
        self._account = Account()
        self._clock = ClockExchange()

    @property
    def streams(self) -> Sequence[Stream]:
        """Streams of the configured layout; as wished until the device has answered."""
        if self._parts:
            return tuple(p.stream for p in self._parts)
        wished = wire.Config.wished(self._wish, None)
        return tuple(p.stream for p in parts_of(wished, wire.Scale.typical(wished), 32768.0))

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
            self._parts = parts_of(self._config, self._scale, tick_hz)
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

# Other devices the contract test plays besides `DECODER.peripheral()`.
VARIANTS = {
    "MTU-23": lambda: ReferencePeripheral(mtu=23),
    "crystal-300ppm-slow": lambda: ReferencePeripheral(drift_ppm=-300.0),
}
