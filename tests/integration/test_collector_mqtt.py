# SPDX-License-Identifier: Apache-2.0
"""A phone that publishes to a broker, from `BACKSTAY_MQTT_URL` into the store; real processes."""

import asyncio
import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiomqtt
import pytest

from tests.fakes.collector import Collector
from tracker.clock import Clock
from tracker.collect.broker import Broker, broker_of
from tracker.errors import UsageError
from tracker.model import SECOND_NS, Placement
from tracker.settings import read_settings
from tracker.store.sqlite import open_reader

NAME, WORD = "backstay", "a word of its own"


class Mosquitto:
    """A real broker that asks for a password."""

    def __init__(self, program: str, folder: Path, port: int) -> None:
        self.port, self._program = port, program
        words = folder / "words"
        maker = Path(program).parent.parent / "bin" / "mosquitto_passwd"
        subprocess.run([maker, "-b", "-c", str(words), NAME, WORD], check=True)
        words.chmod(0o644)
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {words}\nuser root\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [self._program, "-c", str(self._config)], stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def broker(tmp_path: Path, mosquitto: str, free_port: Callable[[], int]) -> Iterator[Mosquitto]:
    """A running broker."""
    made = Mosquitto(mosquitto, tmp_path, free_port())
    made.start()
    yield made
    made.kill()


def batch(number: int, at_ns: int) -> bytes:
    """A second at 50 Hz as Sensor Logger sends it."""
    payload = []
    for i in range(50):
        t = at_ns + i * 20_000_000
        payload += [
            {"name": "gravity", "time": t, "values": {"x": 0, "y": 0, "z": 9.80665}},
            {"name": "accelerometer", "time": t, "values": {"x": 0.01 * i, "y": 0, "z": 0}},
        ]
    told = {"messageId": number, "sessionId": "s", "deviceId": "d", "payload": payload}
    return json.dumps(told).encode()


async def publish(port: int, topic: str, body: bytes) -> None:
    """Publish as a phone does, as soon as the broker takes it."""
    for _ in range(200):
        with contextlib.suppress(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", port, username=NAME, password=WORD) as client:
                await client.publish(topic, body, qos=1)
                return
        await asyncio.sleep(0.1)
    raise AssertionError("the broker does not answer")


async def test_from_the_setting_to_the_store_over_a_restart_of_the_broker(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """Settings name the broker; a paired phone's batches are stored; its death is waited out."""
    clock = Clock(start_ns=time.time_ns(), origin_ns=time.time_ns())
    url = f"mqtt://{NAME}:a%20word%20of%20its%20own@127.0.0.1:{broker.port}/phones"
    collector = Collector(tmp_path / "data", clock, mqtt_url=url)
    await collector.start()
    try:
        paired = await collector.ask("pair_phone", name="P", wearer="w1", placement="waist")
        assert isinstance(paired, dict)
        topic = f"phones/{paired['token']}"
        reader = open_reader(read_settings(data=collector.data))

        start_ns = clock.now_ns() - 10 * SECOND_NS

        async def arrives(numbers: range) -> None:
            """Publish until all is stored: what nobody listened to is gone (clean session)."""
            for _ in range(200):
                for number in numbers:
                    await publish(broker.port, topic, batch(number, start_ns + number * SECOND_NS))
                if len(reader.raw("w1", Placement.WAIST, 0, 1 << 62)) >= 50 * numbers.stop:
                    return
                await asyncio.sleep(0.1)
            raise AssertionError(await collector.error())

        await arrives(range(6))
        assert "mqtt" not in (await collector.ask("status"))["refused"]  # type: ignore[index]
        broker.kill()
        for _ in range(200):
            told = (await collector.ask("status"))["refused"]  # type: ignore[index]
            if "mqtt" in told:
                break
            await asyncio.sleep(0.1)
        assert "cannot be used" in told["mqtt"]
        broker.start()
        await arrives(range(6, 9))
        count = len(reader.raw("w1", Placement.WAIST, 0, 1 << 62))
        assert count == 450, "each batch was published more than once and stored once"
        code, _, _ = await collector.end()
        assert code == 0
    finally:
        if collector.process is not None and collector.process.returncode is None:
            await collector.end(signal.SIGKILL)


def test_one_address_says_where_the_broker_is() -> None:
    """Host, port, name, word, topic and TLS from a URL; defaults where it says nothing."""
    assert broker_of("mqtt://127.0.0.1") == Broker(host="127.0.0.1")
    assert broker_of("mqtts://a:b%40c@house.local/x/y/") == Broker(
        host="house.local", port=8883, username="a", password="b@c", topic="x/y", tls=True
    )


@pytest.mark.parametrize(
    "url", ["http://x", "mqtt://", "mqtt://x:99999", "mqtt://x/a/#", "127.0.0.1:1883", "mqtt://x?a"]
)
def test_a_wrong_address_is_one_sentence(url: str) -> None:
    """What cannot be a broker is refused with how to write it."""
    with pytest.raises(UsageError, match="write it like mqtt://"):
        broker_of(url)
