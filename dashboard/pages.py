# SPDX-License-Identifier: Apache-2.0
"""Which pages there are, in which order, for whom. A page that is not listed cannot be run."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard.parts import View
from tracker.diary import Role

FOLDER = Path(__file__).resolve().parent / "app_pages"

# One flat list: Streamlit's menu with sections is a list that screen readers cannot read (axe:
# `list`, `listitem`). A new page is a file in `app_pages` and its name here.
WEARER_PAGES = (
    "today",
    "live",
    "trends",
    "advice",
    "training",
    "diary",
    "article",
    "sensor",
    "settings",
)


THERAPIST_PAGES = ("patients",)
HIDDEN_THERAPIST_PAGES = ("patient",)  # opened from the list
OPERATOR_PAGES = ("people",)


def pages_for(v: View) -> Sequence[st.Page]:
    """Pages in the order of the menu, titled in the reader's language, by the person's roles.

    Leaving a page out is convenience: what it shows is refused in `dashboard.data`.
    """
    roles = v.viewer.roles
    names: list[str] = []
    if Role.WEARER in roles:
        names += WEARER_PAGES
    if Role.THERAPIST in roles:
        names += THERAPIST_PAGES + HIDDEN_THERAPIST_PAGES
    if Role.OPERATOR in roles:
        names += OPERATOR_PAGES
    return [
        st.Page(
            FOLDER / f"{name}.py",
            title=_title(v, name),
            url_path=name,
            default=name == names[0],
            visibility="hidden" if name in HIDDEN_THERAPIST_PAGES else "visible",
        )
        for name in names
    ]


def _title(v: View, name: str) -> str:
    return v.d(f"page.{name}") if name in WEARER_PAGES else v.lang.t(f"practice.page.{name}")
