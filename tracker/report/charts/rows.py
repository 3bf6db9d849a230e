# SPDX-License-Identifier: Apache-2.0
"""Days as rows of one drawing: the scale from top to bottom, and words left and right of each row.

The words are axes and not marks, so they keep their width however narrow the page is.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt
import pandas as pd

from tracker.report.i18n import Language


def day_rows(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`; the oldest is row 0, on top."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def row_label(day: date, lang: Language) -> str:
    """Weekday and date: `Fr 20.11.`."""
    return f"{lang.weekday(day.weekday())} {day.day}.{day.month}."


def row_scale(n: int) -> alt.Scale:
    """Row i lies between i and i + 1."""
    return alt.Scale(domain=[n, 0], nice=False)


def row_axis(words: Sequence[str], **more: Any) -> alt.Axis:
    """An axis that only says one word per row."""
    plain: dict[str, Any] = {"title": None, "labelPadding": 6}
    return alt.Axis(
        values=[i + 0.5 for i in range(len(words))],
        labelExpr=f"{json.dumps(list(words))}[floor(datum.value)]",
        grid=False,
        ticks=False,
        domain=False,
        labelOverlap=False,
        **plain | more,
    )


def words_at_the_right(words: Sequence[str], title: str) -> Any:
    """A layer that draws nothing but words right of the rows, below their heading.

    It needs `resolve_axis(y="independent")` on the layers that it joins.
    """
    axis = row_axis(
        words,
        orient="right",
        title=title,
        titleAngle=0,
        titleAnchor="start",
        titleAlign="left",
        titleBaseline="bottom",
        titleX=6,
        titleY=-4,
    )
    rows = pd.DataFrame({"row": range(len(words))})
    y = alt.Y("row:Q", scale=row_scale(len(words)), axis=axis)
    return alt.Chart(rows).mark_point(opacity=0, aria=False).encode(y=y)
