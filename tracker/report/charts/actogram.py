# SPDX-License-Identifier: Apache-2.0
"""Weeks as a stack of day ribbons on one clock: regular days show as columns.

`product.md` section 7.2. Five-minute steps, runs of equal state merged; a mark per hour between the
rows; left of a row whether its day was full, right of it hours of sitting and the longest sit,
which are the numbers of the day and not counted again from the drawing.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date

import altair as alt
import pandas as pd

from tracker.model import State
from tracker.report.charts.base import (
    COLOURS,
    FRAME,
    Picture,
    clock_axis,
    dressed,
    hatch,
    nothing_yet,
    sit_band,
    state_word,
    wall_clock,
)
from tracker.report.charts.minutes import DayMinutes, runs, worn_window
from tracker.report.charts.rows import day_rows, row_axis, row_label, row_scale, words_at_the_right
from tracker.report.i18n import Language
from tracker.trends.summary import DaySummary

_STEP_MIN = 5
_ROW_PX = 22
_SATURDAY = 5
_FULL, _PART = "●", "○"
_NO_SIGN = "–"


def actogram(
    days: Mapping[date, DayMinutes],
    numbers: Mapping[date, DaySummary],
    first: date,
    last: date,
    lang: Language,
) -> Picture:
    """One row per day from `first` to `last`, oldest on top; `numbers` stand beside the rows."""
    worn = {d: m for d, m in days.items() if m.worn.any()}
    if not worn:
        return nothing_yet(lang.t("charts.actogram.empty"))
    rows = day_rows(first, last)
    windows = [worn_window(m) for m in worn.values()]
    low, high = min(w[0] for w in windows), max(w[1] for w in windows)
    bars, blind = _bars(rows, worn, low, high, lang)
    told = {d: numbers[d] for d in worn if d in numbers}
    y_scale = row_scale(len(rows))
    marks = [f"{row_label(d, lang)} {_badge(told.get(d)) or _NO_SIGN}" for d in rows]
    x = alt.X("from:Q", scale=_clock(low, high), axis=clock_axis(low, high))
    layers = [
        *_ground(rows, low, high),
        alt.Chart(bars)
        .mark_bar()
        .encode(
            x=x,
            x2="to:Q",
            y=alt.Y("top:Q", scale=y_scale, axis=row_axis(marks)),
            y2="bottom:Q",
            color=alt.Color("colour:N", scale=None, legend=None),
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        ),
    ]
    if not blind.empty:
        layers.append(
            alt.Chart(blind)
            .mark_rule(color="#7b898d", strokeWidth=0.7, aria=False)
            .encode(
                x=alt.X("x:Q", scale=_clock(low, high)),
                x2="x2:Q",
                y=alt.Y("y:Q", scale=y_scale, axis=None),
                y2="y2:Q",
            )
        )
    beside = [_beside(told[d], lang) if d in told else "" for d in rows]
    layers.append(words_at_the_right(beside, lang.t("charts.actogram.beside")))
    return Picture(
        chart=dressed(alt.layer(*layers).resolve_axis(y="independent"), _ROW_PX * len(rows) + 52),
        alt=lang.t(
            "charts.actogram.finding",
            worn=len(worn),
            days=lang.t("count.days_of", n=len(rows)),
            valid=sum(s.valid_day for s in told.values()),
        ),
        table=_table(worn, told, lang),
        legend=_legend(set(bars["name"]), told, lang, blind=not blind.empty),
    )


def _clock(low: float, high: float) -> alt.Scale:
    return alt.Scale(domain=[low, high], nice=False, zero=False)


def _badge(day: DaySummary | None) -> str:
    """Whether a measured day was full; a sign, so that it stays readable in black and white."""
    if day is None:
        return ""
    return _FULL if day.valid_day else _PART


def _beside(day: DaySummary, lang: Language) -> str:
    hours = f"{lang.number(day.sit_s / 3600, 1)} h"
    return hours if day.longest_sit_min is None else f"{hours} · {round(day.longest_sit_min)} min"


def _ground(rows: list[date], low: float, high: float) -> list[alt.Chart]:
    """Weekends tinted, and a mark per hour that shows between the rows."""
    y_scale = row_scale(len(rows))
    free = pd.DataFrame(
        [(low, high, i, i + 1) for i, d in enumerate(rows) if d.weekday() >= _SATURDAY],
        columns=["from", "to", "top", "bottom"],
    )
    hours = pd.DataFrame({"hour": range(int(low), int(high) + 1, 60)})
    hours = hours.assign(top=0, bottom=len(rows))
    y = alt.Y("top:Q", scale=y_scale, axis=None)
    tint = (
        alt.Chart(free)
        .mark_rect(color=FRAME, opacity=0.18, aria=False)
        .encode(x=alt.X("from:Q", scale=_clock(low, high)), x2="to:Q", y=y, y2="bottom:Q")
    )
    ticks = (
        alt.Chart(hours)
        .mark_rule(color=FRAME, opacity=0.6, strokeWidth=0.7, aria=False)
        .encode(x=alt.X("hour:Q", scale=_clock(low, high)), y=y, y2="bottom:Q")
    )
    return [ticks] if free.empty else [tint, ticks]


def _legend(
    names: set[str], told: Mapping[date, DaySummary], lang: Language, *, blind: bool
) -> tuple[tuple[str, str], ...]:
    out = [(COLOURS[n], state_word(lang, n)) for n in COLOURS if n in names]
    if blind:
        out.append(("hatch", lang.t("charts.cannot_tell")))
    signs = {_badge(s) for s in told.values()}
    words = ((_FULL, "charts.full_day"), (_PART, "charts.part_day"))
    return (*out, *((sign, lang.t(key)) for sign, key in words if sign in signs))


def _bars(
    rows: list[date], worn: Mapping[date, DayMinutes], low: float, high: float, lang: Language
) -> tuple[pd.DataFrame, pd.DataFrame]:
    drawn: list[tuple[object, ...]] = []
    blind: list[pd.DataFrame] = []
    for index, day in enumerate(rows):
        if day not in worn:
            continue
        unseen: list[tuple[float, float]] = []
        for run in runs(worn[day], step_min=_STEP_MIN):
            start, end = max(run.from_min, low), min(run.to_min, high)
            if end <= start or not run.measured or run.state is State.NOT_WORN:
                continue
            if run.state is State.UNKNOWN:
                unseen.append((start, end))
                continue
            sits = run.state in {State.SITTING, State.SLOUCHING}
            name = sit_band(run.sit_min) if sits else run.state.label
            word = state_word(lang, run.state.label)
            text = f"{lang.day(day)} {wall_clock(start)}–{wall_clock(end)}: {word}"
            drawn.append((start, end, index + 0.12, index + 0.88, COLOURS[name], name, text))
        if unseen:
            blind.append(hatch(unseen, y=index + 0.88, y2=index + 0.12, pitch=6, lean=10))
    frame = pd.DataFrame(drawn, columns=["from", "to", "top", "bottom", "colour", "name", "text"])
    return frame, pd.concat(blind) if blind else pd.DataFrame()


def _table(days: Collection[date], told: Mapping[date, DaySummary], lang: Language) -> pd.DataFrame:
    """The numbers of the days, as everywhere else; the drawing is coarser than they are."""

    def column(of: Callable[[DaySummary], str]) -> list[str]:
        return [of(told[d]) if d in told else lang.number(None) for d in days]

    def state(label: str) -> list[str]:
        return column(lambda s: lang.duration(s.seconds.get(label, 0) / 60))

    return pd.DataFrame(
        {
            lang.t("charts.day"): [lang.day(d, weekday=True) for d in days],
            lang.t("charts.worn"): column(lambda s: lang.duration(s.worn_s / 60)),
            lang.t("charts.full_day"): column(
                lambda s: lang.t("dashboard.yes" if s.valid_day else "dashboard.no")
            ),
            lang.t("common.metric.sitting"): column(lambda s: lang.duration(s.sit_s / 60)),
            lang.t("common.metric.longest_sit"): column(lambda s: lang.duration(s.longest_sit_min)),
            lang.t("common.state.standing"): state("standing"),
            lang.t("common.state.walking"): state("walking"),
            lang.t("charts.cannot_tell_uncounted"): state("unknown"),
        }
    )
