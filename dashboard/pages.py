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


def pages_for(v: View) -> Sequence[st.Page]:
    """Pages in the order of the menu, titled in the reader's language."""
    if Role.WEARER not in v.viewer.roles:
        return ()
    return [
        st.Page(
            FOLDER / f"{name}.py",
            title=v.d(f"page.{name}"),
            url_path=name,
            default=name == "today",
        )
        for name in WEARER_PAGES
    ]
