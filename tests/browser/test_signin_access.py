# SPDX-License-Identifier: Apache-2.0
"""Accounts in a real Chromium: the door, what a cookie is worth, other people's reports."""

import http.client
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from dashboard.auth import COOKIE
from tests.browser.houses import House, patient, sign_in
from tests.browser.steady import steady

pytestmark = pytest.mark.browser


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
    steady(other)
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
    steady(anna)
    anna.get_by_role("tab", name="Teilen").click()
    anna.get_by_text(re.compile("Wer hat hineingesehen")).click()
    anna.get_by_text(re.compile("Ben Muster wollte .* abgelehnt")).first.wait_for()


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
