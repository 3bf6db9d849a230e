# SPDX-License-Identifier: Apache-2.0
"""Every wearer page, in both languages, on every state of the data."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.pages import FOLDER, WEARER_PAGES

PAGES = WEARER_PAGES
STATES = ("day0", "day1", "day3", "day7", "day14", "day30", "year", "gaps")
# Every page with every state, the language alternating so that both meet every page and state.
CASES = [
    (page, state, ("de", "en")[(i + j) % 2])
    for i, page in enumerate(PAGES)
    for j, state in enumerate(STATES)
]


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


@pytest.mark.parametrize(("page", "state", "lang"), CASES)
def test_page_renders(app: Callable[..., AppTest], page: str, state: str, lang: str) -> None:
    """The page comes up without an error, with its title in the language, whatever is stored."""
    test = app(state, lang, page)
    assert not test.exception, [e.value for e in test.exception]
    assert not test.error, [e.value for e in test.error]
    from tracker.report.i18n import language

    assert [t.value for t in test.title] == [language(lang).t(f"pages.{page}.title")]
    text = words(test)
    assert not re.search(r"\bnan\b|\bNone\b(?! of)|[{}]", text), text


def test_every_chart_says_its_finding(app: Callable[..., AppTest]) -> None:
    """Each chart carries a sentence as its name, and the sentence holds a number."""
    test = app("day30", "en", "trends")
    charts = test.get("vega_lite_chart")
    assert len(charts) >= 8
    for chart in charts:
        assert any(c.isdigit() for c in chart.proto.alt), chart.proto.alt
