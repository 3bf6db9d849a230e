# SPDX-License-Identifier: Apache-2.0
"""How sitting adds up: the share of sitting time in sits up to a given length.

`product.md` section 7.5. The drop line at one half is the usual sit length, W50.
"""

import math
from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from tracker.report.charts.base import ACCENT, FRAME, INK, Picture, dressed, nothing_yet
from tracker.report.i18n import Language
from tracker.trends.summary import BOUT_EDGES_MIN, DaySummary

_LEAST_MIN = 60.0
_TICKS = (1, 5, 15, 30, 60, 120, 240)


def accumulation(
    now: Sequence[DaySummary], before: Sequence[DaySummary], lang: Language
) -> Picture:
    """`now` solid, `before` (the wearer's own earlier weeks) dashed."""
    curve = _curve(now)
    if curve is None:
        return nothing_yet(lang.t("charts.accumulation.empty"))
    earlier = _curve(before)
    half = _half(curve)
    names = [lang.t("charts.accumulation.now"), lang.t("charts.accumulation.before")]
    frames = [curve.assign(series=names[0])]
    if earlier is not None:
        frames.append(earlier.assign(series=names[1]))
    lines = (
        alt.Chart(pd.concat(frames))
        .mark_line(strokeWidth=2.4, interpolate="monotone")
        .encode(
            x=alt.X(
                "minutes:Q",
                scale=alt.Scale(type="log", domain=[1, 240], clamp=True, nice=False),
                axis=alt.Axis(
                    values=list(_TICKS),
                    title=lang.t("charts.accumulation.x"),
                    labelExpr="datum.value < 60 ? datum.value + ' min' : datum.value / 60 + ' h'",
                    gridOpacity=0.35,
                ),
            ),
            y=alt.Y(
                "share:Q",
                scale=alt.Scale(domain=[0, 100]),
                axis=alt.Axis(
                    title=lang.t("charts.accumulation.y"),
                    labelExpr="datum.value + ' %'",
                    values=[0, 25, 50, 75, 100],
                    gridOpacity=0.35,
                ),
            ),
            color=alt.Color(
                "series:N", scale=alt.Scale(domain=names, range=[ACCENT, INK]), legend=None
            ),
            strokeDash=alt.StrokeDash(
                "series:N", scale=alt.Scale(domain=names, range=[[1, 0], [5, 4]]), legend=None
            ),
        )
    )
    drops = pd.DataFrame({"x": [1, half], "x2": [half, half], "y": [50, 50], "y2": [50, 0]})
    drop = (
        alt.Chart(drops)
        .mark_rule(color=FRAME, strokeDash=[2, 3], aria=False)
        .encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    )
    legend = [(ACCENT, names[0])] + ([(INK, names[1])] if earlier is not None else [])
    return Picture(
        chart=dressed(alt.layer(drop, lines), 330),
        alt=_finding(half, earlier, lang),
        table=_table(curve, earlier, lang, names),
        legend=tuple(legend),
    )


def _curve(days: Sequence[DaySummary]) -> pd.DataFrame | None:
    """Cumulative share of bout time at the upper edge of each length class."""
    total = np.zeros(len(BOUT_EDGES_MIN) - 1)
    for day in days:
        total += np.asarray(day.bout_hist_min)
    if total.sum() < _LEAST_MIN:
        return None
    upper = [min(edge, 240) for edge in BOUT_EDGES_MIN[1:]]
    share = 100 * np.cumsum(total) / total.sum()
    return pd.DataFrame({"minutes": [1.0, *upper], "share": [0.0, *share]})


def _half(curve: pd.DataFrame) -> float:
    """Length at which the curve passes one half, interpolated on the log axis as drawn."""
    logs = [math.log(m) for m in curve["minutes"]]
    return float(math.exp(np.interp(50.0, curve["share"], logs)))


def _finding(half: float, earlier: pd.DataFrame | None, lang: Language) -> str:
    if earlier is None:
        return lang.t("charts.accumulation.finding", half=lang.duration(half))
    return lang.t(
        "charts.accumulation.finding_before",
        half=lang.duration(half),
        before=lang.duration(_half(earlier)),
    )


def _table(
    curve: pd.DataFrame, earlier: pd.DataFrame | None, lang: Language, names: Sequence[str]
) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            lang.t("charts.accumulation.x"): [lang.duration(m) for m in curve["minutes"]],
            names[0]: [lang.percent(s / 100) for s in curve["share"]],
        }
    )
    if earlier is not None:
        table[names[1]] = [lang.percent(s / 100) for s in earlier["share"]]
    return table
