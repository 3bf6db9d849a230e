# SPDX-License-Identifier: Apache-2.0
"""Polar H10, OH1 and Verity Sense: acceleration and rotation with nanosecond device time.

Quirks handled (polar-ble-sdk issues in brackets): the frame byte decides the layout, never the
model [#443]; "already in that state" means stop and start again; a stop is sent before leaving,
or the H10 samples until its battery is empty (KnownIssues); subscribe before writing [#281].
No counter is sent: losses are seen by time.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from firmware_protocol.decoders import _polar_wire as wire
from firmware_protocol.decoders._base import (
    BATTERY_LEVEL,
    BATTERY_STEPS,
    BaseSession,
    battery,
    enough,
    match_services,
    nearest,
    unknown_channel,
)
from firmware_protocol.decoders._polar_device import PolarPeripheral
from firmware_protocol.errors import BadField, TruncatedFrame
from firmware_protocol.frame import Frame, Kind, Packet, PacketFlag, Stream
from firmware_protocol.peripheral import golden
from firmware_protocol.registry import Advert, Match, Resume, Step, Wish

NAMES = {wire.ACC: "acceleration", wire.GYRO: "rotation", wire.MAG: "magnetic field"}
KINDS = {wire.ACC: Kind.ACC, wire.GYRO: Kind.GYRO, wire.MAG: Kind.MAG}
# What one count is worth when the start answer named no factor: milli-g (frames 00-02, 81),
# Verity's usual factors for type 0 delta frames; gauss are 100 microtesla each.
ACC_FACTOR = 2.44e-4  # PMD specification, start response example
GYRO_FACTOR = 0.07  # 2000 dps over 28571 counts (LSM6DSO data sheet: 70 mdps/LSB)


class PolarSession(BaseSession):
    """One connection. Requests go out one at a time; each answer brings the next."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._features: bytes | None = None
        self._todo: list[int] = []
        self._asking: int | None = None
        self._offered: dict[int, tuple[float, ...]] = {}
        self._buffer = b""
        self._running: dict[int, dict[int, tuple[float, ...]]] = {}
        self._retried: set[int] = set()
        self._begun = False
        self.early = 0
        self._out: list[Step] = []
        self.stopped_by_device: list[int] = []

    @property
    def streams(self) -> Sequence[Stream]:
        """What was started; acceleration as wished before that."""
        kinds = list(self._running) or [wire.ACC]
        return tuple(self._stream(k, 0x01 if k == wire.ACC else 0x80) for k in kinds)

    def _stream(self, kind: int, frame: int) -> Stream:
        applied = self._running.get(kind, {})
        factor = applied.get(wire.FACTOR, (0.0,))[0]
        if kind == wire.ACC:
            scale = (factor or ACC_FACTOR) if frame == 0x80 else 1e-3 * (factor or 1.0)
            if frame < 0x80:
                scale = 1e-3
        elif kind == wire.GYRO:
            scale = (factor or GYRO_FACTOR) if frame == 0x80 else (factor or 1.0)
        else:
            scale = 100.0 * (factor or 1.0) * (1.0 if frame == 0x80 else 1e-3)
        return Stream(
            kind=KINDS[kind],
            fs_hz=applied.get(wire.RATE, (self._wish.fs_hz,))[0],
            scale=scale,
            full_scale=applied[wire.RANGE][0] if wire.RANGE in applied else None,
            tick_hz=1e9,
            tick_bits=64,
        )

    def start(self) -> Sequence[Step]:
        """Subscribe to both characteristics, then read what the device can measure."""
        self._begun = True
        return (
            *BATTERY_STEPS,
            Step(action="subscribe", channel=wire.CONTROL, why="answers"),
            Step(action="subscribe", channel=wire.DATA, why="measurements"),
            Step(action="read", channel=wire.CONTROL, why="what the sensor measures"),
        )

    def stop(self) -> Sequence[Step]:
        """Stop each running measurement; without it an H10 drains its battery."""
        return tuple(
            Step(action="write", channel=wire.CONTROL, data=bytes([wire.STOP, k]), why="stop")
            for k in self._running
        )

    def pending(self) -> Sequence[Step]:
        """The next request."""
        out, self._out = self._out, []
        return out

    def _request(self, data: bytes, why: str) -> None:
        expect = bytes([0xF0, data[0], data[1]])
        self._out += [
            Step(action="write", channel=wire.CONTROL, data=data, why=why),
            Step(action="wait", channel=wire.CONTROL, expect=expect, why=why),
        ]

    def _next(self) -> None:
        self._asking = self._todo.pop(0) if self._todo else None
        self._offered, self._buffer = {}, b""
        if self._asking is not None:
            request = bytes([wire.GET_SETTINGS, self._asking])
            self._request(request, f"settings of {NAMES[self._asking]}")

    def feed(self, frame: Frame) -> Sequence[Packet]:
        """Decode a measurement; take answers in."""
        if frame.channel == wire.DATA:
            return self._measurement(frame)
        if frame.channel == BATTERY_LEVEL:
            return (battery(frame),)
        if frame.channel != wire.CONTROL:
            raise unknown_channel(frame, DECODER.title)
        data = frame.payload
        if data[:1] == b"\x0f":
            if len(data) < 3:
                raise TruncatedFrame(f"feature answer of {len(data)} bytes; read it again")
            self._know(data)
        elif data[:1] == b"\x01":
            for kind in data[1:]:
                self.stopped_by_device.append(kind & 0x3F)
                self._running.pop(kind & 0x3F, None)
        else:
            self._answer(wire.Answer.decode(data))
        return ()

    def _know(self, features: bytes) -> None:
        if self._features is not None:
            return
        if not features[1] >> wire.ACC & 1:
            raise BadField("this Polar sensor offers no acceleration; it cannot be used")
        self._features = features
        self._todo = [wire.ACC]
        if self._wish.gyro and features[1] >> wire.GYRO & 1:
            self._todo.append(wire.GYRO)
        self._next()

    def _answer(self, answer: wire.Answer) -> None:
        kind = self._asking
        if kind is None or answer.kind != kind:
            return
        if answer.op == wire.GET_SETTINGS:
            self._check(answer, "settings were refused")
            self._buffer += answer.params
            if answer.more:
                return
            self._offered = wire.settings(self._buffer)
            self._start_measurement(kind)
        elif answer.op == wire.START:
            if answer.status == wire.ALREADY and kind not in self._retried:
                self._retried.add(kind)
                self._request(bytes([wire.STOP, kind]), "it was still running")
                return
            if answer.status != wire.ALREADY:
                self._check(answer, "start was refused")
            applied = self._chosen()
            if len(answer.params) > 1:  # a single byte is padding
                applied |= wire.settings(answer.params)
            self._running[kind] = applied
            self._next()
        elif answer.op == wire.STOP and kind in self._retried:
            self._start_measurement(kind)

    def _check(self, answer: wire.Answer, what: str) -> None:
        if answer.status:
            name = NAMES.get(answer.kind, str(answer.kind))
            why = wire.STATUS.get(answer.status, f"status {answer.status}")
            self._next()
            raise BadField(f"Polar {name}: {what}: {why}")

    def _chosen(self) -> dict[int, tuple[float, ...]]:
        """One value of each offered setting."""
        wished = self._wish.acc_range_g if self._asking == wire.ACC else self._wish.gyro_range_dps
        chosen: dict[int, tuple[float, ...]] = {}
        for kind, values in sorted(self._offered.items()):
            if not values:
                continue
            if kind == wire.RATE:
                chosen[kind] = (nearest(self._wish.fs_hz, values),)
            elif kind == wire.RANGE:
                chosen[kind] = (enough(wished, values),)
            elif kind in (wire.RESOLUTION, wire.CHANNELS):
                chosen[kind] = (max(values),)
        return chosen

    def _start_measurement(self, kind: int) -> None:
        data = bytes([wire.START, kind]) + wire.encode_settings(self._chosen())
        self._request(data, f"start {NAMES[kind]}")

    def _measurement(self, frame: Frame) -> Sequence[Packet]:
        data = wire.decode(frame.payload)
        if self._begun and data.kind not in self._running:
            # An H10 that measured on for nobody sends until it is stopped and started again,
            # with settings nobody knows; taking it would make two gaps out of one outage.
            self.early += 1
            return ()
        stream = self._stream(data.kind, data.frame)
        raw = data.raw[:, :3]
        flags = PacketFlag.NONE
        if stream.full_scale:
            # The last percent of the range: H10 stands at -2000 when its 2 g are exceeded [#634].
            clipped = bool((np.abs(raw * stream.scale) >= 0.99 * stream.full_scale).any())
            flags = PacketFlag.CLIPPED if clipped else flags
        return (
            Packet(
                stream=stream,
                raw=raw,
                received_ns=frame.received_ns,
                ticks=data.ts_ns,
                ticks_at="last",
                flags=flags,
            ),
        )


class Polar:
    """The decoder of Polar's measurement data service."""

    name = "polar"
    title = "Polar H10, OH1, Verity Sense"
    connects = True
    services = (wire.SERVICE,)

    def match(self, advert: Advert, services: Sequence[str] = ()) -> Match:
        """By the service after connecting; Polar advertises only the heart rate service."""
        match = match_services(
            self.services, advert, services, title=self.title, names=("Polar ",), company=0x006B
        )
        if not services and match.score == 40 and 0x006B in advert.manufacturer:
            return replace(match, score=60)
        return match

    def open(
        self, wish: Wish, advert: Advert | None = None, *, resume: Resume | None = None
    ) -> PolarSession:
        """Begin a connection; these sensors buffer nothing."""
        return PolarSession(wish)

    def peripheral(self) -> PolarPeripheral:
        """A simulated Verity Sense; `PolarPeripheral(model="H10")` is the strap."""
        return PolarPeripheral()


DECODER = Polar()

GOLDEN = (
    golden("PO-1", wire.CONTROL, "F0010200000004190032006400C800010110000203020004000800"),
    golden("PO-2", wire.CONTROL, "F001020000000134000101100002010800040103"),
    golden("PO-6", wire.DATA, "02EA54A2428B4552080145FFE4FFB50345FFE4FFB803", samples=2),
    golden(
        "PO-7",
        wire.DATA,
        "02646C76C43CC67F0780D0FF6501E40F0805FC07FF0C13F211F11AF9EEF8EF0C03",
        samples=6,
    ),
    golden("PO-8", wire.DATA, "0265000000000000 0081F1FF1400F00306017B0F08", samples=2),
    golden("PO-10", wire.DATA, "05FFFFFFFFFFFFFF7F80EAFF08000D000301DF00", samples=2),
    golden(
        "PO-11",
        wire.DATA,
        "0500943577000000008100008 03F00002041 0000A0411C010000A0010000 08CDCCEC0D".replace(
            " ", ""
        ),
        samples=2,
    ),
    golden("PO-12", wire.DATA, "06009435770000000080E2E6FA15490A06017F20FC", samples=2),
    golden("PO-13", wire.DATA, "06009435770000000081 37FF51FD6CF600000301F802", samples=2),
    golden(
        "PO-14",
        wire.DATA,
        "0200416FC41245930A81EE021FFE82FF080310DA20D6A30BD9CBE7",
        samples=4,
    ),
)

# Other devices the contract test plays besides `DECODER.peripheral()`.
VARIANTS = {
    "H10": lambda: PolarPeripheral(model="H10"),
    "crystal-300ppm-fast": lambda: PolarPeripheral(drift_ppm=300.0, per_frame=20),
}
