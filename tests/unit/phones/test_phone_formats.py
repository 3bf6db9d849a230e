# SPDX-License-Identifier: Apache-2.0
"""Phone formats: the published vectors, and only ProtocolError for anything broken."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.errors import ProtocolError
from firmware_protocol.frame import Frame, Kind, Packet
from firmware_protocol.phones import phyphox, sensor_logger, sensor_server, web_page
from firmware_protocol.phones._common import PhoneSession

G = 9.80665
PH_1 = (
    b'{"messageId":0,"sessionId":"s","deviceId":"d","payload":['
    b'{"name":"gravity","time":1698501144401773000,"values":{"x":0.0,"y":0.0,"z":9.80665}},'
    b'{"name":"accelerometer","time":1698501144401773000,"values":{"z":-0.10382747650146484,'
    b'"y":-0.0009566396474838257,"x":0.06110857427120209}}]}'
)
PH_2 = b'{"accuracy":2,"timestamp":3925657519043709,"values":[0.31892395,-0.97802734,10.049896]}'
PH_3 = PH_2.replace(b'"accuracy":2', b'"type":"android.sensor.accelerometer"')
PH_5 = (
    b'{"buffer":{"acc_time":{"size":0,"updateMode":"partial", "buffer":[1E0,1.01E0]},'
    b'"accX":{"size":0,"updateMode":"partial", "buffer":[1E-1,null]},'
    b'"accY":{"size":0,"updateMode":"partial", "buffer":[0E0,0E0]},'
    b'"accZ":{"size":0,"updateMode":"partial", "buffer":[9.8066501E0,9.81E0]}},'
    b'"status":{"session":"a1b2c3","measuring":true,"timedRun":false,"countDown":0}}'
)


def _page(*rows: list[float], batch: int = 0) -> bytes:
    body = {"v": 1, "src": "devicemotion", "session": "q", "batch": batch, "t0": 1_700_000_000_000}
    return json.dumps(body | {"s": list(rows)}).encode()


GOLDEN = {
    "PH-1 sensor logger": (sensor_logger, PH_1),
    "PH-2 sensor server": (sensor_server, PH_2),
    "PH-3 sensor server, typed": (sensor_server, PH_3),
    "PH-5 phyphox": (phyphox, PH_5),
    "page": (web_page, _page([0, 0, 0, 9.8, 0, 0, -10.0], [16, 0, 0, 9.8, 0, 0, 0])),
}


def _feed(session: PhoneSession, payload: bytes) -> list[Packet]:
    frame = Frame(sensor="p", channel="http", payload=payload, received_ns=1)
    return [p for p in session.feed(frame) if p.n]


def _only(packets: list[Packet], kind: Kind) -> list[Packet]:
    return [p for p in packets if p.stream.kind is kind]


def test_ph_1_sensor_logger_adds_gravity_and_keeps_every_nanosecond() -> None:
    """Specific force is linear acceleration plus gravity; the 19-digit time stays exact."""
    (packet,) = _feed(sensor_logger.open_session(), PH_1)
    assert np.allclose(packet.values[0] * G, [0.061109, -0.000957, 9.702823], atol=1e-5)
    assert packet.ticks == 1698501144401773000


@pytest.mark.parametrize("body", [PH_2, PH_3])
def test_ph_2_and_3_sensor_server(body: bytes) -> None:
    """Values in m/s2 become g; the time is that of the phone's boot clock."""
    (packet,) = _feed(sensor_server.open_session(), body)
    assert np.allclose(packet.values[0] * G, [0.31892395, -0.97802734, 10.049896], atol=1e-5)
    assert packet.ticks == 3925657519043709


def test_ph_5_phyphox_drops_and_counts_null() -> None:
    """A null makes one sample invalid; the other is kept and the loss is counted."""
    session = phyphox.open_session()
    (packet,) = _feed(session, PH_5)
    assert np.allclose(packet.values[0] * G, [0.1, 0, 9.8066501], atol=1e-5)
    assert packet.ticks == 1_000_000_000
    assert sum(session.refused.values()) == 1
    assert phyphox.last_times(json.loads(PH_5)) == {"acc_time": 1.01}
    assert phyphox.experiment(json.loads(PH_5)) == ("a1b2c3", True)


def test_phyphox_query_asks_only_for_what_is_new() -> None:
    """The value buffers refer to their time buffer."""
    assert phyphox.query({"acc_time": 2.5}, gyro=False) == (
        "/get?acc_time=2.5&accX=2.5|acc_time&accY=2.5|acc_time&accZ=2.5|acc_time"
    )


def test_ph_6_page_keeps_degrees_and_turns_metres_into_g() -> None:
    """Rotation arrives in deg/s as the browser gives it, acceleration in m/s2 becomes g."""
    packets = _feed(web_page.open_session(), GOLDEN["page"][1])
    acc, gyro = _only(packets, Kind.ACC), _only(packets, Kind.GYRO)
    assert np.allclose(acc[0].values[0], [0, 0, 9.8 / G])
    assert np.allclose(gyro[0].values[0], [0, 0, -10.0])
    assert acc[1].ticks is not None
    assert acc[0].ticks is not None
    assert acc[1].ticks - acc[0].ticks == 16_000_000


def test_halves_in_neighbouring_bodies_are_joined() -> None:
    """Gravity in one body and acceleration in the next make one sample, once."""
    session = sensor_logger.open_session()
    whole = json.loads(PH_1)
    first = dict(whole, payload=whole["payload"][:1])
    second = dict(whole, payload=whole["payload"][1:], messageId=1)
    assert _feed(session, json.dumps(first).encode()) == []
    assert len(_feed(session, json.dumps(second).encode())) == 1
    assert _feed(session, json.dumps(second).encode()) == []


def test_raw_streams_are_used_only_without_the_fused_ones() -> None:
    """An app that sends both versions of a movement gives it once."""
    session = sensor_logger.open_session()
    body = json.loads(PH_1)
    raw = {"name": "accelerometeruncalibrated", "time": 5, "values": {"x": 0, "y": 0, "z": 9.8}}
    only_raw = json.dumps(dict(body, payload=[raw])).encode()
    assert len(_feed(session, only_raw)) == 1
    assert (
        len(_feed(session, json.dumps(dict(body, payload=[raw, *body["payload"]])).encode())) == 1
    )
    assert _feed(session, only_raw) == []


@pytest.mark.parametrize("name", GOLDEN)
def test_every_truncation_is_a_protocol_error(name: str) -> None:
    """A body that was cut anywhere raises ProtocolError and nothing else."""
    module, body = GOLDEN[name]
    for cut in range(len(body)):
        with pytest.raises(ProtocolError):
            _feed(module.open_session(), body[:cut])


@pytest.mark.parametrize("module", [sensor_logger, sensor_server, phyphox, web_page])
@given(payload=st.binary(max_size=80))
def test_random_bytes_raise_only_protocol_error(module: object, payload: bytes) -> None:
    """Whatever bytes come, the answer is packets or ProtocolError."""
    try:
        _feed(module.open_session(), payload)  # type: ignore[attr-defined]
    except ProtocolError:
        return


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("PH-1 sensor logger", [("payload",), ("payload", 0, "time"), ("payload", 0, "values"),
                                ("payload", 1, "values", "x")]),
        ("PH-2 sensor server", [("values",), ("timestamp",), ("values", 1), ("type",)]),
        ("PH-5 phyphox", [("buffer",), ("buffer", "accX"), ("buffer", "accX", "buffer"),
                          ("buffer", "acc_time", "buffer", 0)]),
        ("page", [("s",), ("s", 0), ("s", 0, 0), ("s", 1, 4), ("t0",), ("v",)]),
    ],
)  # fmt: skip
@given(value=_JSON, pick=st.integers(0, 100))
def test_wrong_shapes_raise_only_protocol_error(
    name: str, paths: list[tuple[object, ...]], value: object, pick: int
) -> None:
    """Any JSON in any place of a good body: packets with finite values, or ProtocolError."""
    module, body = GOLDEN[name]
    path = paths[pick % len(paths)]
    broken = json.loads(body)
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    session = module.open_session()
    try:
        packets = _feed(session, json.dumps(broken).encode())
    except ProtocolError:
        return
    assert all(np.isfinite(p.values).all() for p in packets)
    assert all(p.ticks is not None and 0 <= p.ticks < 2**63 for p in packets)
