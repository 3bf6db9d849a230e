# SPDX-License-Identifier: Apache-2.0
"""Who looks, and in which language. The one seam between a request and a person.

On loopback a single user needs no account: the person is the wearer of the series found in the
store. The answer is looked up on every rerun and never kept, so that signing out acts at once.
"""

from dataclasses import replace

import streamlit as st

from dashboard import data
from tracker.diary import Person
from tracker.report.i18n import Language, language


def viewer(sources: data.Sources) -> Person:
    """The person at the other end of this request."""
    person = data.owner(sources)
    chosen = st.session_state.get("language")
    if chosen:
        return replace(person, language=str(chosen))
    if not person.language:
        return replace(person, language=sources.settings.language or _browser_language())
    return person


def words(person: Person) -> Language:
    """The language of this person."""
    return language(person.language)


def _browser_language() -> str:
    locale = st.context.locale
    return "de" if str(locale or "").lower().startswith("de") else "en"
