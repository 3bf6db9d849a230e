# SPDX-License-Identifier: Apache-2.0
"""Days side by side: sitting to the left in bands of unbroken length, everything else to the right.

`product.md` section 7.4. A day that was not measured keeps its row and stays empty: it is not a
day without sitting.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt
import pandas as pd

from tracker.report.charts.base import (
    COLOURS,
    FRAME,
    INK,
    SIT_BANDS,
    Picture,
    dressed,
    nothing_yet,
    state_word,
)
from tracker.report.i18n import Language
from tracker.trends.summary import BOUT_EDGES_MIN, DaySummary

_RIGHT = ("standing", "walking", "exercise", "lying")
_ROW_PX = 26


def stacked_days(
    days: Mapping[date, DaySummary], first: date, last: date, lang: Language
) -> Picture:
    """One row per day from `first` to `last`; hours of the worn time."""
    if not days:
        return nothing_yet(lang.t("charts.days.empty"))
    rows = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    labels = [_label(d, lang) for d in rows]
    frame = pd.DataFrame(
        [row for d in rows if d in days for row in _segments(d, days[d], lang)],
        columns=["day", "name", "from", "to", "text"],
    )
    if frame.empty:
        return nothing_yet(lang.t("charts.days.empty"))
    reach = max(1.0, -frame["from"].min(), frame["to"].max())
    y = alt.Y("day:N", sort=labels, scale=alt.Scale(domain=labels), axis=_day_axis())
    bars = (
        alt.Chart(frame)
        .mark_bar(height=_ROW_PX - 9, stroke=FRAME, strokeWidth=0.4)
        .encode(
            y=y,
            x=alt.X(
                "from:Q",
                scale=alt.Scale(domain=[-reach * 1.15, reach * 1.15], nice=True),
                axis=alt.Axis(
                    title=lang.t("charts.days.axis"),
                    labelExpr="abs(datum.value) + ' h'",
                    gridOpacity=0.35,
                    tickMinStep=1,
                    tickCount=6,
                ),
            ),
            x2="to:Q",
            color=alt.Color("colour:N", scale=None, legend=None),
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        )
        .transform_calculate(colour=_colour_expression())
    )
    centre = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(color=INK, aria=False).encode(x="x:Q")
    height = _ROW_PX * len(rows) + 56
    used = [n for n in COLOURS if n in set(frame["name"])]
    return Picture(
        chart=dressed(alt.layer(bars, centre, _counts(rows, days, lang)), height),
        alt=_finding(days, lang),
        table=_table(days, lang),
        legend=tuple((COLOURS[n], state_word(lang, n)) for n in used),
    )


def _counts(rows: Sequence[date], days: Mapping[date, DaySummary], lang: Language) -> Any:
    """The number of sitting bouts in brackets, left of each bar."""
    shown = [d for d in rows if d in days]
    frame = pd.DataFrame(
        {
            "day": [_label(d, lang) for d in shown],
            "at": [-sum(band_minutes(days[d]).values()) / 60 for d in shown],
            "text": [f"[{lang.number(days[d].bouts, 0)}]" for d in shown],
        }
    )
    return (
        alt.Chart(frame)
        .mark_text(align="right", dx=-4, fontSize=11, color=INK, aria=False)
        .encode(y=alt.Y("day:N"), x="at:Q", text="text:N")
    )


def _label(day: date, lang: Language) -> str:
    return f"{lang.weekday(day.weekday())} {day.day}.{day.month}."


def _day_axis() -> alt.Axis:
    return alt.Axis(title=None, domain=False, ticks=False, labelPadding=6, labelOverlap=False)


def _colour_expression() -> str:
    pairs = "".join(f"datum.name == '{n}' ? '{c}' : " for n, c in COLOURS.items())
    return f"{pairs}'#cccccc'"


def band_minutes(day: DaySummary) -> dict[str, float]:
    """Minutes of sitting by band of unbroken length; sitting in no bout counts as the shortest."""
    out = dict.fromkeys((name for _, name, _ in SIT_BANDS), 0.0)
    for low, minutes in zip(BOUT_EDGES_MIN[:-1], day.bout_hist_min, strict=True):
        name = next(n for limit, n, _ in SIT_BANDS if low < limit)
        out[name] += minutes
    out["sit_0"] += max(0.0, day.sit_s / 60 - sum(out.values()))
    return out


def _segments(day: date, summary: DaySummary, lang: Language) -> list[tuple[object, ...]]:
    label = _label(day, lang)
    rows: list[tuple[object, ...]] = []
    at = 0.0
    for name, minutes in band_minutes(summary).items():
        if minutes > 0:
            rows.append(_segment(label, name, at - minutes / 60, at, minutes, lang))
            at -= minutes / 60
    at = 0.0
    for name in _RIGHT:
        hours = summary.seconds.get(name, 0) / 3600
        if hours > 0:
            rows.append(_segment(label, name, at, at + hours, hours * 60, lang))
            at += hours
    return rows


def _segment(
    label: str, name: str, start: float, end: float, minutes: float, lang: Language
) -> tuple[object, ...]:
    return (
        label,
        name,
        start,
        end,
        f"{label} {state_word(lang, name)}: {lang.duration(minutes)}",
    )


def _finding(days: Mapping[date, DaySummary], lang: Language) -> str:
    valid = [d for d in days.values() if d.valid_day]
    if not valid:
        return lang.t("charts.days.no_valid", n=len(days))
    mean = sum(d.sit_s for d in valid) / len(valid) / 60
    return lang.t(
        "charts.days.finding",
        sitting=lang.duration(mean),
        valid=len(valid),
        measured=len(days),
    )


def _table(days: Mapping[date, DaySummary], lang: Language) -> pd.DataFrame:
    t = lang.t
    return pd.DataFrame(
        {
            t("charts.day"): [lang.day(d, weekday=True) for d in days],
            t("charts.worn"): [lang.duration(s.worn_s / 60) for s in days.values()],
            t("common.metric.sitting"): [lang.duration(s.sit_s / 60) for s in days.values()],
            t("charts.days.sits"): [lang.number(s.bouts, 0) for s in days.values()],
            t("common.metric.longest_sit"): [
                lang.duration(s.longest_sit_min) for s in days.values()
            ],
            **{
                t(f"common.state.{n}"): [
                    lang.duration(s.seconds.get(n, 0) / 60) for s in days.values()
                ]
                for n in _RIGHT
            },
        }
    )
