# SPDX-License-Identifier: Apache-2.0
"""*Settings*: language, work hours, goals, prompts, sharing, export and erasure."""

from collections.abc import Mapping
from datetime import time

import streamlit as st

from dashboard import data, parts, rights
from tracker.advice.load import packaged
from tracker.advice.profiles import PROFILES, switch_notice
from tracker.errors import BackstayError
from tracker.prompts import LIMITS, SENSITIVITIES, TONES, prompt_settings
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
            int(str(v.viewer.settings.get("evening_hour", 17))),
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
    now = prompt_settings(v.viewer.settings.get("prompts"))
    st.markdown(v.t("prompts.lead"))
    with st.form("prompts", border=False):
        breaks = st.toggle(v.t("prompts.breaks"), now.breaks, key="p_breaks")
        after = st.slider(
            v.t("prompts.after"), *LIMITS["after_min"], round(now.after_min), 5, key="p_after"
        )
        still = st.toggle(v.t("prompts.still"), now.still, key="p_still")
        slouch = st.toggle(v.t("prompts.slouch"), now.slouch, key="p_slouch")
        delay = st.slider(
            v.t("prompts.delay"), *LIMITS["delay_min"], round(now.delay_min), key="p_delay"
        )
        sensitivity = st.segmented_control(
            v.t("prompts.sensitivity"),
            SENSITIVITIES,
            default=now.sensitivity,
            required=True,
            format_func=lambda s: v.t(f"prompts.sensitivities.{s}"),
            key="p_sensitivity",
        )
        tone = st.segmented_control(
            v.t("prompts.tone"),
            TONES,
            default=now.tone,
            required=True,
            format_func=lambda s: v.t(f"prompts.tones.{s}"),
            key="p_tone",
        )
        most = st.slider(v.t("prompts.cap"), *LIMITS["daily_cap"], now.daily_cap, key="p_cap")
        work = st.toggle(v.t("prompts.work_only"), now.work_hours_only, key="p_work")
        if st.form_submit_button(v.d("save")):
            _keep(
                v,
                {
                    "prompts": {
                        "breaks": breaks,
                        "after_min": after,
                        "still": still,
                        "slouch": slouch,
                        "delay_min": delay,
                        "sensitivity": sensitivity,
                        "tone": tone,
                        "daily_cap": most,
                        "work_hours_only": work,
                    }
                },
            )


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
