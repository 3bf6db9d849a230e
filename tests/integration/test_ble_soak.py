# SPDX-License-Identifier: Apache-2.0
"""Many faults in a row and many values at once: nothing leaks, nothing is lost, all is accounted.

The short versions run always; `make soak` runs the long ones (pytest -m soak).
"""

import asyncio
import contextlib
import gc
import os
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.peripheral import Block
from firmware_protocol.registry import decoders
from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.bus import Bus
from tests.fakes.plain import DATA, PLAIN, PlainSensor
from tests.fakes.player import Player
from tracker.clock import Clock
from tracker.collect.ble import Link
from tracker.collect.hub import Hub
from tracker.collect.inbox import Arrival, Inbox
from tracker.collect.scan import Air
from tracker.model import SECOND_NS, Placement, Samples
from tracker.store.base import SensorConfig
from tracker.store.sqlite import SqliteStore

ADDRESS = "C0:00:00:00:00:00"
PLACE = Placement.UPPER_BACK
FOR_EVER = 1 << 62


@contextlib.asynccontextmanager
async def fake(bus: Bus, clock: Clock) -> AsyncIterator[FakeBluez]:
    """A fake daemon with a clock of its own."""
    made = FakeBluez(bus.address, clock=clock)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def sockets() -> int:
    """Open sockets of this process."""
    links = (fd.readlink() for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink())
    return sum(str(link).startswith("socket:") for link in links)


def rss_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _throughput(bus: Bus, seconds: float, speed: float) -> None:
    clock = Clock(start_ns=1_795_420_800 * SECOND_NS, origin_ns=time.time_ns(), speed=speed)
    async with fake(bus, clock) as bluez:
        air = Air(clock)
        devices = [PlainSensor() for _ in range(4)]
        names = [f"C0:00:00:00:00:0{i}" for i in range(4)]
        inboxes = [Inbox() for _ in range(4)]
        for name, device in zip(names, devices, strict=True):
            bluez.add(Sensor(name, device))
        links = [
            asyncio.ensure_future(
                Link(address=n, inbox=i, air=air, clock=clock, decoder=PLAIN).run()
            )
            for n, i in zip(names, inboxes, strict=True)
        ]
        while not all(d.running and DATA in d.subscribed for d in devices):
            await asyncio.sleep(0.01)
        one = np.zeros((1, 3), np.float32)
        wanted = int(104 * seconds)
        began = clock.monotonic_s()
        for i in range(wanted):
            for name, device in zip(names, devices, strict=True):
                for uuid, payload in device.notify(Block(t_ns=np.zeros(1, np.int64), acc_g=one)):
                    assert await bluez.notify(name, uuid, payload) == 1
            ahead = i / 104 - (clock.monotonic_s() - began)
            if ahead > 0:
                await clock.sleep(ahead)
        await asyncio.sleep(0.5)
        for inbox in inboxes:
            items = [x for x in inbox.get_nowait() if isinstance(x, Arrival)]
            counts = [
                struct.unpack("<I", x.frame.payload[:4])[0]
                for x in items
                if x.frame.channel == DATA
            ]
            assert counts == list(range(counts[0], counts[0] + wanted))
            assert inbox.dropped == 0
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)


async def test_four_sensors_at_104_hz_lose_nothing(bus: Bus) -> None:
    """Ten seconds of 4 x 104 notifications a second, played four times as fast."""
    await _throughput(bus, 10, speed=4.0)


@pytest.mark.soak
async def test_four_sensors_at_104_hz_in_real_time(bus: Bus) -> None:
    """Point 7 as it stands: ten seconds in real time."""
    await _throughput(bus, 10, speed=1.0)


async def _faults(bus: Bus, store: SqliteStore, clock: Clock, faults: int, every_s: float) -> None:
    async with fake(bus, clock) as bluez:
        made = decoders()["polar"].peripheral()
        sensor = bluez.add(Sensor(ADDRESS, type(made)(model="H10")))
        config = SensorConfig(
            address=ADDRESS, wearer="w1", placement=PLACE,
            options={"axes": "x=forward,y=left,z=up"},
        )  # fmt: skip
        hub = Hub(store, clock)
        hub.plan(config)
        run = asyncio.ensure_future(hub.run())
        n = int((faults + 4) * every_s * 50) + 500
        acc = np.random.default_rng(1).normal([0.1, 0.0, 0.99], 0.003, (n, 3))
        motion = Samples(
            t_ns=np.arange(n, dtype=np.int64) * (SECOND_NS // 50), acc_g=acc.astype(np.float32)
        )
        player = Player(bluez, sensor, motion, clock, clock.now_ns() + 2 * SECOND_NS)
        play = asyncio.ensure_future(player.run())
        await clock.sleep(2 * every_s)
        before: tuple[int, int, float] | None = None
        for i in range(faults):
            if i == max(3, faults // 4):
                gc.collect()
                before = (sockets(), len(asyncio.all_tasks()), rss_mb())
            match i % 6:
                case 0 | 3:
                    bluez.lose_link(ADDRESS)
                case 1:
                    sensor.connect_errors = ["le-connection-abort-by-local"]
                    bluez.lose_link(ADDRESS)
                case 2:
                    bluez.power(on=False)
                    await asyncio.sleep(0.05)
                    bluez.power(on=True)
                case 4:
                    await bluez.crash()
                    await asyncio.sleep(0.05)
                    await bluez.start()
                case 5:
                    sensor.silent = True
                    await clock.sleep(every_s)
                    sensor.silent = False
            await clock.sleep(every_s)
        for _ in range(400):
            if hub.sensors[ADDRESS].intake.link == "streaming":
                break
            await clock.sleep(0.5)
        await clock.sleep(3 * every_s)
        gc.collect()
        assert before is not None
        assert sockets() <= before[0] + 1
        assert len(asyncio.all_tasks()) <= before[1] + 3
        assert rss_mb() < before[2] + 12
        play.cancel()
        hub.stop()
        await run
    raw = store.raw("w1", PLACE, 0, FOR_EVER)
    gaps = store.gaps("w1", PLACE, 0, int(raw.t_ns[-1]))
    holes = np.flatnonzero(np.diff(raw.t_ns) > SECOND_NS // 2)
    assert len(holes) >= faults // 3
    assert [(g.start_ns, g.end_ns) for g in gaps if g.end_ns - g.start_ns > SECOND_NS // 2] == [
        (int(raw.t_ns[i]), int(raw.t_ns[i + 1])) for i in holes
    ]


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """A real store."""
    return SqliteStore(tmp_path / "epochs.db", "UTC")


async def test_faults_in_a_row(bus: Bus, store: SqliteStore, clock: Clock) -> None:
    """Twelve faults of six kinds: sockets, tasks and memory stay flat, every hole is a gap."""
    await _faults(bus, store, clock, faults=12, every_s=5.0)
    store.close()


@pytest.mark.soak
async def test_a_fault_every_second_for_a_minute(bus: Bus, store: SqliteStore) -> None:
    """The soak of the design: sixty faults, one a second of real time."""
    clock = Clock(start_ns=1_795_420_800 * SECOND_NS, origin_ns=time.time_ns(), speed=6.0)
    await _faults(bus, store, clock, faults=60, every_s=6.0)
    store.close()
