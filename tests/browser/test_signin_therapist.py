# SPDX-License-Identifier: Apache-2.0
"""Accounts in a real Chromium: the door, what a cookie is worth, a therapist's pages and paper."""

import contextlib
import http.client
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from dashboard.auth import COOKIE
from tests.conftest import tool
from tracker.accounts import Accounts
from tracker.clock import Clock
from tracker.diary import Kind, Role
from tracker.model import Placement
from tracker.settings import Settings
from tracker.simulation.history import history
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_store
from tracker.units import local_date

pytestmark = pytest.mark.browser
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


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Five weeks of Anna, and the dashboard as people start it."""
    folder = tmp_path_factory.mktemp("house")
    settings = Settings(data=folder, zone="Europe/Berlin")
    now_ns = Clock().now_ns()
    today = local_date(now_ns, ZONE)
    made = history(np.random.default_rng(3), 36, ZONE, last_day=today, until_ns=now_ns)
    store = open_store(settings)
    store.write(
        Batch(
            wearer="w1", placement=Placement.UPPER_BACK, epochs=made.epochs,
            transitions=made.transitions, sets=made.sets, gaps=made.gaps,
        )
    )  # fmt: skip
    store.refresh()
    store.close()
    records = open_records(settings)
    accounts = Accounts(records, hasher=PasswordHasher.from_parameters(CHEAPEST))
    roles = (Role.WEARER, Role.OPERATOR)
    anna = accounts.add("Anna Muster", PASSWORD, roles, language="de", wearer="w1")
    accounts.add("Ben Muster", PASSWORD, [Role.WEARER], language="en", wearer="w2")
    tina = accounts.add("Tina Therapie", PASSWORD, [Role.THERAPIST], language="en")
    accounts.accept(tina, accounts.invite(anna, {"sitting", "posture", "training", "tension"},
                                          days=90))  # fmt: skip
    for told in made.evenings:
        records.put_entry("w1", Kind.EVENING, asdict(told), at_ns=now_ns, day=told.day,
                          author=anna.id)  # fmt: skip
    records.close()
    child = subprocess.Popen(
        [sys.executable, "-m", "dashboard.serve"],
        cwd=ROOT,
        env={**os.environ, **settings.environment(), "BACKSTAY_PORT": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        for _ in range(240):
            assert child.poll() is None, "the dashboard ended at once"
            try:
                urllib.request.urlopen(f"{url}/health", timeout=2).close()  # noqa: S310 - our own
                break
            except OSError:
                time.sleep(0.25)
        yield House(url, folder)
    finally:
        child.terminate()
        child.wait(10)
        child.stdout.close()


@pytest.fixture
def visitor(browser: Browser, house: House) -> Iterator[Callable[..., Page]]:
    """A new browser: `visitor(name="", lang="de-DE", size=DESKTOP)`; signed in where named."""
    contexts: list[BrowserContext] = []

    def opened(name: str = "", lang: str = "de-DE", size: tuple[int, int] = DESKTOP) -> Page:
        context = browser.new_context(
            locale=lang, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce",
            accept_downloads=True,
        )  # fmt: skip
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


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form as a person does."""
    page.locator("#name").fill(name)
    page.locator("#password").fill(password)
    page.locator("button[type=submit], form button").first.click()
    if password == PASSWORD:
        settled(page)


def settled(page: Page) -> None:
    """The script ran and the page stands."""
    page.wait_for_selector("h1")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def patient(page: Page) -> None:
    """From the list to Anna's page."""
    title = page.locator('h1:has-text("Anna Muster")')
    for _ in range(3):  # Streamlit drops a click that meets a rerun; a person clicks again
        page.get_by_test_id("stBaseButton-primary").click()
        with contextlib.suppress(PlaywrightTimeout):
            title.wait_for(timeout=10_000)
            break
    title.wait_for(timeout=1_000)
    settled(page)


def test_the_door(visitor: Callable[..., Page]) -> None:
    """No data before the sign-in; a wrong password says one sentence; the right one opens."""
    page = visitor()
    assert page.url.split("?")[0].endswith("/auth/login")
    sign_in(page, "Anna Muster", "falsch falsch")
    assert page.get_by_role("alert").inner_text() == "Name oder Passwort stimmt nicht."
    sign_in(page, "Anna Muster")
    assert page.locator("h1").inner_text() == "Heute"
    cookie = next(c for c in page.context.cookies() if c["name"] == COOKIE)
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"


def test_sign_out_ends_other_tabs_too(visitor: Callable[..., Page]) -> None:
    """The button ends the sign-in; the other open tab shows nothing at its next touch."""
    page = visitor("Anna Muster")
    other = page.context.new_page()
    other.goto(page.url)
    settled(other)
    page.get_by_role("button", name="Abmelden").click()
    page.wait_for_selector('h1:has-text("Sie sind abgemeldet")')
    assert page.locator("svg.marks").count() == 0
    other.get_by_role("link", name="Live").click()
    other.wait_for_selector('h1:has-text("Sie sind abgemeldet")')
    page.get_by_role("link", name="Wieder anmelden").click()
    page.wait_for_selector("#password")


def test_an_expired_and_a_forged_cookie(visitor: Callable[..., Page], house: House) -> None:
    """Time runs out on the server's side; a made-up cookie is none."""
    page = visitor("Ben Muster")
    person = "SELECT id FROM person WHERE name = 'Ben Muster'"
    house.sql(f"UPDATE sign_in SET expires_ns = 1 WHERE person = ({person})")  # noqa: S608
    page.reload()
    page.wait_for_selector("#password")
    forged = visitor()
    forged.context.add_cookies([{"name": COOKIE, "value": "A" * 43, "url": house.url}])
    forged.goto(house.url)
    forged.wait_for_selector("#password")


@pytest.mark.parametrize("cookie", ["", f"{COOKIE}={'A' * 43}"], ids=["none", "forged"])
def test_a_websocket_without_a_sign_in_is_refused(house: House, cookie: str) -> None:
    """The socket that carries the pages opens for nobody."""
    where = urlsplit(house.url)
    link = http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)
    headers = {
        "connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==", "origin": house.url, "cookie": cookie,
    }  # fmt: skip
    link.request("GET", "/_stcore/stream", headers=headers)
    assert link.getresponse().status == 403
    link.request("GET", "/reports/w1.pdf", headers={"cookie": cookie})
    assert link.getresponse().status == 401
    link.close()


def test_another_persons_report(visitor: Callable[..., Page], house: House) -> None:
    """Ben is signed in and knows the address: refused, and Anna can see that he tried."""
    ben = visitor("Ben Muster")
    for path in ("/reports/w1.pdf", "/reports/w1.json", "/reports/w1.pdf?lang=de"):
        answer = ben.request.get(house.url + path)
        assert answer.status == 403
        assert b"%PDF" not in answer.body()
    assert ben.request.get(house.url + "/reports/w1.exe").status == 404
    anna = visitor("Anna Muster")
    assert anna.request.get(house.url + "/reports/w1.json").status == 200
    assert anna.request.get(house.url + "/reports/w1.json?from=x").status == 400
    anna.get_by_role("link", name="Einstellungen").click()
    anna.wait_for_selector('h1:has-text("Einstellungen")')
    settled(anna)
    anna.get_by_role("tab", name="Teilen").click()
    anna.get_by_text(re.compile("Wer hat hineingesehen")).click()
    anna.get_by_text(re.compile("Ben Muster wollte .* abgelehnt")).first.wait_for()


@pytest.mark.parametrize("lang", ["en", "de"])
def test_the_paper_says_what_the_page_says(
    visitor: Callable[..., Page], house: House, lang: str, tmp_path: Path
) -> None:
    """The PDF behind the button holds each number of the table, to the digit, in its language."""
    tool("pdftotext", "Debian: apt-get install poppler-utils")
    house.sql("UPDATE person SET language = ? WHERE name = 'Tina Therapie'", lang)
    page = visitor("Tina Therapie", lang)
    patient(page)
    rows = [
        row.locator("th, td").all_inner_texts()
        for row in page.locator("table.report-rows tbody tr").all()
    ]
    assert len(rows) >= 9
    names = {"en": "PDF (English)", "de": "PDF (Deutsch)"}
    link = page.get_by_role("link", name=names[lang]).get_attribute("href")
    answer = page.request.get(house.url + str(link))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    file = tmp_path / "report.pdf"
    file.write_bytes(answer.body())
    text = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], check=True, capture_output=True, text=True
    ).stdout
    squeezed = re.sub(r"\s+", " ", text)
    for name, *numbers in rows:
        line = re.sub(r"\s+", " ", " ".join([name, *numbers]))
        assert line in squeezed, f"{line!r} is not on the paper"
    for sentence in page.get_by_test_id("stCode").first.inner_text().strip().split("\n"):
        start = re.sub(r"\s+", " ", sentence)[:40]
        assert start in squeezed
    twin = page.request.get(house.url + str(link).replace(".pdf", ".json")).json()
    assert [r["metric"] for r in twin["rows"]], "the machine-readable twin comes the same way"
    assert twin["hash"] in squeezed


def test_revocation_while_the_page_is_open(visitor: Callable[..., Page], house: House) -> None:
    """Anna ends the sharing; Tina's open page shows nothing at the next touch, links neither."""
    house.sql("UPDATE person SET language = 'en' WHERE name = 'Tina Therapie'")
    page = visitor("Tina Therapie", "en-GB")
    patient(page)
    link = str(page.get_by_role("link", name="JSON").get_attribute("href"))
    assert page.request.get(house.url + link).status == 200
    house.sql("UPDATE access_grant SET revoked_ns = 1")
    try:
        assert page.request.get(house.url + link).status == 403
        page.get_by_role("button", name="Save the visit").click()
        page.get_by_text("Nothing of this is shared with you").first.wait_for()
        assert page.locator("table.report-rows").count() == 0
        page.get_by_role("link", name="To the list").click()
        page.get_by_text("Nobody shares with you yet").wait_for()
    finally:
        house.sql("UPDATE access_grant SET revoked_ns = NULL")


@pytest.mark.parametrize(("lang", "size"), [("de", PHONE), ("en", DESKTOP)], ids=str)
def test_therapist_pages_fit_and_are_accessible(
    visitor: Callable[..., Page], house: House, lang: str, size: tuple[int, int]
) -> None:
    """List and patient page in both languages and sizes: axe finds nothing, nothing overflows."""
    house.sql("UPDATE person SET language = ? WHERE name = 'Tina Therapie'", lang)
    page = visitor("", lang, size)
    found = {"door": _axe(page)}
    sign_in(page, "Tina Therapie")
    page.get_by_test_id("stDataFrame").wait_for()
    _shot(page, f"list-{lang}-{size[0]}")
    found["list"] = _axe(page)
    patient(page)
    page.wait_for_selector('[data-testid="stVegaLiteChart"] svg')
    page.wait_for_timeout(800)
    _shot(page, f"patient-{lang}-{size[0]}")
    found["patient"] = _axe(page)
    overflow = page.evaluate(
        "(() => { const m = document.querySelector('[data-testid=stMain]');"
        " return m.scrollWidth - m.clientWidth; })()"
    )
    assert overflow <= 0, "the page must not scroll sideways"
    assert not any(found.values()), found


def test_the_operators_desk(visitor: Callable[..., Page]) -> None:
    """Accounts without pseudonyms and numbers; axe finds nothing; Ben has no such page."""
    page = visitor("Anna Muster")
    page.get_by_role("link", name="Konten").click()
    page.wait_for_selector('h1:has-text("Konten")')
    settled(page)
    for name in ("Anna Muster", "Ben Muster", "Tina Therapie"):
        page.get_by_text(name, exact=True).first.wait_for()
    _shot(page, "people-de-1280")
    assert not _axe(page)
    ben = visitor("Ben Muster")
    assert ben.get_by_role("link", name="Accounts").count() == 0


def _axe(page: Page) -> list[str]:
    result = Axe().run(page)
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in result.response["violations"]]


def _shot(page: Page, name: str) -> None:
    """Pictures for people, where `BACKSTAY_SHOTS` names a folder."""
    folder = os.environ.get("BACKSTAY_SHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
