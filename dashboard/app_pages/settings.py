# SPDX-License-Identifier: Apache-2.0
"""*Settings*: language, work hours, goals, prompts, sharing, export and erasure."""

from collections.abc import Mapping
from datetime import time

import streamlit as st

from dashboard import data, parts, prompt_choice, rights
from tracker.advice.load import packaged
from tracker.advice.profiles import PROFILES, switch_notice
from tracker.errors import BackstayError
from tracker.prompt_choice import evening_hour
from tracker.report.i18n import LANGUAGES


def _keep(v: parts.View, values: Mapping[str, object]) -> None:
    try:
        data.save_settings(v.sources, v.viewer, values)
    except BackstayError as error:
        st.error(parts.sentence(v, error))
        return
    st.session_state["notice"] = ("saved", "")
    st.rerun()


def _general(v: parts.View) -> None:
    def chosen() -> None:
        code = st.session_state["set_language"]
        st.session_state["language"] = code
        data.save_person(v.sources, v.viewer, language=code)

    st.segmented_control(
        v.t("settings.language"),
        LANGUAGES,
        default=v.lang.code,
        required=True,
        format_func=lambda code: {"de": "Deutsch", "en": "English"}[code],
        key="set_language",
        on_change=chosen,
    )
    window = data.work_window(v.viewer)
    with st.form("work", border=False):
        left, right = st.columns(2)
        with left:
            begin = st.time_input(v.t("settings.work_start"), window.start, key="work_start")
        with right:
            end = st.time_input(v.t("settings.work_end"), window.end, key="work_end")
        days = st.pills(
            v.t("settings.workdays"),
            range(7),
            selection_mode="multi",
            default=sorted(window.weekdays),
            format_func=v.lang.weekday,
            key="workdays",
        )
        hour = st.slider(
            v.t("settings.evening_hour"),
            12,
            23,
            evening_hour(v.viewer),
            format="%d:00",
            key="evening_hour",
        )
        if st.form_submit_button(v.d("save")):
            _keep(
                v,
                {
                    "work_start": _text(begin),
                    "work_end": _text(end),
                    "workdays": sorted(days),
                    "evening_hour": hour,
                },
            )
    st.caption(v.t("settings.work_note"))
    if st.button(v.t("settings.rebase"), help=v.t("settings.rebase_help")):
        _keep(v, {"baseline_from": v.today.isoformat()})


def _text(at: time) -> str:
    return at.strftime("%H:%M")


def _prompts(v: parts.View) -> None:
    prompt_choice.choose(v, _keep)


def _profile(v: parts.View) -> None:
    now = data.profile_of(v.sources, v.viewer)
    st.markdown(v.t("settings.profile_lead"))
    chosen = st.radio(
        v.t("settings.profile"),
        PROFILES,
        index=PROFILES.index(now),
        format_func=lambda p: v.t(f"settings.profiles.{p}"),
        key="set_profile",
    )
    text = switch_notice(packaged(), chosen, v.lang.code)
    if chosen != now:
        if text:
            st.warning(text)
        if st.button(v.t("settings.profile_switch"), type="primary"):
            _keep(v, {"profile": chosen})
    if now == "wellness":
        journal = st.toggle(
            v.t("settings.pain_journal"),
            bool(v.viewer.settings.get("pain_journal")),
            help=v.t("settings.pain_journal_help"),
            key="set_pain_journal",
        )
        if journal != bool(v.viewer.settings.get("pain_journal")):
            _keep(v, {"pain_journal": journal})


def show() -> None:
    """The page."""
    v = parts.view()
    parts.header(v, "settings")
    names = ("general", "prompts", "profile", "sharing", "rights")
    draws = (_general, _prompts, _profile, rights.sharing, rights.export_and_erase)
    tabs = st.tabs([v.t(f"settings.tab.{name}") for name in names])
    for tab, draw in zip(tabs, draws, strict=True):
        with tab:
            draw(v)


show()
