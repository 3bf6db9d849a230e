# SPDX-License-Identifier: Apache-2.0
"""Hour by weekday: when do I sit longest, most slumped, or with least change.

`product.md` section 7.3. Weekdays run to the right and hours down, which fits a phone. A cell
needs three days with at least half of the hour seen; else it says "–" and has no colour.
"""

from collections.abc import Mapping
from datetime import date

import altair as alt
import pandas as pd

from tracker.report.charts.base import FRAME, INK, Picture, dressed, nothing_yet
from tracker.report.i18n import Language
from tracker.trends.problem import MIN_DAYS, Value, hour_weekday
from tracker.trends.summary import DaySummary

LEAST_DAYS = MIN_DAYS
KINDS: dict[str, Value] = {"sit": "sit_min", "slouch": "slouch_pct", "shifts": "shifts_per_h"}
_STEPS = ((255, 248, 225), (255, 167, 0), (138, 79, 0))  # red, green, blue
_TOP = {"sit": 60.0, "slouch": 100.0, "shifts": 40.0}


def heatmap(days: Mapping[date, DaySummary], lang: Language, *, kind: str = "sit") -> Picture:
    """Mean by weekday and hour.

    `kind`: "sit" in minutes an hour, "slouch" in per cent of sitting, "shifts" as posture changes
    per sitting hour.
    """
    cells = _cells(days, KINDS[kind])
    full = {at: v for at, v in cells.items() if v[1] >= LEAST_DAYS}
    if not full:
        return nothing_yet(lang.t("charts.heatmap.empty", n=LEAST_DAYS))
    hours = range(min(h for _, h in cells), max(h for _, h in cells) + 1)
    rows = []
    for weekday in range(7):
        for hour in hours:
            mean, n = cells.get((weekday, hour), (float("nan"), 0))
            known = n >= LEAST_DAYS
            rows.append(
                (
                    lang.weekday(weekday),
                    hour,
                    mean if known else None,
                    _shown(mean, kind) if known else "–",
                    _say(lang, weekday, hour, mean if known else None, n, kind),
                    _ink(mean if known else None, kind),
                    _fill(mean if known else None, kind),
                )
            )
    frame = pd.DataFrame(rows, columns=["day", "hour", "value", "label", "text", "ink", "fill"])
    names = [lang.weekday(i) for i in range(7)]
    base = alt.Chart(frame).encode(
        x=alt.X(
            "day:N",
            sort=names,
            scale=alt.Scale(domain=names),
            axis=alt.Axis(title=None, orient="top", labelAngle=0, ticks=False, domain=False),
        ),
        y=alt.Y(
            "hour:O",
            axis=alt.Axis(
                title=None,
                labelExpr="format(datum.value, '02d') + ':00'",
                ticks=False,
                domain=False,
            ),
        ),
    )
    tiles = base.mark_rect(stroke=FRAME, strokeWidth=0.3).encode(
        color=alt.Color("fill:N", scale=None, legend=None),
        tooltip=alt.Tooltip("text:N", title=" "),
        description=alt.Description("text:N"),
    )
    words = base.mark_text(fontSize=11, aria=False).encode(
        text="label:N",
        color=alt.Color("ink:N", scale=None, legend=None),
    )
    return Picture(
        chart=dressed(alt.layer(tiles, words), 21 * len(hours) + 34),
        alt=_finding(full, lang, kind),
        table=_table(cells, lang, kind, hours),
    )


def _ink(mean: float | None, kind: str) -> str:
    """Colour of a number that reads on its own cell."""
    if mean is None:
        return INK
    return "#ffffff" if mean > 0.72 * _TOP[kind] else "#22170a"


def _fill(mean: float | None, kind: str) -> str:
    """Colour of a cell: one hue from pale to deep over the fixed scale of its kind."""
    if mean is None:
        return "transparent"
    at = min(1.0, max(0.0, mean / _TOP[kind])) * (len(_STEPS) - 1)
    low = min(int(at), len(_STEPS) - 2)
    mixed = [a + (b - a) * (at - low) for a, b in zip(_STEPS[low], _STEPS[low + 1], strict=True)]
    return "#" + "".join(f"{round(c):02x}" for c in mixed)


def _cells(
    days: Mapping[date, DaySummary], kind: Value
) -> dict[tuple[int, int], tuple[float, int]]:
    """(weekday, hour) -> mean and number of days in which the hour was seen."""
    matrix = hour_weekday(days, kind, min_days=1)
    return {
        (weekday, hour): (float(matrix.value[hour, weekday]), int(matrix.n[hour, weekday]))
        for weekday in range(7)
        for hour in range(24)
        if matrix.n[hour, weekday] > 0
    }


def _shown(mean: float, kind: str) -> str:
    return f"{mean:.0f}"


def _say(lang: Language, weekday: int, hour: int, mean: float | None, n: int, kind: str) -> str:
    at = f"{lang.weekday(weekday)} {hour:02d}–{hour + 1:02d}"
    if mean is None:
        return lang.t("charts.heatmap.cell_missing", at=at, n=n)
    return lang.t(f"charts.heatmap.cell_{kind}", at=at, value=round(mean), n=n)


def _finding(full: Mapping[tuple[int, int], tuple[float, int]], lang: Language, kind: str) -> str:
    pick = min if kind == "shifts" else max
    (weekday, hour), (mean, _) = pick(full.items(), key=lambda item: item[1][0])
    at = f"{lang.weekday(weekday)} {hour:02d}–{hour + 1:02d}"
    return lang.t(f"charts.heatmap.finding_{kind}", at=at, value=round(mean))


def _table(
    cells: Mapping[tuple[int, int], tuple[float, int]], lang: Language, kind: str, hours: range
) -> pd.DataFrame:
    def cell(weekday: int, hour: int) -> str:
        mean, n = cells.get((weekday, hour), (0.0, 0))
        return _shown(mean, kind) if n >= LEAST_DAYS else "–"

    return pd.DataFrame(
        {
            lang.t("charts.hour"): [f"{h:02d}:00" for h in hours],
            **{lang.weekday(d): [cell(d, h) for h in hours] for d in range(7)},
        }
    )
