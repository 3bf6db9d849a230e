# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of a collector far behind with its analysis: samples are safe, epochs follow."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.registry import decoders
from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.collector import ROOT, Collector, shifted, until
from tests.fakes.player import Player, resample
from tracker import chain
from tracker.clock import Clock
from tracker.collect.setups import setups
from tracker.model import GapReason, Placement, Samples
from tracker.settings import read_settings
from tracker.simulation.days import workday
from tracker.store.base import SensorConfig
from tracker.store.sqlite import SqliteStore, open_reader

ADDRESS = "C0:00:00:00:00:00"
PLACE = Placement.UPPER_BACK
AXES = "x=forward,y=left,z=up"
FOR_EVER = 1 << 62
SLOW = str(ROOT / "tests" / "fakes" / "slow_collector.py")
STARVED_S = 60.0  # one step of the chain takes longer than the test


@pytest.fixture
async def collector(tmp_path: Path, bluez: FakeBluez, clock: Clock) -> AsyncIterator[Collector]:
    """A collector on a folder that knows one sensor; ended after the test whatever happens."""
    made = Collector(tmp_path / "data", clock)
    settings = read_settings(data=made.data)
    store = SqliteStore(settings.epochs_db, "UTC", clock=clock)
    store.put_sensor(
        SensorConfig(address=ADDRESS, wearer="w1", placement=PLACE, options={"axes": AXES})
    )
    store.close()
    yield made
    if made.process is not None and made.process.returncode is None:
        await made.end(signal.SIGKILL)


async def test_kill_9_with_the_analysis_far_behind(
    bluez: FakeBluez, clock: Clock, collector: Collector
) -> None:
    """Raw samples reach the disk while one step of the chain never ends; a real SIGKILL follows.

    What was received is there, without a single epoch. The next start analyses it: the epochs equal
    one analysis of all samples, and only the time without a collector is a gap.
    """
    reader = open_reader(read_settings(data=collector.data))
    made = decoders()["polar"].peripheral()
    sensor = bluez.add(Sensor(ADDRESS, type(made)(model="H10")))  # keeps nothing: no second chance
    await collector.spawn(str(STARVED_S), program=(SLOW,))
    await collector.answers()
    await until(clock, lambda: sensor.connected)
    motion = resample(workday(np.random.default_rng(3), hours=0.03).samples, 50.0)
    endless = Samples.concat([shifted(motion, i) for i in range(6)])
    player = Player(bluez, sensor, endless, clock, clock.now_ns())
    play = asyncio.ensure_future(player.run())

    def kept() -> int:
        return len(reader.raw("w1", PLACE, 0, FOR_EVER))

    await until(clock, lambda: kept() > 400)
    sent = player.played
    packet = 36  # samples in one notification of a belt: what is not full yet was not sent
    await until(clock, lambda: kept() >= sent - packet)  # while the analysis stands still
    await collector.end(signal.SIGKILL)
    stored = reader.raw("w1", PLACE, 0, FOR_EVER)
    assert len(stored) >= sent - packet
    assert len(reader.epochs("w1", PLACE, 0, FOR_EVER)) == 0, "nothing was analysed before the kill"
    count = len(stored)
    await collector.start()
    await until(clock, lambda: kept() > count + 200)
    play.cancel()
    code, _, _ = await collector.end()
    assert code == 0
    raw = reader.raw("w1", PLACE, 0, FOR_EVER)
    assert np.array_equal(raw.t_ns[:count], stored.t_ns)
    setup = setups(PLACE, reader.calibrations("w1", PLACE), {}, axes=AXES)[-1].setup
    assert reader.epochs("w1", PLACE, 0, FOR_EVER).equals(chain.analyze(raw, setup).epochs)
    holes = np.flatnonzero(np.diff(raw.t_ns) > 500_000_000)
    gaps = reader.gaps("w1", PLACE, 0, int(raw.t_ns[-1]))
    assert [(g.start_ns, g.end_ns) for g in gaps] == [
        (int(raw.t_ns[i]), int(raw.t_ns[i + 1])) for i in holes
    ]
    assert {g.reason for g in gaps} <= {GapReason.COLLECTOR_DOWN}
