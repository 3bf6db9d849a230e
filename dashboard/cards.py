# SPDX-License-Identifier: Apache-2.0
"""Small cards that several pages show: what is usual, how long worn, today's advice."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import streamlit as st

from dashboard import advice_cards, data
from dashboard.parts import View
from tracker.advice.cards import Card
from tracker.model import SECOND_NS, Placement
from tracker.prompt_log import Told
from tracker.prompts import Cause
from tracker.report.charts import Mark
from tracker.trends.baseline import BASELINE_DAYS, Baseline
from tracker.trends.metrics import METRICS
from tracker.trends.summary import NO_DATA, DaySummary
from tracker.units import day_bounds_ns, from_ns

LEAST_GAP_NS = 120 * SECOND_NS
PAGE_ADVICE = Path(__file__).resolve().parent / "app_pages" / "advice.py"


def usual(v: View, known: Baseline, name: str) -> str:
    """`usual for you: 5 h to 7 h`, or when that comparison will come."""
    found = known.values.get(name)
    if not known.complete or found is None:
        return v.d("usual_missing", n=max(1, BASELINE_DAYS - len(known.days)))
    unit = METRICS[name].unit
    return v.d("usual", low=_say(v, found.low, unit), high=_say(v, found.high, unit))


def _say(v: View, value: float, unit: str) -> str:
    """A value in the way its unit is read."""
    if unit == "share":
        return v.lang.percent(value)
    if unit in {"h", "min"}:
        return _whole(v, 60 * value if unit == "h" else value)
    return v.lang.number(value, 0)


def _whole(v: View, minutes: float) -> str:
    """A duration that does not break at a line's end."""
    return v.lang.duration(minutes).replace(" ", "\N{NO-BREAK SPACE}")


def slouch_note(v: View, day: data.Day, known: Baseline) -> str:
    """What is usual for the slouch share, or why the sensor's place cannot tell."""
    if day.summary.slouch_share is not None:
        return usual(v, known, "slouch_share")
    if day.placement in {Placement.WAIST, Placement.UNKNOWN}:
        return v.d("missing.slouch_place")
    return v.d("missing.slouch_pose")


def worn_line(v: View, summary: DaySummary) -> None:
    """How long the sensor was worn, and how much of it could not be told."""
    blind_s = summary.seconds.get("unknown", 0)
    line = v.t(
        "today.worn",
        worn=v.lang.duration(summary.worn_s / 60),
        blind=v.lang.duration(blind_s / 60),
    )
    if summary.bouts_censored:
        line += " " + v.t("today.censored", n=round(summary.bouts_censored))
    gap_s = summary.seconds.get(NO_DATA, 0)
    if gap_s and not summary.valid_day:
        line += " " + v.t("today.not_whole")
    st.caption(line)


def marks_of(v: View, day: data.Day) -> list[Mark]:
    """Massages, training and prompts of a day, as marks under the ribbon."""
    shown = day.minutes.day
    args = (v.sources, v.viewer, v.wearer, shown, shown)
    marks = [
        _mark(v, one.at_ns, "massage", "mark.massage", minutes=one.minutes)
        for one in data.massages(*args)
    ]
    marks += [
        _mark(v, one.at_ns, "training", "mark.training", minutes=one.minutes)
        for one in data.trainings(*args)
    ]
    for told in prompts_of(v, shown):
        kind = "followed" if told.followed else "prompt"
        marks.append(_mark(v, told.prompt.at_ns, kind, f"mark.{kind}"))
    return marks


def prompts_of(v: View, shown: date) -> list[Told]:
    """The prompts of a day that were about the body."""
    span = day_bounds_ns(shown, v.zone)
    found = data.prompts_on(v.sources, v.viewer, v.wearer, *span, v.zone)
    return [t for t in found if t.prompt.cause is not Cause.EVENING]


def prompts_line(v: View, shown: date) -> None:
    """How many prompts a day had, and after how many a break followed within five minutes."""
    told = prompts_of(v, shown)
    if told:
        followed = sum(t.followed is True for t in told)
        st.caption(v.t("today.prompts", n=len(told), followed=followed))


def _mark(v: View, at_ns: int, kind: str, key: str, **values: object) -> Mark:
    at = from_ns(at_ns, v.zone)
    text = f"{v.lang.clock(at)} {v.t(key, **values)}"
    return Mark(at_min=at.hour * 60 + at.minute, kind=kind, text=text)


def gaps_line(v: View, shown: date) -> None:
    """The longest stretches without data and why; a gap is a result, not a hole."""
    gaps = data.gaps(v.sources, v.viewer, v.wearer, shown, v.zone)
    long = sorted(
        (g for g in gaps if g.end_ns - g.start_ns >= LEAST_GAP_NS),
        key=lambda g: g.start_ns - g.end_ns,
    )[:5]
    if not long:
        return
    with st.expander(v.t("gaps.title", n=len(long))):
        for gap in sorted(long, key=lambda g: g.start_ns):
            start, end = (v.lang.clock(from_ns(t, v.zone)) for t in (gap.start_ns, gap.end_ns))
            st.markdown(f"- {start}–{end}: {v.t(f'gaps.reason.{gap.reason}')}")


def advice(v: View) -> None:
    """Today's first advice with its reason, and the way to the rest."""
    advised = data.advised(v.sources, v.viewer, v.wearer, v.zone, v.lang.code)
    with st.container(border=True, key="advice_card"):
        st.header(v.t("advice_card.title"), anchor=False)
        if not advised.cards:
            st.markdown(v.t("advice_card.none"))
        else:
            advice_cards.draw(v, _first(advised.cards))
        news(v, data.coming(v.sources, v.viewer, v.wearer, v.zone, advised))
        if PAGE_ADVICE.is_file():
            st.page_link(PAGE_ADVICE, label=v.t("advice_card.all"))


def news(v: View, coming: data.Coming) -> None:
    """What today is good for, what the safety list needs, and what will come next."""
    t = v.lang.t
    if coming.window is not None:
        key = "window_today" if coming.window.day == v.today else "window_tomorrow"
        st.markdown(t(f"coming.{key}", minutes=coming.window.minutes))
    if coming.list_note is not None:
        key, values = coming.list_note
        st.caption(t(key, **values))
    if coming.news is not None:
        one = coming.news
        what = t("coming.next", what=t(f"coming.news.{one.id}", have=one.have, need=one.need))
        st.caption(t("coming.due", what=what, day=v.lang.day(one.earliest)))


def _first(cards: Sequence[Card]) -> Card:
    """The card that answers "what today?"; a stop or a doctor always comes first."""
    if cards[0].tier == "safety":
        return cards[0]
    return next((c for c in cards if c.tier == "main"), cards[0])
