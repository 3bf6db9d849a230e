# SPDX-License-Identifier: Apache-2.0
"""The morning after a session: how is the back? The answer decides with about the next level."""

import streamlit as st

from dashboard import data
from dashboard.parts import View, sentence
from tracker.diary import Entry
from tracker.errors import BackstayError
from tracker.exercises.progression import DOWN_MORNING
from tracker.units import local_date

_WORDS = ("better", "same", "little", "more")


def question(v: View) -> dict[str, object] | None:
    """The same for the phone page: words, answers and which session it is about."""
    entry = data.morning_due(v.sources, v.viewer, v.wearer, v.zone)
    if entry is None:
        return None
    title = v.lang.t("exercise.morning.title", day=v.lang.day(local_date(entry.at_ns, v.zone)))
    return {
        "at_ns": entry.at_ns,
        "text": f"{title}. {v.lang.t('exercise.cue.next_morning')}",
        "answers": [
            {"value": change, "text": v.lang.t(f"exercise.morning.answer.{word}")}
            for word, change in zip(_WORDS, data.MORNINGS, strict=True)
        ],
    }


def draw(v: View) -> None:
    """The question with its four answers; nothing where nothing is to be asked."""
    entry = data.morning_due(v.sources, v.viewer, v.wearer, v.zone)
    if entry is None:
        return
    day = v.lang.day(local_date(entry.at_ns, v.zone))
    with st.container(border=True, key="morning"):
        st.markdown(f"**{v.lang.t('exercise.morning.title', day=day)}**")
        st.markdown(v.lang.t("exercise.cue.next_morning"))
        with st.container(horizontal=True):
            for word, change in zip(_WORDS, data.MORNINGS, strict=True):
                st.button(
                    v.lang.t(f"exercise.morning.answer.{word}"),
                    key=f"morning_{word}",
                    on_click=_keep,
                    args=(v, entry, change),
                )


def _keep(v: View, entry: Entry, change: int) -> None:
    try:
        data.answer_morning(v.sources, v.viewer, v.wearer, entry, change)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))
    else:
        more = v.lang.t("exercise.morning.thanks_more") if change >= DOWN_MORNING else ""
        st.session_state["notice"] = ("saved", more)
