# SPDX-License-Identifier: Apache-2.0
"""A phone that was offline for minutes: what it kept has its own times, and so has what follows."""

import json

import numpy as np
import pytest

from firmware_protocol.frame import Frame
from firmware_protocol.phones import web_page
from tracker.collect.assemble import Assembler
from tracker.model import SECOND_NS

T0_NS = 1_795_420_800 * SECOND_NS
DELAY_S = 0.05
BATCH_S = 10.0


def body(number: int, sent_s: float) -> bytes:
    """Ten seconds of the page at 50 Hz; it says what its clock showed when it was sent."""
    start_ms = number * BATCH_S * 1000
    rows = [[start_ms + i * 20.0, 0.1, 0.0, 9.8] for i in range(500)]
    text = {
        "v": 1, "src": "devicemotion", "session": "s", "batch": number + 1,
        "t0": T0_NS // 1_000_000, "at": sent_s * 1000, "s": rows,
    }  # fmt: skip
    return json.dumps(text).encode()


@pytest.mark.parametrize("offline_s", [0, 45, 90, 600, 3600])
def test_times_survive_an_offline_stretch(offline_s: int) -> None:
    """Whatever the pause, every sample is within the link's delay of its true time; no hole."""
    session, assembler = web_page.open_session(), Assembler()
    before = 10
    kept = int(offline_s // BATCH_S)
    back_s = (before * BATCH_S) + offline_s
    times = []
    for number in range(before + kept + 12):
        ready_s = (number + 1) * BATCH_S
        waited = before <= number < before + kept
        sent_s = max(ready_s, back_s + 0.1 * (number - before)) if waited else ready_s
        frame = Frame(
            sensor="phone:1", channel=web_page.CHANNEL, payload=body(number, sent_s),
            received_ns=T0_NS + int((sent_s + DELAY_S) * SECOND_NS),
        )  # fmt: skip
        assembler.add(session.feed(frame))
        live, late = assembler.take()
        assert not late
        times += [piece.samples.t_ns for piece in live]
        assert not any(piece.reset for piece in live)
    t_ns = np.concatenate(times)
    true_ns = T0_NS + np.arange(len(t_ns)) * (SECOND_NS // 50)
    assert np.abs(t_ns - true_ns).max() < 0.2 * SECOND_NS
    assert np.diff(t_ns).max() < 0.1 * SECOND_NS


def test_an_overtaken_body_keeps_its_own_times() -> None:
    """Body 3 comes after 4 and 5, marked late: its samples lie between those of 2 and 4."""
    session, assembler = web_page.open_session(), Assembler()
    live_ns, late_ns = [], []
    arrival_s = 0.0
    for number in (0, 1, 2, 4, 5, 3, 6):
        channel = web_page.CHANNEL + (";late" if number == 3 else "")
        sent_s = (number + 1) * BATCH_S
        arrival_s = max(arrival_s + 0.1, sent_s + DELAY_S)
        frame = Frame(
            sensor="phone:1", channel=channel, payload=body(number, sent_s),
            received_ns=T0_NS + int(arrival_s * SECOND_NS),
        )  # fmt: skip
        assembler.add(session.feed(frame))
        live, late = assembler.take()
        live_ns += [piece.samples.t_ns for piece in live]
        late_ns += [samples.t_ns for samples in late]
    assert sum(len(t) for t in late_ns) == 500
    t_ns = np.sort(np.concatenate([*live_ns, *late_ns]))
    true_ns = T0_NS + np.arange(len(t_ns)) * (SECOND_NS // 50)
    assert len(t_ns) == 7 * 500
    assert np.abs(t_ns - true_ns).max() < 0.2 * SECOND_NS
    assert np.diff(t_ns).min() > 0
    assert np.diff(t_ns).max() < 0.1 * SECOND_NS
