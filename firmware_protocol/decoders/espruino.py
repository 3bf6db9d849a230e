# SPDX-License-Identifier: Apache-2.0
"""Espruino: Puck.js and Bangle.js over their JavaScript console (Nordic UART); host uploads code.

Source: espruino/EspruinoDocs 60ae9bb, firmware `jswrap_puck.c`, phyphox's Puck.js experiment.
Lines understood: `t,ax,ay,az,gx,gy,gz` and `t,ax,ay,az` (t in ms; counts of 1/8192 g and 245/32768
deg/s), which our upload prints, and the tutorial's `A,x,y,z` (g times 100). A Puck.js with older
firmware counts 16384 per g: seen from |acc| at the beginning. Upload in pieces of 20 bytes.
"""

import re
from collections.abc import Sequence

import numpy as np

from firmware_protocol.decoders._simple import GattDecoder, RowPeripheral, TableSession
from firmware_protocol.errors import BadField
from firmware_protocol.frame import Frame, Kind, Packet, Stream
from firmware_protocol.peripheral import Motion, Notification, golden
from firmware_protocol.registry import Advert, Step, Wish

SERVICE = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
WRITE = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
NOTIFY = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
PUCK_HZ, BANGLE_HZ = (12.5, 26.0, 52.0, 104.0), (12.5, 25.0, 50.0)
PER_G, PER_G_OLD = 8192, 16384
DPS_PER_COUNT = 245 / 32768
LOOK = 25  # lines after which the Puck's range is settled
PIECE = 20
LONGEST_LINE = 200
NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?")


def program(*, bangle: bool, fs_hz: float) -> bytes:
    """The JavaScript that streams; 03 clears the line, 10 silences the echo."""
    time = "Math.round(getTime()*1000)%1e9"
    if bangle:
        code = (
            f"Bangle.setPollInterval({round(1000 / fs_hz)});"
            f'Bangle.on("accel",function(a){{Bluetooth.println([{time},'
            "Math.round(a.x*8192),Math.round(a.y*8192),Math.round(a.z*8192)].join())})"
        )
    else:
        code = (
            f"Puck.accelOn({fs_hz:g});"
            f'Puck.on("accel",function(a){{Bluetooth.println([{time},a.acc.x,a.acc.y,a.acc.z,'
            "a.gyro.x,a.gyro.y,a.gyro.z].join())})"
        )
    return b"\x03\x10" + code.encode("ascii") + b"\n"


class EspruinoSession(TableSession):
    """One connection; joins lines across notifications."""

    title = "Espruino Puck.js or Bangle.js"

    def __init__(self, wish: Wish, advert: Advert | None = None) -> None:
        super().__init__()
        self.bangle = advert is not None and advert.name.startswith("Bangle")
        rates = BANGLE_HZ if self.bangle else PUCK_HZ
        self.fs_hz = min(rates, key=lambda r: abs(r - wish.fs_hz))
        self._norms: list[float] = []
        self._build(PER_G)
        self._handlers = {NOTIFY: self._text}
        self._rest = b""
        self.ignored = 0

    def _build(self, per_g: int) -> None:
        clock = {"fs_hz": self.fs_hz, "tick_hz": 1000.0, "tick_bits": 64}
        self._acc = Stream(kind=Kind.ACC, scale=1 / per_g, **clock)  # type: ignore[arg-type]
        self._gyr = Stream(kind=Kind.GYRO, scale=DPS_PER_COUNT, **clock)  # type: ignore[arg-type]
        self._coarse = Stream(kind=Kind.ACC, fs_hz=self.fs_hz, scale=0.01)
        self._streams = (self._acc,) if self.bangle else (self._acc, self._gyr)

    def start(self) -> Sequence[Step]:
        """Reset the board, wait, upload in small pieces."""
        code = program(bangle=self.bangle, fs_hz=self.fs_hz)
        pieces = [code[k : k + PIECE] for k in range(0, len(code), PIECE)]
        pause = Step(action="sleep", timeout_s=0.05, why="the console reads slowly")
        steps = [
            Step(action="subscribe", channel=NOTIFY, why="console"),
            Step(
                action="write_no_response", channel=WRITE, data=b"\x03\x10reset();\n", why="reset"
            ),
            Step(action="sleep", timeout_s=1.5, why="the board restarts its console"),
        ]
        for piece in pieces:
            steps += [
                Step(action="write_no_response", channel=WRITE, data=piece, why="program"),
                pause,
            ]
        return steps

    def stop(self) -> Sequence[Step]:
        """Reset ends the program."""
        data = b"\x03\x10reset();\n"
        return (Step(action="write_no_response", channel=WRITE, data=data, why="stop"),)

    def vibrate(self, ms: int) -> Sequence[Step]:
        """A Bangle.js has a motor, a Puck.js none: it lights its lamp. 10 silences the echo."""
        call = f"Bangle.buzz({ms})" if self.bangle else f"digitalPulse(LED1,1,{ms})"
        line = b"\x10" + call.encode("ascii") + b"\n"
        return [
            Step(
                action="write_no_response",
                channel=WRITE,
                data=line[k : k + PIECE],
                why="prompt",
                optional=True,
            )
            for k in range(0, len(line), PIECE)
        ]

    def _text(self, frame: Frame) -> Sequence[Packet]:
        *lines, rest = (self._rest + frame.payload).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        packets: list[Packet] = []
        bad: list[str] = []
        for line in lines:
            text = line.decode("ascii", "replace").strip("\r\x10 >")
            fields = text.split(",")
            numbers = fields[1:] if fields[0] == "A" else fields
            if len(fields) not in (4, 7):
                self.ignored += bool(text)  # prompts, echoes, messages
            elif not all(NUMBER.fullmatch(f) for f in numbers):
                bad.append(text)
            else:
                packets += self._line([float(f) for f in numbers], frame.received_ns)
        if bad and not packets:
            raise BadField(f"console line {bad[0][:60]!r} holds no numbers; start the board again")
        self.ignored += len(bad)
        return packets

    def _line(self, numbers: list[float], at: int) -> list[Packet]:
        if len(numbers) == 3:
            return [Packet(stream=self._coarse, raw=np.array([numbers]), received_ns=at)]
        ticks, raw = int(numbers[0]), np.array([numbers[1:4]])
        if not self.bangle and len(self._norms) < LOOK:
            self._norms.append(float(np.linalg.norm(raw)))
            # 11585 lies between the two possible readings of 1 g.
            old = np.median(self._norms) > (PER_G * PER_G_OLD) ** 0.5
            self._build(PER_G_OLD if old else PER_G)
        packets = [Packet(stream=self._acc, raw=raw, received_ns=at, ticks=ticks)]
        if len(numbers) == 7:
            rotation = np.array([numbers[4:7]])
            packets.append(Packet(stream=self._gyr, raw=rotation, received_ns=at, ticks=ticks))
        return packets


class EspruinoPeripheral(RowPeripheral):
    """A simulated Puck.js: prints lines once the whole program has arrived."""

    def __init__(self) -> None:
        super().__init__(name="Puck.js 00ab", service=SERVICE, notifies=(NOTIFY,), writes=(WRITE,))
        self._console = b""
        self.running = False
        self._epoch_ns: int | None = None

    def answer(self, uuid: str, data: bytes) -> list[Notification]:
        """Read lines as the console does."""
        self._console += data
        *lines, self._console = self._console.split(b"\n")
        for line in lines:
            self.running = b"Puck.on" in line
        return [(NOTIFY, b">")] if lines else []

    def notify(self, samples: Motion) -> list[Notification]:
        """Lines of up to 50 bytes, cut into notifications of 20."""
        gyr = samples.gyr_dps if samples.gyr_dps is not None else np.zeros_like(samples.acc_g)
        out: list[Notification] = []
        for t, a, g in zip(samples.t_ns.tolist(), samples.acc_g, gyr, strict=True):
            self._epoch_ns = t if self._epoch_ns is None else self._epoch_ns
            if not self.running or NOTIFY not in self.subscribed:
                continue
            counts = np.rint([*(a * PER_G), *(g / DPS_PER_COUNT)]).astype(int).tolist()
            numbers = [(t - self._epoch_ns) // 1_000_000, *counts]
            line = ",".join(map(str, numbers)).encode("ascii") + b"\r\n"
            out += [(NOTIFY, line[k : k + 20]) for k in range(0, len(line), 20)]
        return out


DECODER = GattDecoder(
    name="espruino",
    title=EspruinoSession.title,
    services=(SERVICE,),
    session=EspruinoSession,
    device=EspruinoPeripheral,
    names=("Puck.js", "Bangle.js"),
)

GOLDEN = (
    golden("ES-1", NOTIFY, b"A,-12,3,98\n".hex(), samples=1),
    golden("ES-2", NOTIFY, b"1200,253,-663,16249,551,2604,4265\n".hex(), samples=1),
    golden("ES-3", NOTIFY, b",2,100\nA,3,".hex(), before=((NOTIFY, b"A,1".hex()),), samples=1),
)
