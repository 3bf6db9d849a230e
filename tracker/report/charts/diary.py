# SPDX-License-Identifier: Apache-2.0
"""Tension (or pain) by day with massages, training by week, and each massage as its own line.

`product.md` section 7.8. Training has its own picture below, not a second axis. Massage episodes
are plain lines of the wearer's own ratings: no average and no effect is drawn, because people
book massages on bad days and the days after look better by themselves.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import altair as alt
import pandas as pd

from tracker.report.charts.base import ACCENT, COLOURS, FRAME, INK, Picture, dressed, nothing_yet
from tracker.report.i18n import Language

_LEAST = 3
_AFTER_D = 7


def ratings(
    values: Mapping[date, int],
    massages: Sequence[date],
    first: date,
    last: date,
    lang: Language,
    *,
    outcome: str = "tension",
) -> Picture:
    """Evening ratings 0-10 as dots, their 7-day median as a line, massages as triangles below."""
    shown = {d: v for d, v in sorted(values.items()) if first <= d <= last}
    if len(shown) < _LEAST:
        return nothing_yet(lang.t(f"charts.{outcome}.empty", n=_LEAST - len(shown)))
    n_days = (last - first).days + 1
    dots = pd.DataFrame(
        {
            "at": [(d - first).days for d in shown],
            "value": list(shown.values()),
            "text": [f"{lang.day(d, weekday=True)}: {v}" for d, v in shown.items()],
        }
    )
    x = alt.X(
        "at:Q",
        scale=alt.Scale(domain=[-0.5, n_days - 0.5], nice=False),
        axis=day_axis(first, n_days, lang),
    )
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(domain=[-1.4, 10.4], nice=False),
        axis=alt.Axis(
            values=[0, 2, 4, 6, 8, 10], title=lang.t(f"charts.{outcome}.y"), gridOpacity=0.35
        ),
    )
    layers = [
        alt.Chart(_medians(shown, first, n_days))
        .mark_line(color=ACCENT, strokeWidth=2.4, interpolate="monotone", aria=False)
        .encode(x=x, y=y, detail="part:N"),
        alt.Chart(dots)
        .mark_circle(color=INK, size=28, opacity=0.75)
        .encode(
            x=x,
            y=y,
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        ),
    ]
    legend = [(INK, lang.t("charts.day")), (ACCENT, lang.t("charts.median"))]
    marked = [d for d in massages if first <= d <= last]
    if marked:
        where = pd.DataFrame(
            {
                "at": [(d - first).days for d in marked],
                "value": [-0.7] * len(marked),
                "text": [
                    f"{lang.day(d, weekday=True)}: {lang.t('charts.massage')}" for d in marked
                ],
            }
        )
        layers.append(
            alt.Chart(where)
            .mark_point(shape="triangle-up", color="#a86400", size=70, filled=True, opacity=1)
            .encode(
                x=x,
                y=y,
                tooltip=alt.Tooltip("text:N", title=" "),
                description=alt.Description("text:N"),
            )
        )
        legend.append(("#a86400", f"▲ {lang.t('charts.massage')}"))
    return Picture(
        chart=dressed(alt.layer(*layers), 320),
        alt=_finding(shown, marked, n_days, lang, outcome),
        table=pd.DataFrame(
            {
                lang.t("charts.day"): [lang.day(d, weekday=True) for d in shown],
                lang.t(f"charts.{outcome}.y"): [str(v) for v in shown.values()],
                lang.t("charts.massage"): ["▲" if d in set(marked) else "" for d in shown],
            }
        ),
        legend=tuple(legend),
    )


def day_axis(first: date, n_days: int, lang: Language) -> alt.Axis:
    """Axis of whole days since `first`, labelled as the language writes dates."""
    step = next(s for s in (1, 2, 7, 14, 28, 56, 91) if n_days / s <= 7)
    at = list(range(0, n_days, step))
    words = {i: short_day(first + timedelta(days=i), lang) for i in at}
    return alt.Axis(
        values=at,
        labelExpr=f"{[words.get(i, '') for i in range(n_days)]!r}[datum.value]",
        title=None,
        grid=False,
        labelFlush=True,
    )


def short_day(day: date, lang: Language) -> str:
    """`24.11.` or `24 Nov`."""
    if lang.code == "de":
        return f"{day.day}.{day.month}."
    return lang.day(day).rsplit(" ", 1)[0]


def _medians(shown: Mapping[date, int], first: date, n_days: int) -> pd.DataFrame:
    """7-day median where at least four of the days have a rating."""
    rows = []
    part, gap = 0, True
    for i in range(n_days):
        day = first + timedelta(days=i)
        near = [shown[d] for k in range(7) if (d := day - timedelta(days=k)) in shown]
        if len(near) < 4:
            gap = True
            continue
        part += gap
        gap = False
        rows.append((i, float(pd.Series(near).median()), part))
    return pd.DataFrame(rows, columns=["at", "value", "part"])


def _finding(
    shown: Mapping[date, int], marked: Sequence[date], n_days: int, lang: Language, outcome: str
) -> str:
    mean = sum(shown.values()) / len(shown)
    return lang.t(
        f"charts.{outcome}.finding",
        mean=round(mean, 1),
        rated=len(shown),
        days=lang.t("count.days_of", n=n_days),
        massages=lang.t("count.massages", n=len(marked)),
    )


def training_weeks(
    minutes: Mapping[date, float], first: date, last: date, lang: Language
) -> Picture:
    """Core minutes by week, as bars under the ratings on the same days."""
    n_days = (last - first).days + 1
    rows = []
    for start in range(0, n_days, 7):
        days = [first + timedelta(days=i) for i in range(start, min(start + 7, n_days))]
        total = sum(minutes.get(d, 0.0) for d in days)
        rows.append((start - 0.35, min(start + 7, n_days) - 0.65, total, days[0], days[-1]))
    if not any(total for _, _, total, _, _ in rows):
        return nothing_yet(lang.t("charts.training_weeks.empty"))
    frame = pd.DataFrame(rows, columns=["from", "to", "minutes", "a", "b"])
    frame["text"] = [
        f"{short_day(a, lang)} – {short_day(b, lang)}: {lang.duration(m)}"
        for a, b, m in zip(frame["a"], frame["b"], frame["minutes"], strict=True)
    ]
    chart = (
        alt.Chart(frame.drop(columns=["a", "b"]))
        .mark_bar(color=COLOURS["exercise"], binSpacing=4)
        .encode(
            x=alt.X(
                "from:Q",
                scale=alt.Scale(domain=[-0.5, n_days - 0.5], nice=False),
                axis=day_axis(first, n_days, lang),
            ),
            x2="to:Q",
            y=alt.Y(
                "minutes:Q",
                axis=alt.Axis(
                    title=lang.t("charts.training_weeks.y"), tickCount=4, gridOpacity=0.35
                ),
            ),
            y2=alt.Y2Datum(0),
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        )
    )
    mean = frame["minutes"].mean()
    return Picture(
        chart=dressed(chart, 160),
        alt=lang.t(
            "charts.training_weeks.finding",
            mean=lang.duration(mean),
            weeks=lang.t("count.weeks_of", n=len(frame)),
        ),
        table=pd.DataFrame(
            {
                lang.t("charts.week"): [
                    f"{short_day(a, lang)} – {short_day(b, lang)}"
                    for a, b in zip(frame["a"], frame["b"], strict=True)
                ],
                lang.t("charts.training_weeks.y"): [lang.duration(m) for m in frame["minutes"]],
            }
        ),
    )


def episodes(
    values: Mapping[date, int], massages: Sequence[date], lang: Language, *, outcome: str
) -> Picture:
    """Ratings from the day of each massage to seven days later; one plain line per massage."""
    rows = []
    numbers = []
    for number, start in enumerate(sorted(massages), 1):
        seen = [
            (k, values[d])
            for k in range(_AFTER_D + 1)
            if (d := start + timedelta(days=k)) in values
        ]
        if not seen:
            continue
        numbers.append(start)
        rows += [
            (k, v, str(number), f"{lang.day(start)}, +{k}: {v}", start == max(massages))
            for k, v in seen
        ]
    if not rows:
        return nothing_yet(lang.t("charts.episodes.empty"))
    frame = pd.DataFrame(rows, columns=["k", "value", "which", "text", "newest"])
    base = alt.Chart(frame).encode(
        x=alt.X(
            "k:Q",
            scale=alt.Scale(domain=[0, _AFTER_D]),
            axis=alt.Axis(
                title=lang.t("charts.episodes.x"), values=list(range(_AFTER_D + 1)), grid=False
            ),
        ),
        y=alt.Y(
            "value:Q",
            scale=alt.Scale(domain=[0, 10]),
            axis=alt.Axis(title=lang.t(f"charts.{outcome}.y"), gridOpacity=0.35),
        ),
        detail="which:N",
    )
    look = {
        "color": alt.condition("datum.newest", alt.value(ACCENT), alt.value(FRAME)),
        "opacity": alt.condition("datum.newest", alt.value(1), alt.value(0.7)),
    }
    lines = base.mark_line(strokeWidth=2, aria=False).encode(**look)
    dots = base.mark_circle(size=36).encode(
        **look,
        tooltip=alt.Tooltip("text:N", title=" "),
        description=alt.Description("text:N"),
    )
    table = frame.pivot_table(index="which", columns="k", values="value", sort=False)
    words = pd.DataFrame({lang.t("charts.massage"): [lang.day(d) for d in numbers]})
    for k in range(_AFTER_D + 1):
        column = table[k] if k in table else [float("nan")] * len(numbers)
        words[f"+{k}"] = [lang.number(v, 0) for v in column]
    return Picture(
        chart=dressed(alt.layer(lines, dots), 320),
        alt=lang.t("charts.episodes.finding", n=len(numbers)),
        table=words,
        legend=(
            (ACCENT, lang.t("charts.episodes.newest")),
            (FRAME, lang.t("charts.episodes.earlier")),
        ),
    )
