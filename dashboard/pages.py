# SPDX-License-Identifier: Apache-2.0
"""Which pages there are, in which order, for whom. A page that is not listed cannot be run."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard.parts import View
from tracker.diary import Role

FOLDER = Path(__file__).resolve().parent / "app_pages"

# Section -> page names; a new page is a file in `app_pages` and its name here.
WEARER_PAGES = {
    "now": ("today", "live"),
    "look_back": ("trends", "diary"),
    "act": ("advice", "training", "article"),
    "setup": ("sensor", "settings"),
}


def pages_for(v: View) -> dict[str, Sequence[st.Page]]:
    """Pages by section, titled in the reader's language."""
    if Role.WEARER not in v.viewer.roles:
        return {}
    return {
        v.d(f"section.{section}"): [
            st.Page(
                FOLDER / f"{name}.py",
                title=v.d(f"page.{name}"),
                url_path=name,
                default=name == "today",
            )
            for name in names
            if (FOLDER / f"{name}.py").is_file()
        ]
        for section, names in WEARER_PAGES.items()
    }
