# SPDX-License-Identifier: Apache-2.0
"""Signing in and out with a real Chromium: the form, the cookie, the pages, and the way out."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from playwright.sync_api import Page, sync_playwright

from tracker.accounts import Accounts
from tracker.diary import Role
from tracker.settings import Settings
from tracker.store.records import open_records

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "drei blaue segel im wind"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A dashboard with one account."""
    settings = Settings(data=tmp_path, zone="UTC", port=0)
    records = open_records(settings)
    accounts = Accounts(records, hasher=PasswordHasher.from_parameters(CHEAPEST))
    anna = accounts.add("Anna", PASSWORD, [Role.WEARER])
    records.put_person(replace(anna, wearer="w-1", zone="UTC", language="en"))
    records.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard.serve", "--port", "0"], cwd=ROOT, text=True,
        env={**os.environ, **settings.environment()}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        for line in process.stdout:  # Streamlit says the same once it listens
            if address in line:
                break
        yield address
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def sign_in(page: Page, password: str) -> None:
    """Fill the form as a person does."""
    page.fill("input[name=name]", "Anna")
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")


def test_a_person_signs_in_with_a_real_browser(url: str, chromium: str) -> None:
    """A page leads to the form; a wrong password is said, the right one opens that page.

    The cookie cannot be read by scripts, and another site's form is still refused.
    """
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(locale="en-US").new_page()
        page.goto(f"{url}/live", wait_until="commit")
        page.wait_for_url("**/auth/login?next=/live", timeout=60_000)
        sign_in(page, PASSWORD + "x")
        page.get_by_text("Name or password").first.wait_for()
        sign_in(page, PASSWORD)
        page.wait_for_url(f"{url}/live", timeout=60_000)
        assert page.evaluate("document.cookie").find("backstay") == -1
        (cookie,) = [c for c in page.context.cookies() if c["name"] == "backstay"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"
        stranger = browser.new_context().new_page()
        stranger.route("http://elsewhere.test/", lambda route: route.fulfill(
            content_type="text/html",
            body=f"<form method=post action='{url}/auth/login'>"
            f"<input name=name value=Anna><input name=password value='{PASSWORD}'>"
            "<button>go</button></form>",
        ))  # fmt: skip
        stranger.goto("http://elsewhere.test/")
        with stranger.expect_response(lambda r: "/auth/login" in r.url) as answer:
            stranger.click("button")
        assert answer.value.status == 403
        browser.close()
