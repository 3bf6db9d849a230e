# SPDX-License-Identifier: Apache-2.0
"""From frames to samples: bad frames are counted, every hole gets its reason."""

import struct
from collections.abc import Sequence

import numpy as np

from firmware_protocol.frame import Frame
from firmware_protocol.registry import Advert, Session
from tests.fakes.plain import DATA, PLAIN
from tracker.clock import Clock
from tracker.collect.inbox import Arrival, Inbox, LinkNews
from tracker.collect.intake import Intake
from tracker.model import SECOND_NS, GapReason, Placement
from tracker.store.base import SensorConfig

T0 = 1_795_420_800 * SECOND_NS
CONFIG = SensorConfig(address="C0:00:00:00:00:00", wearer="w1", placement=Placement.UPPER_BACK)
PERIOD = SECOND_NS // 50


def arrivals(session: Session, counts: Sequence[int], offset_ns: int = 0) -> list[Arrival]:
    """Samples with these counters, each arriving at its own time."""
    return [
        Arrival(
            session=session,
            frame=Frame(
                sensor=CONFIG.address,
                channel=DATA,
                payload=struct.pack("<Ihhh", c, 0, 0, 1000),
                received_ns=T0 + offset_ns + c * PERIOD,
            ),
        )
        for c in counts
    ]


def intake() -> tuple[Intake, Session]:
    """A fresh intake with an open session."""
    made = Intake(CONFIG, Clock())
    return made, made.open(PLAIN, Advert(address=CONFIG.address))


def test_samples_come_out_once_and_in_order() -> None:
    """Doubled deliveries (a sloppy reconnect) leave no doubled samples and no gap."""
    made, session = intake()
    items = arrivals(session, range(200))
    made.take([x for item in items for x in (item, item)])
    work = made.cut()
    t = np.concatenate([p.samples.t_ns for p in work.pieces])
    assert len(t) == 200
    assert (np.diff(t) > 0).all()
    assert work.gaps == ()


def test_lost_samples_are_a_gap_and_a_rate() -> None:
    """Ten of a hundred samples missing: one gap, packet loss, about ten percent."""
    made, session = intake()
    made.cut()
    made.take(arrivals(session, [*range(50), *range(60, 100)]))
    work = made.cut()
    (gap,) = work.gaps
    assert gap.reason is GapReason.PACKET_LOSS
    assert 0.15 < (gap.end_ns - gap.start_ns) / SECOND_NS < 0.3
    made.take(arrivals(session, [*range(100, 150), *range(160, 200)]))
    assert 5 < made.cut().loss_pct < 15


def test_bad_frames_are_counted_and_the_first_is_kept() -> None:
    """A truncated frame is counted by its kind; the payload is there for the support bundle."""
    made, session = intake()
    good = arrivals(session, range(50))
    bad = Frame(sensor="x", channel=DATA, payload=b"\x01\x02", received_ns=T0)
    later = arrivals(session, range(80, 120))
    made.take([*good, Arrival(session=session, frame=bad), *later])
    work = made.cut()
    assert made.errors == {"TruncatedFrame": 1}
    assert made.first_bad is not None
    assert made.first_bad[1:] == (DATA, "0102")
    assert [g.reason for g in work.gaps] == [GapReason.BAD_DATA]


def test_the_reason_of_a_lost_link_gets_better_while_it_lasts() -> None:
    """First lost, then known to be out of reach: the gap carries the better word."""
    made, session = intake()
    made.take(arrivals(session, range(100)))
    news = [
        LinkNews(at_ns=T0, link="lost", reason=GapReason.LINK_LOST),
        LinkNews(at_ns=T0, link="out_of_reach", reason=GapReason.OUT_OF_REACH),
    ]
    made.take([*news, *arrivals(session, range(100, 150), offset_ns=30 * SECOND_NS)])
    work = made.cut()
    assert [g.reason for g in work.gaps] == [GapReason.OUT_OF_REACH]


def test_a_full_queue_drops_the_oldest_and_says_when() -> None:
    """Twenty frames into a queue of five: fifteen dropped, newest kept, the span known."""
    made, session = intake()
    made.inbox = Inbox(size=5)
    for item in arrivals(session, range(20)):
        made.inbox.put(item)
    assert made.inbox.dropped == 15
    kept = made.inbox.get_nowait()
    made.take(kept)
    work = made.cut()
    assert sum(len(p.samples) for p in work.pieces) == 5
    full = [g for g in work.gaps if g.reason is GapReason.QUEUE_FULL]
    assert (full[0].start_ns, full[0].end_ns) == (T0, T0 + 14 * PERIOD + 1)


def test_after_a_restart_the_hole_is_the_collectors() -> None:
    """What is missing between the last stored sample and the first new one has a reason."""
    made, _ = intake()
    made.resume_from(None, T0 - 60 * SECOND_NS)
    session = made.open(PLAIN, Advert(address=CONFIG.address))
    made.take(arrivals(session, range(50)))
    (gap,) = made.cut().gaps
    assert (gap.reason, gap.start_ns) == (GapReason.COLLECTOR_DOWN, T0 - 60 * SECOND_NS)


def test_an_outage_at_the_end_becomes_a_gap() -> None:
    """A clean stop while the sensor is away leaves a gap up to now, not nothing."""
    made, session = intake()
    made.take(arrivals(session, range(50)))
    made.take([LinkNews(at_ns=T0, link="sensor_off", reason=GapReason.SENSOR_OFF)])
    made.cut()
    work = made.end()
    assert [g.reason for g in work.gaps] == [GapReason.SENSOR_OFF]
