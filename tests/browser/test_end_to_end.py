# SPDX-License-Identifier: Apache-2.0
"""A wearer's day, end to end, on a real recording: from the radio's bus to the page.

A recording is played by a fake `org.bluez` process as Polar notifications and as our own profile,
many times faster than it was made (one injected clock makes that possible), through the collector
process into SQLite and a real InfluxDB, to *Today* in a real Chromium. On the way the link is lost
and the collector is killed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from tests.fakes.bus import Bus
from tests.fakes.influx_shim import Influxd, Shim
from tracker.clock import Clock
from tracker.collect.control import ControlClient
from tracker.collect.setups import setups
from tracker.diary import Person, Role
from tracker.model import SECOND_NS, GapReason, Placement, Samples
from tracker.recording import write_recording
from tracker.report.i18n import language
from tracker.settings import Settings
from tracker.store import influx
from tracker.store.influx_sink import Sink
from tracker.store.influx_target import InfluxTarget
from tracker.store.records import open_records
from tracker.store.sqlite import open_reader, open_store
from tracker.tables_io import epoch_table
from tracker.trends.day import summarise
from tracker.units import day_bounds_ns, from_ns, local_date

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
SPEED = 20.0
START_NS = 1_795_420_800_000_000_000  # Monday 2026-11-23 08:00 UTC
AXES = "x=up,y=forward,z=left"
POLAR, OWN = "C0:00:00:00:00:01", "C0:00:00:00:00:02"
WEARER = {POLAR: "w-polar", OWN: "w-own"}
PLACE = Placement.WAIST
EVER = (0, 2**62)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass(slots=True)
class World:
    """Every process of the day, and what was seen of it."""

    settings: Settings
    clock: Clock
    environment: dict[str, str]
    radio: "subprocess.Popen[str]"
    collector: "subprocess.Popen[bytes] | None" = None
    facts: dict[str, Any] = field(default_factory=dict)

    def start_collector(self) -> None:
        """Start the collector and wait until it answers."""
        with (self.settings.data.parent / "collector.log").open("ab") as log:
            self.collector = subprocess.Popen(
                [sys.executable, "-m", "tracker", "collect", "--no-phones"],
                cwd=ROOT,
                env=self.environment,
                stderr=log,
            )
        client = ControlClient(self.settings.data)
        self.until(client.running, "the collector does not answer")

    def tell_radio(self, **order: Any) -> dict[str, Any]:
        """One order to the fake, one answer; news about ended motions are kept."""
        assert self.radio.stdin is not None
        assert self.radio.stdout is not None
        self.radio.stdin.write(json.dumps(order) + "\n")
        self.radio.stdin.flush()
        while True:
            answer = json.loads(self.radio.stdout.readline())
            if "ended" not in answer:
                return dict(answer)

    def played(self, address: str) -> float:
        """Share of a sensor's motion that was played."""
        status = self.tell_radio(do="status", address=address)
        return float(status["played"]) / max(1, status["of"])

    def raw(self, address: str) -> Samples:
        """Samples of a sensor in the store."""
        reader = open_reader(self.settings)
        try:
            return reader.raw(WEARER[address], PLACE, *EVER)
        finally:
            reader.close()

    def until(self, condition: Any, what: str, seconds: float = 90) -> None:
        """Wait for something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.1)
        raise AssertionError(what)


@pytest.fixture(scope="module")
def programs() -> dict[str, str]:
    """Paths of dbus-daemon, influxd and chromium, or a skip that says what to install."""
    from tests.conftest import tool

    return {
        "dbus": tool("dbus-daemon", "Debian: apt-get install dbus"),
        "influxd": tool("influxd", "unpack Debian's influxdb and set BACKSTAY_INFLUXD"),
        "chromium": tool("chromium", "Debian: apt-get install chromium"),
    }


@pytest.fixture(scope="module")
def day(
    programs: dict[str, str], recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The whole day, lived once; the tests look at what is left of it."""
    folder = tmp_path_factory.mktemp("day")
    with tempfile.TemporaryDirectory(prefix="bus") as short:
        bus = Bus(programs["dbus"], Path(short))
        bus.start()
        influxd = Influxd(programs["influxd"], folder / "influx")
        influxd.start()
        influxd.query("CREATE DATABASE posture")
        shim = Shim(influxd)
        clock = Clock(start_ns=START_NS, origin_ns=time.time_ns(), speed=SPEED)
        settings = Settings(
            data=folder / "data", zone="UTC", influx_url=shim.url, influx_token="a:b"
        )
        environment = {
            **os.environ, **settings.environment(), **clock.environment(),
            "DBUS_SYSTEM_BUS_ADDRESS": bus.address, "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        radio = subprocess.Popen(
            [sys.executable, "tests/fakes/bluez_process.py", "--bus", bus.address],
            cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert radio.stdout is not None
        assert json.loads(radio.stdout.readline()) == {"ready": True}
        world = World(settings, clock, environment, radio)
        try:
            _live(world, recordings / "hapt_waist" / "user01.npz")
            yield world
        finally:
            radio.kill()
            radio.wait()
            radio.stdin.close()  # type: ignore[union-attr]
            radio.stdout.close()
            if world.collector is not None and world.collector.poll() is None:
                world.collector.kill()
                world.collector.wait()
            shim.close()
            influxd.kill()
            bus.kill()


def _live(world: World, recording: Path) -> None:
    """Two sensors, one link loss, one `kill -9`, then the end of the recording."""
    world.start_collector()
    client = ControlClient(world.settings.data)
    for address, decoder, rate in ((POLAR, "polar", 52.0), (OWN, "reference", 50.0)):
        world.tell_radio(
            do="add", address=address, decoder=decoder, recording=str(recording), seg=1,
            rate_hz=rate, model="Sense" if decoder == "polar" else None, play=False,
        )  # fmt: skip
        client.call(
            "add_sensor", address=address, wearer=WEARER[address], placement=PLACE.value,
            options={"axes": AXES},
        )  # fmt: skip
    both = (POLAR, OWN)
    connected = lambda: all(world.tell_radio(do="status", address=a)["connected"] for a in both)  # noqa: E731
    world.until(connected, "the sensors were not connected")
    for address in both:
        world.tell_radio(do="play", address=address, start_s=5)
    world.until(lambda: world.played(OWN) > 0.3, "the recording does not play")
    for address in both:
        world.tell_radio(do="lose_link", address=address)
    world.until(lambda: world.played(OWN) > 0.6, "the recording does not play")
    assert world.collector is not None
    world.collector.send_signal(signal.SIGKILL)
    world.facts["killed_ns"] = world.clock.now_ns()
    world.collector.wait()
    world.facts["at_kill"] = {a: world.raw(a) for a in both}
    world.start_collector()
    world.until(lambda: all(world.played(a) >= 1.0 for a in both), "the recording does not end")
    last_ns = world.clock.now_ns() - 20 * SECOND_NS
    world.until(lambda: int(world.raw(OWN).t_ns[-1]) > last_ns, "the buffered end does not come")
    world.collector.terminate()
    assert world.collector.wait(30) == 0
    # What the last second changed waits for InfluxDB; the sink of the next start sends it.
    store, target = open_store(world.settings, world.clock), InfluxTarget(world.settings)
    Sink(store, target, world.clock).drain()
    assert store.backlog()[0] == 0
    target.close()
    store.close()


def test_what_was_acknowledged_survived_the_kill(day: World) -> None:
    """Right after `kill -9` the store ends less than a second before it, and it only grew since."""
    for address, before in day.facts["at_kill"].items():
        late_s = (day.facts["killed_ns"] - int(before.t_ns[-1])) / SECOND_NS / SPEED
        assert late_s < 1.0 + 0.5, f"{address}: the last {late_s:.2f} s are missing"
        after = day.raw(address)
        kept = np.isin(before.t_ns, after.t_ns)
        assert kept.all(), f"{address}: {np.count_nonzero(~kept)} samples disappeared"


def test_a_sensor_that_buffers_lost_nothing(day: World) -> None:
    """Our own profile replays what was missed: no hole from the first sample to the last."""
    t_ns = day.raw(OWN).t_ns
    assert np.diff(t_ns).max() < 0.1 * SECOND_NS
    span_s = (int(t_ns[-1]) - int(t_ns[0])) / SECOND_NS
    assert span_s > 300
    assert abs(len(t_ns) - span_s * 50) < 0.01 * len(t_ns)


def test_what_a_sensor_without_buffer_lost_is_a_gap_with_a_reason(day: World) -> None:
    """Polar's holes are recorded, each hole by a gap that says why; nothing else is missing."""
    t_ns = day.raw(POLAR).t_ns
    holes = np.flatnonzero(np.diff(t_ns) > 0.5 * SECOND_NS)
    reader = open_reader(day.settings)
    gaps = reader.gaps(WEARER[POLAR], PLACE, *EVER)
    reader.close()
    assert 1 <= len(holes) <= 8
    for hole in holes:
        middle = (int(t_ns[hole]) + int(t_ns[hole + 1])) // 2
        assert any(g.start_ns <= middle < g.end_ns for g in gaps), "a hole without a gap"
    assert {g.reason for g in gaps} & {GapReason.LINK_LOST, GapReason.COLLECTOR_DOWN}


@pytest.mark.parametrize("address", [POLAR, OWN])
def test_store_influx_and_batch_agree(day: World, address: str, tmp_path: Path) -> None:
    """SQLite, InfluxDB and `backstay analyze` on the delivered samples give equal epochs."""
    reader = open_reader(day.settings)
    stored = reader.epochs(WEARER[address], PLACE, *EVER)
    records = reader.calibrations(WEARER[address], PLACE)
    reader.close()
    assert len(stored) > 60
    mirror = influx.open_store(day.settings, day.clock)
    mirrored = mirror.epochs(WEARER[address], PLACE, *EVER)
    mirror.close()
    assert mirrored.equals(stored)
    write_recording(tmp_path / "raw.csv", day.raw(address))
    setup = setups(PLACE, records, {}, axes=AXES)[0].setup
    (tmp_path / "calibration.json").write_text(setup.calibration.to_json())
    done = subprocess.run(
        [sys.executable, "-m", "tracker", "analyze", "raw.csv", f"--placement={PLACE.value}",
         "--calibration=calibration.json", "--epochs=epochs.parquet"],
        cwd=tmp_path, env=day.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    import pyarrow.parquet as pq

    batch = pq.read_table(tmp_path / "epochs.parquet").to_pydict()
    live = epoch_table(stored)
    for column, values in live.items():
        differ = [i for i, (a, b) in enumerate(zip(values, batch[column], strict=True)) if a != b]
        assert not differ, f"{column} differs in epochs {differ[:5]} of {len(values)}"


def test_the_page_shows_the_same_minutes(day: World, programs: dict[str, str]) -> None:
    """*Today*, read from InfluxDB, shows the sitting time and the longest sit of the stored day."""
    records = open_records(day.settings, day.clock)
    me = Person(id="owner", name="", roles=frozenset({Role.WEARER}), wearer=WEARER[OWN],
                language="en", zone="UTC")  # fmt: skip
    records.put_person(me)
    records.close()
    from zoneinfo import ZoneInfo

    tz = ZoneInfo("UTC")
    start_ns, end_ns = day_bounds_ns(local_date(START_NS, tz), tz)
    mirror = influx.open_store(day.settings, day.clock)
    epochs = mirror.epochs(WEARER[OWN], PLACE, start_ns, end_ns)
    mirror.close()
    truth = summarise(epochs, (), (), start_ns=start_ns, end_ns=end_ns, zone=tz)
    lang = language("en")
    # The dashboard's clock is set back into the recorded morning, whatever time this test takes.
    clock = Clock(start_ns=day.facts["killed_ns"], origin_ns=time.time_ns(), speed=1.0)
    page_process = subprocess.Popen(
        [sys.executable, "-m", "dashboard.serve", "--port", "0"], cwd=ROOT,
        env=day.environment | clock.environment(), stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert page_process.stdout is not None
    try:
        url = page_process.stdout.readline().strip()
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=programs["chromium"], args=FLAGS)
            page = browser.new_page(locale="en-US")
            day.until(lambda: _answers(url), "the dashboard does not answer")
            page.goto(url)
            page.get_by_role("heading", name="Today", exact=True).wait_for(timeout=40_000)
            page.get_by_text(lang.t("common.metric.sitting"), exact=True).first.wait_for()
            text = page.locator("body").inner_text().replace("\u00a0", " ")
            browser.close()
    finally:
        page_process.terminate()
        page_process.wait(20)
        page_process.stdout.close()
    for minutes in (truth.sit_s / 60, truth.longest_sit_min):
        assert lang.duration(minutes).replace("\u00a0", " ") in text
    assert from_ns(START_NS).strftime("%Y") in text


def _answers(url: str) -> bool:
    import urllib.request

    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
