# SPDX-License-Identifier: Apache-2.0
"""What every chart shares: the palette, the numeric clock axis, the hatch for "cannot tell".

A chart function returns a :class:`Picture`: the drawing, the finding in one sentence (the name a
screen reader speaks), the same numbers as a table, and, when there is nothing to draw yet, what
will appear and when. Nothing here knows Streamlit, so page and PDF draw the same object.

Times on axes are minutes of the wearer's wall clock as plain numbers: Vega would otherwise draw
in the time zone of whoever looks, or of the server that makes the PDF.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import pandas as pd

from tracker.report.i18n import Language

# Warm is sitting, darker is longer (the logic and the sitting hues of activPAL's own reports,
# palette of PALkitchen/activPAL); the others are from Okabe and Ito's colour-blind safe set.
# No red: nothing on these pages is a mark of blame.
SIT_BANDS = (
    (30.0, "sit_0", "#f2e100"),
    (60.0, "sit_30", "#ffc451"),
    (120.0, "sit_60", "#ffa700"),
    (240.0, "sit_120", "#e07f00"),
    (float("inf"), "sit_240", "#a86400"),
)
COLOURS = {
    **{name: colour for _, name, colour in SIT_BANDS},
    "sitting": "#ffc451",
    "slouching": "#7a4a00",
    "standing": "#009e73",
    "walking": "#0072b2",
    "exercise": "#7e2f8e",
    "lying": "#b0c4de",
    "unknown": "#e4e7e8",
    "not_worn": "#ffffff",
}
INK = "#6b7b80"  # words and lines inside a drawing; over 4:1 on the light and the dark page
FRAME = "#8fa0a5"
ACCENT = "#1f8a97"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One drawing with everything that belongs to it.

    chart   the Altair chart, or None when there is nothing to draw yet
    alt     the finding in one sentence; for an empty chart the same as `empty`
    table   the numbers behind the drawing, headings and values in the reader's language
    legend  (colour, word) of what occurs; the page writes it as text
    empty   what will appear here and when; "" when something is drawn
    """

    alt: str
    chart: Any = None
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    legend: tuple[tuple[str, str], ...] = ()
    empty: str = ""


def nothing_yet(sentence: str) -> Picture:
    """A picture that says what will appear and when."""
    return Picture(alt=sentence, empty=sentence)


def sit_band(minutes: float) -> str:
    """Name of the band of an unbroken sit of this length."""
    return next(name for limit, name, _ in SIT_BANDS if minutes < limit)


def clock_axis(first_min: float, last_min: float, **more: Any) -> alt.Axis:
    """Axis of wall-clock minutes, labelled `08:00`, at whole hours that fit the span."""
    span = last_min - first_min
    step = 60 if span <= 360 else 120 if span <= 780 else 240
    start = -(-int(first_min) // step) * step
    return alt.Axis(
        values=list(range(start, int(last_min) + 1, step)),
        labelExpr="format(floor(datum.value / 60) % 24, '02d') + ':00'",
        title=None,
        grid=True,
        gridOpacity=0.35,
        tickColor=FRAME,
        domainColor=FRAME,
        **more,
    )


def dressed(chart: Any, height: int) -> Any:
    """A chart in the house's clothes; letters take the colour of the page (light or dark)."""
    return (
        chart.properties(height=height)
        .configure_view(strokeWidth=0)
        .configure_axis(labelFontSize=12, titleFontSize=12, titleFontWeight=400)
    )


def hatch(
    stretches: Iterable[tuple[float, float]], *, y: float, y2: float, pitch: float, lean: float
) -> pd.DataFrame:
    """Diagonal lines over stretches of an axis: Vega has no pattern fill.

    pitch  distance of the lines, lean  how far a line runs along the axis from y to y2, both in
    units of the axis. Lines are cut at the ends of their stretch. Columns x, x2, y, y2.
    """
    rows: list[tuple[float, float, float, float]] = []
    for start, end in stretches:
        # Lines sit on one grid for the whole axis, so neighbouring stretches match.
        x = (start - lean) // pitch * pitch + pitch
        while x < end:
            low = max(0.0, (start - x) / lean)
            high = min(1.0, (end - x) / lean)
            if high > low:
                rows.append(
                    (x + low * lean, x + high * lean, y + low * (y2 - y), y + high * (y2 - y))
                )
            x += pitch
    return pd.DataFrame(rows, columns=["x", "x2", "y", "y2"])


def state_word(lang: Language, name: str) -> str:
    """The word of a state or sitting band."""
    if name.startswith("sit_"):
        return lang.t(f"dashboard.band.{name}")
    return lang.t(f"common.state.{name}")


def wall_clock(minutes: float) -> str:
    """`08:05` of wall-clock minutes."""
    whole = round(minutes)
    return f"{whole // 60 % 24:02d}:{whole % 60:02d}"
