# SPDX-License-Identifier: Apache-2.0
"""Days side by side: sitting to the left in bands of unbroken length, everything else to the right.

`product.md` section 7.4. A day that was not measured keeps its row and stays empty: it is not a
day without sitting. Grey lies behind the worn time; what could not be told within it is hatched
after the last bar and counted nowhere, also not in the share of sitting at the right.
"""

from collections.abc import Mapping, Sequence
from datetime import date
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
    hatch,
    nothing_yet,
    state_word,
)
from tracker.report.charts.rows import day_rows, row_axis, row_label, row_scale, words_at_the_right
from tracker.report.i18n import Language
from tracker.trends.summary import BOUT_EDGES_MIN, DaySummary

_RIGHT = ("standing", "walking", "exercise", "lying")
_BLIND = "unknown"
_GROUND = "#b9c3c6"
_ROW_PX = 26
_AIR = 0.17  # of a row, above and below its bar


def stacked_days(
    days: Mapping[date, DaySummary], first: date, last: date, lang: Language
) -> Picture:
    """One row per day from `first` to `last`; hours of the worn time."""
    if not days:
        return nothing_yet(lang.t("charts.days.empty"))
    rows = day_rows(first, last)
    frame = pd.DataFrame(
        [row for i, d in enumerate(rows) if d in days for row in _segments(i, d, days[d], lang)],
        columns=["top", "bottom", "name", "from", "to", "text"],
    )
    if frame.empty:
        return nothing_yet(lang.t("charts.days.empty"))
    reach = max(1.0, -frame["from"].min(), frame["to"].max())
    known = frame[frame["name"] != _BLIND]
    bars = (
        alt.Chart(known)
        .mark_bar(stroke=FRAME, strokeWidth=0.4)
        .encode(
            y=_row_y("top", rows, axis=row_axis([row_label(d, lang) for d in rows])),
            y2="bottom:Q",
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
    index = [lang.percent(days[d].sedentary_index) if d in days else "" for d in rows]
    layers = [
        _worn_ground(frame, rows),
        bars,
        *_cannot_tell(frame[frame["name"] == _BLIND], rows),
        centre,
        _counts(rows, days, lang),
        words_at_the_right(index, lang.t("charts.days.index_short")),
    ]
    legend = [(COLOURS[n], state_word(lang, n)) for n in COLOURS if n in set(known["name"])]
    if len(known) < len(frame):
        legend.append(("hatch", lang.t("charts.cannot_tell_uncounted")))
    return Picture(
        chart=dressed(alt.layer(*layers).resolve_axis(y="independent"), _ROW_PX * len(rows) + 74),
        alt=_finding(days, lang),
        table=_table(days, lang),
        legend=(*legend, (_GROUND, lang.t("charts.worn"))),
    )


def _row_y(name: str, rows: Sequence[date], axis: alt.Axis | None = None) -> alt.Y:
    return alt.Y(f"{name}:Q", scale=row_scale(len(rows)), axis=axis)


def _worn_ground(frame: pd.DataFrame, rows: Sequence[date]) -> Any:
    """Grey behind everything of a day, from its sitting to what could not be told."""
    worn = frame.groupby("top", as_index=False).agg({"from": "min", "to": "max"})
    worn = worn.assign(top=worn["top"] - _AIR + 0.02, bottom=worn["top"] + 1 - _AIR - 0.02)
    return (
        alt.Chart(worn)
        .mark_rect(color=_GROUND, opacity=0.45, aria=False)
        .encode(x="from:Q", x2="to:Q", y=_row_y("top", rows), y2="bottom:Q")
    )


def _cannot_tell(blind: pd.DataFrame, rows: Sequence[date]) -> list[Any]:
    """The hatched remainder; it says what it is when pointed at."""
    if blind.empty:
        return []
    lines = [
        hatch([(row["from"], row["to"])], y=row["bottom"], y2=row["top"], pitch=0.2, lean=0.3)
        for _, row in blind.iterrows()
    ]
    area = (
        alt.Chart(blind)
        .mark_rect(color=COLOURS["unknown"], stroke=FRAME, strokeWidth=0.4)
        .encode(
            x="from:Q",
            x2="to:Q",
            y=_row_y("top", rows),
            y2="bottom:Q",
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        )
    )
    drawn = (
        alt.Chart(pd.concat(lines))
        .mark_rule(color="#7b898d", strokeWidth=0.7, aria=False)
        .encode(x="x:Q", x2="x2:Q", y=_row_y("y", rows), y2="y2:Q")
    )
    return [area, drawn]


def _counts(rows: Sequence[date], days: Mapping[date, DaySummary], lang: Language) -> Any:
    """The number of sitting bouts in brackets, left of each bar."""
    shown = [(i, days[d]) for i, d in enumerate(rows) if d in days]
    frame = pd.DataFrame(
        {
            "middle": [i + 0.5 for i, _ in shown],
            "at": [-sum(band_minutes(s).values()) / 60 for _, s in shown],
            "text": [f"[{lang.number(s.bouts, 0)}]" for _, s in shown],
        }
    )
    return (
        alt.Chart(frame)
        .mark_text(align="right", dx=-4, fontSize=11, color=INK, aria=False)
        .encode(y=_row_y("middle", rows), x="at:Q", text="text:N")
    )


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


def _segments(
    index: int, day: date, summary: DaySummary, lang: Language
) -> list[tuple[object, ...]]:
    """(top, bottom, name, from_h, to_h, words) of each piece of one row."""
    rows: list[tuple[object, ...]] = []

    def put(name: str, start: float, end: float, word: str) -> None:
        text = f"{row_label(day, lang)} {word}: {lang.duration((end - start) * 60)}"
        rows.append((index + _AIR, index + 1 - _AIR, name, start, end, text))

    at = 0.0
    for name, minutes in band_minutes(summary).items():
        if minutes > 0:
            put(name, at - minutes / 60, at, state_word(lang, name))
            at -= minutes / 60
    at = 0.0
    for name in (*_RIGHT, _BLIND):
        hours = summary.seconds.get(name, 0) / 3600
        if hours > 0:
            word = lang.t("charts.cannot_tell") if name == _BLIND else state_word(lang, name)
            put(name, at, at + hours, word)
            at += hours
    return rows


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
            t("charts.days.index"): [lang.percent(s.sedentary_index) for s in days.values()],
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
            t("charts.cannot_tell_uncounted"): [
                lang.duration(s.seconds.get(_BLIND, 0) / 60) for s in days.values()
            ],
        }
    )
