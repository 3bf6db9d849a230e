# SPDX-License-Identifier: Apache-2.0
"""Training: a calendar of core minutes and one line per exercise.

`product.md` section 7.7. Only the wearer's own line is shown: norms are no targets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import altair as alt
import pandas as pd

from tracker.report.charts.base import COLOURS, FRAME, INK, Picture, dressed, nothing_yet
from tracker.report.charts.diary import day_axis, short_day
from tracker.report.i18n import Language

_PALE, _DEEP = (230, 211, 234), (126, 47, 142)  # red, green, blue


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What was done of one exercise on one day: most repetitions in a set, longest hold."""

    day: date
    reps: int
    hold_s: float


def calendar(
    minutes: Mapping[date, float],
    planned: Sequence[date],
    first: date,
    last: date,
    lang: Language,
) -> Picture:
    """Weeks to the right, weekdays down; darker is more core minutes, a ring is planned."""
    monday = first - timedelta(days=first.weekday())
    days = [monday + timedelta(days=i) for i in range((last - monday).days + 1)]
    trained = {d: m for d, m in minutes.items() if monday <= d <= last and m > 0}
    if not trained and not planned:
        return nothing_yet(lang.t("charts.calendar.empty"))
    names = [lang.weekday(i) for i in range(7)]
    frame = pd.DataFrame(
        {
            "week": [(d - monday).days // 7 for d in days],
            "day": [lang.weekday(d.weekday()) for d in days],
            "fill": [_fill(trained.get(d, 0.0)) for d in days],
            "text": [
                f"{lang.day(d, weekday=True)}: "
                + (lang.duration(trained[d]) if d in trained else lang.t("charts.calendar.none"))
                for d in days
            ],
        }
    )
    weeks = int(frame["week"].max()) + 1
    labels = [short_day(monday + timedelta(days=7 * w), lang) for w in range(weeks)]
    step = max(1, -(-weeks // 6))
    base = alt.Chart(frame).encode(
        x=alt.X(
            "week:O",
            axis=alt.Axis(
                values=list(range(0, weeks, step)),
                labelExpr=f"{labels!r}[datum.value]",
                labelAngle=0,
                title=None,
                ticks=False,
                domain=False,
            ),
        ),
        y=alt.Y("day:N", sort=names, axis=alt.Axis(title=None, ticks=False, domain=False)),
    )
    tiles = base.mark_rect(stroke=FRAME, strokeWidth=0.5, cornerRadius=3).encode(
        color=alt.Color("fill:N", scale=None, legend=None),
        tooltip=alt.Tooltip("text:N", title=" "),
        description=alt.Description("text:N"),
    )
    layers = [tiles]
    rings = [d for d in planned if monday <= d <= last]
    if rings:
        where = pd.DataFrame(
            {
                "week": [(d - monday).days // 7 for d in rings],
                "day": [lang.weekday(d.weekday()) for d in rings],
            }
        )
        layers.append(
            alt.Chart(where)
            .mark_point(color=INK, size=60, strokeWidth=1.6, aria=False)
            .encode(x="week:O", y=alt.Y("day:N", sort=names))
        )
    legend = [(COLOURS["exercise"], lang.t("charts.calendar.minutes"))]
    if rings:
        legend.append(("dotted", lang.t("charts.calendar.planned")))
    return Picture(
        chart=dressed(alt.layer(*layers), 232),
        alt=lang.t(
            "charts.calendar.finding",
            days=lang.t("count.days_of", n=len(trained)),
            weeks=lang.t("count.weeks_of", n=weeks),
            minutes=lang.duration(sum(trained.values())),
        ),
        table=pd.DataFrame(
            {
                lang.t("charts.day"): [lang.day(d, weekday=True) for d in trained],
                lang.t("charts.calendar.minutes"): [lang.duration(m) for m in trained.values()],
            }
        ),
        legend=tuple(legend),
    )


def _fill(minutes: float) -> str:
    """Darker for more minutes, up to half an hour; no colour for none (Vega drops empty cells)."""
    if minutes <= 0:
        return "transparent"
    share = min(1.0, minutes / 30)
    mixed = [round(a + (b - a) * share) for a, b in zip(_PALE, _DEEP, strict=True)]
    return "#" + "".join(f"{c:02x}" for c in mixed)


def progress(scores: Sequence[Score], name: str, lang: Language, *, hold: bool) -> Picture:
    """Best set of each training day, with the best so far as a line of its own."""
    done = [s for s in scores if (s.hold_s if hold else s.reps) > 0]
    if not done:
        return nothing_yet(lang.t("charts.progress.empty", exercise=name))
    first, last = done[0].day, done[-1].day
    n_days = max(7, (last - first).days + 1)
    unit = "s" if hold else "reps"
    values = [round(s.hold_s) if hold else s.reps for s in done]
    best = pd.Series(values).cummax().tolist()
    frame = pd.DataFrame(
        {
            "at": [(s.day - first).days for s in done],
            "value": values,
            "best": best,
            "text": [
                lang.t(f"charts.progress.point_{unit}", day=lang.day(s.day), value=v)
                for s, v in zip(done, values, strict=True)
            ],
        }
    )
    x = alt.X(
        "at:Q",
        scale=alt.Scale(domain=[-0.5, n_days - 0.5], nice=False),
        axis=day_axis(first, n_days, lang),
    )
    y_axis = alt.Axis(title=lang.t(f"charts.progress.y_{unit}"), tickMinStep=1, gridOpacity=0.35)
    base = alt.Chart(frame)
    layers = [
        base.mark_line(
            color=COLOURS["exercise"], interpolate="step-after", strokeWidth=2, aria=False
        ).encode(x=x, y=alt.Y("best:Q", axis=y_axis)),
        base.mark_circle(color=INK, size=44).encode(
            x=x,
            y="value:Q",
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        ),
    ]
    return Picture(
        chart=dressed(alt.layer(*layers), 240),
        alt=lang.t(
            f"charts.progress.finding_{unit}", exercise=name, best=best[-1], newest=values[-1]
        ),
        table=pd.DataFrame(
            {
                lang.t("charts.day"): [lang.day(s.day, weekday=True) for s in done],
                lang.t(f"charts.progress.y_{unit}"): [str(v) for v in values],
            }
        ),
        legend=(
            (INK, lang.t("charts.progress.sets")),
            (COLOURS["exercise"], lang.t("charts.progress.best")),
        ),
    )
