# SPDX-License-Identifier: Apache-2.0
"""Movesense: factory firmware (GSP) and the vendor's gatt_sensordata_app, which share the pipe.

Source: movesense.com GATT SensorData Protocol (GD-77); vendor sample GATTSensorDataClient.cpp.
Time is that of the first sample, in whole milliseconds. No counter: losses are seen by time.
"""

import struct
from collections.abc import Sequence

import numpy as np

from firmware_protocol.decoders._base import BATTERY_STEPS, G, at_least, float32s
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, floats
from firmware_protocol.errors import BadField, TruncatedFrame, UnknownFrame
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import Motion, Notification, golden
from firmware_protocol.registry import Advert, Step, Wish

SERVICE = "34802252-7185-4d5d-b431-630e7050e8f0"
WRITE = "34800001-7185-4d5d-b431-630e7050e8f0"
NOTIFY = "34800002-7185-4d5d-b431-630e7050e8f0"
HELLO, SUBSCRIBE, UNSUBSCRIBE = 0, 1, 2
RESULT, DATA, DATA_PART2 = 1, 2, 3
REF = 0x63
RATES_HZ = (13, 26, 52, 104)  # above, one message no longer fits two notifications
SCALES = {Kind.ACC: 1 / G, Kind.GYRO: 1.0, Kind.MAG: 1.0}
PATHS: dict[str, tuple[Kind, ...]] = {
    "Acc": (Kind.ACC,),
    "Gyro": (Kind.GYRO,),
    "Magn": (Kind.MAG,),
    "IMU6": (Kind.ACC, Kind.GYRO),
    "IMU6m": (Kind.ACC, Kind.MAG),
    "IMU9": (Kind.ACC, Kind.GYRO, Kind.MAG),
}


def subscribe(path: str, rate_hz: int, ref: int = REF) -> bytes:
    """The command that starts a stream."""
    return bytes([SUBSCRIBE, ref]) + f"/Meas/{path}/{rate_hz}".encode("ascii")


class MovesenseSession(TableSession):
    """One subscription of one resource."""

    title = "Movesense"

    def __init__(
        self, wish: Wish, advert: Advert | None = None, *, path: str | None = None
    ) -> None:
        super().__init__()
        self._path = path or ("IMU6" if wish.gyro else "Acc")
        self._rate_hz = min(RATES_HZ, key=lambda r: abs(r - wish.fs_hz))
        self._streams = tuple(
            Stream(
                kind=kind,
                fs_hz=float(self._rate_hz),
                scale=SCALES[kind],
                tick_hz=1000.0,
                tick_bits=32,
            )
            for kind in PATHS[self._path]
        )
        self._handlers = {NOTIFY: self._message}
        self._part1 = b""

    def start(self) -> Sequence[Step]:
        """Subscribe to the pipe, then to the resource."""
        command = subscribe(self._path, self._rate_hz)
        return (
            *BATTERY_STEPS,
            Step(action="subscribe", channel=NOTIFY, why="answers and measurements"),
            Step(action="write", channel=WRITE, data=command, why="start"),
            Step(action="wait", channel=NOTIFY, expect=bytes([RESULT, REF]), why="start"),
        )

    def stop(self) -> Sequence[Step]:
        """Unsubscribe before leaving."""
        data = bytes([UNSUBSCRIBE, REF])
        return (Step(action="write", channel=WRITE, data=data, why="stop"),)

    def _message(self, frame: Frame) -> Sequence[Packet]:
        data = at_least(frame, 2)
        if data[1] != REF:
            raise UnknownFrame(f"an answer to request {data[1]:#04x}, which is not ours; ignore it")
        if data[0] == RESULT:
            self._result(data)
            return ()
        width = 12 * len(self._streams)
        if data[0] == DATA:
            held, self._part1 = self._part1, b""
            body = data[2:]
            if len(body) > 4 and (len(body) - 4) % width == 0:
                return self._samples(body, frame.received_ns)
            if len(body) > 4 + width and not held:
                self._part1 = body
                return ()
            raise TruncatedFrame(
                f"a measurement of {len(body)} bytes is no whole number of samples; check the MTU"
            )
        if data[0] == DATA_PART2:
            body, self._part1 = self._part1 + data[2:], b""
            if len(body) <= 4 or (len(body) - 4) % width or len(body) == len(data) - 2:
                raise TruncatedFrame("a second half without its first half; it is dropped")
            return self._samples(body, frame.received_ns)
        raise UnknownFrame(f"message type {data[0]} is not known; ignore it")

    def _result(self, data: bytes) -> None:
        if len(data) < 4:
            raise TruncatedFrame(f"a result of {len(data)} bytes; expected 4 or more")
        little, big = struct.unpack_from("<H", data, 2)[0], struct.unpack_from(">H", data, 2)[0]
        # The sample app sends "no free slot" big-endian: take the order that is a status.
        status = little if 100 <= little < 600 else big
        if not 100 <= status < 600:
            return  # HELLO answers carry text
        if status >= 300:
            raise BadField(
                f"Movesense refuses /Meas/{self._path}/{self._rate_hz}: status {status}; "
                "restart the sensor (take it off its stud for a moment)"
            )

    def _samples(self, body: bytes, received_ns: int) -> Sequence[Packet]:
        (first_ms,) = struct.unpack_from("<I", body)
        values = float32s(body[4:], what="measurement").reshape(len(self._streams), -1, 3)
        return tuple(
            Packet(
                stream=stream,
                raw=values[k],
                received_ns=received_ns,
                ticks=first_ms,
                ticks_at="first",
            )
            for k, stream in enumerate(self._streams)
        )


class MovesensePeripheral(RowPeripheral):
    """A simulated sensor; batches of 1, 2, 4, 8 samples at 13, 26, 52, 104 Hz, as the real one."""

    def __init__(self) -> None:
        super().__init__(
            name="Movesense 012345678901",
            service=SERVICE,
            notifies=(NOTIFY,),
            writes=(WRITE,),
            has_battery=True,
        )
        self.kinds: tuple[Kind, ...] = ()
        self.batch = 4
        self.ref = 0
        self._epoch_ns: int | None = None
        self._waiting: list[tuple[int, dict[Kind, list[float]]]] = []

    def answer(self, uuid: str, data: bytes) -> list[Notification]:
        """SUBSCRIBE and UNSUBSCRIBE."""
        if data[0] == SUBSCRIBE:
            _, _, path, rate = data[2:].decode("ascii").split("/")
            self.kinds, self.ref = PATHS[path], data[1]
            self.batch = max(1, int(rate) // 13)
        elif data[0] == UNSUBSCRIBE:
            self.kinds = ()
        return [(NOTIFY, bytes([RESULT, data[1]]) + struct.pack("<H", 200))]

    def on_disconnect(self) -> None:
        """All subscriptions end with the link."""
        super().on_disconnect()
        self.kinds = ()
        self._waiting.clear()

    def notify(self, samples: Motion) -> list[Notification]:
        """One notification per full batch."""
        gyr = samples.gyr_dps if samples.gyr_dps is not None else np.zeros_like(samples.acc_g)
        out: list[Notification] = []
        for t, a, g in zip(samples.t_ns.tolist(), samples.acc_g, gyr, strict=True):
            if not self.kinds or NOTIFY not in self.subscribed:
                continue
            self._epoch_ns = t if self._epoch_ns is None else self._epoch_ns
            values = {
                Kind.ACC: [v * G for v in a.tolist()],
                Kind.GYRO: g.tolist(),
                Kind.MAG: [20.0, 0.0, -40.0],
            }
            self._waiting.append((t, values))
            if len(self._waiting) == self.batch:
                first_ms = (self._waiting[0][0] - self._epoch_ns) // 1_000_000
                body = struct.pack("<I", first_ms % 2**32)
                for kind in self.kinds:
                    body += floats([v for _, row in self._waiting for v in row[kind]])
                out.append((NOTIFY, bytes([DATA, self.ref]) + body))
                self._waiting.clear()
        return out


DECODER = GattDecoder(
    name="movesense",
    title=MovesenseSession.title,
    services=(SERVICE,),
    session=MovesenseSession,
    device=MovesensePeripheral,
    names=("Movesense",),
    company=0x009F,
)

MV_5 = (
    "ACA1020094B578BF399B8840CDB20D4155FF7CBF6A60884092C70C4182627CBF"
    "A2E988405DA00C418BF871BF71248940C38C0C4148E17ABF713DAABF3333B3BE"
    "C3F568BF713DAABF3E0AD7BEAE4721BFF628BCBF3E0AD7BEAE4721BF3333B3BF3E0AD7BE"
)
GOLDEN = (
    golden("MV-5", NOTIFY, "0263" + MV_5, samples=4),
    golden("result", NOTIFY, "0163C800"),
    golden(
        "MV-5-second-half",
        NOTIFY,
        "0363" + MV_5[-20:],
        before=((NOTIFY, "0263" + MV_5[:-20]),),
        samples=4,
    ),
)
