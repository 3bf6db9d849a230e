# SPDX-License-Identifier: Apache-2.0
"""Vectors OP-1 to OP-13 of our own profile."""

import numpy as np
import pytest

from firmware_protocol.decoders import _reference_wire as wire
from firmware_protocol.decoders.reference import GOLDEN
from firmware_protocol.errors import BadField, ProtocolError, TruncatedFrame, UnknownFrame
from firmware_protocol.frame import Kind, Packet, PacketFlag
from firmware_protocol.registry import Wish, decoders

G = 9.80665
CAPABILITIES = (
    "01020100 020400800000 03020B00 04081900 32006400C800 050402040810 0606FA00F401D007"
    "07 04409C0000 080B4C534D3644533354522D43"
).replace(" ", "")


def _golden(name: str) -> list[Packet]:
    case = next(g for g in GOLDEN if g.name == name)
    session = decoders()["reference"].open(Wish())
    for frame in case.before:
        session.feed(frame)
    return list(session.feed(case.frame))


def test_op_1_acc_and_gyro() -> None:
    """OP-1: index 1000 at 10.0 s; (0, 0, 9.80665) m/s2 and the vector's rad/s."""
    acc, gyro = _golden("OP-1")
    assert (acc.index, acc.ticks, acc.n) == (1000, 327680, 1)
    assert acc.ticks / acc.stream.tick_hz == 10.0
    assert acc.values[0] * G == pytest.approx([0, 0, 9.80665], abs=1e-5)
    rad = np.radians(gyro.values[0])
    assert rad == pytest.approx([0.0532113, -0.1064225, 0.0266056], abs=1e-6)
    assert (acc.stream.kind, gyro.stream.kind) == (Kind.ACC, Kind.GYRO)


def test_op_2_index_wraps_inside_a_frame() -> None:
    """OP-2: two samples, the second one past the 16-bit index."""
    (acc,) = _golden("OP-2")
    assert acc.raw.tolist() == [[16, -16, 4080], [20, -12, 4091]]
    assert acc.index % 65536 == 65535
    assert acc.ticks == 65536


def test_op_3_replayed_with_an_invalid_sample() -> None:
    """OP-3: marked as replayed, tick near its wrap, second sample invalid."""
    (acc,) = _golden("OP-3")
    assert PacketFlag.REPLAY in acc.flags
    assert acc.ticks == 0xFFFFF000
    assert acc.index == 5
    assert acc.valid.tolist() == [True, False]
    assert acc.raw[0].tolist() == [0, 4096, 0]


def test_op_4_gap_after_op_1() -> None:
    """OP-4 after OP-1: nine samples are missing and the device says it lost them."""
    session = decoders()["reference"].open(Wish())
    cases = {g.name: g for g in GOLDEN}
    for frame in (*cases["OP-1"].before, cases["OP-1"].frame):
        session.feed(frame)
    acc, gyro = session.feed(cases["OP-4"].frame)
    assert PacketFlag.GAP_BEFORE in acc.flags
    assert acc.index - 1001 == 9
    assert (acc.n, acc.ticks) == (3, 340000)
    assert gyro.raw[2].tolist() == [-4, -5, -6]
    asked = [s.data for s in session.pending() if s.data[:1] == bytes([wire.REPLAY_OP])]
    assert not asked, "what the device lost cannot be replayed"


def test_op_5_quaternion() -> None:
    """OP-5: layout Q."""
    (quat,) = _golden("OP-5")
    assert quat.values.tolist() == [[1, 0, 0, 0]]
    assert (quat.index, quat.ticks, quat.stream.kind) == (0, 32768, Kind.QUAT)


def test_op_6_configuration() -> None:
    """OP-6: AG, 50 Hz, 8 g, 1000 dps, batch chosen by the device, keeps sampling."""
    data = bytes.fromhex("010132000800E8030001")
    config = wire.Config(layout=1, rate_hz=50, acc_range_g=8, gyro_range_dps=1000)
    assert config.encode() == data
    assert wire.Config.decode(data) == config


def test_op_7_scale() -> None:
    """OP-7: what a count is worth at 8 g and 1000 dps."""
    data = bytes.fromhex("0AE81C3B787D0B3A0000000000008038")
    scale = wire.Scale.decode(data)
    assert scale.acc == pytest.approx(0.0023942017, rel=1e-7)
    assert scale.gyro == pytest.approx(0.00053211255, rel=1e-6)
    assert (scale.mag, scale.quat) == (0, 1 / 16384)
    assert scale.encode() == data


def test_op_8_status() -> None:
    """OP-8: streaming and synced, boot 7, indices, 64-bit tick."""
    data = bytes.fromhex("0109070040E20100A0860100B168DE3A00000000")
    status = wire.Status.decode(data)
    assert (status.streaming, status.buffering, status.bits >> 3 & 1) == (True, False, 1)
    assert (status.boot, status.next_index, status.oldest_index) == (7, 123456, 100000)
    assert status.tick == 987654321
    assert status.encode() == data


def test_op_9_clock_exchange(begin, feed) -> None:
    """OP-9: the request carries id and host time; the answer gives tick and turn-around."""
    answer = wire.Answer.decode(bytes.fromhex("86002AB168DE3A000000002100"))
    assert (answer.op, answer.status) == (wire.SYNC, 0)
    assert answer.sync() == (0x2A, 987654321, 33)
    request = bytes.fromhex("062A402220182 40A0600".replace(" ", ""))
    assert int.from_bytes(request[2:], "little") == 1700000000123456
    sync = [s for s in _started(begin, feed) if s.stamp_at is not None]
    assert sync
    assert all(s.data[0] == 6 and len(s.data) == 10 and s.stamp_at == 2 for s in sync)


def _started(begin, feed) -> list:
    session = begin("reference")
    feed(session, wire.CAPABILITIES, CAPABILITIES)
    feed(session, wire.CONFIG, "010132000800E8030001")
    feed(session, wire.SCALE, "0AE81C3B787D0B3A0000000000008038")
    assert not session.pending(), "nothing is written before the status is known"
    feed(session, wire.STATUS, "0109070040E20100A0860100B168DE3A00000000")
    return list(session.pending())


@pytest.mark.parametrize(
    ("answer", "status", "last", "count"),
    [
        pytest.param("8400CF070000E8030000", wire.OK, 1999, 1000, id="OP-10"),
        pytest.param("8406CF07000090010000", wire.PARTLY, 1999, 400, id="OP-11"),
    ],
)
def test_replay_answers(answer: str, status: int, last: int, count: int) -> None:
    """How a replay ended, and how much was sent."""
    parsed = wire.Answer.decode(bytes.fromhex(answer))
    assert (parsed.op, parsed.status) == (wire.REPLAY_OP, status)
    assert parsed.pair() == (last, count)


def test_op_12_capabilities() -> None:
    """OP-12: every entry, and the same bytes back."""
    caps = wire.Capabilities.decode(bytes.fromhex(CAPABILITIES))
    assert caps == wire.Capabilities(
        major=1,
        minor=0,
        tick_hz=32768,
        layouts=(0, 1, 3),
        rates_hz=(25, 50, 100, 200),
        acc_ranges_g=(2, 4, 8, 16),
        gyro_ranges_dps=(250, 500, 2000),
        ring_samples=40000,
        chip="LSM6DS3TR-C",
    )
    assert caps.encode() == bytes.fromhex(CAPABILITIES)
    vendor = CAPABILITIES + "8003AABBCC"
    assert wire.Capabilities.decode(bytes.fromhex(vendor)) == caps, "unknown types are skipped"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(
            "1101E8030000050000000000001064 0038FF32".replace(" ", ""),
            TruncatedFrame,
            id="OP-13-length-19",
        ),
        pytest.param(
            "2101E80300000500000000000010640038FF3200", UnknownFrame, id="OP-13-version-2"
        ),
        pytest.param("1100E80300000500", BadField, id="OP-13-no-samples"),
        pytest.param(
            "1F01E80300000500000000000010640038FF3200", UnknownFrame, id="reserved-layout"
        ),
    ],
)
def test_bad_frames_are_refused(data: str, error: type[ProtocolError]) -> None:
    """OP-13: length, version and an empty frame."""
    with pytest.raises(error):
        wire.StreamFrame.decode(bytes.fromhex(data))


def test_events_are_ignored(begin, feed) -> None:
    """Layout E holds no samples; it is no error."""
    assert not feed(begin("reference"), wire.LIVE, "1E00000000000000 0142".replace(" ", ""))


@pytest.mark.parametrize(
    ("mtu", "layout", "rate", "n"),
    [(23, 0, 50, 2), (247, 0, 50, 10), (23, 1, 100, 1), (247, 1, 100, 19), (247, 2, 100, 13)],
)
def test_byte_budget(mtu: int, layout: int, rate: int, n: int) -> None:
    """Batches follow the MTU and the 200 ms limit, as the table of PROTOCOL.md says."""
    assert wire.Config(layout=layout, rate_hz=rate).samples_per_frame(mtu) == n


def test_frame_round_trip() -> None:
    """decode(encode(x)) = x for every layout and flag."""
    for layout, width in wire.CHANNELS.items():
        raw = np.arange(2 * width, dtype=np.int16).reshape(2, width) - 7
        frame = wire.StreamFrame(
            layout=layout, index16=65535, tick=2**32 - 1, raw=raw, replay=True, gap=layout % 2 == 0
        )
        again = wire.StreamFrame.decode(frame.encode())
        assert again.raw.tolist() == raw.tolist()
        assert (again.layout, again.index16, again.tick) == (layout, 65535, 2**32 - 1)
        assert (again.replay, again.gap) == (True, layout % 2 == 0)
