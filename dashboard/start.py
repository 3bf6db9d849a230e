# SPDX-License-Identifier: Apache-2.0
"""The one-minute start of day 1, and in the clinic profile how long an episode has lasted."""

from datetime import timedelta

import streamlit as st

from dashboard import data, safety
from dashboard.parts import View, sentence
from tracker.advice.profiles import screening_mode
from tracker.diary import Kind
from tracker.errors import BackstayError

LONGEST_WEEKS = 2000


def draw(v: View) -> None:
    """Four questions and the safety list; advice from what was told stands there at once."""
    static = screening_mode(data.profile_of(v.sources, v.viewer)) == "static"
    fresh = data.latest_screening(v.sources, v.viewer, v.wearer) is None
    with st.form("start", border=False):
        tension = st.pills(v.t("advice.start_tension"), range(11), key="start_tension")
        days = st.pills(v.t("advice.start_training"), range(8), key="start_training")
        massages = st.number_input(
            v.t("advice.start_massages"), 0, 56, None, placeholder="–", key="start_massages"
        )
        last = st.date_input(
            v.t("advice.start_last"),
            None,
            max_value=v.today,
            format="DD.MM.YYYY",
            key="start_last",
        )
        answer = safety.question(v, "start_safety") if static and fresh else None
        if not st.form_submit_button(v.t("advice.start_save"), type="primary"):
            return
    body: dict[str, object] = {
        "tension": tension,
        "training_days_per_week": days,
        "massages_4_weeks": massages,
        "last_massage": last.isoformat() if last else None,
    }
    try:
        data.save_start(v.sources, v.viewer, v.wearer, body, v.zone)
        if answer is not None:
            listed = {"mode": "static", "none_applies": answer, "answers": {}}
            data.save_entry(v.sources, v.viewer, v.wearer, Kind.SCREENING, listed, v.zone)
    except BackstayError as error:
        st.error(sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "")
        st.rerun()


def episode(v: View) -> None:
    """Clinic profile: since when, and whether somebody has looked at it; both may change."""
    if data.profile_of(v.sources, v.viewer) != "clinic":
        return
    told = data.episode_of(v.sources, v.viewer, v.wearer)
    weeks = None if told.since is None else (v.today - told.since).days // 7
    with st.expander(v.lang.t("advice.episode.title"), expanded=told.since is None):
        if weeks is not None:
            st.markdown(v.lang.t("advice.episode.told", n=weeks))
        with st.form("episode", border=False):
            said = st.number_input(
                v.lang.t("advice.episode.weeks"),
                0,
                LONGEST_WEEKS,
                weeks,
                placeholder="–",
                key="episode_weeks",
            )
            looked = st.segmented_control(
                v.lang.t("advice.episode.looked"),
                (True, False),
                default=told.checked,
                format_func=lambda yes: v.d("yes") if yes else v.d("no"),
                key="episode_checked",
            )
            if not st.form_submit_button(v.d("save"), key="episode_save"):
                return
        same = said is not None and said == weeks
        since = told.since if same else None
        if said is not None and not same:
            since = v.today - timedelta(days=7 * int(said))
        try:
            data.save_episode(v.sources, v.viewer, v.wearer, since, looked, v.zone)
        except BackstayError as error:
            st.error(sentence(v, error))
        else:
            st.session_state["notice"] = ("saved", "")
            st.rerun()
