# SPDX-License-Identifier: Apache-2.0
"""Weeks as a stack of day ribbons on one clock: regular days show as columns.

`product.md` section 7.2. Five-minute steps, runs of equal state merged.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import altair as alt
import pandas as pd

from tracker.model import State
from tracker.report.charts.base import (
    COLOURS,
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
from tracker.report.i18n import Language

_STEP_MIN = 5
_ROW_PX = 22


def actogram(days: Mapping[date, DayMinutes], first: date, last: date, lang: Language) -> Picture:
    """One row per day from `first` to `last`, oldest on top."""
    worn = {d: m for d, m in days.items() if m.worn.any()}
    if not worn:
        return nothing_yet(lang.t("charts.actogram.empty"))
    rows = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    windows = [worn_window(m) for m in worn.values()]
    low, high = min(w[0] for w in windows), max(w[1] for w in windows)
    bars, blind = _bars(rows, worn, low, high, lang)
    y_scale = alt.Scale(domain=[len(rows), 0], nice=False)
    labels = [f"{lang.weekday(d.weekday())} {d.day}.{d.month}." for d in rows]
    y_axis = alt.Axis(
        values=[i + 0.5 for i in range(len(rows))],
        labelExpr=f"{labels!r}[floor(datum.value)]",
        title=None,
        grid=False,
        ticks=False,
        domain=False,
        labelPadding=6,
        labelOverlap=False,
    )
    x = alt.X("from:Q", scale=alt.Scale(domain=[low, high], nice=False), axis=clock_axis(low, high))
    layers = [
        alt.Chart(bars)
        .mark_bar()
        .encode(
            x=x,
            x2="to:Q",
            y=alt.Y("top:Q", scale=y_scale, axis=y_axis),
            y2="bottom:Q",
            color=alt.Color("colour:N", scale=None, legend=None),
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        )
    ]
    if not blind.empty:
        layers.append(
            alt.Chart(blind)
            .mark_rule(color="#7b898d", strokeWidth=0.7, aria=False)
            .encode(x="x:Q", x2="x2:Q", y=alt.Y("y:Q", scale=y_scale), y2="y2:Q")
        )
    names = set(bars["name"])
    legend = [(COLOURS[n], state_word(lang, n)) for n in COLOURS if n in names]
    if not blind.empty:
        legend.append(("hatch", lang.t("charts.cannot_tell")))
    return Picture(
        chart=dressed(alt.layer(*layers), _ROW_PX * len(rows) + 34),
        alt=lang.t(
            "charts.actogram.finding", worn=len(worn), days=lang.t("count.days_of", n=len(rows))
        ),
        table=_table(worn, lang),
        legend=tuple(legend),
    )


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


def _table(days: Mapping[date, DayMinutes], lang: Language) -> pd.DataFrame:
    def minutes(day: DayMinutes, *states: State) -> str:
        return lang.duration(float(sum((day.state[day.measured] == s).sum() for s in states)))

    return pd.DataFrame(
        {
            lang.t("charts.day"): [lang.day(d, weekday=True) for d in days],
            lang.t("charts.worn"): [lang.duration(float(m.worn.sum())) for m in days.values()],
            lang.t("common.state.sitting"): [
                minutes(m, State.SITTING, State.SLOUCHING) for m in days.values()
            ],
            lang.t("common.state.standing"): [minutes(m, State.STANDING) for m in days.values()],
            lang.t("common.state.walking"): [minutes(m, State.WALKING) for m in days.values()],
        }
    )
