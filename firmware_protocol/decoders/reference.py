# SPDX-License-Identifier: Apache-2.0
"""Our own open profile, version 1 (`firmware_protocol/PROTOCOL.md`): the sensor that loses nothing.

Every frame carries a sample index and the device's clock; the device keeps a ring buffer, and
after each reconnect (and after a lost notification) this session asks for what is missing.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
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
from firmware_protocol.decoders._reference_device import ReferencePeripheral
from firmware_protocol.errors import BadField
from firmware_protocol.frame import Frame, Kind, Packet, PacketFlag, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Match, Resume, Step, Wish

SYNC_ROUNDS = 4
SYNC_EVERY_NS = 600 * 1_000_000_000
REPLAY_BLOCK = 2000
REPLAY_TRIES = 3
REPLAY_SILENCE_NS = 30 * 1_000_000_000
HALF = 1 << 15


class _Part(NamedTuple):
    """A stream inside a frame: its columns and what one count is worth."""

    stream: Stream
    columns: slice


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sync:
    """One clock exchange: how long it took and the pair it measured."""

    delay_ns: int
    tick: int
    utc_ns: int


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
        self._next: int | None = None
        self._missing: list[tuple[int, int]] = []
        self._asked: tuple[int, int] | None = None
        self._asked_ns = 0
        self._newest_ns = 0
        self._busy = False
        self._tries = 0
        self._replay_next: int | None = None
        self._live = False
        self._wrote_ns: dict[int, int] = {}
        self._syncs: list[_Sync] = []
        self._sync_id = 0
        self._synced_ns: int | None = None
        self._sync_due = False

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
        """STOP; a device told to keep sampling goes on into its buffer."""
        return (Step(action="write", channel=wire.CONTROL, data=bytes([wire.STOP]), why="stop"),)

    def pending(self) -> Sequence[Step]:
        """Configuration and START once the device is known; then SYNC and REPLAY when due."""
        steps: list[Step] = []
        if not self._started:
            if not (self._caps and self._config and self._scale and self._status):
                return ()
            self._started = True
            self._after_status(self._status)
            steps += self._configure(self._config, self._status)
            steps += self._sync_steps()
            start = bytes([wire.START])
            steps.append(Step(action="write", channel=wire.CONTROL, data=start, why="start"))
        if self._sync_due:
            steps += self._sync_steps()
        if self._live and self._asked is None and self._missing and not self._busy:
            first, last = self._missing[0]
            last = min(last, first + REPLAY_BLOCK - 1)
            self._asked, self._replay_next = (first, last), first
            self._asked_ns = self._newest_ns
            data = struct.pack("<BII", wire.REPLAY_OP, first & 0xFFFFFFFF, last & 0xFFFFFFFF)
            why = f"samples {first} to {last} are missing"
            steps.append(Step(action="write", channel=wire.CONTROL, data=data, why=why))
        return steps

    def _configure(self, now: wire.Config, status: wire.Status) -> list[Step]:
        wanted = wire.Config.wished(self._wish, self._caps)
        if now == wanted:
            return []  # the buffer of a device that kept sampling stays usable
        self._missing.clear()  # a new layout empties the buffer
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

    def _sync_steps(self) -> list[Step]:
        self._sync_due = False
        self._syncs.clear()
        self._wrote_ns.clear()
        steps = []
        for _ in range(SYNC_ROUNDS):
            self._sync_id = (self._sync_id + 1) % 256
            data = struct.pack("<BBQ", wire.SYNC, self._sync_id, 0)
            answer = bytes([wire.SYNC | 0x80, 0, self._sync_id])
            steps += [
                Step(action="write", channel=wire.CONTROL, data=data, stamp_at=2, why="clock"),
                Step(
                    action="wait",
                    channel=wire.CONTROL,
                    expect=answer,
                    timeout_s=2.0,
                    optional=True,
                    why="clock",
                ),
            ]
        return steps

    def wrote(self, step: Step, at_ns: int) -> None:
        """Keep when a SYNC request left."""
        if step.stamp_at is not None and step.data[:1] == bytes([wire.SYNC]):
            self._wrote_ns[step.data[1]] = at_ns

    def resume(self) -> Resume | None:
        """Newest index and the ranges still missing, with the boot counter they belong to."""
        if self._caps is not None and self._caps.ring_samples == 0:
            return None  # nothing is buffered, so nothing can be asked for
        if self._status is None or self._next is None or not self._live:
            return self._old
        return Resume(
            decoder="reference",
            boot=self._status.boot,
            next_index=self._next,
            missing=tuple(self._missing),
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

    def _after_status(self, status: wire.Status) -> None:
        """Take up where the previous connection ended, if the device ran on since."""
        self._next = status.next_index
        old = self._old
        if old is None or old.boot != status.boot or old.next_index > status.next_index:
            return
        wanted = list(old.missing)
        if status.next_index > old.next_index:
            wanted.append((old.next_index, status.next_index - 1))
        kept = [(max(a, status.oldest_index), b) for a, b in wanted]
        self._missing = [(a, b) for a, b in kept if a <= b]

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
        n = block.raw.shape[0]
        self._newest_ns = frame.received_ns
        replayed = block.replay or frame.channel == wire.REPLAY
        index = self._place(block.index16, n, replay=replayed, lost_there=block.gap)
        flags = clipped(block.raw, low=-32767)
        if replayed:
            flags |= PacketFlag.REPLAY
        if block.gap:
            flags |= PacketFlag.GAP_BEFORE
        if self._synced_ns is None or frame.received_ns - self._synced_ns > SYNC_EVERY_NS:
            self._sync_due = self._synced_ns is not None
            self._synced_ns = frame.received_ns
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

    def _place(self, index16: int, n: int, *, replay: bool, lost_there: bool) -> int:
        """The full index of a frame's first sample; keeps the account of what is missing."""
        near = self._replay_next if replay else self._next
        if near is None:
            near = self._next if self._next is not None else index16
        ahead = (index16 - near) % 65536
        index = near + (ahead if ahead <= HALF else ahead - 65536)
        if index < 0:
            index += 65536
        if replay:
            self._replay_next = index + n
            self._asked_ns = self._newest_ns
            self._got(index, index + n - 1)
            return index
        if self._next is None:
            self._next = index
        self._busy = False
        if self._asked and self._newest_ns - self._asked_ns > REPLAY_SILENCE_NS:
            self._give_up_or_retry(0)  # the answer was lost
        buffers = self._caps is None or self._caps.ring_samples > 0
        if index > self._next and not lost_there and buffers:
            self._missing.append((self._next, index - 1))
        if index < self._next:
            self._got(index, index + n - 1)
        self._next = max(self._next, index + n)
        self._live = True
        return index

    def _got(self, first: int, last: int) -> None:
        rest: list[tuple[int, int]] = []
        for a, b in self._missing:
            rest += [(x, y) for x, y in ((a, min(b, first - 1)), (max(a, last + 1), b)) if x <= y]
        self._missing = rest

    def _answer(self, frame: Frame) -> Sequence[Packet]:
        answer = wire.Answer.decode(frame.payload)
        if answer.op == wire.SYNC and answer.status == 0:
            return self._clock(answer, frame.received_ns)
        if answer.op in (wire.START, wire.STOP) and answer.status:
            raise BadField(
                f"the sensor refused operation {answer.op}: status {answer.status} "
                "(PROTOCOL.md 3.6); reconnect"
            )
        if answer.op == wire.REPLAY_OP and self._asked is not None:
            if answer.status == wire.BUSY:
                self._asked, self._busy = None, True  # again after the next live frame
            else:
                self._give_up_or_retry(answer.status)
        return ()

    def _give_up_or_retry(self, status: int) -> None:
        """A block ended: what did not come is asked for again, or is gone."""
        if self._asked is None:
            return
        first, last = self._asked
        self._asked = None
        left = any(a <= last and b >= first for a, b in self._missing)
        self._tries = self._tries + 1 if left else 0
        if left and (status != wire.OK or self._tries >= REPLAY_TRIES):
            self._got(first, last)
            self._tries = 0

    def _clock(self, answer: wire.Answer, arrived_ns: int) -> Sequence[Packet]:
        sync_id, tick, gap = answer.sync()
        left_ns = self._wrote_ns.pop(sync_id, None)
        if left_ns is None or not self._parts:
            return ()
        tick_hz = self._parts[0].stream.tick_hz or 32768.0
        busy_ns = round(gap * 1e9 / tick_hz)
        exchange = _Sync(
            delay_ns=arrived_ns - left_ns - busy_ns,
            tick=tick + gap // 2,
            utc_ns=(arrived_ns + left_ns) // 2,
        )
        self._synced_ns = arrived_ns
        if any(s.delay_ns <= exchange.delay_ns for s in self._syncs):
            return ()  # a faster one of this round is known already
        self._syncs.append(exchange)
        boot = self._status.boot if self._status else None
        return tuple(
            Packet(
                stream=part.stream,
                raw=np.empty((0, 3), np.int16),
                received_ns=exchange.utc_ns,
                ticks=exchange.tick % (1 << part.stream.tick_bits),
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
