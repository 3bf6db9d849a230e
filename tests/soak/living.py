# SPDX-License-Identifier: Apache-2.0
"""Lives the long day once: starts every process, looks, breaks, settles, writes the figures."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import tool
from tests.fakes.bus import Bus
from tests.fakes.influx_shim import Influxd, Shim, free_port
from tests.soak.figures import WEARER, holes_of, raw, write_figures
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
from tracker.clock import Clock
from tracker.diary import Role
from tracker.model import SECOND_NS, Samples
from tracker.recording import write_recording
from tracker.settings import Settings
from tracker.simulation.days import workday
from tracker.simulation.sensor import Sensor
from tracker.store.influx_sink import Sink
from tracker.store.influx_target import InfluxTarget
from tracker.store.records import open_records
from tracker.store.sqlite import open_store

FAULT_EVERY_S = 240.0
AXES = "x=forward,y=left,z=up"
PASSWORD = "drei blaue segel im wind"
# What the wearer and the therapist look at in turn.
PATHS = (("/live", "/", "/trends", "/advice"), ("/patients", f"/patient?id={WEARER}"))
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def lived(folder: Path) -> Iterator[World]:
    """The whole day, lived once, with its files in `folder`."""
    programs = {
        "dbus": tool("dbus-daemon", "Debian: apt-get install dbus"),
        "influxd": tool("influxd", "unpack Debian's influxdb and set BACKSTAY_INFLUXD"),
        "chromium": tool("chromium", "Debian: apt-get install chromium"),
    }
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
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        print("This machine is busy with something else: figures are worth less.", file=sys.stderr)
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
            # The board goes on replaying what it kept; what stays away then is lost, and a test
            # below says so.
            with suppress(AssertionError):
                until(lambda: not holes_of(world, OWN), "holes stay open", 120)
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
    next_fault_s, said_hour = FAULT_EVERY_S, 0.5
    while world.hour() < HOURS:
        world.look_at_memory()
        if world.hour() * 3600 > next_fault_s:
            faults.one()
            next_fault_s += FAULT_EVERY_S
        for page, paths in zip(pages, PATHS, strict=True):
            _look(world, page, base, paths)
        if world.hour() > said_hour:
            _say(world)
            said_hour += 0.5
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


def _say(world: World) -> None:
    """One line of progress."""
    megabytes = {name: round(mb) for _, name, _, mb in world.memory[-2:]}
    print(
        f"hour {world.hour():.1f} of {HOURS:g}: {world.faults.total()} faults, "
        f"{world.looks['glances']} looks, MB {megabytes}, load {os.getloadavg()[0]:.1f}",
        file=sys.__stderr__,
        flush=True,
    )


def _look(world: World, page: Page, base: str, paths: tuple[str, ...]) -> None:
    """A person who glances: mostly the page as it updates itself, now and then another one."""
    if world.looks["glances"] % 24 < len(PATHS):
        path = paths[world.looks["glances"] // 24 % len(paths)]
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
    write_figures(world)
