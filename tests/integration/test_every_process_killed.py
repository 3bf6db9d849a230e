# SPDX-License-Identifier: Apache-2.0
"""Collector with its sink, dashboard and influxd, killed at random moments while all are at work.

A sensor with a memory streams, entries of a diary come in, everything goes to a real influxd.
Afterwards each sample is stored or lies in a gap, the epochs (live, over all those ends) are those
of one batch analysis and of a re-analysis, here and in InfluxDB, and every entry that was
acknowledged is there once.
"""

import asyncio
import random
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.registry import decoders
from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.influx_shim import Influxd, Shim
from tests.fakes.player import Player, resample
from tests.fakes.service import Service
from tracker import chain
from tracker.clock import Clock
from tracker.collect.control import ControlClient
from tracker.collect.setups import setups
from tracker.dashboard_door import DashboardClient
from tracker.diary import Kind, Person, Role
from tracker.errors import BackstayError
from tracker.model import SECOND_NS, Epochs, Placement, Samples
from tracker.reprocess import days_with_raw, make_job, run_job
from tracker.settings import Settings
from tracker.simulation.days import workday
from tracker.store import influx
from tracker.store.base import SensorConfig
from tracker.store.influx_sink import Sink
from tracker.store.influx_target import InfluxTarget
from tracker.store.records import open_records
from tracker.store.sqlite import open_reader, open_store

ADDRESS, W, P = "C0:00:00:00:00:00", "w1", Placement.UPPER_BACK
AXES = "x=forward,y=left,z=up"
EVER = (0, 2**62)
HOLE_NS = SECOND_NS // 2  # what is longer is a gap
ROUNDS = [3, pytest.param(20, marks=pytest.mark.soak)]


class Diary(threading.Thread):
    """Somebody enters massages without pause; `acked` are those the dashboard took."""

    def __init__(self, settings: Settings, first_ns: int) -> None:
        super().__init__(name="diary", daemon=True)
        self.client = DashboardClient(settings, timeout_s=20)
        self.next_ns, self.acked, self.over, self.error = first_ns, list[int](), False, ""

    def run(self) -> None:
        """Each entry until it is taken: an answer that was lost is asked for again."""
        while not self.over:
            body = {"at_ns": self.next_ns, "minutes": 10, "by": "self"}
            try:
                self.client.call("phone_entry", wearer=W, kind="massage", body=body)
            except BackstayError as error:
                self.error = str(error)
                threading.Event().wait(0.1)
                continue
            self.acked.append(self.next_ns)
            self.next_ns -= 1200 * SECOND_NS  # two must not overlap


@pytest.fixture
def real(influxd: str, tmp_path: Path) -> Iterator[Influxd]:
    """A real influxd."""
    server = Influxd(influxd, tmp_path / "influxd")
    server.start()
    server.query("CREATE DATABASE posture")
    yield server
    server.kill()


@pytest.fixture
def settings(real: Influxd, clock: Clock, tmp_path: Path) -> Iterator[Settings]:
    """A wearer with an account and a sensor; InfluxDB is configured."""
    shim = Shim(real)
    made = Settings(data=tmp_path / "data", zone="UTC", influx_url=shim.url, port=0, http_port=0)
    store, records = open_store(made, clock), open_records(made, clock)
    options: dict[str, object] = {"axes": AXES}
    store.put_sensor(SensorConfig(address=ADDRESS, wearer=W, placement=P, options=options))
    records.put_person(Person(id="p", name="A", roles=frozenset({Role.WEARER}), wearer=W))
    store.close()
    records.close()
    yield made
    shim.close()


@pytest.fixture
async def services(settings: Settings, clock: Clock) -> AsyncIterator[dict[str, Service]]:
    """Collector and dashboard, not started; ended whatever happens."""
    control, door = ControlClient(settings.data), DashboardClient(settings, timeout_s=20)

    def open_door() -> bool:
        try:
            door.call("share_list")
        except BackstayError:
            return False
        return True

    made = {
        "collector": Service(["tracker", "collect"], settings, clock, control.running),
        "dashboard": Service(["dashboard.serve"], settings, clock, open_door),
    }
    yield made
    for service in made.values():
        if service.process is not None and service.process.poll() is None:
            await asyncio.to_thread(service.kill)


async def until(
    what: Callable[[], bool], seconds: float = 60, said: Callable[[], object] = str
) -> None:
    """Wait for an event; `said` explains where it does not come."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await asyncio.to_thread(what):
        assert asyncio.get_running_loop().time() < deadline, said()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_nothing_is_lost_whatever_is_killed(
    bluez: FakeBluez, clock: Clock, settings: Settings, services: dict[str, Service],
    real: Influxd, rounds: int,
) -> None:  # fmt: skip
    """Each round kills one of the three, or all at once, and waits until all are at work again."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    device = decoders()["reference"].peripheral()
    sensor = bluez.add(Sensor(ADDRESS, device))
    for service in services.values():
        await asyncio.to_thread(service.start)
    await until(lambda: device.streaming)
    day = resample(workday(np.random.default_rng(3), hours=0.05, placement=P).samples, 50.0)
    endless = Samples.concat([later(day, i) for i in range(20 * rounds)])  # however slow a start is
    player = Player(bluez, sensor, endless, clock, clock.now_ns())
    play = asyncio.ensure_future(player.run())
    diary = Diary(settings, clock.now_ns() - 3600 * SECOND_NS)
    diary.start()
    reader = open_reader(settings)

    def stored() -> int:
        return len(reader.raw(W, P, *EVER))

    async def busy() -> None:
        """Samples and entries arrive."""
        samples, entries = await asyncio.to_thread(stored), len(diary.acked)
        await until(
            lambda: stored() > samples + 50 and len(diary.acked) > entries,
            said=lambda: (stored(), samples, player.played, len(diary.acked), diary.error),
        )

    victims = ["collector", "dashboard", "influxd", "all"]
    chance.shuffle(victims)
    for i in range(rounds):
        await busy()
        await asyncio.sleep(chance.uniform(0, 0.5))
        victim = victims[i % len(victims)]
        print(f"kill -9 {victim}")
        chosen = [s for name, s in services.items() if victim in (name, "all")]
        for service in chosen:
            service.kill()
        if victim in ("influxd", "all"):
            real.kill()
            await asyncio.sleep(chance.uniform(0, 0.5))
            await asyncio.to_thread(real.start)
        for service in chosen:
            await asyncio.to_thread(service.start)
    await busy()
    play.cancel()
    played = player.samples[: player.played]
    diary.over = True
    await asyncio.to_thread(diary.join)
    newest_ns = int(played.t_ns[-1]) - 2 * SECOND_NS
    await until(lambda: reader.raw(W, P, newest_ns, EVER[1]).t_ns.size > 0)
    await clock.sleep(8)
    for service in services.values():
        assert await asyncio.to_thread(service.end) in (0, -signal.SIGTERM), service.said()
    reader.close()
    account_for(settings, played, rounds)
    equal_everywhere(settings, real)
    records = open_records(settings, clock)
    found = [e.at_ns for e in records.entries(W, [Kind.MASSAGE])]
    records.close()
    assert len(found) == len(set(found))
    assert set(diary.acked) <= set(found)
    assert len(found) <= len(diary.acked) + 1


def later(motion: Samples, times: int) -> Samples:
    """The same motion after itself."""
    step = int(motion.t_ns[-1]) - int(motion.t_ns[0]) + SECOND_NS // 50
    return Samples(t_ns=motion.t_ns + times * step, acc_g=motion.acc_g, gyr_dps=motion.gyr_dps)


def account_for(settings: Settings, played: Samples, kills: int) -> None:
    """Every sample is stored or lies in a gap; nothing is stored twice."""
    reader = open_reader(settings)
    raw, gaps = reader.raw(W, P, *EVER), reader.gaps(W, P, *EVER)
    assert list(reader.integrity()) == []
    reader.close()
    assert (np.diff(raw.t_ns) > 0).all()
    holes = np.flatnonzero(np.diff(raw.t_ns) > HOLE_NS)
    for start_ns, end_ns in zip(
        raw.t_ns[holes].tolist(), raw.t_ns[holes + 1].tolist(), strict=True
    ):
        middle = (start_ns + end_ns) // 2
        assert any(g.start_ns - HOLE_NS <= middle <= g.end_ns + HOLE_NS for g in gaps), middle
    # Counted, too: where a clock jumped, times before and after it do not tell what is missing.
    # Shorter holes are no gaps, and the newest samples may still wait in the device.
    told_s = sum(g.end_ns - g.start_ns for g in gaps) / SECOND_NS
    assert len(played) - len(raw) <= 50 * told_s + 25 * (kills + 2)
    assert len(raw) > 0.8 * len(played)


def equal_everywhere(settings: Settings, real: Influxd) -> None:
    """SQLite, InfluxDB (once the queue is empty), a batch analysis, a re-analysis: the same."""
    store = open_store(settings)
    target = InfluxTarget(settings)
    Sink(store, target).drain()
    target.close()
    raw, epochs = store.raw(W, P, *EVER), store.epochs(W, P, *EVER)
    setup = setups(P, store.calibrations(W, P), {}, axes=AXES)[-1].setup
    assert store.backlog() == (0, None)
    assert not store.dead_letters()
    store.close()
    assert chain.analyze(raw, setup).epochs.equals(epochs)
    same_in_influx(settings, real, epochs)
    redo(settings)
    same_in_influx(settings, real, epochs)


def redo(settings: Settings) -> None:
    """Re-analyse every day from the stored samples, and send what that wrote."""
    store, target = open_store(settings), InfluxTarget(settings)
    before = store.epochs(W, P, *EVER)
    days = days_with_raw(store, W, P, "0000", "9999", 2**62)
    for day in days:
        job = make_job(store, W, P, day, force=True)
        assert job is not None
        for batch in run_job(job):
            store.write(batch)
    assert store.epochs(W, P, *EVER).equals(before)
    assert store.backlog()[0] > 0
    Sink(store, target).drain()
    target.close()
    store.close()


def same_in_influx(settings: Settings, real: Influxd, epochs: Epochs) -> None:
    """InfluxDB holds these epochs, each once."""
    mirror = influx.open_store(settings)
    assert mirror.epochs(W, P, *EVER).equals(epochs)
    mirror.close()
    count = real.query("SELECT count(state) FROM epoch WHERE state >= 0", "posture")
    assert count["results"][0]["series"][0]["values"][0][1] == len(epochs)  # type: ignore[index]
