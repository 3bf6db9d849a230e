# SPDX-License-Identifier: Apache-2.0
"""Vectors PO-1 to PO-17 of Polar's measurement data service."""

from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.decoders import _polar_wire as wire
from firmware_protocol.decoders._polar_device import _Running
from firmware_protocol.decoders.polar import PolarPeripheral
from firmware_protocol.errors import BadField, ProtocolError
from firmware_protocol.frame import Frame, Kind, Packet, PacketFlag, Stream
from firmware_protocol.loopback import Loopback
from firmware_protocol.registry import Wish, decoders
from firmware_protocol.timing import sample_times

FACTOR = float(np.float32(2.44e-4))
PO_15 = (Path(__file__).parent / "po15.hex").read_text(encoding="ascii")


def _open(model: str = "Verity Sense", **wish: float) -> Loopback:
    return Loopback(decoders()["polar"].open(Wish(**wish)), PolarPeripheral(model=model))


def _written(link: Loopback) -> list[str]:
    return [s.data.hex() for s in link.steps if s.action == "write"]


@pytest.mark.parametrize(
    ("answer", "offered"),
    [
        pytest.param(
            "F0010200000004190032006400C800010110000203020004000800",
            {wire.RATE: (25, 50, 100, 200), wire.RESOLUTION: (16,), wire.RANGE: (2, 4, 8)},
            id="PO-1",
        ),
        pytest.param(
            "F001020000000134000101100002010800040103",
            {
                wire.RATE: (52,),
                wire.RESOLUTION: (16,),
                wire.RANGE: (8,),
                wire.CHANNELS: (3,),
            },
            id="PO-2",
        ),
    ],
)
def test_offered_settings_are_read(answer: str, offered: dict[int, tuple[int, ...]]) -> None:
    """The settings a sensor offers come out as rates, bits, ranges and channels."""
    parsed = wire.Answer.decode(bytes.fromhex(answer))
    assert (parsed.op, parsed.kind, parsed.status, parsed.more) == (1, 2, 0, False)
    assert wire.settings(parsed.params) == offered


def test_po_16_gyro_settings() -> None:
    """PO-16: a list of four ranges."""
    params = bytes.fromhex("000134000101100002 04F500F401E803D007040103".replace(" ", ""))
    assert wire.settings(params) == {
        wire.RATE: (52,),
        wire.RESOLUTION: (16,),
        wire.RANGE: (245, 500, 1000, 2000),
        wire.CHANNELS: (3,),
    }


def test_po_1_po_3_h10_is_asked_and_started() -> None:
    """PO-1, PO-3: the strap is asked for its settings, then started at 200 Hz and 8 g."""
    link = _open("H10", fs_hz=200)
    link.start(10**18)
    assert _written(link) == ["0102", "0202" + "0001c800" + "01011000" + "02010800"]
    # The vendor's example names range first: order is free, the values are the same.
    example = wire.settings(bytes.fromhex("020108000001C80001011000"))
    assert wire.settings(bytes.fromhex(_written(link)[1])[2:]) == example


def test_po_3_padding_in_the_start_answer_is_ignored() -> None:
    """PO-3: `F0 02 02 00 00 01` ends in a reserved byte; it is no setting."""
    link = _open("H10")
    link.start(10**18)
    assert not link.errors
    assert link.session.streams[0].scale == 1e-3


def test_po_4_start_answer_carries_the_factor(feed) -> None:
    """PO-4: Verity's start command in the vendor's own bytes, and its factor 2.44e-4."""
    session = decoders()["polar"].open(Wish(gyro=False))
    feed(session, wire.CONTROL, "0F04" + "00" * 15)
    assert session.pending()[0].data.hex() == "0102"
    feed(session, wire.CONTROL, "F001020000000134000101100002010800040103")
    assert session.pending()[0].data == bytes.fromhex("0202000134000101100002010800040103")
    feed(session, wire.CONTROL, "F00202000005 0140DA7F39".replace(" ", ""))
    (packet,) = feed(session, wire.DATA, "02646C76C43CC67F0780D0FF6501E40F")
    assert packet.stream.scale == pytest.approx(2.44e-4, rel=1e-6)
    assert packet.stream.fs_hz == 52


def test_po_5_stop_and_sdk_mode() -> None:
    """PO-5: stop is written for each running measurement; both answers parse."""
    link = _open("H10")
    link.start(10**18)
    assert [s.data.hex() for s in link.session.stop()] == ["0302"]
    for answer, kind in (("F003020000", 2), ("F002090000", 9)):
        parsed = wire.Answer.decode(bytes.fromhex(answer))
        assert (parsed.kind, parsed.status) == (kind, 0)


@pytest.mark.parametrize(
    ("payload", "ts_ns", "rows"),
    [
        pytest.param(
            # The vendor's PDF prints -184 for the first value of the second sample: its error.
            "02EA54A2428B4552080145FFE4FFB50345FFE4FFB803",
            599618164814402794,
            [(-187, -28, 949), (-187, -28, 952)],
            id="PO-6",
        ),
        pytest.param(
            "02646C76C43CC67F0780D0FF6501E40F0805FC07FF0C13F211F11AF9EEF8EF0C03",
            540368444604181604,
            [
                (-48, 357, 4068),
                (-52, 364, 4067),
                (-40, 383, 4053),
                (-23, 368, 4079),
                (-30, 350, 4071),
                (-47, 362, 4074),
            ],
            id="PO-7",
        ),
        pytest.param(
            "02650000000000000081F1FF1400F00306017B0F08",
            101,
            [(-15, 20, 1008), (-20, 17, 1008)],
            id="PO-8",
        ),
        pytest.param(
            "0200943577000000000 1F7FFFFFFE703F8FFFEFFE503F9FFFFFFE503FAFFFFFFE603",
            2000000000,
            [(-9, -1, 999), (-8, -2, 997), (-7, -1, 997), (-6, -1, 998)],
            id="PO-9",
        ),
        pytest.param(
            "05FFFFFFFFFFFFFF7F80EAFF08000D000301DF00",
            2**63 - 1,
            [(-22, 8, 13), (-23, 11, 16)],
            id="PO-10",
        ),
        pytest.param(
            "06009435770000000080E2E6FA15490A06017F20FC",
            2000000000,
            [(-6430, 5626, 2633), (-6431, 5627, 2635)],
            id="PO-12",
        ),
        pytest.param(
            "0200416FC41245930A81EE021FFE82FF080310DA20D6A30BD9CBE7",
            None,
            [(750, -481, -126), (766, -519, -94), (724, -612, -83), (685, -665, -108)],
            id="PO-14",
        ),
    ],
)
def test_raw_counts(payload: str, ts_ns: int | None, rows: list[tuple[int, ...]]) -> None:
    """Plain and delta frames give the counts and the device time of the vector."""
    data = wire.decode(bytes.fromhex(payload.replace(" ", "")))
    assert data.raw.tolist() == [list(r) for r in rows]
    if ts_ns is not None:
        assert data.ts_ns == ts_ns


def test_po_7_first_sample_in_g(feed) -> None:
    """PO-7: with the factor the first sample is (-11, 87, 992) milli-g, truncated."""
    session = decoders()["polar"].open(Wish())
    payload = "02646C76C43CC67F0780D0FF6501E40F0805FC07FF0C13F211F11AF9EEF8EF0C03"
    (packet,) = feed(session, wire.DATA, payload)
    assert np.trunc(packet.values[0] * 1000).tolist() == [-11, 87, 992]
    assert packet.stream.kind == Kind.ACC


def test_po_11_float_gyro(feed) -> None:
    """PO-11: differences of float bit patterns give floats in deg/s."""
    payload = "0500943577000000008100 00803F00002041 0000A0411C010000A00100000 8CDCCEC0D"
    (packet,) = feed(decoders()["polar"].open(Wish()), wire.DATA, payload.replace(" ", ""))
    assert packet.values == pytest.approx(np.array([[1, 10, 20], [10, 20, 1.1]]), rel=1e-6)
    assert packet.stream.kind == Kind.GYRO


def test_po_13_magnetic_field_in_microtesla(feed) -> None:
    """PO-13: thousandths of a gauss; the fourth channel is calibration, not field."""
    payload = "0600943577000000008137FF51FD6CF600000301F802"
    (packet,) = feed(decoders()["polar"].open(Wish()), wire.DATA, payload)
    expected = 100 * np.array([[-0.201, -0.687, -2.452], [-0.201, -0.688, -2.449]])
    assert packet.values == pytest.approx(expected, rel=1e-5)
    assert wire.decode(bytes.fromhex(payload)).raw[:, 3].tolist() == [0, 1]


def test_po_15_ten_bit_differences() -> None:
    """PO-15: 57 samples out of 10-bit differences that straddle bytes."""
    data = wire.decode(bytes.fromhex("02009435770000000080" + PO_15))
    assert data.raw.shape == (57, 3)
    assert data.raw[[0, 1, 2, -1]].tolist() == [
        [1905, 27376, -29282],
        [2095, 27271, -29367],
        [2285, 27165, -29451],
        [12274, 20173, -32449],
    ]
    milli = np.trunc(data.raw[[0, 1, -1]] * FACTOR * 1000)
    assert milli.tolist() == [[464, 6679, -7144], [511, 6654, -7165], [2994, 4922, -7917]]


@pytest.mark.parametrize(
    ("previous", "ts", "n", "times"),
    [
        pytest.param(0, 10 * 10**9, 10, [k * 10**9 for k in range(1, 11)], id="PO-17"),
        # The vendor's test rounds 100.5 half to even.
        pytest.param(100, 101, 2, [100, 101], id="PO-8-times"),
    ],
)
def test_time_of_each_sample(previous: int, ts: int, n: int, times: list[int]) -> None:
    """Between two time stamps the samples lie evenly and the last has the stamp itself."""
    step = (ts - previous) / n
    stream = Stream(kind=Kind.ACC, fs_hz=1e9 / step, tick_hz=1e9)
    packet = Packet(stream=stream, raw=np.zeros((n, 3)), received_ns=0, ticks=ts)
    got, _ = sample_times(packet, ts, previous_ns=previous, previous_n=n, step_ns=step)
    assert got.tolist() == times


def test_running_already_is_stopped_and_started_again(feed) -> None:
    """An H10 that measured on for nobody answers status 6; stop, then start, and it runs.

    What it still sends before that has unknown settings and is left out, so that an outage
    stays one gap.
    """
    link = _open("H10")
    link.start(10**18)
    link.stop(10**18 + 1)
    link.device.running[wire.ACC] = _Running(settings={})
    again = Loopback(decoders()["polar"].open(Wish()), link.device)
    old = "02EA54A2428B4552080145FFE4FFB50345FFE4FFB803"
    again.session.start()
    assert feed(again.session, wire.DATA, old) == []
    assert again.session.early == 1
    again.start(10**18 + 2)
    assert [w[:4] for w in _written(again)] == ["0102", "0202", "0302", "0202"]
    assert not again.errors
    assert len(feed(again.session, wire.DATA, old)) == 1


@pytest.mark.parametrize("status", [8, 10, 13])
def test_refusals_say_why(feed, status: int) -> None:
    """A refused start is an error with the vendor's reason in words."""
    session = decoders()["polar"].open(Wish(gyro=False))
    feed(session, wire.CONTROL, "0F04" + "00" * 15)
    feed(session, wire.CONTROL, "F001020000000134000101100002010800040103")
    with pytest.raises(BadField, match=wire.STATUS[status]):
        feed(session, wire.CONTROL, f"F00202{status:02x}00")


def test_settings_in_two_answers_are_joined(feed) -> None:
    """`more` announces a second answer; nothing is started before it came."""
    session = decoders()["polar"].open(Wish(gyro=False))
    feed(session, wire.CONTROL, "0F04" + "00" * 15)
    session.pending()
    feed(session, wire.CONTROL, "F001020001" + "00013400")
    assert not session.pending()
    feed(session, wire.CONTROL, "F001020000" + "01011000")
    assert session.pending()[0].data.hex() == "0202" + "00013400" + "01011000"


def test_frame_byte_decides_not_the_model(feed) -> None:
    """Newer Verity firmware names no factor and sends frame 81 in milli-g [#443]."""
    session = decoders()["polar"].open(Wish())
    (packet,) = feed(session, wire.DATA, "0200416FC41245930A81EE021FFE82FF080310DA20D6A30BD9CBE7")
    assert packet.values[0] == pytest.approx([0.750, -0.481, -0.126], abs=1e-6)


def test_saturation_is_flagged(feed) -> None:
    """H10 at 2 g stands at -2000 [#634]: the packet says clipped."""
    session = decoders()["polar"].open(Wish(gyro=False, acc_range_g=2))
    feed(session, wire.CONTROL, "0F04" + "00" * 15)
    feed(session, wire.CONTROL, "F0010200000004190032006400C800010110000203020004000800")
    feed(session, wire.CONTROL, "F0020200 0001".replace(" ", ""))
    (packet,) = feed(session, wire.DATA, "02" + "00" * 8 + "01" + "0000000030F8")
    assert PacketFlag.CLIPPED in packet.flags


def test_device_that_stops_by_itself_is_noted(feed) -> None:
    """`01 tt` from the device: it ended that measurement."""
    link = _open()
    link.start(10**18)
    assert not feed(link.session, wire.CONTROL, "0102")
    assert link.session.stopped_by_device == [wire.ACC]


@pytest.mark.parametrize(
    ("width", "kind", "frame"), [(1, 2, 0), (2, 2, 1), (3, 2, 2), (2, 2, 0x80)]
)
def test_encode_is_the_inverse(width: int, kind: int, frame: int) -> None:
    """decode(encode(x)) = x at both ends of the range."""
    top = (1 << (8 * width - 1)) - 1
    raw = np.array([[0, 1, -1], [top, -top - 1, 0], [-top - 1, top, 5]], np.int64)
    if frame == 0x80:
        raw = raw // 4
    data = wire.decode(wire.encode(wire.Data(kind=kind, frame=frame, ts_ns=7, raw=raw)))
    assert data.raw.tolist() == raw.tolist()
    assert data.ts_ns == 7


def test_nothing_but_protocol_errors_when_cut(feed) -> None:
    """PO-15 cut at every byte decodes or raises a protocol error."""
    whole = bytes.fromhex("02009435770000000080" + PO_15)
    for end in range(len(whole)):
        frame = Frame(sensor="t", channel=wire.DATA, payload=whole[:end], received_ns=0)
        try:
            decoders()["polar"].open(Wish()).feed(frame)
        except ProtocolError:
            continue
