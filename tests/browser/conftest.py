# SPDX-License-Identifier: Apache-2.0
"""A real dashboard process with a feeding writer, and a real Chromium that watches it."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.houses import CLOCK, ZONE, house, serving, tell_diary, visitor, year
from tests.browser.steady import context_of, steady
from tracker.diary import Evening, Kind, Person, Role
from tracker.model import SECOND_NS, Live, Placement, State
from tracker.prompt_log import KEY, PromptLog
from tracker.settings import Settings
from tracker.simulation.history import History
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import SqliteStore, open_store
from tracker.units import local_date

__all__ = ["house", "visitor", "year"]  # fixtures that live in a file of their own

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Feeder:
    """Writes the live row twice a second, as the collector does, until it is paused."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._stop = threading.Event()
        self.on = True
        self._begun_ns = CLOCK.now_ns() - 600 * SECOND_NS
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        step = 0
        while not self._stop.wait(0.5):
            step += 1
            if self.on:
                self._write(step, CLOCK.now_ns())

    def silence(self) -> None:
        """Stop, as if the last row had been written a minute ago."""
        self.on = False
        time.sleep(0.6)
        self._write(0, CLOCK.now_ns() - 60 * SECOND_NS)

    def _write(self, step: int, at_ns: int) -> None:
        row = Live(
            at_ns=at_ns,
            state=State.SITTING,
            since_ns=self._begun_ns,
            confidence=0.9,
            provisional=False,
            tilt_deg=float(5 + step % 40),
            side_deg=0.0,
            slump_pct=20.0,
            link="streaming",
            battery_pct=80,
            rssi_dbm=-60,
            trace=tuple(float(5 + (step + i) % 40) for i in range(60)),
        )
        self._store.write(Batch(wearer="w1", placement=Placement.UPPER_BACK, live=row))

    def say(self, log: PromptLog) -> None:
        """Keep the log of prompts, as the collector does before any channel speaks."""
        self._store.put_wearer_setting("w1", KEY, log.as_json())

    def close(self) -> None:
        """Stop writing and release the file."""
        self._stop.set()
        self._thread.join()
        self._store.close()


@pytest.fixture(scope="module")
def feeder(
    tmp_path_factory: pytest.TempPathFactory, year: tuple[Path, Sequence[History]]
) -> Iterator[tuple[Path, Feeder]]:
    """A data folder with a year of a wearer, an evening told today, and a live sensor."""
    folder = tmp_path_factory.mktemp("browser") / "data"
    shutil.copytree(year[0], folder)
    settings = Settings(data=folder, zone="Europe/Berlin")
    now = CLOCK.now_ns()
    today = local_date(now, ZONE).isoformat()
    records = open_records(settings, CLOCK)
    records.put_person(
        Person(
            id="owner",
            name="",
            roles=frozenset({Role.WEARER}),
            wearer="w1",
            language="",
            settings={"prompts": {"breaks": True}},
        )
    )
    tell_diary(records, year[1], "owner")
    told = asdict(Evening(day=today, tension=4))
    records.put_entry("w1", Kind.EVENING, told, at_ns=now, day=today, author="owner")
    records.close()
    feeding = Feeder(open_store(settings))
    yield folder, feeding
    feeding.close()


@pytest.fixture(scope="module")
def server(feeder: tuple[Path, Feeder]) -> Iterator[str]:
    """The dashboard on it; its address."""
    with serving(feeder[0]) as url:
        yield url


@pytest.fixture(scope="module")
def browsers() -> Iterator[list[Browser]]:
    """Holds the one Chromium of all tests; launched by the first that has one."""
    held: list[Browser] = []
    with sync_playwright() as play:
        held_by = {"launch": play.chromium.launch}
        _LAUNCH.update(held_by)
        yield held
        for made in held:
            made.close()


_LAUNCH: dict[str, Callable[..., Browser]] = {}


@pytest.fixture
def browser(chromium: str, browsers: list[Browser]) -> Browser:
    """One Chromium for all tests; skipped with a sentence where there is none."""
    if not browsers:
        browsers.append(_LAUNCH["launch"](executable_path=chromium, args=list(FLAGS)))
    return browsers[0]


class Watched:
    """A page and what went wrong while it was open."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.foreign: list[str] = []
        self.console: list[str] = []
        own = (base, base.replace("http", "ws"), "data:", "blob:")
        page.on("request", lambda r: None if r.url.startswith(own) else self.foreign.append(r.url))
        page.on(
            "console",
            lambda m: self.console.append(m.text) if m.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda e: self.console.append(str(e)))

    def settle(self) -> None:
        """Wait until the page stands."""
        steady(self.page)

    def open(self, title: str) -> None:
        """Go to a page by its link in the menu, as people do."""
        link = self.page.get_by_role("link", name=title, exact=True)
        box = link.bounding_box()
        if box is None or box["x"] < 0:  # a phone's menu waits outside of the picture
            self.page.get_by_test_id("stExpandSidebarButton").click()
        link.click()
        self.page.wait_for_selector(f'h1:has-text("{title}")', timeout=30_000)
        self.settle()


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Callable[..., Watched]]:
    """Open the dashboard: `visit(lang="de-DE", size=(1280, 900))`."""
    contexts = []

    def opened(lang: str = "de-DE", size: tuple[int, int] = (1280, 900)) -> Watched:
        context = context_of(browser, lang, size)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        watched = Watched(page, server)
        page.goto(server)
        watched.settle()
        return watched

    yield opened
    for context in contexts:
        context.close()
