# SPDX-License-Identifier: Apache-2.0
"""Suspend, a clock that jumps, a beacon, a full disk: the rest of an eight-hour day."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.registry import decoders
from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.player import Player
from tracker.clock import Clock
from tracker.collect.hub import Hub
from tracker.errors import SensorError, StoreFull
from tracker.model import SECOND_NS, GapReason, Placement, Samples
from tracker.store.base import Batch, SensorConfig
from tracker.store.sqlite import SqliteStore

ADDRESS = "C0:00:00:00:00:00"
PLACE = Placement.UPPER_BACK
FOR_EVER = 1 << 62
CONFIG = SensorConfig(
    address=ADDRESS, wearer="w1", placement=PLACE, options={"axes": "x=forward,y=left,z=up"}
)
JUMP: dict[str, int] = {"ns": 0}


@dataclass(frozen=True, slots=True)
class JumpingClock(Clock):
    """A machine whose wall clock is set while its monotonic clock goes on."""

    def now_ns(self) -> int:
        """UTC with the jump."""
        return Clock.now_ns(self) + JUMP["ns"]


@pytest.fixture
def jumping(clock: Clock) -> Iterator[JumpingClock]:
    """The test's clock, settable."""
    JUMP["ns"] = 0
    yield JumpingClock(start_ns=clock.start_ns, origin_ns=clock.origin_ns, speed=clock.speed)
    JUMP["ns"] = 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A real store."""
    made = SqliteStore(tmp_path / "epochs.db", "UTC")
    yield made
    made.close()


def still(seconds: float, fs_hz: float = 50.0) -> Samples:
    """Sitting still, with a little noise."""
    n = int(seconds * fs_hz)
    acc = np.random.default_rng(1).normal([0.1, 0.0, 0.99], 0.003, (n, 3))
    t = np.arange(n, dtype=np.int64) * round(SECOND_NS / fs_hz)
    return Samples(t_ns=t, acc_g=acc.astype(np.float32))


@contextlib.asynccontextmanager
async def serving(store: SqliteStore, clock: Clock) -> AsyncIterator[Hub]:
    """A hub with one sensor."""
    hub = Hub(store, clock)
    hub.plan(CONFIG)
    task = asyncio.ensure_future(hub.run())
    await hub.ready.wait()
    try:
        yield hub
    finally:
        hub.stop()
        await task


async def until(clock: Clock, what: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait (seconds of the clock)."""
    deadline = clock.monotonic_s() + seconds
    while not what():
        assert clock.monotonic_s() < deadline
        await asyncio.sleep(0.01)


def belt(bluez: FakeBluez) -> Sensor:
    """A Polar H10: device time, no buffer."""
    made = decoders()["polar"].peripheral()
    return bluez.add(Sensor(ADDRESS, type(made)(model="H10")))


async def test_the_wall_clock_is_set_forward(
    bluez: FakeBluez, clock: Clock, jumping: JumpingClock, store: SqliteStore
) -> None:
    """Somebody sets the clock ahead by half an hour: a gap says so, the stream goes on in time."""
    sensor = belt(bluez)
    async with serving(store, jumping) as hub:
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "streaming")
        await clock.sleep(2)
        play = asyncio.ensure_future(Player(bluez, sensor, still(40), clock, clock.now_ns()).run())
        await clock.sleep(12)
        JUMP["ns"] = 1800 * SECOND_NS
        await play
        await clock.sleep(2)
    raw = store.raw("w1", PLACE, 0, FOR_EVER)
    (gap,) = [
        g for g in store.gaps("w1", PLACE, 0, int(raw.t_ns[-1])) if g.reason is GapReason.CLOCK_JUMP
    ]
    assert abs(gap.end_ns - gap.start_ns - 1800 * SECOND_NS) < 5 * SECOND_NS
    assert len(raw) > 0.9 * 40 * 50
    assert abs(int(raw.t_ns[-1]) - jumping.now_ns()) < 10 * SECOND_NS


async def test_suspend_and_resume(
    bluez: FakeBluez, clock: Clock, jumping: JumpingClock, store: SqliteStore
) -> None:
    """Point 12: the machine sleeps for 20 minutes; the link is gone after it and comes back."""
    sensor = belt(bluez)
    async with serving(store, jumping) as hub:
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "streaming")
        await clock.sleep(2)
        await Player(bluez, sensor, still(12), clock, clock.now_ns()).run()
        JUMP["ns"] = 1200 * SECOND_NS
        bluez.lose_link(ADDRESS)
        player = Player(bluez, sensor, still(25), jumping, jumping.now_ns() + 5 * SECOND_NS)
        await player.run()
        await clock.sleep(3)
        assert hub.sensors[ADDRESS].intake.connects == 2
    raw = store.raw("w1", PLACE, 0, FOR_EVER)
    gaps = store.gaps("w1", PLACE, 0, int(raw.t_ns[-1]))
    assert GapReason.LINK_LOST in {g.reason for g in gaps}
    longest = max(g.end_ns - g.start_ns for g in gaps)
    assert 1200 * SECOND_NS < longest < 1240 * SECOND_NS
    assert abs(int(raw.t_ns[-1]) - int(player.samples.t_ns[-1])) < 3 * SECOND_NS
    assert (np.diff(raw.t_ns) > 0).all()


async def test_a_beacon_is_heard_without_a_link(
    bluez: FakeBluez, clock: Clock, store: SqliteStore
) -> None:
    """A RuuviTag only advertises: about a sample a second is stored, nobody connects."""
    sensor = bluez.add(Sensor(ADDRESS, decoders()["ruuvi"].peripheral()))
    async with serving(store, clock) as hub:
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "streaming")
        await Player(bluez, sensor, still(30, fs_hz=0.8), clock, clock.now_ns()).run()
        await clock.sleep(2)
        assert hub.sensors[ADDRESS].intake.decoder == "ruuvi"
    assert len(store.raw("w1", PLACE, 0, FOR_EVER)) > 15
    assert "Connect" not in bluez.calls


class FullDisk:
    """A store whose disk is full for a while."""

    def __init__(self, store: SqliteStore) -> None:
        self._write = store.write_many
        self.full = False

    def write_many(self, batches: list[Batch], *, sync: bool = True) -> None:
        """Refuse or pass on."""
        if self.full:
            raise StoreFull("no space left on the disk: free some")
        self._write(batches)


async def test_a_full_disk_is_waited_out(
    bluez: FakeBluez, clock: Clock, store: SqliteStore
) -> None:
    """The disk refuses for 15 s: health says so, nothing is lost, the stream never stops."""
    sensor = belt(bluez)
    async with serving(store, clock) as hub:
        disk = FullDisk(store)
        hub.keeper.store = disk
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "streaming")
        await clock.sleep(2)
        play = asyncio.ensure_future(Player(bluez, sensor, still(40), clock, clock.now_ns()).run())
        await clock.sleep(10)
        disk.full = True
        await clock.sleep(15)
        assert "no space" in hub.keeper.error
        assert hub.keeper.waiting > 400
        disk.full = False
        await play
        await clock.sleep(3)
        assert hub.keeper.error == ""
    raw = store.raw("w1", PLACE, 0, FOR_EVER)
    assert len(raw) > 0.9 * 40 * 50
    assert np.diff(raw.t_ns).max() < SECOND_NS // 2
    gaps = store.gaps("w1", PLACE, 0, int(raw.t_ns[-1]))
    assert gaps == [], [replace(g) for g in gaps]


async def test_a_source_that_gives_up_leaves_the_others_alone(
    bluez: FakeBluez, clock: Clock, store: SqliteStore
) -> None:
    """A phone that refuses is named in the health; the belt beside it goes on streaming."""
    sensor = belt(bluez)

    async def refuses(sensor: object) -> None:
        raise SensorError("the phone says no: start its server")

    async with serving(store, clock) as hub:
        hub.sources["phyphox"] = refuses
        other = replace(CONFIG, address="phyphox:127.0.0.1:1", wearer="w2")
        await hub.add(other)
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "streaming")
        await Player(bluez, sensor, still(6), clock, clock.now_ns()).run()
        assert "says no" in hub.refused[other.address]
        assert hub.sensors[other.address].intake.link == "lost"
    assert len(store.raw("w1", PLACE, 0, FOR_EVER)) > 100
