# SPDX-License-Identifier: Apache-2.0
"""*Trends*: the same days from six sides, always beside the wearer's own earlier weeks."""

from datetime import date, timedelta

import streamlit as st

from dashboard import data, effects, evening, parts, weekly
from tracker.report import charts
from tracker.trends import diaries

WEEKS = (2, 4, 8, 12)
_BEFORE_D = 28


def _span(v: parts.View) -> tuple[date, date]:
    chosen = st.segmented_control(
        v.t("trends.period"),
        WEEKS,
        default=2,
        required=True,
        format_func=lambda n: v.t("trends.weeks", n=n),
        key="weeks",
        bind="query-params",
    )
    weeks = chosen if chosen in WEEKS else 2
    return v.today - timedelta(days=7 * int(weeks) - 1), v.today


def _days(v: parts.View, first: date, last: date) -> None:
    days = data.summaries(v.sources, v.viewer, v.wearer, first, last, v.zone)
    before = data.summaries(
        v.sources,
        v.viewer,
        v.wearer,
        first - timedelta(days=_BEFORE_D),
        first - timedelta(days=1),
        v.zone,
    )
    shown_first = max(first, last - timedelta(days=27))
    with parts.chapter(v, "days"):
        rows = {d: s for d, s in days.items() if d >= shown_first}
        parts.picture(v, charts.stacked_days(rows, shown_first, last, v.lang), "days")
    with parts.chapter(v, "actogram"):
        grid = data.minutes_of_days(v.sources, v.viewer, v.wearer, shown_first, last, v.zone)
        parts.picture(v, charts.actogram(grid, rows, shown_first, last, v.lang), "actogram")
    with parts.chapter(v, "heatmap"):
        kind = st.segmented_control(
            v.t("trends.heatmap_kind"),
            ("sit", "slouch", "shifts"),
            default="sit",
            required=True,
            format_func=lambda k: v.t(f"trends.kind.{k}"),
            key="heat_kind",
        )
        wide = {**before, **days}
        parts.picture(v, charts.heatmap(wide, v.lang, kind=str(kind or "sit")), "heatmap")
        st.caption(v.t("trends.heatmap_note"))
    now, then = list(days.values()), list(before.values())
    with parts.chapter(v, "accumulation"):
        parts.picture(v, charts.accumulation(now, then, v.lang), "accumulation")
        parts.what_is_this(v, "w50")
    with parts.chapter(v, "angles"):
        parts.picture(v, charts.angles(now, then, v.lang), "angles")
        st.caption(v.t("trends.angles_note"))


def _diary(v: parts.View, first: date, last: date) -> None:
    evenings = data.evenings(v.sources, v.viewer, v.wearer)
    massages = data.massages(v.sources, v.viewer, v.wearer)
    booked = sorted(diaries.massage_days(massages, v.zone))
    for outcome in data.outcomes(v.sources, v.viewer):
        values = diaries.ratings_by_day(evenings, outcome)
        with parts.chapter(v, outcome):
            drawn = charts.ratings(values, booked, first, last, v.lang, outcome=outcome)
            parts.picture(v, drawn, f"ratings_{outcome}")
            if outcome == "tension":
                minutes = data.training_minutes(v.sources, v.viewer, v.wearer, first, last, v.zone)
                weeks = charts.training_weeks(minutes, first, last, v.lang)
                parts.picture(v, weeks, "training_weeks")
        with parts.chapter(v, f"episodes_{outcome}"):
            drawn = charts.episodes(values, booked[-12:], v.lang, outcome=outcome)
            parts.picture(v, drawn, f"episodes_{outcome}")
    with parts.chapter(v, "effect"):
        effects.draw(v)


def show() -> None:
    """The page."""
    v = parts.view()
    parts.header(v, "trends")
    if evening.gate(v):
        return
    first, last = _span(v)
    if data.has_series(v.sources, v.viewer, v.wearer):
        weekly.card(v)
        _days(v, first, last)
    else:
        parts.add_a_sensor(v)
    _diary(v, first, last)


show()
