# SPDX-License-Identifier: Apache-2.0
"""The day as a ribbon: postures over the wall clock, the slump below it, entries beneath.

`product.md` section 7.1. One rectangle per stretch; a busy day is coarsened until it has at most
280 of them, so the drawing stays SVG (Vega turns to canvas above 2 000 marks) and quick.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import pandas as pd

from tracker.model import SECOND_NS, State
from tracker.report.charts.base import (
    COLOURS,
    FRAME,
    INK,
    Picture,
    clock_axis,
    dressed,
    hatch,
    nothing_yet,
    sit_band,
    state_word,
    wall_clock,
)
from tracker.report.charts.minutes import DayMinutes, MinuteRun, runs, worn_window
from tracker.report.charts.ribbon_lanes import curve_layers, shift_ticks, slump_curve, tick_layer
from tracker.report.i18n import Language
from tracker.trends.summary import DaySummary
from tracker.units import from_ns

_MOST = 280
_BAND = (6.0, 50.0)  # the ribbon, in pixels from the top
_SLOUCH = (52.0, 58.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened; `text` in words.

    kind  massage, training, prompt, or followed (a prompt after which a break came)
    """

    at_min: float
    kind: str
    text: str


_SYMBOL = {"massage": "▲", "training": "■", "prompt": "◇", "followed": "◆"}


def ribbon(
    day: DayMinutes, lang: Language, *, summary: DaySummary, marks: Sequence[Mark] = ()
) -> Picture:
    """Postures of one day from the first to the last worn hour; the finding from its numbers."""
    if not day.worn.any():
        return nothing_yet(lang.t("charts.ribbon.empty"))
    low, high = worn_window(day)
    stretches = [_cut(r, low, high) for r in _readable(day) if r.to_min > low and r.from_min < high]
    curve = slump_curve(day, low, high)
    kinds = {m.kind for m in marks}
    height = 176 if curve is not None else 96
    if not marks:
        height -= 22
    x = alt.X("from:Q", scale=alt.Scale(domain=[low, high], nice=False), axis=clock_axis(low, high))
    y_scale = alt.Scale(domain=[height - 20, 0], nice=False)
    layers = [_bars(stretches, lang, x, y_scale), *_hatches(stretches, y_scale)]
    layers += _slouch_strip(stretches, y_scale)
    ticks = shift_ticks(day, low, high)
    layers += tick_layer(ticks, y_scale)
    if curve is not None:
        layers += curve_layers(curve, lang, y_scale, low, high)
    if marks:
        layers.append(_mark_layer(marks, y_scale, height - 32))
    return Picture(
        chart=dressed(alt.layer(*layers), height),
        alt=_finding(day, summary, lang),
        table=_table(stretches, lang),
        legend=_legend(stretches, lang)
        + ((("|", lang.t("charts.mark.shift")),) if ticks else ())
        + tuple((_SYMBOL[k], lang.t(f"charts.mark.{k}")) for k in _SYMBOL if k in kinds),
    )


def _readable(day: DayMinutes) -> list[MinuteRun]:
    for step in (1, 2, 3, 5, 10):
        found = runs(day, step_min=step)
        if len(found) <= _MOST:
            return found
    return found


def _cut(run: MinuteRun, low: float, high: float) -> MinuteRun:
    """The part of a stretch that is drawn."""
    start, end = max(run.from_min, low), min(run.to_min, high)
    gone = (start - run.from_min) + (run.to_min - end)
    return replace(run, from_min=start, to_min=end, minutes=run.minutes - gone)


def _name(run: MinuteRun) -> str:
    if run.state in {State.SITTING, State.SLOUCHING}:
        return sit_band(run.sit_min)
    return run.state.label


def _say(run: MinuteRun, lang: Language) -> str:
    word = lang.t(f"common.state.{run.state.label}" if run.measured else "charts.not_measured")
    return f"{wall_clock(run.from_min)}–{wall_clock(run.to_min)}: {word}"


def _bars(stretches: Sequence[MinuteRun], lang: Language, x: alt.X, y_scale: alt.Scale) -> Any:
    shown = [r for r in stretches if r.measured]
    frame = pd.DataFrame(
        {
            "from": [r.from_min for r in shown],
            "to": [r.to_min for r in shown],
            "colour": [COLOURS[_name(r)] for r in shown],
            "text": [
                f"{_say(r, lang)} ({lang.duration(r.minutes)}; "
                f"{lang.t('charts.ribbon.sure', share=lang.percent(r.confidence))})"
                for r in shown
            ],
        }
    )
    return (
        alt.Chart(frame)
        .mark_bar(stroke=FRAME, strokeWidth=0.4)
        .encode(
            x=x,
            x2="to:Q",
            y=alt.Y(datum=_BAND[0], scale=y_scale, axis=None),
            y2=alt.Y2Datum(_BAND[1]),
            color=alt.Color("colour:N", scale=None, legend=None),
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        )
    )


def _hatches(stretches: Sequence[MinuteRun], y_scale: alt.Scale) -> list[Any]:
    blind = [
        (r.from_min, r.to_min) for r in stretches if not r.measured or r.state is State.UNKNOWN
    ]
    lines = hatch(blind, y=_BAND[1], y2=_BAND[0], pitch=8, lean=16)
    if lines.empty:
        return []
    return [
        alt.Chart(lines)
        .mark_rule(color="#7b898d", strokeWidth=0.8, aria=False)
        .encode(
            x="x:Q",
            x2="x2:Q",
            y=alt.Y("y:Q", scale=y_scale, axis=None),
            y2="y2:Q",
        )
    ]


def _slouch_strip(stretches: Sequence[MinuteRun], y_scale: alt.Scale) -> list[Any]:
    rows = [(r.from_min, r.to_min) for r in stretches if r.state is State.SLOUCHING]
    if not rows:
        return []
    return [
        alt.Chart(pd.DataFrame(rows, columns=["from", "to"]))
        .mark_bar(color=COLOURS["slouching"], aria=False)
        .encode(
            x="from:Q",
            x2="to:Q",
            y=alt.Y(datum=_SLOUCH[0], scale=y_scale, axis=None),
            y2=alt.Y2Datum(_SLOUCH[1]),
        )
    ]


def _mark_layer(marks: Sequence[Mark], y_scale: alt.Scale, y: float) -> Any:
    frame = pd.DataFrame(
        {
            "at": [m.at_min for m in marks],
            "sign": [_SYMBOL[m.kind] for m in marks],
            "text": [m.text for m in marks],
        }
    )
    return (
        alt.Chart(frame)
        .mark_text(fontSize=15, color=INK)
        .encode(
            x="at:Q",
            y=alt.Y(datum=y, scale=y_scale, axis=None),
            text="sign:N",
            tooltip=alt.Tooltip("text:N", title=" "),
            description=alt.Description("text:N"),
        )
    )


def _finding(day: DayMinutes, summary: DaySummary, lang: Language) -> str:
    if summary.longest_sit_min is None or summary.longest_sit_at_s is None:
        return lang.t("charts.ribbon.no_sitting")
    began_ns = summary.start_ns + round(summary.longest_sit_at_s) * SECOND_NS
    return lang.t(
        "charts.ribbon.finding",
        sitting=lang.duration(summary.sit_s / 60),
        longest=lang.duration(summary.longest_sit_min),
        at=lang.clock(from_ns(began_ns, day.tz)),
    )


def _table(stretches: Sequence[MinuteRun], lang: Language) -> pd.DataFrame:
    shown = list(stretches)
    return pd.DataFrame(
        {
            lang.t("charts.from"): [wall_clock(r.from_min) for r in shown],
            lang.t("charts.to"): [wall_clock(r.to_min) for r in shown],
            lang.t("charts.duration"): [lang.duration(r.minutes) for r in shown],
            lang.t("charts.state"): [
                lang.t(f"common.state.{r.state.label}" if r.measured else "charts.not_measured")
                for r in shown
            ],
        }
    )


def _legend(stretches: Sequence[MinuteRun], lang: Language) -> tuple[tuple[str, str], ...]:
    names = {_name(r) for r in stretches if r.measured and r.state is not State.UNKNOWN}
    order = [n for n in COLOURS if n in names and n != "not_worn"]
    entries = [(COLOURS[n], state_word(lang, n)) for n in order]
    if any(r.state is State.SLOUCHING for r in stretches):
        entries.append((COLOURS["slouching"], state_word(lang, "slouching")))
    if "not_worn" in names:
        entries.append(("dotted", state_word(lang, "not_worn")))
    if any(not r.measured or r.state is State.UNKNOWN for r in stretches):
        entries.append(("hatch", lang.t("charts.blind")))
    return tuple(entries)
