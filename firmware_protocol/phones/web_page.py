# SPDX-License-Identifier: Apache-2.0
"""Our own phone page: DeviceMotion events in numbered batches.

Source of the event: W3C deviceorientation (70d42d5). Body, version 1::

    {"v": 1, "src": "devicemotion", "session": "...", "batch": 7, "t0": 1700000000000,
     "at": 2500.5, "s": [[dt_ms, ax, ay, az, gx, gy, gz], ...]}

`t0` is the phone's Unix time in ms of the page's time origin, `dt_ms` the event's monotonic time
since then, `at` the same clock at the moment of sending. Acceleration is m/s2 with gravity and
already sign-corrected (Safari on iOS reports the opposite sign; the page turns it and says so in
`flip`), rotation deg/s about x, y, z; a phone without gyroscope sends four numbers a row.
"""

from firmware_protocol.errors import BadField, UnknownFrame
from firmware_protocol.frame import Kind
from firmware_protocol.phones._common import (
    ACC_LIMIT_G,
    G_MS2,
    GYRO_LIMIT_DPS,
    PhoneSession,
    Reading,
    Readings,
    rows,
    table,
    vector,
    whole,
)

CHANNEL = "http:phone-page"
VERSION = 1


def open_session(fs_hz: float = 60.0) -> PhoneSession:
    """A session for one visit of the page."""
    return PhoneSession(parse=_parse, fs_hz=fs_hz)


def message_id(body: object) -> tuple[str, int]:
    """(session, running number) of a batch: what tells repeated and reordered batches apart."""
    message = table(body, "the body")
    session = message.get("session")
    if not isinstance(session, str) or not 0 < len(session) <= 64:
        raise BadField("session must be a text of 1 to 64 characters")
    return session, whole(message.get("batch"), "batch")


def _parse(session: PhoneSession, body: object, received_ns: int) -> Readings:
    message = table(body, "the body")
    if message.get("v") != VERSION or message.get("src") != "devicemotion":
        raise UnknownFrame("the page is of another version: reload it on the phone")
    t0_ns = whole(message.get("t0"), "t0") * 1_000_000
    acc: list[Reading] = []
    gyro: list[Reading] = []
    for item in rows(message.get("s"), "s"):
        row = rows(item, "a row of s")
        if len(row) not in (4, 7):
            session.refuse("not 4 or 7 numbers")
            continue
        dt_ms = row[0]
        if isinstance(dt_ms, bool) or not isinstance(dt_ms, int | float) or not 0 <= dt_ms < 1e10:
            session.refuse("no time")
            continue
        ticks_ns = t0_ns + round(dt_ms * 1e6)
        force = vector(session, row[1:4], 1 / G_MS2, ACC_LIMIT_G)
        if force is None:
            continue
        acc.append(Reading(ticks_ns=ticks_ns, xyz=force))
        if len(row) == 7:
            rate = vector(session, row[4:7], 1.0, GYRO_LIMIT_DPS)
            if rate is not None:
                gyro.append(Reading(ticks_ns=ticks_ns, xyz=rate))
    sent_ms = message.get("at")
    if isinstance(sent_ms, int | float) and not isinstance(sent_ms, bool) and 0 <= sent_ms < 1e10:
        session.clock_is(t0_ns + round(sent_ms * 1e6), received_ns)
    return {Kind.ACC: acc, Kind.GYRO: gyro}
