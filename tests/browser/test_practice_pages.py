# SPDX-License-Identifier: Apache-2.0
"""The therapist's pages in a real Chromium: what they say, the paper, and who can read them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.browser.houses import DESKTOP, PHONE, House, patient, shot, sign_in, violations
from tests.browser.steady import sideways, steady
from tests.conftest import tool

pytestmark = pytest.mark.browser


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


@pytest.mark.parametrize(("lang", "size"), [("de", PHONE), ("en", DESKTOP)], ids=str)
def test_therapist_pages_fit_and_are_accessible(
    visitor: Callable[..., Page], house: House, lang: str, size: tuple[int, int]
) -> None:
    """List and patient page in both languages and sizes: axe finds nothing, nothing overflows."""
    house.sql("UPDATE person SET language = ? WHERE name = 'Tina Therapie'", lang)
    page = visitor("", lang, size)
    found = {"door": violations(page)}
    sign_in(page, "Tina Therapie")
    page.get_by_test_id("stDataFrame").wait_for()
    shot(page, f"list-{lang}-{size[0]}")
    found["list"] = violations(page)
    patient(page)
    page.wait_for_selector('[data-testid="stVegaLiteChart"] svg')
    steady(page)
    shot(page, f"patient-{lang}-{size[0]}")
    found["patient"] = violations(page)
    assert sideways(page) <= 0, "the page must not scroll sideways"
    assert not any(found.values()), found


def test_the_operators_desk(visitor: Callable[..., Page]) -> None:
    """Accounts without pseudonyms and numbers; axe finds nothing; Ben has no such page."""
    page = visitor("Anna Muster")
    page.get_by_role("link", name="Konten").click()
    page.wait_for_selector('h1:has-text("Konten")')
    steady(page)
    for name in ("Anna Muster", "Ben Muster", "Tina Therapie"):
        page.get_by_text(name, exact=True).first.wait_for()
    shot(page, "people-de-1280")
    assert not violations(page)
    ben = visitor("Ben Muster")
    assert ben.get_by_role("link", name="Accounts").count() == 0


def test_what_loads_late_moves_no_button(visitor: Callable[..., Page]) -> None:
    """The list's button stays where it is while the box beside it is still being loaded.

    A click that was aimed before and released after such a move reached nothing.
    """
    page = visitor("", "en-GB")
    held: list[Route] = []
    page.route("**/Selectbox.*.js", lambda route: held.append(route))  # noqa: PLW0108 - a built-in cannot be marked
    sign_in(page, "Tina Therapie", steadily=False)
    button = page.get_by_test_id("stBaseButton-primary")
    button.wait_for()
    page.wait_for_function("() => document.querySelector('[data-testid=stSkeleton]')")
    before = button.bounding_box()
    assert held, "the box is loaded when it is first drawn"
    held.pop().continue_()
    steady(page)
    assert button.bounding_box() == before
