# SPDX-License-Identifier: Apache-2.0
"""Prompts on the page: a question in a quiet box, with a snooze; never a sound, never a score."""

import streamlit as st

from dashboard import data, parts
from tracker.errors import BackstayError
from tracker.prompts import Prompt, prompt_settings
from tracker.units import from_ns

EVERY_S = 20
SNOOZES: tuple[int | None, ...] = (30, 60, None)


def watch(v: parts.View) -> None:
    """Look every twenty seconds, and only where somebody switched prompts on."""
    settings = prompt_settings(v.viewer.settings.get("prompts"))
    if not (settings.breaks or settings.still or settings.slouch):
        return

    @st.fragment(run_every=EVERY_S)
    def looking() -> None:
        now = parts.view()
        try:
            prompt = data.due_prompt(now.sources, now.viewer, now.wearer, now.zone)
        except BackstayError:
            return  # a page that can be read does not fail because of a prompt
        if prompt is not None:
            st.session_state["prompt"] = prompt
            if prompt.tone != "silent":
                st.toast(_words(now, prompt))
        shown = st.session_state.get("prompt")
        if isinstance(shown, Prompt):
            _box(now, shown)

    looking()


def _words(v: parts.View, prompt: Prompt) -> str:
    tone = "question" if prompt.tone == "question" else "plain"
    minutes = v.lang.duration(prompt.minutes)
    return v.t(f"prompt.{prompt.cause}.{tone}", minutes=minutes)


def _box(v: parts.View, prompt: Prompt) -> None:
    with st.container(border=True, key="prompt_box"):
        at = v.lang.clock(from_ns(prompt.at_ns, v.zone))
        st.markdown(f"{at}: {_words(v, prompt)}")
        with st.container(horizontal=True):
            st.button(v.t("prompt.done"), key="prompt_done", on_click=_close)
            for minutes in SNOOZES:
                label = v.t("prompt.snooze", n=minutes) if minutes else v.t("prompt.tomorrow")
                st.button(label, key=f"snooze_{minutes}", on_click=_snooze, args=(v, minutes))


def _close() -> None:
    st.session_state.pop("prompt", None)


def _snooze(v: parts.View, minutes: int | None) -> None:
    _close()
    try:
        data.snooze(v.sources, v.viewer, minutes, v.zone)
    except BackstayError as error:
        st.session_state["notice"] = ("error", parts.sentence(v, error))
