# SPDX-License-Identifier: Apache-2.0
"""The effect card's picture: one likely range a question, around the line of no difference.

`product.md` section 7.9. Points lower lie on the left; a range that crosses the line of no
difference is not a result. Nothing is drawn before the gates of the statistics are met.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from tracker.report.charts.base import ACCENT, FRAME, INK, Picture, dressed, nothing_yet
from tracker.report.i18n import Language

_LEAST = 2.0  # points to either side that the axis shows at least
_ROW = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """One question: its name, the middle and the likely range in points (negative is lower)."""

    name: str
    mean: float
    low: float
    high: float


def effects(ranges: Sequence[Range], lang: Language, *, outcome: str) -> Picture:
    """The likely range of each question that has one."""
    if not ranges:
        return nothing_yet(lang.t("effect.chart.empty"))
    frame = pd.DataFrame(
        [(r.name, r.mean, r.low, r.high, _words(r, lang)) for r in ranges],
        columns=["name", "mean", "low", "high", "text"],
    )
    edge = max(_LEAST, *(max(abs(r.low), abs(r.high)) for r in ranges))
    x = alt.Scale(domain=[-edge, edge])
    axis = alt.Axis(
        title=lang.t(f"effect.chart.x.{outcome}"), grid=False, tickCount=5, tickColor=FRAME
    )
    rows = alt.Y("name:N", sort=None, axis=alt.Axis(title=None, labelLimit=220))
    told = {
        "tooltip": alt.Tooltip("text:N", title=" "),
        "description": alt.Description("text:N"),
    }
    base = alt.Chart(frame).encode(y=rows)
    bars = base.mark_rule(strokeWidth=6, strokeCap="round", color=ACCENT, opacity=0.45).encode(
        x=alt.X("low:Q", scale=x, axis=axis), x2="high:Q", **told
    )
    dots = base.mark_circle(size=110, color=ACCENT, opacity=1).encode(x=alt.X("mean:Q"), **told)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=INK, aria=False)
    chart = alt.layer(zero.encode(x=alt.X("zero:Q", scale=x, axis=axis)), bars, dots)
    return Picture(
        chart=dressed(chart, 70 + _ROW * len(ranges)),
        alt=" ".join(f"{r.name}: {_words(r, lang)}." for r in ranges),
        table=pd.DataFrame(
            {
                lang.t("effect.chart.question"): [r.name for r in ranges],
                lang.t("effect.chart.middle"): [lang.number(r.mean, 1) for r in ranges],
                lang.t("effect.chart.range"): [
                    f"{lang.number(r.low, 1)} … {lang.number(r.high, 1)}" for r in ranges
                ],
            }
        ),
    )


def _words(one: Range, lang: Language) -> str:
    return lang.t(
        "effect.chart.finding",
        mean=lang.number(one.mean, 1),
        low=lang.number(one.low, 1),
        high=lang.number(one.high, 1),
    )
