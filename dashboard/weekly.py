# SPDX-License-Identifier: Apache-2.0
"""The weekly summary: at most five lines, no score, always beside the wearer's own usual range."""

from datetime import timedelta

import streamlit as st

from dashboard import data
from dashboard.parts import View
from tracker.trends.weekly import WeeklySummary, weekly_summary

MOST_LINES = 5
_HISTORY_D = 130  # twelve weeks to compare with, and the days a baseline may need


def summary(v: View) -> WeeklySummary:
    """The last whole week of the wearer."""
    monday = v.today - timedelta(days=v.today.weekday() + 7)
    days = data.summaries(
        v.sources, v.viewer, v.wearer, monday - timedelta(days=_HISTORY_D), v.today, v.zone
    )
    sunday = monday + timedelta(days=6)
    told = data.training_minutes(v.sources, v.viewer, v.wearer, monday, sunday, v.zone)
    return weekly_summary(
        days,
        data.work_window(v.viewer),
        monday=monday,
        sessions_plan=data.sessions_planned(v.sources, v.viewer, v.wearer),
        sessions=len(told),
        base=data.own_baseline(v.sources, v.viewer, v.wearer, v.zone),
    )


def lines(v: View, week: WeeklySummary) -> list[str]:
    """What is said about the week, in the order of the template."""

    def t(key: str, **values: object) -> str:
        return v.lang.t(f"practice.weekly.{key}", **values)

    if not week.send:
        return [t("too_few")]
    said = [t("measured", valid=week.workdays_valid, workdays=week.workdays)]
    if week.sit_h is not None:
        said.append(_sitting(v, week))
    if week.longest_sit_min is not None:
        now, before = week.longest_sit_min, week.longest_sit_before_min
        key = "longest_only" if before is None else "longest"
        said.append(t(key, minutes=v.lang.duration(now), before=v.lang.duration(before)))
    key = "training" if week.shifts_per_h is None else "shifts_training"
    shifts = v.lang.number(week.shifts_per_h, 0)
    said.append(t(key, shifts=shifts, done=week.sessions, plan=week.sessions_plan))
    if week.suggestion is not None:
        days = ", ".join(v.lang.weekday(d) for d in week.suggestion.weekdays)
        hour = week.suggestion.hour
        text = t("suggestion", days=days, start=hour, end=hour + 1).replace("  ", " ")
        said.append(text)
    elif not week.changes:
        said.append(t("no_change"))
    return said[:MOST_LINES]


def _sitting(v: View, week: WeeklySummary) -> str:
    def number(value: float | None) -> str:
        return v.lang.number(value, 1)

    key = "sitting"
    if week.worn_time_only:
        key = "sitting_worn"
    elif week.usual_low_h is None:
        key = "sitting_only"
    return v.lang.t(
        f"practice.weekly.{key}",
        hours=number(week.sit_h),
        low=number(week.usual_low_h),
        high=number(week.usual_high_h),
    )


def card(v: View) -> None:
    """The card on *Trends*."""
    week = summary(v)
    with st.container(border=True, key="weekly"):
        st.header(v.lang.t("practice.weekly.title", number=week.number), anchor=False)
        for line in lines(v, week):
            st.markdown(line)
