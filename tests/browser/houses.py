# SPDX-License-Identifier: Apache-2.0
"""A practice in a real process: Anna and Ben wear, Tina treats; and browsers that visit it."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.steady import context_of, steady
from tests.fakes.wearers import batch_of, histories
from tracker.accounts import Accounts
from tracker.clock import clock_from
from tracker.diary import Kind, Role
from tracker.settings import Settings
from tracker.simulation.history import History
from tracker.store.records import Records, open_records
from tracker.store.sqlite import open_store
from tracker.units import local_date

# An afternoon, whatever the time of day at which the tests run; from then on it runs normally.
CLOCK = clock_from("2026-11-23T15:00:00+00:00@1")
ROOT = Path(__file__).resolve().parents[2]
ZONE = ZoneInfo("Europe/Berlin")
PASSWORD = "drei blaue segel"
PHONE = (390, 844)
DESKTOP = (1280, 900)


@dataclass
class House:
    """A running service: Anna and Ben wear, Tina treats; Anna shares with Tina."""

    url: str
    folder: Path

    def sql(self, statement: str, *values: object) -> None:
        """Change a row behind the service's back, as time or another device would."""
        with sqlite3.connect(self.folder / "app.db", timeout=10) as db:
            db.execute(statement, values)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The dashboard as it is started by people; its address. The child must own the port."""
    child = subprocess.Popen(
        [sys.executable, "-m", "dashboard.serve"],
        cwd=ROOT,
        env={
            **os.environ,
            **CLOCK.environment(),
            "BACKSTAY_DATA": str(folder),
            "BACKSTAY_ZONE": "Europe/Berlin",
            "BACKSTAY_PORT": "0",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), url
        _wait_for(url, child)
        yield url
    finally:
        child.terminate()
        child.wait(10)
        child.stdout.close()


def _wait_for(url: str, child: "subprocess.Popen[str]") -> None:
    for _ in range(240):
        assert child.poll() is None, "the dashboard ended at once"
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310 - our own
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError("the dashboard did not answer within a minute")


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sequence[History]]:
    """A year of a wearer in a store, to copy, and what it was made of."""
    folder = tmp_path_factory.mktemp("year") / "data"
    now_ns = CLOCK.now_ns()
    made = histories("year", local_date(now_ns, ZONE), now_ns, ZONE)
    store = open_store(Settings(data=folder, zone="Europe/Berlin"))
    for part in made:
        store.write(batch_of(part))
    store.refresh()
    store.close()
    return folder, made


def tell_diary(records: Records, made: Sequence[History], author: str) -> None:
    """What the wearer told in that year: evenings, massages and training."""
    for part in made:
        for evening in part.evenings:
            records.put_entry("w1", Kind.EVENING, asdict(evening), at_ns=CLOCK.now_ns(),
                              day=evening.day, author=author)  # fmt: skip
        for kind, told in ((Kind.MASSAGE, part.massages), (Kind.TRAINING, part.trainings)):
            for item in told:
                day = local_date(item.at_ns, ZONE).isoformat()
                records.put_entry("w1", kind, asdict(item), at_ns=item.at_ns, day=day,
                                  author=author)  # fmt: skip


@pytest.fixture(scope="session")
def house(
    tmp_path_factory: pytest.TempPathFactory, year: tuple[Path, Sequence[History]]
) -> Iterator[House]:
    """A year of Anna, and the dashboard as people start it."""
    folder = tmp_path_factory.mktemp("house") / "data"
    shutil.copytree(year[0], folder)
    records = open_records(Settings(data=folder, zone="Europe/Berlin"), CLOCK)
    accounts = Accounts(records, CLOCK, PasswordHasher.from_parameters(CHEAPEST))
    roles = (Role.WEARER, Role.OPERATOR)
    anna = accounts.add("Anna Muster", PASSWORD, roles, language="de", wearer="w1")
    accounts.add("Ben Muster", PASSWORD, [Role.WEARER], language="en", wearer="w2")
    tina = accounts.add("Tina Therapie", PASSWORD, [Role.THERAPIST], language="en")
    shared = {"sitting", "posture", "training", "tension", "massage"}
    accounts.accept(tina, accounts.invite(anna, shared, days=90))
    tell_diary(records, year[1], anna.id)
    records.close()
    with serving(folder) as url:
        yield House(url, folder)


@pytest.fixture
def visitor(browser: Browser, house: House) -> Iterator[Callable[..., Page]]:
    """A new browser: `visitor(name="", lang="de-DE", size=DESKTOP)`; signed in where named."""
    contexts: list[BrowserContext] = []

    def opened(name: str = "", lang: str = "de-DE", size: tuple[int, int] = DESKTOP) -> Page:
        context = context_of(browser, lang, size, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(house.url)
        if name:
            sign_in(page, name)
        return page

    yield opened
    for context in contexts:
        context.close()


def sign_in(page: Page, name: str, password: str = PASSWORD, *, steadily: bool = True) -> None:
    """Fill in the form as a person does."""
    page.locator("#name").fill(name)
    page.locator("#password").fill(password)
    page.locator("button[type=submit], form button").first.click()
    if password == PASSWORD and steadily:
        steady(page)


def patient(page: Page) -> None:
    """From the list to Anna's page."""
    page.get_by_test_id("stBaseButton-primary").click()
    page.locator('h1:has-text("Anna Muster")').wait_for()
    steady(page)


def violations(page: Page) -> list[str]:
    """What axe finds: rule and the first place."""
    result = Axe().run(page)
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in result.response["violations"]]


def shot(page: Page, name: str) -> None:
    """Pictures for people, where `BACKSTAY_SHOTS` names a folder."""
    folder = os.environ.get("BACKSTAY_SHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
