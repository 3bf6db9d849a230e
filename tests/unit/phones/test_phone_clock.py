# SPDX-License-Identifier: Apache-2.0
"""A phone whose clock is decades off: its samples are where they arrived, all of them, once."""

import json

import numpy as np
import pytest

from firmware_protocol.frame import Frame
from firmware_protocol.phones import sensor_logger, web_page
from tracker.collect.assemble import Assembler
from tracker.model import SECOND_NS, Samples

NOW_NS = 1_795_420_800 * SECOND_NS
YEAR_NS = 365 * 86_400 * SECOND_NS


def of_page(number: int, now_ns: int) -> bytes:
    """A second of our own page; `now_ns` is what the phone takes for the time."""
    samples = [[1000.0 * number + 20.0 * i, 0.1, 9.8, 0.2, 1.0, 0.0, 0.0] for i in range(50)]
    return json.dumps(
        {"v": 1, "src": "devicemotion", "session": "s", "batch": number, "t0": now_ns // 1_000_000,
         "at": samples[-1][0] + 5, "s": samples}
    ).encode()  # fmt: skip


def of_app(number: int, now_ns: int) -> bytes:
    """A second of Sensor Logger."""
    payload = []
    for i in range(50):
        t = now_ns + number * SECOND_NS + i * 20_000_000
        payload += [
            {"name": "gravity", "time": t, "values": {"x": 0, "y": 0, "z": 9.80665}},
            {"name": "accelerometer", "time": t, "values": {"x": 0.1, "y": 0, "z": 0}},
        ]
    told = {"messageId": number, "sessionId": "s", "deviceId": "d", "payload": payload}
    return json.dumps(told).encode()


@pytest.mark.parametrize("module", [web_page, sensor_logger])
@pytest.mark.parametrize("years", [-50, -10, 0, 40])
def test_a_clock_that_is_decades_off(module: object, years: int) -> None:
    """Ten seconds arrive within a minute of when they came, in order, none lost, none twice."""
    make = of_page if module is web_page else of_app
    session = module.open_session()  # type: ignore[attr-defined]
    assembler = Assembler()
    assembler.expect(session.streams)
    out: list[Samples] = []
    for number in range(10):
        body = make(number, NOW_NS + years * YEAR_NS)
        at = NOW_NS + (number + 1) * SECOND_NS
        channel = module.CHANNEL  # type: ignore[attr-defined]
        frame = Frame(sensor="phone:a", channel=channel, payload=body, received_ns=at)
        assembler.add(session.feed(frame))
        out += [p.samples for p in assembler.take()[0]]
    out += [p.samples for p in assembler.take(all_there_is=True)[0]]
    t = np.concatenate([s.t_ns for s in out])
    assert len(t) == 500
    assert (np.diff(t) > 0).all()
    assert abs(int(t[0]) - NOW_NS) < 60 * SECOND_NS
    assert np.median(np.diff(t)) == pytest.approx(20_000_000, rel=0.02)
