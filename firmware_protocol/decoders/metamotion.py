# SPDX-License-Identifier: Apache-2.0
"""MbientLab MetaMotion (MMR, MMRL, MMS): raw register protocol; no device time, no counter.

Facts from mbientlab/MetaWear-SDK-Cpp f67699e and its tests. The register numbers depend on the
chip: `03 05` is packed acceleration on the BMI270 and no data at all on the BMI160.
"""

from collections.abc import Sequence

from firmware_protocol.decoders._base import at_least, battery, clipped, enough, exactly, int16s
from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession, counts
from firmware_protocol.errors import UnknownFrame
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import Motion, Notification, golden
from firmware_protocol.registry import Advert, Step, Wish

SERVICE = "326a9000-85cb-9195-d9dd-464cfbbae75a"
COMMAND = "326a9001-85cb-9195-d9dd-464cfbbae75a"
NOTIFY = "326a9006-85cb-9195-d9dd-464cfbbae75a"
BMI160, BMI270 = "BMI160", "BMI270"
CHIPS = {0x03: {1: BMI160, 4: BMI270}, 0x13: {0: BMI160, 1: BMI270}}
RATES_HZ = {25: 6, 50: 7, 100: 8, 200: 9}
ACC_CODES = {BMI160: {2: 3, 4: 5, 8: 8, 16: 12}, BMI270: {2: 0, 4: 1, 8: 2, 16: 3}}
ACC_BASE = {BMI160: 0x20, BMI270: 0xA0}
GYRO_CODES = {2000: 0, 1000: 1, 500: 2, 250: 3, 125: 4}
ACC_PACKED = {BMI160: 0x1C, BMI270: 0x05}
GYRO_SINGLE = {BMI160: 0x05, BMI270: 0x04}
GYRO_PACKED = {BMI160: 0x07, BMI270: 0x05}
BATTERY_EVERY_NS = 60_000_000_000
BATTERY_READ = b"\x11\x8c"


class MetaMotionSession(TableSession):
    """One connection; asks which chips are inside before configuring them."""

    title = "MbientLab MetaMotion"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self.chips: dict[int, str] = {}
        self._gyro = wish.gyro
        self._rate_hz = min(RATES_HZ, key=lambda r: abs(r - wish.fs_hz))
        self._acc_g = int(enough(wish.acc_range_g, (2, 4, 8, 16)))
        self._gyr_dps = int(enough(wish.gyro_range_dps, (125, 250, 500, 1000, 2000)))
        fs = float(self._rate_hz)
        self._acc_stream = Stream(
            kind=Kind.ACC, fs_hz=fs, scale=self._acc_g / 32768, full_scale=float(self._acc_g)
        )
        # 16.4 counts per deg/s at 2000 deg/s and doubling (BMI160 data sheet), not 32768 / range.
        self._gyr_stream = Stream(
            kind=Kind.GYRO,
            fs_hz=fs,
            scale=self._gyr_dps / 2000 / 16.4,
            full_scale=float(self._gyr_dps),
        )
        self._mag_stream = Stream(kind=Kind.MAG, fs_hz=10.0, scale=1 / 16)
        self._streams = (self._acc_stream, self._gyr_stream) if wish.gyro else (self._acc_stream,)
        self._handlers = {NOTIFY: self._message}
        self._out: list[Step] = []
        self._configured = False
        self._asked_ns: int | None = None

    def start(self) -> Sequence[Step]:
        """Subscribe, ask for the chips."""
        steps = [Step(action="subscribe", channel=NOTIFY, why="answers and measurements")]
        for module in (0x03, 0x13) if self._gyro else (0x03,):
            ask = bytes([module, 0x80])
            steps += [
                Step(action="write_no_response", channel=COMMAND, data=ask, why="which chip"),
                Step(action="wait", channel=NOTIFY, expect=ask, why="which chip"),
            ]
        return steps

    def stop(self) -> Sequence[Step]:
        """Stop, disable, unsubscribe."""
        acc, gyro = self._chip(0x03), self._chip(0x13)
        data = [b"\x03\x01\x00", b"\x03\x02\x00\x01", bytes([0x03, ACC_PACKED[acc], 0])]
        if self._gyro:
            data += [b"\x13\x01\x00", b"\x13\x02\x00\x01", bytes([0x13, GYRO_PACKED[gyro], 0])]
        return self._writes(data, "stop")

    def pending(self) -> Sequence[Step]:
        """Configuration once the chips are known; the battery once a minute."""
        out, self._out = self._out, []
        return out

    def vibrate(self, ms: int) -> Sequence[Step]:
        """One pulse of the motor; a board without one ignores the command.

        Module 8, register 1: duty of 248, width in ms, 0 for motor. Source: MetaWear-SDK-Cpp
        3a8e438, `haptic.cpp`.
        """
        data = bytes([0x08, 0x01, 248, *ms.to_bytes(2, "little"), 0])
        why = "prompt"
        return (
            Step(action="write_no_response", channel=COMMAND, data=data, why=why, optional=True),
        )

    @staticmethod
    def _writes(data: Sequence[bytes], why: str) -> list[Step]:
        return [Step(action="write_no_response", channel=COMMAND, data=d, why=why) for d in data]

    def _chip(self, module: int) -> str:
        return self.chips.get(module, BMI160)

    def configuration(self) -> list[bytes]:
        """Range and rate, packed-of-three subscription, enable, start."""
        acc, gyro = self._chip(0x03), self._chip(0x13)
        rate = RATES_HZ[self._rate_hz]
        parts = [
            [bytes([0x03, 0x03, ACC_BASE[acc] | rate, ACC_CODES[acc][self._acc_g]])],
            [bytes([0x03, ACC_PACKED[acc], 1])],
            [b"\x03\x02\x01\x00"],
            [b"\x03\x01\x01"],
        ]
        if self._gyro:
            parts[0].append(bytes([0x13, 0x03, 0x20 | rate, GYRO_CODES[self._gyr_dps]]))
            parts[1].append(bytes([0x13, GYRO_PACKED[gyro], 1]))
            parts[2].append(b"\x13\x02\x01\x00")
            parts[3].append(b"\x13\x01\x01")
        return [data for group in parts for data in group]

    def _message(self, frame: Frame) -> Sequence[Packet]:
        data = at_least(frame, 2)
        module, register = data[0], data[1]
        if register == 0x80 and module in CHIPS:
            return self._found(module, at_least(frame, 3)[2])
        if data[:2] == BATTERY_READ:
            return (battery(frame, float(exactly(frame, 5)[2])),)
        acc, gyro = self._chip(0x03), self._chip(0x13)
        layouts = {
            (0x03, 0x04): (self._acc_stream, 1),
            (0x03, ACC_PACKED[acc]): (self._acc_stream, 3),
            (0x13, GYRO_SINGLE[gyro]): (self._gyr_stream, 1),
            (0x13, GYRO_PACKED[gyro]): (self._gyr_stream, 3),
            (0x15, 0x05): (self._mag_stream, 1),
        }
        if (module, register) not in layouts:
            raise UnknownFrame(
                f"register {module:02x} {register:02x} holds no measurement of this chip; ignore it"
            )
        stream, n = layouts[module, register]
        raw = int16s(exactly(frame, 2 + 6 * n)[2:])
        if self._asked_ns is None or frame.received_ns - self._asked_ns > BATTERY_EVERY_NS:
            self._asked_ns = frame.received_ns
            self._out += self._writes([BATTERY_READ], "battery level")
        return (Packet(stream=stream, raw=raw, received_ns=frame.received_ns, flags=clipped(raw)),)

    def _found(self, module: int, implementation: int) -> Sequence[Packet]:
        chip = CHIPS[module].get(implementation)
        if chip is None:
            raise UnknownFrame(
                f"chip {implementation} of module {module:02x} is not known; "
                "only BMI160 and BMI270 boards can be used"
            )
        self.chips[module] = chip
        if not self._configured and (0x13 in self.chips or not self._gyro) and 0x03 in self.chips:
            self._configured = True
            self._out += self._writes(self.configuration(), "configure and start")
        return ()


class MetaMotionPeripheral(RowPeripheral):
    """A simulated board; `chip` is "BMI160" (MMR) or "BMI270" (MMS)."""

    def __init__(self, chip: str = BMI160) -> None:
        super().__init__(
            name="MetaWear",
            service=SERVICE,
            notifies=(NOTIFY,),
            writes=(COMMAND,),
            advertises=True,
        )
        self.chip = chip
        self.running: set[int] = set()
        self.acc_g, self.gyr_dps = 4, 2000
        self._acc = b""
        self._gyr = b""

    def answer(self, uuid: str, data: bytes) -> list[Notification]:
        """Discovery, ranges, start and stop, battery."""
        module, register = data[0], data[1]
        if register == 0x80 and module in CHIPS:
            code = next(k for k, v in CHIPS[module].items() if v == self.chip)
            return [(NOTIFY, bytes([module, 0x80, code, 0]))]
        if data[:2] == BATTERY_READ:
            return [(NOTIFY, BATTERY_READ + b"\x63\x34\x10")]
        if register == 0x03 and module == 0x03:
            self.acc_g = next(g for g, c in ACC_CODES[self.chip].items() if c == data[3])
        elif register == 0x03 and module == 0x13:
            self.gyr_dps = next(g for g, c in GYRO_CODES.items() if c == data[3])
        elif register == 0x01:
            (self.running.add if data[2] else self.running.discard)(module)
        return []

    def on_disconnect(self) -> None:
        """Measuring goes on, for nobody."""
        super().on_disconnect()
        self._acc = self._gyr = b""

    def notify(self, samples: Motion) -> list[Notification]:
        """Packed frames of three samples, acceleration then rotation."""
        out: list[Notification] = []
        if NOTIFY not in self.subscribed:
            return out
        gyr = samples.gyr_dps
        for k, a in enumerate(samples.acc_g.tolist()):
            g = [0.0, 0.0, 0.0] if gyr is None else gyr[k].tolist()
            self._acc += counts(a, 32768 / self.acc_g)
            self._gyr += counts(g, 16.4 * 2000 / self.gyr_dps)
            if len(self._acc) == 18:
                if 0x03 in self.running:
                    out.append((NOTIFY, bytes([0x03, ACC_PACKED[self.chip]]) + self._acc))
                if 0x13 in self.running:
                    out.append((NOTIFY, bytes([0x13, GYRO_PACKED[self.chip]]) + self._gyr))
                self._acc = self._gyr = b""
        return out


DECODER = GattDecoder(
    name="metamotion",
    title=MetaMotionSession.title,
    services=(SERVICE,),
    session=MetaMotionSession,
    device=MetaMotionPeripheral,
    names=("MetaWear",),
)

GOLDEN = (
    golden("MW-1", NOTIFY, "030416C494A22AD0", samples=1),
    golden("MW-2", NOTIFY, "031C62B7530DE9FD16D04D0E57028AFFA1050A01", samples=3),
    golden("MW-3", NOTIFY, "13053E43FF7F0080", samples=1),
    golden("MW-4", NOTIFY, "13070915AD2608DE8A1A0D2665E48D20AC2773EC", samples=3),
    golden("MW-5", NOTIFY, "15054EF0530A7504", samples=1),
    golden("MW-6", NOTIFY, "118C633410"),
)

# Other devices the contract test plays besides `DECODER.peripheral()`.
VARIANTS = {"BMI270": lambda: MetaMotionPeripheral(BMI270)}
