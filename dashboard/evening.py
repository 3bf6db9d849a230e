# SPDX-License-Identifier: Apache-2.0
"""The evening tap: one touch, asked before any numbers are shown, so that they cannot colour it."""

from dataclasses import replace
from datetime import date, timedelta

import streamlit as st

from dashboard import data, diary_forms, experiment
from dashboard.parts import View, sentence
from tracker.diary import Evening
from tracker.errors import BackstayError
from tracker.units import from_ns

ASK_FROM_H = 17


def pending(v: View) -> bool:
    """Whether this evening's entry is still to come and it is late enough to ask."""
    hour = from_ns(v.now_ns, v.zone).hour
    asked_from = v.viewer.settings.get("evening_hour", ASK_FROM_H)
    if not isinstance(asked_from, int) or hour < asked_from:
        return False
    if st.session_state.get("evening_later") == v.today:
        return False
    return data.evening_entry(v.sources, v.viewer, v.wearer, v.today) is None


def gate(v: View) -> bool:
    """Ask first where it is time; True while the numbers should wait."""
    if not pending(v):
        return False
    with st.container(border=True, key="evening_card"):
        st.header(v.t("evening.title"), anchor=False)
        experiment.reminder(v)
        tap(v, v.today)
        st.button(v.t("evening.later"), on_click=_later, args=(v.today,), type="tertiary")
    return True


def tap(v: View, day: date) -> None:
    """The scale; a touch saves. Pain is asked only where it may be kept."""
    for outcome in data.outcomes(v.sources, v.viewer):
        key = f"tap_{outcome}_{day}"
        st.pills(
            v.t(f"evening.{outcome}"),
            range(11),
            key=key,
            help=v.t("evening.scale"),
            on_change=_save_tap,
            args=(v, day, outcome, key),
        )
    st.caption(v.t("evening.scale"))


def _save_tap(v: View, day: date, outcome: str, key: str) -> None:
    value = st.session_state.get(key)
    if not isinstance(value, int):
        return
    told = kept(v, day)
    save(v, replace(told, pain=value) if outcome == "pain" else replace(told, tension=value))


def kept(v: View, day: date) -> Evening:
    """What is kept of a day, or an empty evening."""
    found = data.evenings(v.sources, v.viewer, v.wearer, day, day)
    return found[-1] if found else Evening(day=day.isoformat())


def save(v: View, told: Evening) -> None:
    """Keep an evening and say so, or say why not."""
    try:
        data.save_evening(v.sources, v.viewer, v.wearer, told, v.zone)
    except BackstayError as error:
        st.session_state["notice"] = ("error", sentence(v, error))
    else:
        st.session_state["notice"] = ("saved", "")


def _later(day: date) -> None:
    st.session_state["evening_later"] = day


def more(v: View, day: date) -> None:
    """Stress, painkiller, unusual load, illness and a note; all optional."""
    with st.form(f"evening_more_{day}", border=False):
        told = diary_forms.evening(v, f"more_{day}", kept(v, day))
        if st.form_submit_button(v.d("save")):
            save(v, told)
            st.rerun()


def days_to_tell(v: View) -> tuple[date, date]:
    """Today and yesterday, which can still be told (marked late)."""
    return v.today, v.today - timedelta(days=1)
