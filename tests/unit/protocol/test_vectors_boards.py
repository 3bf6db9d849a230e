# SPDX-License-Identifier: Apache-2.0
"""Vectors of the learning boards, the watch, the earable, RuuviTag adverts and DroidPad."""

import numpy as np
import pytest

from firmware_protocol.decoders import (
    adafruit,
    arduino,
    bluest,
    droidpad,
    espruino,
    infinitime,
    microbit,
    nicla,
    openearable,
    ruuvi,
    sensortag,
    sensortag_cc2541,
)
from firmware_protocol.decoders.sensortag import SensorTagSession
from firmware_protocol.errors import BadField, TruncatedFrame, UnknownFrame
from firmware_protocol.frame import Kind, PacketFlag, Stream
from firmware_protocol.loopback import Loopback
from firmware_protocol.peripheral import Block
from firmware_protocol.registry import Advert, Wish, decoders
from firmware_protocol.timing import unwrap_ticks

G = 9.80665


def _by_kind(packets) -> dict[Kind, np.ndarray]:
    return {p.stream.kind: p.values[0] for p in packets}


# ---- TI SensorTag ------------------------------------------------------------------------------


def test_ti_1_configuration() -> None:
    """TI-1: all on at 8 g, wake-on-motion off."""
    assert sensortag.configuration().hex() == "7f02"
    assert sensortag.configuration(axes=0x38, magnetometer=False).hex() == "3802"
    assert sensortag.configuration(axes=0x07, magnetometer=False, range_g=2).hex() == "0700"


@pytest.mark.parametrize(
    ("range_g", "data", "gyro", "acc", "mag"),
    [
        pytest.param(
            8,
            "83007DFF00000000000000106400CEFFF401",
            [0.99945, -0.99945, 0],
            [0, 0, 1],
            [100, -50, 500],
            id="TI-2",
        ),
        pytest.param(
            2,
            "000000000000004000C00000000000000000",
            [0, 0, 0],
            [1, -1, 0],
            [0, 0, 0],
            id="TI-3",
        ),
        pytest.param(
            16,
            "008000800080008000800080008000800080",
            [-250] * 3,
            [-16] * 3,
            [-32768] * 3,
            id="TI-4",
        ),
    ],
)
def test_sensortag(feed, range_g, data, gyro, acc, mag) -> None:
    """Eighteen bytes at each range; the ends of the range are flagged."""
    packets = feed(SensorTagSession(Wish(), range_g=range_g), sensortag.DATA, data)
    got = _by_kind(packets)
    assert got[Kind.GYRO] == pytest.approx(gyro, abs=1e-5)
    assert got[Kind.ACC] == pytest.approx(acc, abs=1e-6)
    assert got[Kind.MAG] == pytest.approx(mag)
    clipped = PacketFlag.CLIPPED in packets[0].flags
    assert clipped == (range_g == 16)


def test_sensortag_zeros_while_powering_up(begin, feed) -> None:
    """The first samples are all zero and no samples; later zeros would be."""
    session = begin("sensortag")
    assert feed(session, sensortag.DATA, "00" * 18) == []
    assert feed(session, sensortag.DATA, "00" * 16 + "0100")
    assert feed(session, sensortag.DATA, "00" * 18)


def test_sensortag_is_never_asked_for_more_than_ten_hertz(begin) -> None:
    """Periods below 100 ms are refused by the device."""
    for wished, period in ((50, 10), (5, 20), (0.1, 255)):
        steps = begin("sensortag", Wish(fs_hz=wished)).start()
        assert next(s.data[0] for s in steps if s.channel == sensortag.PERIOD) == period


@pytest.mark.parametrize(
    ("firmware", "acc"),
    [("1.5 (Oct 23 2013)", [-1, 0, 4]), ("1.4 (Jul 12 2013)", [-0.25, 0, 1]), ("odd", [-1, 0, 4])],
)
def test_ti_5_scale_depends_on_firmware(begin, feed, firmware: str, acc: list[float]) -> None:
    """TI-5: F0 00 40 with firmware 1.5; older firmware counts 64 per g."""
    session = begin("sensortag-cc2541")
    feed(session, sensortag_cc2541.FIRMWARE, firmware.encode())
    (packet,) = feed(session, sensortag_cc2541.ACC, "F00040")
    assert packet.values[0].tolist() == acc


# ---- micro:bit, Adafruit, Arduino, InfiniTime, OpenEarable ------------------------------------


@pytest.mark.parametrize(
    ("data", "milli_g"),
    [
        pytest.param("0001A0032001", [256, 928, 288], id="MB-1"),
        pytest.param("0001A0031001", [256, 928, 272], id="MB-2"),
        pytest.param("1000F0FF18FC", [16, -16, -1000], id="MB-3"),
    ],
)
def test_microbit(begin, feed, data, milli_g) -> None:
    """Signed milli-g, whatever the public document says."""
    (packet,) = feed(begin("microbit"), microbit.DATA, data)
    assert packet.values[0] * 1000 == pytest.approx(milli_g, abs=1e-3)


def test_microbit_period_is_read_back(begin, feed) -> None:
    """The board chooses the nearest period; the stream follows what it says."""
    session = begin("microbit")
    writes = [s.data.hex() for s in session.start() if s.action == "write"]
    assert writes == ["1400"]
    feed(session, microbit.PERIOD, "5000")
    assert session.streams[0].fs_hz == 12.5
    with pytest.raises(BadField):
        feed(session, microbit.PERIOD, "0000")


@pytest.mark.parametrize(
    ("name", "channel", "data", "kind", "values"),
    [
        pytest.param(
            "adafruit", adafruit.ACC, "00000000000000000AE81C41", Kind.ACC, [0, 0, 1], id="AD-1"
        ),
        pytest.param(
            "adafruit",
            adafruit.GYRO,
            "0000803F000000C00000803E",
            Kind.GYRO,
            np.degrees([1, -2, 0.25]),
            id="AD-2",
        ),
        pytest.param(
            "arduino",
            arduino.ACC,
            "0000803C000080BE0000803F",
            Kind.ACC,
            [0.015625, -0.25, 1],
            id="AR-1",
        ),
        pytest.param(
            "arduino",
            arduino.GYRO,
            "00004841000000BF00007A43",
            Kind.GYRO,
            [12.5, -0.5, 250],
            id="AR-2",
        ),
        pytest.param(
            "infinitime", infinitime.MOTION, "000000FC0004", Kind.ACC, [0, -1, 1], id="IT-1"
        ),
        pytest.param(
            "nicla", nicla.ACC, "000000000000000000008045", Kind.ACC, [0, 0, 1], id="nicla"
        ),
        pytest.param(
            "nicla",
            nicla.QUATERNION,
            "00" * 12 + "0000803F",
            Kind.QUAT,
            [1, 0, 0, 0],
            id="nicla-xyzw",
        ),
        pytest.param(
            "droidpad",
            droidpad.DATA,
            b"ACCELEROMETER,0.31892395,-0.97802734,10.049896",
            Kind.ACC,
            np.array([0.31892395, -0.97802734, 10.049896]) / G,
            id="PH-4",
        ),
        pytest.param(
            "droidpad",
            droidpad.DATA,
            b"ACCELEROMTER,1.0E-4,0,9.80665",
            Kind.ACC,
            [1e-4 / G, 0, 1],
            id="PH-4-misspelt",
        ),
    ],
)
def test_one_sample_frames(begin, feed, name, channel, data, kind, values) -> None:
    """Floats in the board's unit become g and deg/s."""
    (packet,) = feed(begin(name), channel, data)
    assert packet.stream.kind == kind
    assert packet.values[0] == pytest.approx(np.asarray(values), abs=1e-5)


def test_ad_3_period_in_the_right_service(begin) -> None:
    """AD-3: 20 ms and stop; the same UUID stands in two services."""
    session = begin("adafruit")
    periods = [(s.service, s.data.hex()) for s in session.start() if s.channel == adafruit.PERIOD]
    assert periods == [
        (adafruit.ACC_SERVICE, "14000000"),
        (adafruit.GYRO_SERVICE, "14000000"),
    ]
    assert session.stop()[0].data.hex() == "ffffffff"


def test_a_number_that_no_sensor_measures_is_refused(begin, feed) -> None:
    """Broken bits of 1e37 rad/s would leave the range of float32 when they become deg/s."""
    with pytest.raises(BadField):
        feed(begin("adafruit"), adafruit.GYRO, bytes(11) + b"\x7d")


def test_oe_1_openearable(begin, feed) -> None:
    """OE-1: 64-bit microseconds, m/s2, deg/s, microtesla."""
    data = openearable.GOLDEN[0].frame.payload
    packets = feed(begin("openearable"), openearable.DATA, data)
    got = _by_kind(packets)
    assert got[Kind.ACC] * G == pytest.approx([0, 0, 9.80665], abs=1e-5)
    assert got[Kind.GYRO].tolist() == [1, -2, 0.5]
    assert got[Kind.MAG].tolist() == [20, -5, 40]
    assert packets[0].ticks == 1234567


def test_oe_2_configuration(begin) -> None:
    """OE-2: the IMU at 50 Hz over BLE."""
    writes = [s.data.hex() for s in begin("openearable").start() if s.action == "write"]
    assert writes == ["000101"]


def test_droidpad_cut_text_is_refused(begin, feed) -> None:
    """Android cuts what does not fit the MTU; another sensor's event is named."""
    for text in (b"ACCELEROMETER,0.318", b'{"type":"ACCELEROMETER","x":1,"y"', b"GYROSCOPE,a,b,c"):
        with pytest.raises(BadField):
            feed(begin("droidpad"), droidpad.DATA, text)
    with pytest.raises(UnknownFrame):
        feed(begin("droidpad"), droidpad.DATA, b"LIGHT,1,2,3")


# ---- Espruino ----------------------------------------------------------------------------------


def test_es_1_tutorial_line(begin, feed) -> None:
    """ES-1: g times 100."""
    (packet,) = feed(begin("espruino"), espruino.NOTIFY, b"A,-12,3,98\n")
    assert packet.values[0] == pytest.approx([-0.12, 0.03, 0.98])


def test_es_2_range_is_seen_from_gravity(begin, feed) -> None:
    """ES-2: an older Puck at 2 g, told by |acc| = 1 g."""
    line = b"1200,253,-663,16249,551,2604,4265\n"
    packets = feed(begin("espruino"), espruino.NOTIFY, line)
    got = _by_kind(packets)
    assert got[Kind.ACC] == pytest.approx([0.0154, -0.0405, 0.9918], abs=1e-4)
    assert got[Kind.GYRO] == pytest.approx([4.12, 19.47, 31.89], abs=5e-3)
    assert packets[0].ticks / packets[0].stream.tick_hz == 1.2
    newer = feed(begin("espruino"), espruino.NOTIFY, b"1200,126,-331,8124,551,2604,4265\n")
    assert _by_kind(newer)[Kind.ACC][2] == pytest.approx(0.9918, abs=1e-3)


def test_es_3_lines_split_across_notifications(begin, feed) -> None:
    """ES-3: three chunks, two lines."""
    session = begin("espruino")
    rows = []
    for chunk in (b"A,1", b",2,100\nA,3,", b"4,99\n"):
        rows += [p.values[0] for p in feed(session, espruino.NOTIFY, chunk)]
    assert np.array(rows) == pytest.approx(np.array([[0.01, 0.02, 1.0], [0.03, 0.04, 0.99]]))


def test_espruino_console_noise_is_counted(begin, feed) -> None:
    """Prompts and messages are no error; a broken measurement alone is."""
    session = begin("espruino")
    assert feed(session, espruino.NOTIFY, b"Espruino 2v20\n>\nundefined\n") == []
    assert session.ignored == 2
    with pytest.raises(BadField):
        feed(session, espruino.NOTIFY, b"12,NaN,3,4\n")


def test_espruino_uploads_in_small_pieces() -> None:
    """No write is longer than 20 bytes; a Bangle gets its own program and has no gyro."""
    decoder = decoders()["espruino"]
    for name, word, kinds in (("Puck.js 00ab", b"Puck.on", 2), ("Bangle.js 00ab", b"Bangle.on", 1)):
        session = decoder.open(Wish(), Advert(address="A", name=name))
        pieces = [s.data for s in session.start() if s.why == "program"]
        assert max(map(len, pieces)) <= 20
        assert word in b"".join(pieces)
        assert len(session.streams) == kinds


# ---- BlueST ------------------------------------------------------------------------------------

ST_1 = "E8030A00F6FFE803640038FF00002C01D4FE9001"


def _feature(session, mask: int, data: str, feed):
    session.tick_ms = 1.0  # known, so nothing is held back
    return feed(session, bluest.feature(mask), data)


def test_st_1_acc_gyro_mag(begin, feed) -> None:
    """ST-1: milli-g, tenths of deg/s, milligauss as microtesla."""
    packets = _feature(begin("bluest"), 0x00E00000, ST_1, feed)
    got = _by_kind(packets)
    assert got[Kind.ACC] == pytest.approx([0.01, -0.01, 1.0], abs=1e-6)
    assert got[Kind.GYRO] == pytest.approx([10, -20, 0], abs=1e-5)
    assert got[Kind.MAG] == pytest.approx([30, -30, 40], abs=1e-5)
    assert packets[0].ticks == 1000


def test_st_2_compact_quaternion(begin, feed) -> None:
    """ST-2: the scalar follows from the unit length."""
    (packet,) = _feature(begin("bluest"), 0x100, "6400000000009F1B", feed)
    assert packet.values[0] == pytest.approx([0.70711, 0, 0, 0.7071], abs=1e-4)
    assert packet.ticks == 100


def test_st_3_ticks_wrap() -> None:
    """ST-3: 65530, 65535, 3 go on to 65539; also backwards for a late packet."""
    stream = Stream(kind=Kind.ACC, fs_hz=20, tick_hz=1000.0, tick_bits=16)
    expected, got = 65_530_000_000, []
    for tick in (65530, 65535, 3, 65535):
        expected = unwrap_ticks(tick, stream.tick_hz, 16, expected)
        got.append(expected // 1_000_000)
    assert got == [65530, 65535, 65539, 65535]


@pytest.mark.parametrize("tick_ms", [1, 8])
def test_bluest_unit_of_time_is_measured(tick_ms: int) -> None:
    """Function packs count 8 ms, others 1 ms; nothing of the first two seconds is lost."""
    device = bluest.BlueStPeripheral(tick_ms=tick_ms)
    link = Loopback(decoders()["bluest"].open(Wish()), device)
    link.start(10**18)
    packets = []
    for k in range(100):
        t = np.array([10**18 + k * 50_000_000])
        packets += link.send(Block(t_ns=t, acc_g=np.array([[0, 0, 1]], np.float32)))
    assert link.session.tick_ms == tick_ms
    acc = [p for p in packets if p.stream.kind == Kind.ACC]
    assert len(acc) == 100
    assert {p.stream.tick_hz for p in acc} == {1000 / tick_ms}


def test_bluest_takes_each_quantity_from_one_characteristic(begin, feed) -> None:
    """A board that offers acceleration alone and combined is not counted twice."""
    session = begin("bluest")
    assert len(_feature(session, 0x00E00000, ST_1, feed)) == 3
    assert _feature(session, 0x00800000, "E8030A00F6FFE803", feed) == []


def test_bluest_battery(begin, feed) -> None:
    """Percent times ten."""
    (packet,) = feed(begin("bluest"), bluest.feature(bluest.BATTERY), "64006E03A00F000000")
    assert packet.values[0, 0] == pytest.approx(87.8)


# ---- RuuviTag ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "acc", "number", "millivolts"),
    [
        pytest.param(
            "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F",
            [0.004, -0.004, 1.036],
            205,
            "2977",
            id="RU-1",
        ),
        pytest.param(
            "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F",
            [32.767] * 3,
            65534,
            "3646",
            id="RU-2",
        ),
        pytest.param(
            "058001000000008001800180010000000000CBB8334C884F", [-32.767] * 3, 0, "1600", id="RU-3"
        ),
        pytest.param(
            "03291A1ECE1EFC18F94202CA0B53", [-1.0, -1.726, 0.714], None, "2899", id="RU-5"
        ),
    ],
)
def test_ruuvi(begin, feed, data, acc, number, millivolts) -> None:
    """Acceleration, measurement number and battery of both formats."""
    packet = feed(begin("ruuvi"), ruuvi.CHANNEL, data)[0]
    assert packet.values[0] == pytest.approx(acc, abs=1e-4)
    assert packet.index == number
    assert packet.info["battery_mv"] == millivolts


def test_ru_1_air(begin, feed) -> None:
    """RU-1: 24.3 degrees, 1000.44 hPa, 53.49 percent, +4 dBm, 66 movements."""
    packets = feed(
        begin("ruuvi"), ruuvi.CHANNEL, "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F"
    )
    got = _by_kind(packets)
    assert got[Kind.TEMPERATURE][0] == pytest.approx(24.3, abs=1e-4)
    assert got[Kind.PRESSURE][0] == pytest.approx(1000.44, abs=1e-3)
    info = packets[0].info
    assert (info["humidity_pct"], info["tx_dbm"], info["moves"]) == ("53.49", "4", "66")


def test_ru_4_nothing_available(begin, feed) -> None:
    """RU-4: every field says "not available", so no packet comes."""
    assert feed(begin("ruuvi"), ruuvi.CHANNEL, "058000FFFFFFFF800080008000" + "FF" * 11) == []


def test_ruuvi_unknown_format_is_named(begin, feed) -> None:
    """A newer data format asks for an update instead of being guessed at."""
    with pytest.raises(UnknownFrame, match="format 6"):
        feed(begin("ruuvi"), ruuvi.CHANNEL, "06" + "00" * 19)
    with pytest.raises(TruncatedFrame):
        feed(begin("ruuvi"), ruuvi.CHANNEL, "")
    match = decoders()["ruuvi"].match(Advert(address="A", manufacturer={0x0499: b"\x06"}))
    assert match.score == 0
