# SPDX-License-Identifier: Apache-2.0
"""The firmware example's pure part, run on this machine against Backstay's own decoder."""

import ast
import importlib.util
import struct
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware_protocol
from firmware_protocol.decoders import _reference_wire as wire
from firmware_protocol.frame import Kind, Packet
from firmware_protocol.loopback import Loopback
from firmware_protocol.peripheral import AttError, BasePeripheral, Characteristic
from firmware_protocol.registry import Wish, decoders
from firmware_protocol.sequence import SequenceState, advance

FOLDER = Path(firmware_protocol.__file__).parent / "peripheral_example"
S = 1_000_000_000
T0 = 1_760_000_000 * S


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("open_imu", FOLDER / "open_imu.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


open_imu = _load()


class Board(BasePeripheral):
    """What code.py does, without the board: writes and reads in, notifications out."""

    def __init__(self, ring: int = 3000, mtu: int = 247) -> None:
        super().__init__()
        self.imu = open_imu.OpenImu(boot=3, ring=ring)
        self.mtu = mtu

    def tick(self) -> int:
        """Device ticks now."""
        return (self.now_ns - T0) * 32768 // S

    def characteristics(self) -> tuple[Characteristic, ...]:
        """Unused by the loopback."""
        return ()

    def on_read(self, uuid: str, now_ns: int | None = None) -> bytes:
        """The readable characteristics."""
        self.seen(now_ns)
        if uuid == wire.STATUS:
            return self.imu.status(self.tick())
        values = {
            wire.CAPABILITIES: self.imu.capabilities,
            wire.CONFIG: self.imu.configuration,
            wire.SCALE: self.imu.scale,
        }
        return values[uuid]() if uuid in values else super().on_read(uuid, now_ns)

    def on_write(self, uuid: str, data: bytes, now_ns: int | None = None):
        """Configuration and control point; a replay runs to its end."""
        self.seen(now_ns)
        if uuid == wire.CONFIG:
            try:
                self.imu.configure(data)
            except open_imu.Refused as refused:
                raise AttError(refused.code, "refused") from None
            return []
        answer = self.imu.control(data, self.tick())
        out = [(wire.CONTROL, answer)] if answer else []
        while not answer:
            frame, answer = self.imu.replay()
            out.append((wire.REPLAY, frame) if frame else (wire.CONTROL, answer))
        return out

    def connect(self) -> Loopback:
        """A fresh session on a fresh link."""
        self.imu.linked(up=True, payload=self.mtu - 3)
        return Loopback(decoders()["reference"].open(Wish()), self)

    def run(self, first: int, n: int):
        """Samples first.. at 52 Hz whose acceleration x is their number; the live frames."""
        out = []
        for k in range(first, first + n):
            self.seen(T0 + round(k * S / 52))
            self.imu.sample((k % 30000, 0, 4096, 1, 2, 3), self.tick())
            frame = self.imu.live()
            if frame:
                out.append((wire.LIVE, frame))
        return out


def _numbers(packets: list[Packet], state: SequenceState) -> tuple[list[int], SequenceState]:
    found = []
    for packet in packets:
        if packet.stream.kind == Kind.ACC:
            block, state = advance(state, packet)
            found += np.rint(block.values[:, 0] / packet.stream.scale).astype(int).tolist()
    return found, state


def test_the_example_is_understood_and_loses_nothing() -> None:
    """Start, stream, away for a while, reconnect: every sample is there once."""
    board, state = Board(), SequenceState()
    link = board.connect()
    link.start(T0)
    got, state = _numbers(link.deliver(board.run(0, 500), board.now_ns), state)
    resume = link.session.resume()
    board.imu.linked(up=False)
    board.run(500, 1500)
    board.imu.linked(up=True, payload=244)
    link = Loopback(decoders()["reference"].open(Wish(), resume=resume), board)
    link.start(board.now_ns)
    more, state = _numbers(link.deliver(board.run(2000, 500), board.now_ns), state)
    assert sorted(got + more) == list(range(2500))
    assert not link.errors


def test_capabilities_and_settings_agree_with_the_decoder() -> None:
    """What the board says of itself is what the decoder reads, and the wish is applied."""
    board = Board()
    link = board.connect()
    link.start(T0)
    caps = wire.Capabilities.decode(board.imu.capabilities())
    assert caps.layouts == (0, 1)
    assert caps.ring_samples == 3000
    assert [s.fs_hz for s in link.session.streams] == [52.0, 52.0]
    assert link.session.streams[0].full_scale == 8.0


@pytest.mark.parametrize(("payload", "n"), [(20, 1), (244, 10), (100, 7)])
def test_frames_fit_the_link(payload: int, n: int) -> None:
    """Never more than MTU - 3 bytes, never more than 200 ms."""
    imu = open_imu.OpenImu(boot=1)
    imu.linked(up=True, payload=payload)
    imu.control(bytes([open_imu.START]), 0)
    for k in range(n):
        imu.sample((k,) * 6, k)
    frame = imu.live()
    assert len(frame) <= payload
    assert frame[1] & 0x3F == n


def test_refusals() -> None:
    """Configuration while sampling is 0x80, an unknown rate 0x81, and nothing changes."""
    imu = open_imu.OpenImu(boot=1)
    before = imu.configuration()
    with pytest.raises(open_imu.Refused) as refused:
        imu.configure(struct.pack("<BBHBBHBB", 1, 1, 77, 8, 0, 1000, 0, 1))
    assert refused.value.code == 0x81
    imu.control(bytes([open_imu.START]), 0)
    with pytest.raises(open_imu.Refused) as refused:
        imu.configure(before)
    assert refused.value.code == 0x80
    assert imu.configuration() == before


def test_replay_of_what_was_overwritten_says_so() -> None:
    """A small ring: status 6 and the number of samples really sent."""
    board = Board(ring=100)
    link = board.connect()
    link.start(T0)
    board.run(0, 300)
    answers = board.on_write(wire.CONTROL, struct.pack("<BII", open_imu.REPLAY, 150, 249))
    answer = wire.Answer.decode(answers[-1][1])
    assert (answer.status, answer.pair()) == (wire.PARTLY, (249, 50))
    assert sum(f[1][1] & 0x3F for f in answers[:-1]) == 50


def test_lost_samples_are_flagged() -> None:
    """A FIFO overflow: the index passes, the next frame carries the gap flag, status tells."""
    imu = open_imu.OpenImu(boot=1)
    imu.linked(up=True, payload=20)
    imu.control(bytes([open_imu.START]), 0)
    imu.sample((1,) * 6, 1)
    imu.live()
    imu.lost(9)
    imu.sample((2,) * 6, 2)
    frame = wire.StreamFrame.decode(imu.live())
    assert (frame.gap, frame.index16) == (True, 10)
    assert imu.status(0)[1] & 0x10
    assert not imu.status(0)[1] & 0x10


@given(data=st.binary(max_size=24))
def test_no_write_upsets_the_device(data: bytes) -> None:
    """Any bytes on the control point or the configuration: an answer or a refusal."""
    imu = open_imu.OpenImu(boot=1, ring=50)
    imu.linked(up=True)
    for k in range(60):
        imu.sample((k,) * 6, k)
        imu.live()
    answer = imu.control(data, 5)
    if answer is not None:
        assert answer[0] & 0x80
    for _ in range(60):
        imu.replay()
    before = imu.configuration()
    try:
        imu.configure(data)
    except open_imu.Refused:
        assert imu.configuration() == before


def test_it_runs_on_circuitpython() -> None:
    """Only `struct` is imported, and nothing newer than CircuitPython's Python is used."""
    tree = ast.parse((FOLDER / "open_imu.py").read_text(encoding="utf-8"))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert imported == {"struct"}
    assert not any(isinstance(n, ast.ImportFrom) for n in ast.walk(tree))
    newer = (ast.Match, ast.NamedExpr, ast.AnnAssign)
    assert not any(isinstance(n, newer) for n in ast.walk(tree))


def test_the_board_part_is_valid_and_thin() -> None:
    """code.py compiles; every decision is in open_imu.py, so it stays under 160 lines."""
    text = (FOLDER / "code.py").read_text(encoding="utf-8")
    compile(text, "code.py", "exec")
    assert len(text.splitlines()) < 160
