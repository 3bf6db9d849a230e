# SPDX-License-Identifier: Apache-2.0
"""Vectors TH-1 to TH-7 of the Thingy:52."""

import numpy as np
import pytest

from firmware_protocol.decoders import thingy
from firmware_protocol.errors import BadField, TruncatedFrame
from firmware_protocol.frame import Kind
from firmware_protocol.registry import Wish


@pytest.mark.parametrize(
    ("channel", "data", "kind", "values"),
    [
        pytest.param(
            thingy.RAW,
            "FAFFF4FFF603" + "00" * 12,
            Kind.ACC,
            [-0.005859, -0.011719, 0.990234],
            id="TH-1",
        ),
        pytest.param(
            thingy.RAW,
            "FAFFF4FFF6032000E0FF4006C8FE2A0180FD",
            Kind.GYRO,
            [1.0, -1.0, 50.0],
            id="TH-2-gyro",
        ),
        pytest.param(
            thingy.RAW,
            "FAFFF4FFF6032000E0FF4006C8FE2A0180FD",
            Kind.MAG,
            [-19.5, 18.625, -40.0],
            id="TH-2-mag",
        ),
        pytest.param(thingy.QUATERNION, "00000040" + "00" * 12, Kind.QUAT, [1, 0, 0, 0], id="TH-3"),
        pytest.param(
            thingy.QUATERNION,
            "CD3C412D00000000CD3C412D00000000",
            Kind.QUAT,
            [0.70710678, 0, 0.70710678, 0],
            id="TH-4",
        ),
        pytest.param(
            thingy.EULER, "0080F3FF00005A0000F0B300", Kind.EULER, [-12.5, 90, 179.9375], id="TH-5"
        ),
        pytest.param(
            # (0, 0, 9.80665) m/s2
            thingy.GRAVITY,
            "00000000000000000AE81C41",
            Kind.GRAVITY,
            [0, 0, 1],
            id="TH-6",
        ),
    ],
)
def test_vector(begin, feed, channel: str, data: str, kind: Kind, values: list[float]) -> None:
    """The characteristic's fixed-point format gives the vector's values."""
    packets = {p.stream.kind: p for p in feed(begin("thingy"), channel, data)}
    assert packets[kind].values[0] == pytest.approx(np.array(values), abs=1e-6)


def test_th_7_configuration(begin, feed) -> None:
    """TH-7: 100 Hz, wake on motion off, as written and as read back."""
    assert thingy.encode_config(100) == bytes.fromhex("E803F401F401640000")
    session = begin("thingy", Wish(fs_hz=100))
    write = next(s for s in session.start() if s.action == "write")
    assert write.data == bytes.fromhex("E803F401F401640000")
    feed(session, thingy.CONFIG, "E803F401F401C80000")
    assert session.streams[0].fs_hz == 200


def test_only_one_motion_characteristic_is_switched_on(begin) -> None:
    """All notifications at once fail on some hosts (#22)."""
    on = [s.channel for s in begin("thingy").start() if s.action == "subscribe" and not s.optional]
    assert on == [thingy.RAW]


def test_bad_frames(begin, feed) -> None:
    """A short frame and an impossible rate are refused with a sentence."""
    with pytest.raises(TruncatedFrame, match="expected 18"):
        feed(begin("thingy"), thingy.RAW, "00" * 17)
    with pytest.raises(BadField, match="5 to 200"):
        feed(begin("thingy"), thingy.CONFIG, "E803F401F401000000")
