# SPDX-License-Identifier: Apache-2.0
"""Small cards that several pages show: what is usual, how long worn, today's advice."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import streamlit as st

from dashboard import data
from dashboard.parts import View
from tracker.advice.cards import Card, OwnNumber
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
            advice_card(v, _first(advised.cards))
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


def advice_card(v: View, card: Card) -> None:
    """One piece of advice: text, reason, and on request numbers and sources."""
    if card.title:
        st.markdown(f"**{card.title}**")
    st.markdown(card.text)
    with st.expander(v.t("advice_card.why")):
        st.markdown(card.reason)
        numbers = [_own_number(v, one) for one in card.beside if one.value is not None]
        if numbers:
            st.markdown("\n".join(f"- {line}" for line in numbers))
        for source in card.sources:
            certainty = v.t(f"certainty.{source.certainty}") if source.certainty else ""
            st.caption(" · ".join(x for x in (f"{source.title} ({source.year})", certainty) if x))


def _own_number(v: View, one: OwnNumber) -> str:
    assert one.value is not None  # noqa: S101 - the caller left those out
    shown = {
        "sitting": lambda x: v.lang.duration(60 * x),
        "longest_sit": v.lang.duration,
        "shifts": v.lang.number,
        "training": v.lang.number,
    }[one.id](one.value)
    line = v.t(f"own_number.{one.id}", value=shown)
    if one.told:
        line += " " + v.t("own_number.told")
    if one.changed_advice:
        line += " – " + v.t("own_number.changed")
    return line


def effect(v: View) -> None:
    """Does massage help me, does training: a category, the evidence so far, what is missing."""
    profile = data.profile_of(v.sources, v.viewer)
    outcome = data.outcomes(v.sources, v.viewer)[-1] if profile == "clinic" else "tension"
    result = data.massage_effect(v.sources, v.viewer, v.wearer, v.zone, outcome)
    with st.container(border=True, key="effect_massage"):
        st.markdown(f"**{v.t('effect.massage')}**")
        said = data.claim_sentence(result, outcome, profile, v.lang.code)
        st.markdown(said or v.t(f"effect.category.{result.category}"))
        progress = result.progress
        st.caption(
            v.t(
                "effect.progress",
                massages=v.lang.t("count.massages", n=progress.events),
                days=v.lang.t("count.days", n=progress.days),
                complete=v.lang.percent(progress.completeness),
            )
        )
        if progress.missing:
            st.markdown(
                "\n".join(f"- {v.t(f'effect.missing.{name}')}" for name in progress.missing)
            )
    with st.container(border=True, key="effect_training"):
        st.markdown(f"**{v.t('effect.training')}**")
        trained = data.training_effect_of(v.sources, v.viewer, v.wearer, v.zone)
        st.markdown(v.t(f"effect.training_category.{trained.category}"))
        st.caption(v.t("effect.training_progress", weeks=trained.weeks))
    _exposures(v)


def _exposures(v: View) -> None:
    """What goes with tenser or looser evenings, by the same rules as for massages."""
    t = v.lang.t
    for name, found in data.exposures(v.sources, v.viewer, v.wearer, v.zone).items():
        with st.container(border=True, key=f"effect_{name}"):
            st.markdown(f"**{t(f'coming.exposure.{name}.title')}**")
            st.markdown(t(f"coming.exposure.{name}.{found.direction}"))
            progress = found.progress
            events = t("count.exposed", n=progress.events)
            days = t("count.days", n=progress.days)
            st.caption(t("coming.exposure.progress", events=events, days=days))
            if found.direction in {"tenser", "looser"}:
                st.caption(t("coming.exposure.note"))
