# SPDX-License-Identifier: Apache-2.0
"""Phones that are servers, and MQTT: real sockets on loopback, a real broker."""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiomqtt
import pytest
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracker.clock import SYSTEM_CLOCK
from tracker.collect.broker import Broker
from tracker.collect.devices import Devices
from tracker.collect.inbox import Arrival, Inbox, LinkNews
from tracker.collect.mqtt import follow_mqtt
from tracker.collect.phone_source import PhoneSource
from tracker.collect.pull import Phone, follow_phyphox, follow_sensor_server
from tracker.errors import SensorError
from tracker.model import Placement

Ports = Callable[[], int]


async def _until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(what)


class Seen:
    """What came out of a queue."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox, self.x, self.links = inbox, list[float](), list[str]()

    def look(self) -> "Seen":
        """Take everything that is there."""
        for item in self.inbox.get_nowait():
            if isinstance(item, LinkNews):
                self.links.append(item.link)
            elif isinstance(item, Arrival):
                packets = item.session.feed(item.frame)
                self.x += [round(float(p.values[0, 0]) * 9.80665) for p in packets if p.n]
        return self


async def test_sensor_server_stream_survives_a_break(free_port: Ports) -> None:
    """Events arrive in order; after the app was closed and opened again they go on."""
    port = free_port()
    inbox = Inbox()
    seen = Seen(inbox)

    async def serve(first: int, last: int) -> None:
        async def talk(stream: websockets.ServerConnection) -> None:
            for n in range(first, last):
                await stream.send(json.dumps({"values": [n, 0, 9.8], "timestamp": n * 10_000_000}))
            await stream.wait_closed()

        async with websockets.serve(talk, "127.0.0.1", port):
            await _until(lambda: seen.look().x[-1:] == [last - 1], "events did not arrive")

    phone = Phone(sensor="phone:a", address=f"127.0.0.1:{port}")
    task = asyncio.create_task(follow_sensor_server(phone, inbox, SYSTEM_CLOCK))
    try:
        await serve(0, 5)
        await serve(5, 9)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert seen.x == list(range(9))
    assert "lost" in seen.links
    assert seen.links.count("streaming") == 2


async def test_sensor_server_says_what_waiting_cannot_cure(free_port: Ports) -> None:
    """Close code 4009 ends with the sentence for the person, not with endless retries."""
    port = free_port()

    async def talk(stream: websockets.ServerConnection) -> None:
        await stream.close(4009, "no permission")

    async with websockets.serve(talk, "127.0.0.1", port):
        phone = Phone(sensor="phone:a", address=f"127.0.0.1:{port}")
        with pytest.raises(SensorError, match="allow it in the phone's settings"):
            await asyncio.wait_for(follow_sensor_server(phone, Inbox(), SYSTEM_CLOCK), 10)


@contextlib.asynccontextmanager
async def _app(answer: Callable[[Request], Awaitable[Response]], port: int) -> AsyncIterator[None]:
    app = Starlette(routes=[Route("/get", answer)])
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await _until(lambda: server.started, "server did not start")
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def test_phyphox_gives_every_sample_once_and_notices_a_new_experiment(
    free_port: Ports,
) -> None:
    """Only what is new is asked for; a restart of the experiment begins a new session."""
    port, asked = free_port(), 0
    inbox = Inbox()
    seen = Seen(inbox)

    async def answer(request: Request) -> Response:
        nonlocal asked
        asked += 1
        after = float(request.query_params["acc_time"])
        experiment = "one" if asked < 6 else "two"
        times = [t / 10 for t in range(1, 1 + min(asked, 9)) if t / 10 > after]
        columns = {"acc_time": times, "accX": [round(t * 10) for t in times]}
        columns |= {"accY": [0] * len(times), "accZ": [9.8] * len(times)}
        buffers = {name: {"size": 0, "buffer": values} for name, values in columns.items()}
        status = {"session": experiment, "measuring": True}
        return JSONResponse({"buffer": buffers, "status": status})

    async with _app(answer, port):
        phone = Phone(sensor="phone:b", address=f"127.0.0.1:{port}", gyro=False, poll_s=0.01)
        task = asyncio.create_task(follow_phyphox(phone, inbox, SYSTEM_CLOCK))
        await _until(lambda: seen.look().x[-1:] == [9], "samples did not arrive")
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert seen.links == ["streaming", "streaming"]
    first = seen.x[: seen.x.index(1, 1)]
    second = seen.x[len(first) :]
    assert first == list(range(1, len(first) + 1))
    assert second == list(range(1, 10))


async def test_mqtt_takes_registered_topics_only(
    tmp_path: Path, mosquitto: str, free_port: Ports
) -> None:
    """A real broker: a registered token's batch is stored, another topic counted and dropped."""
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen([mosquitto, "-c", config], stderr=subprocess.DEVNULL)
    inbox = Inbox()
    seen = Seen(inbox)
    devices = Devices(tmp_path)
    _, token = devices.add(name="a", wearer="w", placement=Placement.CHEST, now_ns=1)
    phones = PhoneSource(inbox_of=lambda _: inbox)
    task = asyncio.create_task(
        follow_mqtt(Broker(host="127.0.0.1", port=port), devices, phones, SYSTEM_CLOCK)
    )
    values = {"x": 3.0, "y": 0, "z": 0}
    payload = [
        {"name": "gravity", "time": 5_000, "values": {"x": 0, "y": 0, "z": 9.8}},
        {"name": "accelerometer", "time": 5_000, "values": values},
    ]
    body = json.dumps({"messageId": 0, "sessionId": "s", "deviceId": "d", "payload": payload})
    try:
        for _ in range(100):  # until the broker listens and our subscription stands
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", port) as client:
                    await client.publish("backstay/nobody", body, qos=1)
                    await client.publish(f"backstay/{token}", body, qos=1)
                    await client.publish(f"backstay/{token}", b"{", qos=1)
            if seen.look().x:
                break
            await asyncio.sleep(0.1)
        await _until(lambda: phones.counts["mqtt_bad_body"] > 0, "bad body was not counted")
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        broker.terminate()
        broker.wait(10)
    assert seen.x == [3]
    assert phones.counts["mqtt_unknown_token"] > 0
