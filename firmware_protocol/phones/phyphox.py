# SPDX-License-Identifier: Apache-2.0
"""phyphox (iOS, Android): its remote HTTP interface, polled.

Source: Staacks/phyphox-android RemoteServer.java (720caa5); phyphox-experiments accelerometer and
gyroscope. Times are seconds of the experiment; a new `session` text means a new experiment. Missing
values arrive as null and are dropped and counted.
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
)

CHANNEL = "http:phyphox"
_ACC = ("acc_time", "accX", "accY", "accZ")
_GYR = ("gyr_time", "gyrX", "gyrY", "gyrZ")


def open_session(fs_hz: float = 50.0) -> PhoneSession:
    """A session for one experiment; after a new `session` text open another."""
    return PhoneSession(parse=_parse, fs_hz=fs_hz)


def query(last_s: Mapping[str, float], gyro: bool) -> str:
    """Query that asks for everything newer than the last time received, per time buffer."""
    parts = []
    for names in (_ACC, *((_GYR,) if gyro else ())):
        reference, after = names[0], last_s.get(names[0], 0.0)
        parts.append(f"{reference}={after!r}")
        parts += [f"{name}={after!r}|{reference}" for name in names[1:]]
    return "/get?" + "&".join(parts)


def experiment(body: object) -> tuple[str, bool]:
    """(session text, whether it is measuring) of an answer."""
    status = table(table(body, "the answer").get("status"), "status")
    return str(status.get("session", "")), bool(status.get("measuring"))


def last_times(body: object) -> dict[str, float]:
    """The newest time of each time buffer in an answer, for the next query."""
    buffers = table(table(body, "the answer").get("buffer"), "buffer")
    newest: dict[str, float] = {}
    for name in (_ACC[0], _GYR[0]):
        if name in buffers:
            times = [t for t in _buffer(buffers, name) if isinstance(t, int | float)]
            if times:
                newest[name] = float(max(times))
    return newest


def _parse(session: PhoneSession, body: object, received_ns: int) -> Readings:
    buffers = table(table(body, "the answer").get("buffer"), "buffer")
    acc = _vectors(session, buffers, _ACC, 1 / G_MS2, ACC_LIMIT_G)
    gyro = _vectors(session, buffers, _GYR, RAD_TO_DEG, GYRO_LIMIT_DPS)
    return {Kind.ACC: acc, Kind.GYRO: gyro}


def _buffer(buffers: Mapping[str, object], name: str) -> Sequence[object]:
    return rows(table(buffers.get(name), name).get("buffer"), f"buffer of {name}")


def _vectors(
    session: PhoneSession,
    buffers: Mapping[str, object],
    names: tuple[str, str, str, str],
    scale: float,
    limit: float,
) -> list[Reading]:
    if names[0] not in buffers:
        return []
    columns = [_buffer(buffers, name) for name in names]
    if len({len(c) for c in columns}) != 1:
        raise BadField(f"the buffers {', '.join(names)} differ in length: ask for them together")
    found = []
    for t_s, x, y, z in zip(*columns, strict=True):
        if isinstance(t_s, bool) or not isinstance(t_s, int | float) or not 0 <= t_s < 1e9:
            session.refuse("no time")
            continue
        xyz = vector(session, (x, y, z), scale, limit)
        if xyz is not None:
            found.append(Reading(ticks_ns=round(t_s * 1e9), xyz=xyz))
    return found
