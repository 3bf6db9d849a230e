# SPDX-License-Identifier: Apache-2.0
"""Who looks, and in which language. The one seam between a request and a person.

The cookie's secret is looked up on every rerun and the answer is never kept: a browser's socket
lives on after a sign-out, so the next rerun must find out. On loopback a single user needs no
account: the person is the wearer of the series found in the store.
"""

from dataclasses import replace

import streamlit as st

from dashboard import data
from dashboard.auth import COOKIE
from tracker.diary import Person
from tracker.report.i18n import Language, language


def secret() -> str | None:
    """The cookie that came with the handshake of this browser's socket."""
    return st.context.cookies.get(COOKIE)


def enter() -> tuple[data.Sources, Person]:
    """Sources and person of this rerun."""
    sources, person = data.enter(secret())
    chosen = st.session_state.get("language")
    if chosen:
        return sources, replace(person, language=str(chosen))
    if not person.language:
        preset = sources.settings.language or _browser_language()
        return sources, replace(person, language=preset)
    return sources, person


def is_in(person: Person) -> bool:
    """Whether this is a person at all, or a sign-in that does not hold any more."""
    return bool(person.roles) and person.active


def words(person: Person) -> Language:
    """The language of this person."""
    return language(person.language)


def _browser_language() -> str:
    locale = st.context.locale
    return "de" if str(locale or "").lower().startswith("de") else "en"
