# SPDX-License-Identifier: Apache-2.0
"""At which lean the sitting happened: 5-degree bins made in Python, so page, PDF and test agree.

`product.md` section 7.6. An accelerometer on the back is good to about +/-5 degrees (Evans 2024),
which the page prints below; no decimals are shown.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from tracker.report.charts.base import ACCENT, INK, Picture, dressed, nothing_yet
from tracker.report.i18n import Language
from tracker.trends.summary import HIST_EDGES_DEG, DaySummary

_LEAST_S = 3600.0


def angles(now: Sequence[DaySummary], before: Sequence[DaySummary], lang: Language) -> Picture:
    """Share of sitting time per 5 degrees of forward lean; `before` as an outline."""
    share = _share(now)
    if share is None:
        return nothing_yet(lang.t("charts.angles.empty"))
    earlier = _share(before)
    used = np.flatnonzero(share > 0.001)
    if earlier is not None:
        used = np.union1d(used, np.flatnonzero(earlier > 0.001))
    low, high = int(used.min()), int(used.max()) + 1
    frame = pd.DataFrame(
        {
            "from": HIST_EDGES_DEG[low:high],
            "to": HIST_EDGES_DEG[low + 1 : high + 1],
            "share": 100 * share[low:high],
        }
    )
    frame["text"] = [
        lang.t("charts.angles.bin", low=a, high=b, share=lang.percent(s / 100))
        for a, b, s in zip(frame["from"], frame["to"], frame["share"], strict=True)
    ]
    x_axis = alt.Axis(
        title=lang.t("charts.angles.x"),
        labelExpr="datum.value + '°'",
        values=[int(v) for v in HIST_EDGES_DEG[low : high + 1] if v % 10 == 0],
        gridOpacity=0.2,
    )
    bars = (
        alt.Chart(frame)
        .mark_bar(color=ACCENT, opacity=0.85, binSpacing=1)
        .encode(
            x=alt.X("from:Q", axis=x_axis, scale=alt.Scale(nice=False)),
            x2="to:Q",
            y=alt.Y(
                "share:Q",
                axis=alt.Axis(
                    title=lang.t("charts.angles.y"),
                    labelExpr="datum.value + ' %'",
                    gridOpacity=0.35,
                ),
            ),
            y2=alt.Y2Datum(0),
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        )
    )
    layers = [bars]
    legend = [(ACCENT, lang.t("charts.accumulation.now"))]
    if earlier is not None:
        steps = pd.DataFrame(
            {
                "at": HIST_EDGES_DEG[low : high + 1],
                "share": 100 * np.append(earlier[low:high], earlier[high - 1]),
            }
        )
        layers.append(
            alt.Chart(steps)
            .mark_line(
                interpolate="step-after", color=INK, strokeWidth=1.6, strokeDash=[5, 3], aria=False
            )
            .encode(x="at:Q", y="share:Q")
        )
        legend.append((INK, lang.t("charts.accumulation.before")))
    p10, p50, p90 = percentiles(share)
    return Picture(
        chart=dressed(alt.layer(*layers), 320),
        alt=lang.t("charts.angles.finding", p10=round(p10), p50=round(p50), p90=round(p90)),
        table=pd.DataFrame(
            {
                lang.t("charts.angles.x"): [
                    f"{lang.number(a)}° … {lang.number(b)}°"
                    for a, b in zip(frame["from"], frame["to"], strict=True)
                ],
                lang.t("charts.angles.y"): [lang.percent(s / 100) for s in frame["share"]],
            }
        ),
        legend=tuple(legend),
    )


def _share(days: Sequence[DaySummary]) -> "np.ndarray[tuple[int], np.dtype[np.float64]] | None":
    total = np.zeros(len(HIST_EDGES_DEG) - 1)
    for day in days:
        total += np.asarray(day.tilt_hist_s)
    if total.sum() < _LEAST_S:
        return None
    return np.asarray(total / total.sum(), np.float64)


def percentiles(share: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[float, ...]:
    """10th, 50th and 90th percentile of the lean in degrees, interpolated inside a bin."""
    below = np.concatenate([[0.0], np.cumsum(share)])
    return tuple(float(np.interp(q, below, HIST_EDGES_DEG)) for q in (0.1, 0.5, 0.9))
