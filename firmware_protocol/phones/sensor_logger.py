# SPDX-License-Identifier: Apache-2.0
"""Sensor Logger (iOS, Android): HTTP push or MQTT, one JSON body per batch period.

Source: tszheichoi/awesome-sensor-logger, PUSHING.md, UNITS.md, CROSSPLATFORM.md (b10f5c5).

`time` is Unix nanoseconds and exceeds 2^53: read as an integer. Specific force is `accelerometer`
(gravity removed) plus `gravity` of the same time, in m/s2, or the raw uncalibrated stream where
only that is sent. On iOS without "Standardise Units & Frames" signs and units differ; a sample far
from 1 g at rest shows it, and the documents ask for the switch.
"""

from collections.abc import Mapping, Sequence

from firmware_protocol.errors import BadField
from firmware_protocol.frame import Kind
from firmware_protocol.phones._common import (
    ACC_LIMIT_G,
    G_MS2,
    GYRO_LIMIT_DPS,
    RAD_TO_DEG,
    PhoneSession,
    Reading,
    Readings,
    rows,
    table,
    vector,
    whole,
)

CHANNEL = "http:sensor-logger"
_AXES = ("x", "y", "z")
_TRUSTED_DELAY_NS = 3_600_000_000_000
_WAITING = 400  # halves of samples kept for their partner: a few seconds

_Vector = tuple[float, float, float]


def open_session(fs_hz: float = 50.0) -> PhoneSession:
    """A session for one recording of the app."""
    return PhoneSession(parse=_parse, fs_hz=fs_hz)


def message_id(body: object) -> tuple[str, int]:
    """(session, running number) of a batch: what tells repeated and reordered batches apart."""
    message = table(body, "the body")
    session = message.get("sessionId")
    if not isinstance(session, str):
        raise BadField("sessionId must be a text")
    return session, whole(message.get("messageId"), "messageId")


def _parse(session: PhoneSession, body: object, received_ns: int) -> Readings:
    # The two halves of a sample may lie in neighbouring bodies: what found no partner waits.
    linear: dict[int, _Vector] = session.memory.setdefault("linear", {})
    gravity: dict[int, _Vector] = session.memory.setdefault("gravity", {})
    raw: list[Reading] = []
    gyro: list[Reading] = []
    gyro_raw: list[Reading] = []
    for item in rows(table(body, "the body").get("payload"), "payload"):
        entry = table(item, "an item of payload")
        name = entry.get("name")
        if name not in _WANTED:
            continue
        time_ns = whole(entry.get("time"), "time")
        turning = str(name).startswith("gyroscope")
        xyz = vector(
            session,
            _xyz(entry),
            RAD_TO_DEG if turning else 1 / G_MS2,
            GYRO_LIMIT_DPS if turning else ACC_LIMIT_G,
        )
        if xyz is None:
            continue
        if name == "accelerometer":
            linear[time_ns] = xyz
        elif name == "gravity":
            gravity[time_ns] = xyz
        else:
            place = gyro if name == "gyroscope" else gyro_raw if turning else raw
            place.append(Reading(ticks_ns=time_ns, xyz=xyz))
    # Once the app sends the fused pair (or the calibrated gyro), the raw stream would be a second
    # copy of the same movement.
    session.memory["fused"] = session.memory.get("fused", False) or bool(linear)
    session.memory["gyro"] = session.memory.get("gyro", False) or bool(gyro)
    newest_ns = max((r.ticks_ns for r in (*raw, *gyro, *gyro_raw)), default=0)
    newest_ns = max([newest_ns, *linear, *gravity])
    # The app stamps with Unix time. A body that comes within an hour after its newest sample is
    # from a phone with a right clock; anything else is fitted to the time of arrival.
    if -2_000_000_000 <= received_ns - newest_ns <= _TRUSTED_DELAY_NS:
        session.clock_is(newest_ns, newest_ns)
    acc = _joined(linear, gravity) if session.memory["fused"] else raw
    _forget_oldest(session, linear)
    _forget_oldest(session, gravity)
    return {Kind.ACC: acc, Kind.GYRO: gyro if session.memory["gyro"] else gyro_raw}


_WANTED = {
    "accelerometer",
    "gravity",
    "totalacceleration",
    "accelerometeruncalibrated",
    "gyroscope",
    "gyroscopeuncalibrated",
}


def _xyz(entry: Mapping[str, object]) -> Sequence[object]:
    values = table(entry.get("values"), "values")
    return [values.get(axis) for axis in _AXES]


def _joined(linear: dict[int, _Vector], gravity: dict[int, _Vector]) -> list[Reading]:
    """Specific force of every time that both halves have; what was joined is taken out."""
    found = []
    for time_ns in sorted(linear.keys() & gravity.keys()):
        a, g = linear.pop(time_ns), gravity.pop(time_ns)
        found.append(Reading(ticks_ns=time_ns, xyz=(a[0] + g[0], a[1] + g[1], a[2] + g[2])))
    return found


def _forget_oldest(session: PhoneSession, waiting: dict[int, _Vector]) -> None:
    for time_ns in sorted(waiting)[:-_WAITING]:
        del waiting[time_ns]
        session.refuse("half a sample: switch on both accelerometer and gravity")
