# SPDX-License-Identifier: Apache-2.0
"""How heavy the pages are: first useful paint of *Today* with a year of history, ten live viewers.

    python bench/load_pages.py [--viewers 10] [--seconds 30] [--json OUT]

Makes a year of a simulated wearer in a temporary folder, starts the dashboard, and measures with a
real Chromium the time from the request to the first number on *Today* (cold server, then warm);
then, with N websocket clients that watch *Live* while a writer feeds a row a second, the server's
CPU time and how long a redraw takes. Printed beside the machine's own floor (an empty
Streamlit-free request to `/health`) and its load average.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from bench.live_viewers import watch
from tracker.clock import clock_from
from tracker.diary import Person, Role
from tracker.model import SECOND_NS, Live, Placement, State
from tracker.settings import Settings
from tracker.simulation.history import history
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import SqliteStore, open_store
from tracker.units import local_date

# An afternoon of today, so that the figures do not depend on the time of day.
CLOCK = clock_from(f"{datetime.now(tz=UTC).date()}T15:00:00+00:00@1")
ZONE = ZoneInfo("Europe/Berlin")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
TICKS = os.sysconf("SC_CLK_TCK")


def fill(folder: Path, days: int) -> SqliteStore:
    """A year of a wearer; the store stays open for the live row."""
    settings = Settings(data=folder, zone=str(ZONE))
    now = CLOCK.now_ns()
    last = local_date(now, ZONE)
    years = (history(np.random.default_rng(n), days, ZONE, last_day=last, until_ns=now)
             for n in count(5))  # fmt: skip
    # The sensor was worn this very day, or there is no first number to wait for.
    made = next(m for m in years if m.epochs.start_ns[-1] > now - 3600 * SECOND_NS)
    store = open_store(settings)
    store.write(
        Batch(
            wearer="w1",
            placement=Placement.UPPER_BACK,
            epochs=made.epochs,
            transitions=made.transitions,
            sets=made.sets,
            gaps=made.gaps,
        )
    )
    store.refresh()
    records = open_records(settings)
    # The evening is asked late, so that the numbers are what is measured.
    records.put_person(
        Person(
            id="owner", name="", roles=frozenset({Role.WEARER}), wearer="w1", language="en",
            settings={"evening_hour": 23},
        )
    )  # fmt: skip
    records.close()
    return store


def feed(store: SqliteStore, stop: threading.Event) -> None:
    """A live row a second."""
    step = 0
    while not stop.wait(1.0):
        step += 1
        row = Live(
            at_ns=CLOCK.now_ns(),
            state=State.SITTING,
            since_ns=CLOCK.now_ns() - 600 * SECOND_NS,
            confidence=0.9,
            provisional=False,
            tilt_deg=float(5 + step % 40),
            side_deg=0.0,
            slump_pct=20.0,
            link="streaming",
            trace=tuple(float(5 + (step + i) % 40) for i in range(60)),
        )
        store.write(Batch(wearer="w1", placement=Placement.UPPER_BACK, live=row))


def paint_s(browser: Browser, url: str) -> float:
    """Seconds from the request until the first number stands on *Today*."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 860})
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(url, wait_until="commit", timeout=120_000)
    page.get_by_text("Sitting time", exact=True).first.wait_for(timeout=120_000)
    took = time.perf_counter() - begun
    context.close()
    return took


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / TICKS


def floor_ms(url: str) -> float:
    """Median of 50 requests to /health in milliseconds."""
    took = []
    for _ in range(50):
        begun = time.perf_counter()
        with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:  # noqa: S310 - our own
            answer.read()
        took.append(time.perf_counter() - begun)
    return 1000 * float(np.median(took))


def live(url: str, pid: int, viewers: int, seconds: float) -> dict[str, float]:
    """What `viewers` pages of *Live* cost the server, and how soon they are redrawn."""
    seen = asyncio.run(watch(url, viewers, seconds, lambda: cpu_s(pid)))
    return {
        "live_cores": seen.cores,
        "live_first_s": float(np.median(seen.first_s)),
        "live_redraw_p50_s": float(np.median(seen.redraw_s)),
        "live_redraw_p95_s": float(np.percentile(seen.redraw_s, 95)),
        "live_redraws_per_s": len(seen.redraw_s) / seconds,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--viewers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    chromium = os.environ.get("BACKSTAY_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("chromium is missing: apt-get install chromium")
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = fill(Path(folder), given.days)
        stop = threading.Event()
        feeder = threading.Thread(target=feed, args=(store, stop))
        feeder.start()
        server = subprocess.Popen(
            [sys.executable, "-m", "dashboard.serve", "--port", "0"],
            env={
                **os.environ,
                **CLOCK.environment(),
                "BACKSTAY_DATA": folder,
                "BACKSTAY_ZONE": str(ZONE),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            wait(url)
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=chromium, args=list(FLAGS))
                figures["health_ms"] = floor_ms(url)
                figures["today_first_s"] = paint_s(browser, url)
                figures["today_warm_s"] = min(paint_s(browser, url) for _ in range(3))
                show(figures)
                browser.close()
            figures["viewers"] = given.viewers
            figures |= live(url, server.pid, given.viewers, given.seconds)
        finally:
            server.terminate()
            server.wait(20)
            stop.set()
            feeder.join()
            store.close()
    figures["load_average"] = os.getloadavg()[0]
    show(figures)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def show(figures: dict[str, float]) -> None:
    """What is known so far."""
    for name, value in figures.items():
        print(f"{name:>16}  {value:.3f}", flush=True)


def wait(url: str) -> None:
    """Until the server answers."""
    for _ in range(240):
        try:
            floor_ms(url)
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise SystemExit("the dashboard did not answer within a minute")


if __name__ == "__main__":
    main()
