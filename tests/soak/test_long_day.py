# SPDX-License-Identifier: Apache-2.0
"""A working day of eight hours, sixty times as fast, with a fault every four minutes.

One wearer with two sensors (our open profile on the upper back, Polar at the waist) and a phone on
the chest; the wearer and a therapist look at the dashboard in two browsers; everything also goes to
a real InfluxDB. Links break, the adapter goes off, `bluetoothd` dies, InfluxDB freezes and dies,
the phone is offline, the collector is killed. Afterwards memory was flat, every sample that is
missing has a gap with a reason, and SQLite, InfluxDB and one batch analysis give the same epochs.

    make soak                                  (figures: docs/operate/soak.json)
    BACKSTAY_SOAK_SPEED=20 BACKSTAY_SOAK_HOURS=1 pytest tests/soak -m soak
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import tool
from tests.fakes.bus import Bus
from tests.fakes.influx_shim import Influxd, Shim, free_port
from tests.soak.world import (
    CLOCK_START_NS,
    HOURS,
    OWN,
    PLACES,
    POLAR,
    RING,
    ROOT,
    SPEED,
    TAIL_HOURS,
    Faults,
    Phone,
    World,
    until,
)
from tracker import chain
from tracker.clock import Clock
from tracker.collect.setups import setups
from tracker.diary import Role
from tracker.model import SECOND_NS, GapReason, Samples
from tracker.recording import write_recording
from tracker.settings import Settings
from tracker.simulation.days import workday
from tracker.simulation.sensor import Sensor
from tracker.store import influx
from tracker.store.influx_sink import Sink
from tracker.store.influx_target import InfluxTarget
from tracker.store.records import open_records
from tracker.store.sqlite import open_reader, open_store

pytestmark = [pytest.mark.soak, pytest.mark.browser]
OUT = os.environ.get("BACKSTAY_SOAK_OUT", "")
FAULT_EVERY_S = 240.0
AXES = "x=forward,y=left,z=up"
WEARER = "w-soak"
EVER = (0, 2**62)
PASSWORD = "drei blaue segel im wind"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def day(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The whole day, lived once."""
    programs = {
        "dbus": tool("dbus-daemon", "Debian: apt-get install dbus"),
        "influxd": tool("influxd", "unpack Debian's influxdb and set BACKSTAY_INFLUXD"),
        "chromium": tool("chromium", "Debian: apt-get install chromium"),
    }
    folder = tmp_path_factory.mktemp("soak")
    motions = {
        name: workday(
            np.random.default_rng(7), hours=HOURS + TAIL_HOURS, placement=place, sensor=Sensor(),
        ).samples
        for name, place in PLACES.items()
    }  # fmt: skip
    for name in (OWN, POLAR):
        write_recording(folder / f"{name[-2:]}.parquet", motions[name])
    with tempfile.TemporaryDirectory(prefix="bus") as short:
        bus = Bus(programs["dbus"], Path(short))
        bus.start()
        influxd = Influxd(programs["influxd"], folder / "influx")
        influxd.start()
        influxd.query("CREATE DATABASE posture")
        shim = Shim(influxd)
        settings = Settings(
            data=folder / "data", zone="UTC", influx_url=shim.url, influx_token="a:b",
            port=free_port(), http_port=free_port(), log="WARNING",
        )  # fmt: skip
        _accounts(settings)
        clock = Clock(start_ns=CLOCK_START_NS, origin_ns=time.time_ns(), speed=SPEED)
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
        world = World(settings, clock, environment, radio, influxd)
        try:
            _live(world, folder, motions["phone"], programs["chromium"])
            yield world
        finally:
            for process in world.processes.values():
                if process.poll() is None:
                    process.kill()
                process.wait()
            radio.kill()
            radio.wait()
            radio.stdin.close()  # type: ignore[union-attr]
            radio.stdout.close()
            shim.close()
            influxd.kill()
            bus.kill()


def _accounts(settings: Settings) -> None:
    """The wearer and a therapist who may see measurements, with passwords."""
    from tracker.accounts import Accounts

    records = open_records(settings)
    accounts = Accounts(records)
    wearer = accounts.add("Wearer", PASSWORD, [Role.WEARER])
    records.put_person(replace(wearer, wearer=WEARER, zone="UTC", language="en"))
    therapist = accounts.add("Therapist", PASSWORD, [Role.THERAPIST])
    records.put_grant(WEARER, therapist.id, ["sitting", "posture", "training"], expires_ns=2**62)
    records.close()


def _live(world: World, folder: Path, phone_motion: Samples, chromium: str) -> None:
    """From before the first sample to a clean end of the collector."""
    for name in ("collector", "dashboard"):
        world.start(name)
    until(world.control.running, "the collector does not answer")
    for address, decoder, rate in ((POLAR, "polar", 52.0), (OWN, "reference", 50.0)):
        world.tell_radio(
            do="add", address=address, decoder=decoder, rate_hz=rate, play=False,
            recording=str(folder / f"{address[-2:]}.parquet"),
            model="Sense" if decoder == "polar" else None,
            ring=RING if decoder == "reference" else None,
        )  # fmt: skip
        world.control.call(
            "add_sensor", address=address, wearer=WEARER, placement=PLACES[address].value,
            options={"axes": AXES},
        )  # fmt: skip
    made = world.control.call(
        "pair_phone", name="soak", wearer=WEARER, placement=PLACES["phone"].value
    )
    connected = lambda: all(  # noqa: E731
        world.tell_radio(do="status", address=a)["connected"] for a in (OWN, POLAR)
    )
    until(connected, "the sensors were not connected")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        base = f"http://127.0.0.1:{world.settings.port}"
        pages = [_signed_in(browser, base, name) for name in ("Wearer", "Therapist")]
        world.start_ns = world.clock.now_ns() // SECOND_NS * SECOND_NS
        for address in (OWN, POLAR):
            world.tell_radio(do="play", address=address)
        phone = Phone(world, phone_motion, made["token"])
        phone.start()
        try:
            _through_the_day(world, Faults(world, phone), pages, base)
            phone.offline = False
            until(lambda: _delivered(world), "the end of the day does not arrive", 240)
        finally:
            phone.ended = True
            phone.join()
        browser.close()
    world.looks["phone batches"] = phone.sent
    world.looks["phone batches refused"] = phone.refused
    assert phone.refused == 0
    _settled(world)


def _through_the_day(world: World, faults: Faults, pages: list[Page], base: str) -> None:
    """Look and break until the motion is over."""
    next_fault_s = FAULT_EVERY_S
    while world.hour() < HOURS:
        world.look_at_memory()
        if world.hour() * 3600 > next_fault_s:
            faults.one()
            next_fault_s += FAULT_EVERY_S
        for page in pages:
            _look(world, page, base)
        time.sleep(0.5)


def _signed_in(browser: Browser, base: str, name: str) -> Page:
    page = browser.new_context(locale="en-US").new_page()
    until(lambda: _answers(f"{base}/_stcore/health"), "the dashboard does not answer")
    page.goto(f"{base}/auth/login")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/auth/" not in url, timeout=60_000)
    return page


def _look(world: World, page: Page, base: str) -> None:
    """A person who glances: mostly the page as it updates itself, now and then another one."""
    if world.looks["glances"] % 12 == 0:
        path = ("/live", "/", "/trends")[world.looks["glances"] // 12 % 3]
        page.goto(base + path, wait_until="commit", timeout=60_000)
    world.looks["glances"] += 1
    if page.locator("[data-testid=stException]").count():
        world.looks["exceptions"] += 1


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except OSError:
        return False


def _delivered(world: World) -> bool:
    """Whether the open profile's replays and the phone's batches reach beyond the day's end."""
    return all(int(raw(world, name).t_ns[-1]) > world.end_ns for name in (OWN, "phone"))


def _settled(world: World) -> None:
    """Stop the collector cleanly and send what waits for InfluxDB."""
    world.look_at_memory()
    world.processes["collector"].terminate()
    assert world.processes["collector"].wait(120) == 0
    world.processes["dashboard"].terminate()
    world.processes["dashboard"].wait(60)
    store, target = open_store(world.settings, world.clock), InfluxTarget(world.settings)
    Sink(store, target, world.clock).drain()
    assert store.backlog()[0] == 0
    assert not store.dead_letters()
    target.close()
    store.close()
    _write_figures(world)


def raw(world: World, name: str) -> Samples:
    """Stored samples of a series."""
    reader = open_reader(world.settings)
    try:
        return reader.raw(WEARER, PLACES[name], *EVER)
    finally:
        reader.close()


def holes_of(world: World, name: str) -> list[tuple[int, int]]:
    """Silences of more than half a second within the day, as (start, end) in ns."""
    t_ns = raw(world, name).t_ns
    t_ns = t_ns[t_ns <= world.end_ns]
    at = np.flatnonzero(np.diff(t_ns) > 0.5 * SECOND_NS)
    return [(int(t_ns[i]), int(t_ns[i + 1])) for i in at]


def late_and_early(world: World, name: str) -> tuple[float, float]:
    """Median memory of the last collector or of the dashboard: second quarter, last quarter."""
    last_pid = [pid for _, n, pid, _ in world.memory if n == name][-1]
    rows = [(h, mb) for h, n, pid, mb in world.memory if (n, pid) == (name, last_pid)]
    first, last = rows[0][0], rows[-1][0]
    span = last - first
    early = [mb for h, mb in rows if first + 0.25 * span <= h <= first + 0.5 * span]
    late = [mb for h, mb in rows if h >= first + 0.75 * span]
    return statistics.median(early), statistics.median(late)


def _write_figures(world: World) -> None:
    figures: dict[str, Any] = {
        "hours": HOURS, "speed": SPEED, "faults": dict(world.faults), "looks": dict(world.looks),
    }  # fmt: skip
    reader = open_reader(world.settings)
    for name, place in PLACES.items():
        t_ns = raw(world, name).t_ns
        holes = holes_of(world, name)
        gaps = reader.gaps(WEARER, place, *EVER)
        figures[str(place)] = {
            "samples": len(t_ns),
            "epochs": len(reader.epochs(WEARER, place, *EVER)),
            "holes": len(holes),
            "missing_s": round(sum(b - a for a, b in holes) / SECOND_NS, 1),
            "gap_reasons": dict(Counter(str(g.reason) for g in gaps)),
        }
    reader.close()
    for name in ("collector", "dashboard"):
        early, late = late_and_early(world, name)
        figures[f"{name}_mb"] = {"early": round(early, 1), "late": round(late, 1)}
    print(json.dumps(figures, indent=1))
    if OUT:
        Path(OUT).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def test_memory_was_flat(day: World) -> None:
    """The last quarter needs hardly more than the second one: no process grows with the day."""
    for name in ("collector", "dashboard"):
        early, late = late_and_early(day, name)
        assert late < early * 1.15 + 10, f"{name}: {early:.0f} MB, later {late:.0f} MB"


def test_the_pages_never_broke(day: World) -> None:
    """No exception was shown to wearer or therapist, and they looked many times."""
    assert day.looks["glances"] > 20
    assert day.looks["exceptions"] == 0


def test_a_sensor_with_a_buffer_lost_nothing(day: World) -> None:
    """The open profile delivers late what it could not deliver in time."""
    assert not holes_of(day, OWN)
    t_ns = raw(day, OWN).t_ns
    t_ns = t_ns[t_ns <= day.end_ns]
    span_s = (int(t_ns[-1]) - int(t_ns[0])) / SECOND_NS
    assert abs(len(t_ns) - span_s * 50) < 0.001 * len(t_ns)
    assert span_s > HOURS * 3600 - 60


def test_a_phone_lost_nothing_but_at_a_kill(day: World) -> None:
    """Offline stretches and doubled batches leave no hole.

    What was taken and not yet written when the collector was killed is missing, and said.
    """
    reader = open_reader(day.settings)
    gaps = reader.gaps(WEARER, PLACES["phone"], *EVER)
    reader.close()
    down = [g for g in gaps if g.reason is GapReason.COLLECTOR_DOWN]
    holes = holes_of(day, "phone")
    assert len(holes) <= day.faults["collector_killed"]
    for start_ns, end_ns in holes:
        assert any(g.start_ns <= (start_ns + end_ns) // 2 < g.end_ns for g in down)


def test_what_a_sensor_without_buffer_lost_has_a_reason(day: World) -> None:
    """Each hole of the Polar's series is covered by a gap that says why."""
    reader = open_reader(day.settings)
    gaps = reader.gaps(WEARER, PLACES[POLAR], *EVER)
    reader.close()
    for start_ns, end_ns in holes_of(day, POLAR):
        middle = (start_ns + end_ns) // 2
        assert any(g.start_ns <= middle < g.end_ns for g in gaps)


@pytest.mark.parametrize("name", list(PLACES))
def test_store_influx_and_batch_agree(day: World, name: str) -> None:
    """SQLite, InfluxDB and one analysis of all stored samples give the same epochs."""
    reader = open_reader(day.settings)
    stored = reader.epochs(WEARER, PLACES[name], *EVER)
    records = reader.calibrations(WEARER, PLACES[name])
    reader.close()
    mirror = influx.open_store(day.settings, day.clock)
    mirrored = mirror.epochs(WEARER, PLACES[name], *EVER)
    mirror.close()
    assert mirrored.equals(stored)
    axes = "" if name == "phone" else AXES
    known = setups(PLACES[name], records, {}, axes=axes)
    assert len(known) == 1
    assert chain.analyze(raw(day, name), known[0].setup).epochs.equals(stored)
