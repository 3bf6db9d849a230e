# SPDX-License-Identifier: Apache-2.0
"""Prompts of a real collector with no page open: a real bus, a real web server, a real broker."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiomqtt
import numpy as np
import pytest

from tests.fakes.bus import Bus
from tests.fakes.collector import Collector
from tests.fakes.notifications import Notifications
from tracker.clock import Clock
from tracker.diary import Person, Role
from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Live, Placement, State
from tracker.prompt_log import KEY, PromptLog, log_of
from tracker.prompts import MINUTE_NS, Cause
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_reader, open_store

PLACE = Placement.UPPER_BACK
BEGIN = 1_795_420_800_000_000_000  # a Monday, 08:00 UTC
HOURS = 12


def sitting(start_ns: int, hours: int) -> Epochs:
    """Unbroken, sure sitting, from an hour before the clock starts until long after the test."""
    n = hours * 720
    return Epochs(
        start_ns=start_ns + np.arange(n, dtype=np.int64) * EPOCH_NS,
        state=np.full(n, State.SITTING, np.uint8),
        confidence=np.full(n, 0.95, np.float32),
        trunk=np.ones(n, np.uint8),
        slouch=np.zeros(n, np.uint8),
        tilt_deg=np.full(n, 6, np.float32),
        side_deg=np.zeros(n, np.float32),
        slump_pct=np.full(n, 20, np.float32),
        move_mg=np.full(n, 5, np.float32),
        exercise=np.zeros(n, np.uint8),
        worn=np.ones(n, np.uint8),
        valid=np.ones(n, np.float32),
    )


@pytest.fixture
def clock() -> Clock:
    """A minute passes in a fifth of a second."""
    return Clock(start_ns=BEGIN, origin_ns=time.time_ns(), speed=300.0)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Somebody sits for hours; who they are is asked for by `choose`."""
    settings = Settings(data=tmp_path / "data", zone="UTC")
    settings.data.mkdir()
    store = open_store(settings)
    live = Live(
        at_ns=BEGIN, state=State.SITTING, since_ns=BEGIN, confidence=0.9, provisional=False,
        tilt_deg=5.0, side_deg=0.0, slump_pct=20.0, link="streaming",
    )  # fmt: skip
    epochs = sitting(BEGIN - 3600 * SECOND_NS, HOURS)
    store.write(Batch(wearer="w1", placement=PLACE, epochs=epochs, live=live))
    store.close()
    return settings.data


def choose(folder: Path, **prompts: object) -> None:
    """Keep what the wearer chose, as the dashboard does."""
    records = open_records(Settings(data=folder, zone="UTC"))
    chosen = {"breaks": True, "work_hours_only": False, "quiet_hours": [], "tone": "plain"}
    records.put_person(
        Person(
            id="owner", name="", roles=frozenset({Role.WEARER}), wearer="w1", language="en",
            zone="UTC", settings={"prompts": {**chosen, **prompts}},
        )
    )  # fmt: skip
    records.close()


def kept(folder: Path) -> PromptLog:
    """The log on the disk."""
    reader = open_reader(Settings(data=folder, zone="UTC"))
    try:
        return log_of(reader.wearer_settings("w1").get(KEY))
    finally:
        reader.close()


async def happens(what: Callable[[], bool]) -> None:
    """Wait for it, for a minute at most."""
    async with asyncio.timeout(60):
        while not what():
            await asyncio.sleep(0.05)


@pytest.fixture
async def desktop(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Notifications]:
    """A session bus with a notification service."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
    fake = Notifications(bus.address)
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def collector(house: Path, clock: Clock) -> AsyncIterator[Collector]:
    """Not started yet; ended whatever happens."""
    made = Collector(house, clock)
    yield made
    if made.process is not None and made.process.returncode is None:
        await made.end(signal.SIGKILL)


async def web_server(bodies: list[bytes]) -> asyncio.Server:
    """Takes each POST and answers 200."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(
            line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
        )
        bodies.append(await reader.readexactly(int(fields[b"content-length"])))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    return await asyncio.start_server(one, "127.0.0.1", 0)


async def test_one_decision_on_every_channel_and_a_kill_forgets_nothing(
    house: Path, collector: Collector, desktop: Notifications
) -> None:
    """Desktop and webhook say the same once; killed and started again, nothing is said twice.

    A button of the notification asks for quiet, and that is kept, too. After half an hour the
    next prompt comes: the first had been said, and no break followed.
    """
    bodies: list[bytes] = []
    server = await web_server(bodies)
    port = server.sockets[0].getsockname()[1]
    address = f"http://127.0.0.1:{port}/hook"
    choose(house, channels=["page", "desktop", "address"], address=address)
    await collector.start()
    await happens(lambda: bool(bodies and desktop.told))
    await happens(lambda: "address" in kept(house).told[-1].channels)
    await collector.end(signal.SIGKILL)
    said = kept(house)
    assert [t.channels for t in said.told] == [("page", "desktop", "address")]
    assert said.told[0].prompt.cause is Cause.SITTING
    body = json.loads(bodies[0])
    assert body["text"] == desktop.told[0][1]
    assert body["cause"] == "sitting"
    assert "w1" not in bodies[0].decode()

    await collector.start()
    await happens(lambda: len(desktop.told) == 2)
    times = [t.prompt.at_ns for t in kept(house).told]
    assert times[0] == said.told[0].prompt.at_ns, "the first one was not forgotten"
    assert np.diff(times).min() >= 30 * MINUTE_NS, "the pause between two holds over the kill"
    assert kept(house).told[0].followed is False, "whether a break followed is kept"

    number, _, keys, hints = desktop.told[-1]
    assert keys == ["default", "quiet-30", "quiet-60", "quiet-tomorrow"]
    assert hints["suppress-sound"] is True
    await desktop.press(number, "quiet-tomorrow")
    await happens(lambda: kept(house).rest.until_ns > 0)
    assert kept(house).rest.until_ns == BEGIN + 16 * 3600 * SECOND_NS, "the wearer's midnight"
    assert (await collector.end())[0] == 0
    server.close()
    await server.wait_closed()


async def test_do_not_disturb_holds_everything_back(
    house: Path, collector: Collector, desktop: Notifications
) -> None:
    """While the desktop is set to be quiet nothing is said or kept; afterwards the prompt comes."""
    desktop.inhibited = True
    choose(house, channels=["page", "desktop"])
    await collector.start()
    asked_ns = collector.clock.now_ns()
    await happens(lambda: collector.clock.now_ns() > asked_ns + 10 * MINUTE_NS)
    assert kept(house).told == ()
    desktop.inhibited = False
    await happens(lambda: bool(desktop.told))
    assert len(kept(house).told) == 1
    await collector.end()


async def test_a_message_on_the_house_broker(
    house: Path,
    collector: Collector,
    tmp_path: Path,
    mosquitto: str,
    free_port: Callable[[], int],
) -> None:
    """The prompt is one MQTT message on the chosen topic; the example is one more, uncounted."""
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen([mosquitto, "-c", config], stderr=subprocess.DEVNULL)
    try:
        choose(house, channels=["address"], address=f"mqtt://127.0.0.1:{port}/home/back")
        async with await _connected(port) as client:
            await client.subscribe("home/back", qos=1)
            await collector.start()
            async with asyncio.timeout(60):
                first = json.loads(_bytes(await anext(client.messages)))
                answer = await collector.ask("prompt_try", wearer="w1")
                second = json.loads(_bytes(await anext(client.messages)))
        assert first["event"] == "prompt"
        assert second["minutes"] == 45
        assert answer == {"taken": ["address"], "refused": {}}
        assert len(kept(house).told) == 1
        await collector.end()
    finally:
        broker.terminate()
        broker.wait(10)


def _bytes(message: aiomqtt.Message) -> bytes:
    return bytes(message.payload)


async def _connected(port: int) -> aiomqtt.Client:
    async def up() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await _until(up)
    return aiomqtt.Client("127.0.0.1", port)


async def _until(what: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await what():
            await asyncio.sleep(0.05)
