# SPDX-License-Identifier: Apache-2.0
"""*Today*: the day as a ribbon, five numbers, the advice, the evening tap. Ten seconds to read."""

from datetime import date, timedelta

import streamlit as st

from dashboard import cards, correction, data, evening, experiment, forgot_lines, parts
from tracker.report import charts
from tracker.trends.baseline import Baseline


def _choose_day(v: parts.View) -> date:
    """The day shown: today, or one of the past reached by the arrows."""
    kept: date = st.session_state.setdefault("day", v.today)
    shown = min(kept, v.today)

    def move(days: int) -> None:
        st.session_state["day"] = min(shown + timedelta(days=days), v.today)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("‹", key="day_before", help=v.t("today.previous"), on_click=move, args=(-1,))
        st.markdown(f"**{v.lang.day(shown, weekday=True)}**", width="content")
        st.button(
            "›",
            key="day_after",
            help=v.t("today.following"),
            on_click=move,
            args=(1,),
            disabled=shown >= v.today,
        )
        if shown != v.today:
            st.button(v.t("today.to_today"), on_click=move, args=((v.today - shown).days,))
    return shown


def _tiles(v: parts.View, shown: data.Day, usual: Baseline) -> None:
    """The headline numbers, each with what is usual for this person and its explanation."""
    lang, day = v.lang, shown.summary
    longest_at = None
    if day.longest_sit_at_s is not None:
        longest_at = v.t("today.from_at", at=data.clock_of(day, v.zone))
    tiles = (
        ("sitting", lang.duration(day.sit_s / 60), cards.usual(v, usual, "sit_h")),
        (
            "longest_sit",
            lang.duration(day.longest_sit_min),
            longest_at or cards.usual(v, usual, "longest_sit_min"),
        ),
        ("w50", lang.duration(day.w50_min), cards.usual(v, usual, "w50_min")),
        ("slouch_share", lang.percent(day.slouch_share), cards.slouch_note(v, shown, usual)),
        (
            "shifts_per_h",
            lang.number(day.shifts_per_h, 0),
            cards.usual(v, usual, "shifts_per_h"),
        ),
        (
            "longest_still",
            lang.duration(day.longest_still_min),
            cards.usual(v, usual, "longest_still_min"),
        ),
    )
    with st.grid(columns=3, min_column_width=150):
        for key, value, note in tiles:
            parts.tile(v, key, lang.t(f"common.metric.{key}"), value, note=note, limit=60)


def show() -> None:
    """The page."""
    v = parts.view()
    parts.header(v, "today")
    if evening.gate(v):
        return
    experiment.reminder(v)
    if not data.has_series(v.sources, v.viewer, v.wearer):
        parts.add_a_sensor(v)
        cards.advice(v)
        return
    forgot_lines.line(v)
    shown = _choose_day(v)
    day = data.day(v.sources, v.viewer, v.wearer, shown, v.zone)
    if day is None:
        st.header(v.t("today.empty_title"), anchor=False)
        st.markdown(v.t("today.empty" if shown == v.today else "today.no_data"))
    else:
        marks = cards.marks_of(v, day)
        drawn = charts.ribbon(day.minutes, v.lang, summary=day.summary, marks=marks)
        parts.picture(v, drawn, "ribbon")
        _tiles(v, day, data.own_baseline(v.sources, v.viewer, v.wearer, v.zone))
        cards.worn_line(v, day.summary)
        cards.prompts_line(v, shown)
        cards.gaps_line(v, shown)
        correction.draw(v, day)
    if shown == v.today:
        cards.advice(v)


show()
