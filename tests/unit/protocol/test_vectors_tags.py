# SPDX-License-Identifier: Apache-2.0
"""Vectors of WitMotion (WT), Movesense (MV), Movella DOT (XD) and MetaMotion (MW)."""

import numpy as np
import pytest

from firmware_protocol.decoders import dot, metamotion, movesense, witmotion
from firmware_protocol.decoders.metamotion import MetaMotionPeripheral, MetaMotionSession
from firmware_protocol.errors import BadChecksum, BadField, TruncatedFrame, UnknownFrame
from firmware_protocol.frame import Kind
from firmware_protocol.loopback import Loopback
from firmware_protocol.registry import Wish

G = 9.80665
WT_1 = "5561000000080000000000000000004000000000"
WT_2 = "55615AFF300025080A00F6FF01008E0538FE00A0"


def _by_kind(packets) -> dict[Kind, np.ndarray]:
    return {p.stream.kind: p.values for p in packets}


# ---- WitMotion ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "acc", "gyro", "angles"),
    [
        pytest.param(WT_1, [0, 1, 0], [0, 0, 0], [90, 0, 0], id="WT-1"),
        pytest.param(
            WT_2,
            [-0.08105, 0.02344, 1.01807],
            [0.61035, -0.61035, 0.06104],
            [7.81128, -2.50488, -135.0],
            id="WT-2",
        ),
        pytest.param(
            "5561FF7F00800000FF7F00800000FF7F00800000",
            [15.99951, -16, 0],
            [1999.939, -2000, 0],
            [179.9945, -180, 0],
            id="WT-3",
        ),
    ],
)
def test_witmotion(begin, feed, data, acc, gyro, angles) -> None:
    """Acceleration, rotation and angles of one frame."""
    got = _by_kind(feed(begin("witmotion"), witmotion.NOTIFY, data))
    assert got[Kind.ACC][0] == pytest.approx(acc, abs=1e-5)
    assert got[Kind.GYRO][0] == pytest.approx(gyro, abs=1e-3)
    assert got[Kind.EULER][0] == pytest.approx(angles, abs=1e-4)


def test_wt_4_magnetometer_registers(begin, feed) -> None:
    """WT-4: a register answer; the field is of no use for posture and gives no packet."""
    data = "55713A00680169007A0000000000000000000000"
    assert witmotion.registers(bytes.fromhex(data)) == (0x3A, (360, 105, 122, 0, 0, 0, 0, 0))
    assert feed(begin("witmotion"), witmotion.NOTIFY, data) == []


def test_wt_5_battery(begin, feed) -> None:
    """WT-5: 3.90 V is 75 percent by the vendor's table."""
    data = "5571640086010000000000000000000000000000"
    (packet,) = feed(begin("witmotion"), witmotion.NOTIFY, data)
    assert (packet.stream.kind, packet.values[0, 0]) == (Kind.BATTERY, 75)


@pytest.mark.parametrize(
    ("centivolts", "percent"),
    [(397, 100), (396, 90), (393, 90), (392, 75), (350, 10), (340, 5), (339, 0)],
)
def test_witmotion_battery_steps(centivolts: int, percent: int) -> None:
    """The edges of the vendor's table."""
    assert witmotion.battery_percent(centivolts) == percent


def test_wt_6_quaternion(begin, feed) -> None:
    """WT-6: register 51."""
    data = "55715100FF7F0000000000000000000000000000"
    (packet,) = feed(begin("witmotion"), witmotion.NOTIFY, data)
    assert packet.values[0] == pytest.approx([0.99997, 0, 0, 0], abs=1e-5)


def test_wt_7_stray_byte_split_anywhere(begin, feed) -> None:
    """WT-7: two frames with a stray byte between, cut at any two places: both are recovered."""
    stream = bytes.fromhex(WT_1 + "12" + WT_2)
    for i in range(len(stream) + 1):
        for j in range(i, len(stream) + 1):
            session = begin("witmotion")
            rows = []
            for part in (stream[:i], stream[i:j], stream[j:]):
                got = _by_kind(feed(session, witmotion.NOTIFY, part))
                rows += got.get(Kind.ACC, np.empty((0, 3))).tolist()
            assert len(rows) == 2, (i, j)
            assert rows[1][2] == pytest.approx(1.01807, abs=1e-5)


def test_wt_8_vibration_sensor_is_flagged(begin, feed) -> None:
    """WT-8: the 28-byte frame of a WTVB01 is not taken for acceleration."""
    frame = "55611100160002000200000001 00E60A430047000A00250025002500".replace(" ", "")
    with pytest.raises(BadField, match="WTVB01"):
        feed(begin("witmotion"), witmotion.NOTIFY, frame)


def test_witmotion_settings_are_unlocked_and_given_time(begin) -> None:
    """Each write is followed by a pause, the first one unlocks, the last one saves."""
    steps = begin("witmotion", Wish(fs_hz=50)).start()
    assert [s.data.hex() for s in steps if s.action == "write"] == [
        "ffaa6988b5",
        "ffaa240100",
        "ffaa030800",
        "ffaa000000",
    ]
    assert [s.action for s in steps[1::2]] == ["write"] * 4
    assert [s.action for s in steps[2::2]] == ["sleep"] * 3


def test_witmotion_battery_is_asked_once_a_minute(begin, feed) -> None:
    """The sensor has no battery service; its register is polled."""
    session = begin("witmotion")
    asked = 0
    for k in range(125):
        feed(session, witmotion.NOTIFY, WT_1, at=10**18 + k * 10**9)
        asked += len(session.pending())
    assert asked == 3


# ---- Movesense ---------------------------------------------------------------------------------

MV_2 = (
    "03DE010055AB8BBF69F78D4081DD0A412B1387BF975A8D4020840B41E79190BF076D8E401BF10A41"
    "2B1387BF316E8D40B9660B41"
)
MV_3 = (
    "03DE0100295C8F3F666606C03E0A57BEAE47A13F85EB01C0295C8FBEAE47A13FC3F5E8BF295C8FBE"
    "295C8F3F85EBF1BF3E0A57BE"
)
MV_6_TAIL = (
    "DE9CFE41708636C2A5026CC10A4A0A42750733C293A355C19BC8FD411B8938C287F75FC1"
    "7CFEF541FF742FC2475774C1"
)


def _movesense(path: str, payload: str, feed):
    session = movesense.MovesenseSession(Wish(), path=path)
    return feed(session, movesense.NOTIFY, "0263" + payload)


def test_mv_1_subscribe() -> None:
    """MV-1: the subscription of /Meas/IMU6/52."""
    assert movesense.subscribe("IMU6", 52).hex() == "01632f4d6561732f494d55362f3532"
    session = movesense.MovesenseSession(Wish())
    writes = [s.data for s in session.start() if s.action == "write"]
    assert writes == [movesense.subscribe("IMU6", 52)]


def test_mv_2_acceleration(feed) -> None:
    """MV-2: four samples in m/s2, here in g; time of the first."""
    (packet,) = _movesense("Acc", MV_2, feed)
    expected = [
        [-1.0912, 4.4365, 8.6791],
        [-1.0553, 4.4173, 8.7198],
        [-1.1295, 4.4508, 8.6839],
        [-1.0553, 4.4197, 8.7126],
    ]
    assert packet.values * G == pytest.approx(np.array(expected), abs=1e-4)
    assert (packet.ticks, packet.ticks_at) == (122371, "first")


def test_mv_3_rotation(feed) -> None:
    """MV-3: deg/s as they are."""
    (packet,) = _movesense("Gyro", MV_3, feed)
    expected = [
        [1.12, -2.10, -0.21],
        [1.26, -2.03, -0.28],
        [1.26, -1.82, -0.28],
        [1.12, -1.89, -0.21],
    ]
    assert packet.values == pytest.approx(np.array(expected), abs=1e-5)
    assert packet.ticks == 122371


def test_mv_4_magnetic_field(feed) -> None:
    """MV-4: microtesla."""
    (packet,) = _movesense("Magn", "ACA10200DE9CFE41708636C2A5026CC1", feed)
    assert packet.values[0] == pytest.approx([31.8266, -45.6313, -14.7506], abs=1e-4)
    assert packet.ticks == 172460


def test_mv_5_acceleration_and_rotation(feed) -> None:
    """MV-5: all acceleration first, then all rotation."""
    acc, gyro = _movesense("IMU6", movesense.MV_5, feed)
    assert acc.values[0] * G == pytest.approx([-0.9715, 4.2689, 8.8562], abs=1e-4)
    assert acc.values[3] * G == pytest.approx([-0.9452, 4.2857, 8.7844], abs=1e-4)
    assert gyro.values[0] == pytest.approx([-0.98, -1.33, -0.35], abs=1e-5)
    assert gyro.values[3] == pytest.approx([-0.63, -1.40, -0.42], abs=1e-5)


def test_mv_6_nine_axes(feed) -> None:
    """MV-6: the field follows."""
    _, _, mag = _movesense("IMU9", movesense.MV_5 + MV_6_TAIL, feed)
    assert mag.values[0] == pytest.approx([31.8266, -45.6313, -14.7506], abs=1e-4)
    assert mag.values[3] == pytest.approx([30.7493, -43.8643, -15.2713], abs=1e-4)


@pytest.mark.parametrize(
    ("answer", "refused"), [("0163C800", False), ("016301FB", True), ("0163F701", True)]
)
def test_movesense_status_in_either_byte_order(begin, feed, answer: str, refused: bool) -> None:
    """The sample app sends its 507 big-endian; 503 comes little-endian."""
    if not refused:
        assert feed(begin("movesense"), movesense.NOTIFY, answer) == []
        return
    with pytest.raises(BadField, match="status 50"):
        feed(begin("movesense"), movesense.NOTIFY, answer)


def test_movesense_second_half_without_first(begin, feed) -> None:
    """A lost first half: the second is refused, the next message is whole again."""
    session = begin("movesense")
    with pytest.raises(TruncatedFrame):
        feed(session, movesense.NOTIFY, "0363" + movesense.MV_5[-20:])
    assert len(feed(session, movesense.NOTIFY, "0263" + movesense.MV_5)) == 2


# ---- Movella DOT -------------------------------------------------------------------------------

XD_2 = "40420F0000000000000000000AE81C410000803F000000C00000003F"


def test_xd_1_complete_quaternion() -> None:
    """XD-1: attitude and free acceleration."""
    data = "788BF702FDD0163EEC3847BF6B7D18BF7CEB083EF47BC63B0A9FCE3C016C803C"
    time_us, found = dot.fields(3, bytes.fromhex(data))
    assert time_us == 49777528
    quat = [0.1472816, -0.7782123, -0.5956637, 0.1337108]
    assert found[dot.QUAT] == pytest.approx(quat, abs=1e-7)
    assert found[dot.FREE] == pytest.approx([0.006057257, 0.02522232, 0.0156765], abs=1e-8)


def test_xd_2_rate(begin, feed) -> None:
    """XD-2: m/s2 and deg/s with the device's microseconds; a padded payload is the same."""
    for data in (XD_2, XD_2 + "00" * 12):
        packets = feed(begin("dot"), dot.MEDIUM, data)
        got = _by_kind(packets)
        assert got[Kind.ACC][0] * G == pytest.approx([0, 0, 9.80665], abs=1e-5)
        assert got[Kind.GYRO][0].tolist() == [1.0, -2.0, 0.5]
        assert packets[0].ticks == 1_000_000


def test_xd_3_rate_and_field(feed) -> None:
    """XD-3: counts of 1/4096 of the earth's field."""
    session = dot.DotSession(Wish(), mode=20)
    packets = feed(session, dot.MEDIUM, XD_2 + "000800F00004")
    mag = next(p for p in packets if p.stream.kind == Kind.MAG)
    assert (mag.raw[0] / 4096).tolist() == [0.5, -1.0, 0.25]


@pytest.mark.parametrize(
    ("mode", "data", "time_us", "name", "values"),
    [
        pytest.param(
            4, "1B4100000000C03F000020C10000B442", 16667, dot.EULER, [1.5, -10, 90], id="XD-4"
        ),
        pytest.param(
            6, "358200000000000000000000000080BE", 33333, dot.FREE, [0, 0, -0.25], id="XD-5"
        ),
    ],
)
def test_dot_short_payloads(mode, data, time_us, name, values) -> None:
    """Angles and free acceleration."""
    got_us, found = dot.fields(mode, bytes.fromhex(data))
    assert got_us == time_us
    assert found[name].tolist() == values


@pytest.mark.parametrize("mode", list(dot.MODES))
def test_dot_modes_fit_their_characteristic(mode: int) -> None:
    """Every mode's fields fit its payload; one byte less is refused."""
    channel, names = dot.MODES[mode]
    used = 4 + sum(dot.SIZES.get(n, 12) for n in names)
    assert used <= dot.LENGTHS[channel]
    assert list(dot.fields(mode, bytes(used))[1]) == list(names)
    with pytest.raises(TruncatedFrame):
        dot.fields(mode, bytes(used - 1))


@pytest.mark.parametrize(
    ("message", "code", "data"),
    [
        pytest.param("010102FC", 1, "02", id="XD-6-GetState"),
        pytest.param("0103010602F3", 1, "010602", id="XD-6-acknowledge"),
        pytest.param("010141BD", 1, "41", id="XD-7-StopRecording"),
        pytest.param("020108F5", 2, "08", id="XD-7-GetSyncStatus"),
        pytest.param("02025109A2", 2, "5109", id="XD-7-reply"),
        pytest.param("0207013D69F16ECAD453", 2, "013d69f16ecad4", id="XD-7-StartSync"),
        pytest.param(
            "010974000105060708090A54", 1, "74000105060708090a", id="XD-7-SelectExportData"
        ),
    ],
)
def test_dot_messages(message: str, code: int, data: str) -> None:
    """Checksums that fit, and the same bytes from encoding."""
    whole = bytes.fromhex(message)
    assert dot.check_message(whole) == (code, bytes.fromhex(data))
    assert dot.encode_message(code, bytes.fromhex(data)) == whole


def test_xd_8_the_vendors_own_wrong_checksum() -> None:
    """XD-8: printed with E0 by the vendor, E4 would be right: refused."""
    with pytest.raises(BadChecksum):
        dot.check_message(bytes.fromhex("010740DF503B5B0807E0"))
    assert dot.check_message(bytes.fromhex("010740DF503B5B0807E4"))[0] == 1


def test_dot_changes_only_the_rate(begin, feed) -> None:
    """Device control is read, its rate changed, written back; then it is started."""
    session = begin("dot", Wish(fs_hz=60))
    feed(session, dot.DEVICE_CONTROL, bytes(range(24)) + b"\x14\x00\x01" + bytes(5))
    control, start = session.pending()
    assert control.data == b"\x10" + bytes(range(1, 24)) + b"\x3c\x00\x01" + bytes(5)
    assert (start.channel, start.data.hex()) == (dot.CONTROL, "010115")
    order = [s.action for s in session.start() if not s.optional]
    assert order == ["write", "subscribe", "read"]


# ---- MetaMotion --------------------------------------------------------------------------------


def _metamotion(feed, *, acc: float = 8, gyro: float = 1000, chip: str = "BMI160"):
    session = MetaMotionSession(Wish(acc_range_g=acc, gyro_range_dps=gyro))
    codes = ("038001", "138000") if chip == "BMI160" else ("038004", "138001")
    for code in codes:
        feed(session, metamotion.NOTIFY, code)
    return session


@pytest.mark.parametrize(
    ("acc", "gyro", "chip", "data", "expected"),
    [
        pytest.param(4, 1000, "BMI160", "030416C494A22AD0", [(-1.872, -2.919, -1.495)], id="MW-1"),
        pytest.param(
            8,
            1000,
            "BMI160",
            "031C62B7530DE9FD16D04D0E57028AFFA1050A01",
            [(-4.539, 0.833, -0.131), (-2.995, 0.894, 0.146), (-0.029, 0.352, 0.065)],
            id="MW-2",
        ),
        pytest.param(
            8,
            1000,
            "BMI270",
            "030562B7530DE9FD16D04D0E57028AFFA1050A01",
            [(-4.539, 0.833, -0.131), (-2.995, 0.894, 0.146), (-0.029, 0.352, 0.065)],
            id="MW-2-BMI270",
        ),
        pytest.param(
            8, 500, "BMI160", "13053E43FF7F0080", [(262.409, 499.497, -499.512)], id="MW-3"
        ),
        pytest.param(
            8,
            1000,
            "BMI160",
            "13070915AD2608DE8A1A0D2665E48D20AC2773EC",
            [
                (164.177, 301.860, -265.122),
                (207.134, 296.982, -215.457),
                (254.055, 309.634, -152.591),
            ],
            id="MW-4",
        ),
        pytest.param(
            8, 1000, "BMI160", "15054EF0530A7504", [(-251.125, 165.1875, 71.3125)], id="MW-5"
        ),
    ],
)
def test_metamotion(feed, acc, gyro, chip, data, expected) -> None:
    """Single and packed frames at their range."""
    (packet,) = feed(_metamotion(feed, acc=acc, gyro=gyro, chip=chip), metamotion.NOTIFY, data)
    assert packet.values == pytest.approx(np.array(expected), abs=6e-4)


def test_mw_6_battery(feed) -> None:
    """MW-6: 99 percent."""
    (packet,) = feed(_metamotion(feed), metamotion.NOTIFY, "118C633410")
    assert packet.values[0, 0] == 99


def test_mw_7_configuration(feed) -> None:
    """MW-7: rate and range codes of both chips."""

    def writes(chip: str, **wish: float) -> list[str]:
        session = MetaMotionSession(Wish(**wish))
        for code in ("038001", "138000") if chip == "BMI160" else ("038004", "138001"):
            feed(session, metamotion.NOTIFY, code)
        return [d.hex() for d in session.configuration()]

    assert "03032908" in writes("BMI160", fs_hz=200, acc_range_g=8)
    assert "0303a902" in writes("BMI270", fs_hz=200, acc_range_g=8)
    assert "13032704" in writes("BMI160", fs_hz=50, gyro_range_dps=125)
    assert writes("BMI160", fs_hz=50) == [
        "03032708", "13032701", "031c01", "130701", "03020100", "13020100", "030101", "130101",
    ]  # fmt: skip
    assert writes("BMI270", fs_hz=50)[:4] == ["0303a702", "13032701", "030501", "130501"]


def test_metamotion_register_five_depends_on_the_chip(feed) -> None:
    """`03 05` is packed acceleration on the BMI270 and nothing on the BMI160."""
    with pytest.raises(UnknownFrame):
        feed(_metamotion(feed), metamotion.NOTIFY, "0305" + "00" * 18)


@pytest.mark.parametrize("chip", ["BMI160", "BMI270"])
def test_metamotion_discovers_its_chip(chip: str) -> None:
    """Either board is asked, configured and started by the same session."""
    link = Loopback(MetaMotionSession(Wish()), MetaMotionPeripheral(chip))
    link.start(10**18)
    assert set(link.session.chips.values()) == {chip}
    assert link.device.running == {0x03, 0x13}
    assert (link.device.acc_g, link.device.gyr_dps) == (8, 1000)
