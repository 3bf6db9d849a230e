# SPDX-License-Identifier: Apache-2.0
"""SensorServer (Android, WebSocket) and SensaGram (UDP): one JSON object per event.

Source: umer0586/SensorServer (f68c375) README and SensorWebSocketServer.kt; SensaGram (bd3b6a9).
The phone is the server and has no authentication: use it inside the home network only.
`timestamp` is nanoseconds since the phone's boot, not Unix time; the clock fit takes care of it.
"""

from firmware_protocol.errors import UnknownFrame
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

CHANNEL = "http:sensor-server"
ACCELEROMETER = "android.sensor.accelerometer"
GYROSCOPE = "android.sensor.gyroscope"
PATH = f'/sensors/connect?types=["{ACCELEROMETER}","{GYROSCOPE}"]'
# Close codes that no waiting cures, with what the person can do.
CLOSE_CODES = {
    4001: "the phone has no such sensor",
    4002: "the app does not know this request: update it",
    4005: "the stream was ended on the phone: start it there again",
    4009: "the app may not read the sensor: allow it in the phone's settings",
}


def open_session(fs_hz: float = 50.0) -> PhoneSession:
    """A session for one connection."""
    return PhoneSession(parse=_parse, fs_hz=fs_hz)


def _parse(session: PhoneSession, body: object, received_ns: int) -> Readings:
    event = table(body, "the event")
    kind = event.get("type", ACCELEROMETER)
    if kind not in (ACCELEROMETER, GYROSCOPE):
        raise UnknownFrame(f"{str(kind)[:60]!r} is not asked for: only acceleration and rotation")
    ticks_ns = whole(event.get("timestamp"), "timestamp")
    values = rows(event.get("values"), "values")
    if kind == GYROSCOPE:
        xyz = vector(session, values, RAD_TO_DEG, GYRO_LIMIT_DPS)
        return {Kind.GYRO: [Reading(ticks_ns=ticks_ns, xyz=xyz)] if xyz else []}
    xyz = vector(session, values, 1 / G_MS2, ACC_LIMIT_G)
    return {Kind.ACC: [Reading(ticks_ns=ticks_ns, xyz=xyz)] if xyz else []}
