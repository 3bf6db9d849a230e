# SPDX-License-Identifier: Apache-2.0
"""The therapist's and the operator's pages on every state of the data, both languages in turn."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.practices import practice_of
from tests.app.test_pages import words
from tests.fakes.wearers import STATES
from tracker.report.i18n import language

PAIRS = [(state, ("de", "en")[i % 2]) for i, state in enumerate(STATES)]
EVERYTHING = [(state, lang) for state in STATES for lang in ("de", "en")]


def look(
    app: Callable[..., AppTest], folders: Callable[[str], Path], state: str, lang: str, made: Path
) -> None:
    """List, patient and accounts: no error, the right title, no value that slipped through."""
    from dashboard import data

    practice = practice_of(folders(state), made, lang)
    wearer = practice.people["anna"].wearer
    assert wearer is not None
    for who, page, title in (
        ("tina", "patients", language(lang).t("practice.list.title")),
        ("tina", "patient", "Anna Muster"),
        ("anna", "people", language(lang).t("practice.people.title")),
    ):
        data.forget_lines()
        test = app(state, lang, folder=made, secret=practice.secrets[who])
        test.switch_page(f"app_pages/{page}.py")
        if page == "patient":
            test.query_params["id"] = wearer
        test.run()
        assert not test.exception, [e.value for e in test.exception]
        assert not test.error, [e.value for e in test.error]
        assert [t.value for t in test.title] == [title]
        text = words(test)
        assert not re.search(r"\bnan\b|\bNone\b(?! of)|[{}]", text), text


@pytest.mark.parametrize(("state", "lang"), PAIRS)
def test_the_practice_on_every_state(
    app: Callable[..., AppTest],
    folders: Callable[[str], Path],
    tmp_path: Path,
    state: str,
    lang: str,
) -> None:
    """Each state once, the languages in turn."""
    look(app, folders, state, lang, tmp_path / "practice")


@pytest.mark.soak
@pytest.mark.parametrize(("state", "lang"), EVERYTHING)
def test_the_practice_on_every_state_and_language(
    app: Callable[..., AppTest],
    folders: Callable[[str], Path],
    tmp_path: Path,
    state: str,
    lang: str,
) -> None:
    """The whole product."""
    look(app, folders, state, lang, tmp_path / "practice")
