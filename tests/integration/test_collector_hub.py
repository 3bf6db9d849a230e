# SPDX-License-Identifier: Apache-2.0
"""Hub, radio, decoders and store together, over the fake BlueZ at many times real time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.registry import decoders
from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.player import Player, resample
from tracker import chain
from tracker.clock import Clock
from tracker.collect.hub import Hub
from tracker.collect.setups import setups
from tracker.model import GapReason, Placement, Samples
from tracker.simulation.days import workday
from tracker.store.base import SensorConfig
from tracker.store.sqlite import SqliteStore

ADDRESS = "C0:00:00:00:00:00"
PLACE = Placement.UPPER_BACK
FOR_EVER = 1 << 62
AXES = {"axes": "x=forward,y=left,z=up"}


@pytest.fixture(scope="module")
def motion() -> Samples:
    """Two minutes of a desk day at 50 Hz."""
    return resample(workday(np.random.default_rng(3), hours=0.03).samples, 50.0)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    """A real store."""
    made = SqliteStore(tmp_path / "epochs.db", "UTC", clock=clock)
    yield made
    made.close()


@contextlib.asynccontextmanager
async def serving(store: SqliteStore, clock: Clock, *configs: SensorConfig) -> AsyncIterator[Hub]:
    """A hub that runs, and stops cleanly."""
    hub = Hub(store, clock)
    for config in configs:
        hub.plan(config)
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


def config(wearer: str = "w1", address: str = ADDRESS, decoder: str = "") -> SensorConfig:
    """One sensor."""
    return SensorConfig(
        address=address, wearer=wearer, placement=PLACE, decoder=decoder, options=dict(AXES)
    )


def assert_stored_equals_batch(store: SqliteStore, wearer: str = "w1") -> Samples:
    """The epochs in the store are those of one analysis of the samples in the store."""
    raw = store.raw(wearer, PLACE, 0, FOR_EVER)
    setup = setups(PLACE, store.calibrations(wearer, PLACE), {}, axes=AXES["axes"])[-1].setup
    wanted = chain.analyze(raw, setup).epochs
    found = store.epochs(wearer, PLACE, 0, FOR_EVER)
    assert len(found) == len(wanted) > 0
    assert found.equals(wanted)
    return raw


@pytest.mark.parametrize(
    ("decoder", "model"), [("reference", ""), ("polar", "H10"), ("polar", "Verity Sense")]
)
async def test_a_sensor_by_its_services_into_the_store(
    bluez: FakeBluez, clock: Clock, store: SqliteStore, motion: Samples, decoder: str, model: str
) -> None:
    """Matched by services, configured, decoded, analysed: stored epochs equal a batch analysis."""
    made = decoders()[decoder].peripheral()
    device = type(made)(model=model) if model else made
    rate = {"H10": 50.0, "Verity Sense": 52.0}.get(model, 50.0)
    sensor = bluez.add(Sensor(ADDRESS, device))
    async with serving(store, clock, config()) as hub:
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "streaming")
        await clock.sleep(3)
        moves = resample(motion[:1500], rate)
        player = Player(bluez, sensor, moves, clock, clock.now_ns())
        await player.run()
        await clock.sleep(3)
        assert hub.sensors[ADDRESS].intake.decoder == decoder
        assert hub.sensors[ADDRESS].intake.battery_pct == 87
        assert not hub.sensors[ADDRESS].intake.errors
    raw = assert_stored_equals_batch(store)
    assert len(raw) > 0.9 * len(moves)
    assert store.gaps("w1", PLACE, 0, int(raw.t_ns[-1])) == []
    live = store.live("w1", PLACE)
    assert live is not None
    assert live.battery_pct == 87


async def test_a_buffering_sensor_loses_nothing_in_the_kitchen(
    bluez: FakeBluez, clock: Clock, store: SqliteStore, motion: Samples
) -> None:
    """The link is away for 22 s; REPLAY fills the hole and the epochs are as if it never was."""
    sensor = bluez.add(Sensor(ADDRESS, decoders()["reference"].peripheral()))
    async with serving(store, clock, config()) as hub:
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "streaming")
        await clock.sleep(3)
        player = Player(bluez, sensor, motion[:3000], clock, clock.now_ns())
        play = asyncio.ensure_future(player.run())
        await clock.sleep(15)
        sensor.in_range = False
        bluez.lose_link(ADDRESS)
        await clock.sleep(22)
        sensor.in_range = True
        await play
        counters = hub.sensors[ADDRESS].intake.assembler.counters
        await until(clock, lambda: hub.sensors[ADDRESS].intake.resume.missing == ())
        await clock.sleep(5)
        counters = hub.sensors[ADDRESS].intake.assembler.counters
        assert counters.recovered > 800
    raw = assert_stored_equals_batch(store)
    assert len(raw) >= 3000 - 10  # the last frame may not have been full
    assert np.diff(raw.t_ns).max() < 100_000_000
    assert store.gaps("w1", PLACE, 0, int(raw.t_ns[-1])) == []


async def test_an_outage_without_buffer_is_a_gap_with_its_reason(
    bluez: FakeBluez, clock: Clock, store: SqliteStore, motion: Samples
) -> None:
    """A Polar belt out of reach for a while: one gap, its ends at the samples beside it."""
    made = decoders()["polar"].peripheral()
    sensor = bluez.add(Sensor(ADDRESS, type(made)(model="H10")))
    async with serving(store, clock, config()) as hub:
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "streaming")
        await clock.sleep(3)
        player = Player(bluez, sensor, motion[:3000], clock, clock.now_ns())
        play = asyncio.ensure_future(player.run())
        await clock.sleep(12)
        sensor.rssi_dbm = -90
        bluez.lose_link(ADDRESS)
        await clock.sleep(6)
        sensor.in_range = False
        bluez.lose_link(ADDRESS)
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "out_of_reach")
        sensor.in_range = True
        await play
        await clock.sleep(3)
    raw = assert_stored_equals_batch(store)
    gaps = store.gaps("w1", PLACE, 0, int(raw.t_ns[-1]))
    assert [g.reason for g in gaps] == [GapReason.LINK_LOST, GapReason.OUT_OF_REACH]
    steps = np.flatnonzero(np.diff(raw.t_ns) > 500_000_000)
    assert [(g.start_ns, g.end_ns) for g in gaps] == [
        (int(raw.t_ns[i]), int(raw.t_ns[i + 1])) for i in steps
    ]


async def test_restart_continues_and_asks_for_what_was_missed(
    bluez: FakeBluez, clock: Clock, store: SqliteStore, motion: Samples
) -> None:
    """The collector is stopped for 10 s; the next one gets the missed samples from the sensor."""
    sensor = bluez.add(Sensor(ADDRESS, decoders()["reference"].peripheral()))
    store.put_sensor(config())
    async with serving(store, clock, config()) as hub:
        await until(clock, lambda: hub.sensors[ADDRESS].intake.link == "streaming")
        await clock.sleep(3)
        player = Player(bluez, sensor, motion[:9000], clock, clock.now_ns())
        play = asyncio.ensure_future(player.run())
        await clock.sleep(15)
        bluez.lose_link(ADDRESS)  # it goes on sampling; a clean stop would tell it to stop
        sensor.in_range = False
        await clock.sleep(2)
    await clock.sleep(10)
    sensor.in_range = True
    (kept,) = store.sensors()
    assert isinstance(kept.options["resume"], dict)
    async with serving(store, clock, kept) as hub:
        intake = hub.sensors[ADDRESS].intake
        await until(clock, lambda: intake.assembler.counters.recovered > 0)
        await until(clock, lambda: intake.resume.missing == ())
        await clock.sleep(5)
        play.cancel()
    raw = assert_stored_equals_batch(store)
    assert np.diff(raw.t_ns).max() < 500_000_000
    assert len(raw) >= player.played - 100
