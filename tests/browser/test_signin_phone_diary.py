# SPDX-License-Identifier: Apache-2.0
"""The evening tap on the phone page: kept while the computer is away, in the diary afterwards."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tracker.clock import SYSTEM_CLOCK
from tracker.collect.control import ControlClient
from tracker.diary import Entry, Kind, Person, Role
from tracker.prompt_log import KEY, PromptLog, Told, log_of
from tracker.prompts import Cause, Prompt
from tracker.settings import Settings
from tracker.store.records import open_records, open_records_reader
from tracker.store.sqlite import open_reader, open_store

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def process(settings: Settings, *command: str) -> Iterator["subprocess.Popen[str]"]:
    """A real process of the house."""
    child = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **settings.environment(), "BACKSTAY_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield child
    finally:
        child.terminate()
        child.wait(20)
        assert child.stdout is not None
        child.stdout.close()


def entries(settings: Settings, kind: Kind) -> list[Entry]:
    """What the diary holds."""
    records = open_records_reader(settings)
    assert records is not None
    try:
        return list(records.entries("w", [kind]))
    finally:
        records.close()


def prompt(settings: Settings) -> None:
    """What the collector said a moment ago, as it keeps it."""
    now_ns = SYSTEM_CLOCK.now_ns()
    said = Prompt(at_ns=now_ns, cause=Cause.SITTING, minutes=50.0, since_ns=0, tone="question")
    store = open_store(settings)
    log = PromptLog().with_told(Told(prompt=said, channels=("phone",)))
    store.put_wearer_setting("w", KEY, log.as_json())
    store.close()


def quiet_ns(settings: Settings) -> int:
    """Until when the log says that it is quiet."""
    reader = open_reader(settings)
    try:
        return log_of(reader.wearer_settings("w").get(KEY)).rest.until_ns
    finally:
        reader.close()


def wait(condition: Callable[[], bool], what: str) -> None:
    """Up to a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def test_a_tap_waits_for_the_computer_and_arrives_once(
    browser: Browser, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Tap and massage while the dashboard is away; both are in the diary once it is back.

    A prompt stands there, too, and its snooze needs no dashboard.
    """
    settings = Settings(data=tmp_path, zone="Europe/Berlin", http_port=free_port())
    records = open_records(settings)
    records.put_person(Person(id="o", name="Anna", roles=frozenset({Role.WEARER}), wearer="w"))
    records.close()
    prompt(settings)
    client = ControlClient(settings.data)
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        ignore_https_errors=True,
        locale="de-DE",
        timezone_id="Europe/Berlin",
    )
    with process(settings, "-m", "tracker", "collect"):
        wait(
            lambda: client.running() and client.call("status")["phone_port"] == settings.http_port,
            "the phone door did not open",
        )
        token = client.call("pair_phone", name="P", wearer="w", placement="waist")["token"]
        page = context.new_page()
        page.goto(f"https://127.0.0.1:{settings.http_port}/phone#token={token}")
        page.get_by_text("Passt gerade eine kurze Pause?").wait_for()
        page.get_by_role("button", name="4", exact=True).click()
        page.get_by_text("Noch zu senden: 1").wait_for()
        page.locator("#minutes").fill("25")
        page.get_by_role("button", name="Eintragen").click()
        page.get_by_text("Noch zu senden: 2").wait_for()
        assert Axe().run(page).violations_count == 0
        if os.environ.get("BACKSTAY_SHOTS"):
            page.screenshot(path=f"{os.environ['BACKSTAY_SHOTS']}/phone-diary.png", full_page=True)
        page.get_by_role("button", name="30 min Ruhe").click()
        page.locator("#prompt").wait_for(state="hidden")
        assert quiet_ns(settings) > SYSTEM_CLOCK.now_ns(), "quiet was kept with no dashboard"
        assert not entries(settings, Kind.EVENING)
        with process(settings, "-m", "dashboard.serve") as dashboard:
            assert dashboard.stdout is not None
            dashboard.stdout.readline()
            page.get_by_text("Gespeichert.").wait_for(timeout=60_000)
            (evening,) = entries(settings, Kind.EVENING)
            (massage,) = entries(settings, Kind.MASSAGE)
            assert evening.body["tension"] == 4
            assert massage.body["minutes"] == 25
            page.get_by_role("button", name="6", exact=True).click()
            wait(
                lambda: entries(settings, Kind.EVENING)[0].body["tension"] == 6,
                "the second tap of the day did not become an edit",
            )
            page.reload()
            page.locator("[data-scale=tension][data-n='6'][aria-pressed=true]").wait_for()
            page.locator("#advice").wait_for()
            assert page.locator("#advice-text").inner_text()
            assert len(entries(settings, Kind.EVENING)) == 1
            refused = page.request.post(
                f"https://127.0.0.1:{settings.http_port}/phone/diary",
                data={"kind": "evening", "body": {"day": "2020-01-01", "tension": 4}},
                headers={"authorization": f"Bearer {token}"},
            )
            assert refused.status == 422
            assert (
                page.request.get(f"https://127.0.0.1:{settings.http_port}/phone/today").status
                == 401
            )
    context.close()
