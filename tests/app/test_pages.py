# SPDX-License-Identifier: Apache-2.0
"""Every wearer page, in both languages, on every state of the data."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.pages import FOLDER, WEARER_PAGES
from tests.fakes.wearers import STATES
from tracker.report.i18n import language

PAGES = WEARER_PAGES
# These look the same whatever was measured: the emptiest and the fullest state will do.
STEADY = ("diary", "article", "sensor", "settings")
# Every page with every state that it shows, the language alternating so that both meet every page
# and every state; `make soak` runs the whole product.
CASES = [
    (page, state, ("de", "en")[(i + j) % 2])
    for i, page in enumerate(PAGES)
    for j, state in enumerate(STATES)
    if page not in STEADY or state in {"day0", "year"}
]
ALL = [(page, state, lang) for page in PAGES for state in STATES for lang in ("de", "en")]


def words(test: AppTest) -> str:
    """Everything written on a page."""
    kinds = (
        "markdown",
        "caption",
        "header",
        "subheader",
        "title",
        "html",
        "info",
        "warning",
        "error",
    )
    parts = [
        str(e.proto.body) for kind in kinds for e in test.get(kind) if hasattr(e.proto, "body")
    ]
    return "\n".join(parts + [str(e.value) for e in test.title])


def test_every_page_has_a_file() -> None:
    """A page that is listed but missing would vanish from the menu in silence."""
    assert {p.stem for p in Path(FOLDER).glob("*.py")} >= set(PAGES)


def check(test: AppTest, page: str, lang: str) -> None:
    """No error, the title in the language, and no value that slipped through as code."""
    assert not test.exception, [e.value for e in test.exception]
    assert not test.error, [e.value for e in test.error]
    assert [t.value for t in test.title] == [language(lang).t(f"pages.{page}.title")]
    text = words(test)
    assert not re.search(r"\bnan\b|\bNone\b(?! of)|[{}]", text), text


@pytest.mark.parametrize(("page", "state", "lang"), CASES)
def test_page_renders(app: Callable[..., AppTest], page: str, state: str, lang: str) -> None:
    """The page comes up without an error, with its title in the language, whatever is stored."""
    check(app(state, lang, page), page, lang)


@pytest.mark.soak
@pytest.mark.parametrize(("page", "state", "lang"), ALL)
def test_page_renders_everywhere(
    app: Callable[..., AppTest], page: str, state: str, lang: str
) -> None:
    """The same for every page, state and language."""
    check(app(state, lang, page), page, lang)


def test_every_chart_says_its_finding(app: Callable[..., AppTest]) -> None:
    """Each chart carries a sentence as its name, and the sentence holds a number."""
    test = app("day30", "en", "trends")
    charts = test.get("vega_lite_chart")
    assert len(charts) >= 8
    for chart in charts:
        assert any(c.isdigit() for c in chart.proto.alt), chart.proto.alt
