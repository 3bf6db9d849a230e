# SPDX-License-Identifier: Apache-2.0
"""The dashboard in a real Chromium: it moves, it speaks, it fits a phone, it asks nobody else."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.houses import CLOCK, shot, violations
from tests.browser.steady import sideways, steady
from tracker.prompt_log import PromptLog, Told
from tracker.prompts import Cause, Prompt
from tracker.report.i18n import language

pytestmark = pytest.mark.browser
PHONE = (390, 844)
PAGES = ("today", "live", "trends", "diary", "advice", "training", "article", "sensor", "settings")


def test_live_value_moves_and_stops_when_silent(
    visit: Callable[..., Any], feeder: tuple[Any, Any]
) -> None:
    """The gauge follows the live row; a silent sensor is called silent."""
    watched = visit()
    watched.open("Live")
    gauge = watched.page.get_by_role("img", name="Grad nach vorn").first
    before = gauge.get_attribute("aria-label")
    watched.page.wait_for_function(
        "old => [...document.querySelectorAll('[aria-label]')].some("
        "e => /Grad nach vorn/.test(e.ariaLabel) && e.ariaLabel !== old)",
        arg=before,
    )
    feeding = feeder[1]
    feeding.silence()
    try:
        watched.page.get_by_text("Der Sensor meldet sich nicht").wait_for(timeout=40_000)
    finally:
        feeding.on = True
    assert not watched.foreign
    assert not watched.console


@pytest.mark.parametrize(("lang", "size"), [("de-DE", (1280, 900)), ("en-GB", PHONE)], ids=str)
def test_today_in_both_languages_and_sizes(
    visit: Callable[..., Any], lang: str, size: tuple[int, int]
) -> None:
    """Ribbon, numbers and advice are there, the page speaks its language and fits its width."""
    watched = visit(lang, size)
    words = language(lang)
    page = watched.page
    page.get_by_role("heading", name=words.t("pages.advice_card.title")).wait_for()
    page.get_by_text(words.t("common.metric.shifts_per_h")).first.wait_for()
    assert page.evaluate("document.documentElement.lang") == words.code
    page.wait_for_selector('[data-testid="stVegaLiteChart"] svg')
    assert sideways(page) <= 0, "the page must not scroll sideways"
    assert not watched.foreign
    assert not watched.console


@pytest.mark.parametrize(("lang", "size"), [("en-GB", (1280, 900)), ("de-DE", PHONE)], ids=str)
def test_every_page_is_accessible_fits_and_asks_nobody(
    visit: Callable[..., Any], lang: str, size: tuple[int, int]
) -> None:
    """A year of data: axe finds nothing, nothing scrolls sideways or asks elsewhere, anywhere."""
    watched = visit(lang, size)
    found: dict[str, list[str]] = {}
    for name in PAGES:
        watched.open(language(lang).t(f"dashboard.page.{name}"))
        shot(watched.page, f"{name}-{lang[:2]}-{size[0]}")
        bad = violations(watched.page)
        if sideways(watched.page) > 0:
            bad.append("scrolls sideways")
        if bad:
            found[name] = bad
    assert not found, found
    assert not watched.foreign
    assert not watched.console


def test_a_prompt_arrives_on_two_open_pages_and_one_snooze_ends_both(
    visit: Callable[..., Any], feeder: tuple[Any, Any]
) -> None:
    """While pages are open the collector says something: both show it, without a reload.

    Snoozed on one of them, it is gone on the other at its next look, and quiet is said.
    """
    pages = [visit("en-GB"), visit("en-GB", PHONE)]
    assert all(w.page.get_by_test_id("stToast").count() == 0 for w in pages)
    said = Prompt(
        at_ns=CLOCK.now_ns(), cause=Cause.SITTING, minutes=55.0, since_ns=0, tone="question"
    )
    feeder[1].say(PromptLog().with_told(Told(prompt=said, channels=("page",))))
    boxes = [w.page.locator(".st-key-prompt_box") for w in pages]
    for box in boxes:
        box.get_by_text("Is this a good moment for a short break?").wait_for(timeout=60_000)
    first = pages[0].page
    steady(first)
    first.get_by_role("button", name="Quiet for 30 min").click()
    for box in boxes:
        box.wait_for(state="detached", timeout=60_000)
    pages[0].open("Settings")
    first.get_by_role("tab", name="Prompts").click()
    first.get_by_text("Quiet until").wait_for()
    first.get_by_role("button", name="End the quiet").click()
    first.get_by_role("button", name="Quiet until tomorrow").wait_for()
    assert not pages[0].foreign
    assert not pages[0].console


def test_headers_protect_the_page(visit: Callable[..., Any]) -> None:
    """The answer forbids framing and foreign sources, also to a browser that ignores our code."""
    watched = visit()
    answer = watched.page.request.get(watched.base)
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
