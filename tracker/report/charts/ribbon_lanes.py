# SPDX-License-Identifier: Apache-2.0
"""The lanes below a day's ribbon: ticks for posture changes, and the slump as a curve."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from tracker.report.charts.base import COLOURS, FRAME, INK
from tracker.report.charts.minutes import DayMinutes
from tracker.report.i18n import Language

_SHIFTS = (61.0, 66.0)  # in pixels from the top, like the curve
_CURVE = (76.0, 136.0)
_STEP_MIN = 10  # one point of the slump curve


def shift_ticks(day: DayMinutes, low: float, high: float) -> list[float]:
    """The wall-clock minutes with a posture change."""
    at = [day.wall_min(int(i)) + 0.5 for i in np.flatnonzero(day.shifts)]
    return [minute for minute in at if low <= minute <= high]


def tick_layer(ticks: Sequence[float], y_scale: alt.Scale) -> list[Any]:
    """The lane of posture changes; no layer without one."""
    if not ticks:
        return []
    return [
        alt.Chart(pd.DataFrame({"at": ticks}))
        .mark_rule(color=INK, strokeWidth=0.8, opacity=0.7, aria=False)
        .encode(
            x="at:Q",
            y=alt.Y(datum=_SHIFTS[0], scale=y_scale, axis=None),
            y2=alt.Y2Datum(_SHIFTS[1]),
        )
    ]


def slump_curve(day: DayMinutes, low: float, high: float) -> pd.DataFrame | None:
    """Median and 10-90 % of the slump in steps of ten minutes; None where it is unknown."""
    rows = []
    part, before = 0, -1
    for first in range(0, len(day.state), _STEP_MIN):
        window = day.slump_pct[first : first + _STEP_MIN]
        seen = window[~np.isnan(window) & np.isin(day.state[first : first + _STEP_MIN], (3, 4))]
        if seen.size < 3:
            continue
        if first - before > _STEP_MIN:
            part += 1
        before = first
        p10, p50, p90 = np.percentile(np.clip(seen, 0, 100), [10, 50, 90])
        rows.append((day.wall_min(first) + _STEP_MIN / 2, p10, p50, p90, part))
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["at", "p10", "p50", "p90", "part"])
    span = _CURVE[1] - _CURVE[0]
    for column in ("p10", "p50", "p90"):
        frame[column] = _CURVE[1] - frame[column] / 100 * span
    return frame[(frame["at"] >= low) & (frame["at"] <= high)]


def curve_layers(
    curve: pd.DataFrame, lang: Language, y_scale: alt.Scale, low: float, high: float
) -> list[Any]:
    """The curve between its two dashed ends, the wearer's own tall and slumped pose."""
    base = alt.Chart(curve).encode(x="at:Q", detail="part:N")
    ends = pd.DataFrame(
        {
            "at": [low, low],
            "to": [high, high],
            "y": [_CURVE[0], _CURVE[1]],
            "text": [lang.t("charts.ribbon.slumped"), lang.t("charts.ribbon.tall")],
            "shift": [_CURVE[0] - 6, _CURVE[1] + 7],
        }
    )
    return [
        alt.Chart(ends)
        .mark_rule(strokeDash=[3, 3], color=FRAME, strokeWidth=1, aria=False)
        .encode(x="at:Q", x2="to:Q", y=alt.Y("y:Q", scale=y_scale, axis=None)),
        base.mark_area(color=COLOURS["slouching"], opacity=0.25, aria=False).encode(
            y=alt.Y("p90:Q", scale=y_scale, axis=None), y2="p10:Q"
        ),
        base.mark_line(color=COLOURS["slouching"], strokeWidth=1.8, aria=False).encode(
            y=alt.Y("p50:Q", scale=y_scale, axis=None)
        ),
        alt.Chart(ends)
        .mark_text(align="left", baseline="middle", fontSize=11, color=INK, dx=2)
        .encode(x="at:Q", y=alt.Y("shift:Q", scale=y_scale, axis=None), text="text:N"),
    ]
