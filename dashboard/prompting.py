# SPDX-License-Identifier: Apache-2.0
"""Prompts on the page: a question in a quiet box, with a snooze; never a sound, never a score."""

import streamlit as st

from dashboard import data, parts
from tracker.errors import BackstayError
from tracker.prompt_choice import prompt_settings
from tracker.prompt_log import Told
from tracker.prompt_words import SNOOZES, sentence, snooze_label
from tracker.units import from_ns

EVERY_S = 20


def watch(v: parts.View) -> None:
    """Look every twenty seconds, and only where somebody chose prompts on the page."""
    settings = prompt_settings(v.viewer.settings.get("prompts"))
    if "page" not in settings.channels or not (settings.any or settings.evening):
        return

    @st.fragment(run_every=EVERY_S)
    def looking() -> None:
        now = parts.view()
        try:
            told = data.due_prompt(now.sources, now.viewer, now.wearer)
        except BackstayError:
            return  # a page that can be read does not fail because of a prompt
        if told is None or told.prompt.at_ns == st.session_state.get("prompt_closed"):
            return
        if told.prompt.at_ns != st.session_state.get("prompt_toasted"):
            st.session_state["prompt_toasted"] = told.prompt.at_ns
            if told.prompt.tone != "silent":
                st.toast(sentence(now.lang, told.prompt))
        _box(now, told)

    looking()


def _box(v: parts.View, told: Told) -> None:
    at_ns = told.prompt.at_ns
    with st.container(border=True, key="prompt_box"):
        at = v.lang.clock(from_ns(at_ns, v.zone))
        st.markdown(f"{at}: {sentence(v.lang, told.prompt)}")
        with st.container(horizontal=True):
            st.button(v.t("prompt.done"), key="prompt_done", on_click=_close, args=(at_ns,))
            for minutes in SNOOZES:
                st.button(
                    snooze_label(v.lang, minutes),
                    key=f"snooze_{minutes}",
                    on_click=snooze,
                    args=(v, minutes, at_ns),
                )


def _close(at_ns: int) -> None:
    st.session_state["prompt_closed"] = at_ns


def snooze(v: parts.View, minutes: int | None, at_ns: int = 0) -> None:
    """Keep quiet, from a prompt's box or from the settings."""
    _close(at_ns)
    try:
        data.snooze(v.sources, v.viewer, minutes, v.zone)
    except BackstayError as error:
        st.session_state["notice"] = ("error", parts.sentence(v, error))
