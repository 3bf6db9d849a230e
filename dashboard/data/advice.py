# SPDX-License-Identifier: Apache-2.0
"""Today's advice from what was measured and told, and the answers to "does it help me?"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from dashboard.data import diary, series
from dashboard.data import told as told_data
from dashboard.data.gate import gate
from dashboard.data.people import profile_of
from dashboard.data.sources import Sources
from tracker.advice import engine, screening, screening_entries
from tracker.advice.cards import Card, cards_of
from tracker.advice.load import packaged
from tracker.advice.profiles import outcomes
from tracker.advice.start import with_start
from tracker.diary import Kind, Person
from tracker.prompt_choice import work_window
from tracker.trends import diaries, diary_facts, nof1, training_effect
from tracker.trends.baseline import Baseline, baseline
from tracker.trends.claims import claim
from tracker.trends.facts import Context, facts
from tracker.units import local_date

HISTORY_D = 400  # a year of days and what the oldest of them are compared with
Outcome = Literal["tension", "pain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """Today's cards, the numbers beside them, the safety list, and what a doctor would say."""

    cards: Sequence[Card]
    context: Context
    screened: screening.Screened
    facts: dict[str, object]


def advised(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo, lang: str) -> Advised:
    """Everything the advice pages show of today."""
    gate(src).may_see(viewer, wearer, "advice")
    today = local_date(src.clock.now_ns(), tz)
    rules, profile = packaged(), profile_of(src, viewer)
    first = today - timedelta(days=HISTORY_D)
    begun = told_data.start_of(src, viewer, wearer)
    checked = screened(src, viewer, wearer, tz)
    outcome = effect_outcome(src, viewer)
    told = None
    if begun is not None:
        told = diary_facts.Told(
            day=begun.day,
            training_days_per_week=begun.training_days_per_week,
            massages_4_weeks=begun.massages_4_weeks,
            last_massage=begun.last_massage,
        )
    sheet = facts(
        diary_facts.Sources(
            days=series.summaries(src, viewer, wearer, first, today, tz),
            evenings=diary.evenings(src, viewer, wearer),
            massages=diary.massages(src, viewer, wearer),
            trainings=diary.trainings(src, viewer, wearer),
            told=told,
            asked={**checked.facts, **_episode(src, viewer, wearer, profile, today)},
            window=work_window(viewer),
            sessions_plan=sessions_planned(src, viewer, wearer),
        ),
        today=today,
        zone=tz,
        outcome=outcome,
    )
    known, used = with_start(sheet.facts, begun, today)
    result = massage_effect(src, viewer, wearer, tz, outcome)
    cards = cards_of(
        rules, known, profile, lang, told=used, claim=_claim(result, outcome)
    )  # fmt: skip
    return Advised(cards=cards, context=sheet.context, screened=checked, facts=known)


def _episode(
    src: Sources, viewer: Person, wearer: str, profile: str, today: date
) -> dict[str, object]:
    """How long the episode has lasted is asked, and read, in the clinic profile alone."""
    if profile != "clinic":
        return {}
    return told_data.episode_of(src, viewer, wearer).facts(today)


def _claim(result: nof1.Result, outcome: Outcome) -> engine.Claim:
    said = claim(result)
    values = {
        name: value
        for name in ("m", "lo", "hi", "lower", "higher", "massages_done", "days_done")
        if (value := getattr(said, name)) is not None
    }
    return engine.Claim(outcome=outcome, values=values)


def claim_sentence(result: nof1.Result, outcome: Outcome, profile: str, lang: str) -> str:
    """The sentence of a massage result in the words of the rule base."""
    said = _claim(result, outcome)
    return engine.claim_text(packaged(), str(result.category), profile, lang, said)


def screened(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> screening.Screened:
    """What the safety list means today; a new symptom since makes it count as not confirmed."""
    gate(src).may_see(viewer, wearer, "screening")
    told = diary.entries(src, viewer, wearer, [Kind.SCREENING])
    return screening.screened(
        packaged(),
        screening_entries.latest_of(told),
        local_date(src.clock.now_ns(), tz),
        discussed=screening_entries.talks_of(diary.entries(src, viewer, wearer, [Kind.DISCUSSED])),
        new_symptom_day=screening_entries.symptom_day_of(told),
    )


def latest_screening(src: Sources, viewer: Person, wearer: str) -> screening.Screening | None:
    """The newest confirmation of the safety list."""
    return screening_entries.latest_of(diary.entries(src, viewer, wearer, [Kind.SCREENING]))


def massage_effect(
    src: Sources, viewer: Person, wearer: str, tz: ZoneInfo, outcome: Outcome = "tension"
) -> nof1.Result:
    """Does massage help: the published category of the wearer's own diary."""
    gate(src).may_see(viewer, wearer, "massage")
    told = diaries.massage_series(
        diary.evenings(src, viewer, wearer),
        diary.massages(src, viewer, wearer),
        tz,
        outcome=outcome,
        today=local_date(src.clock.now_ns(), tz),
    )
    return nof1.published(told)


def effect_outcome(src: Sources, viewer: Person) -> Outcome:
    """The scale that "does it help me?" is about: pain in the clinic profile, else tension."""
    return "pain" if outcomes(profile_of(src, viewer))[0] == "pain" else "tension"


def training_effect_of(
    src: Sources, viewer: Person, wearer: str, tz: ZoneInfo, outcome: Outcome = "tension"
) -> training_effect.TrainingResult:
    """Does training help: the published category of weekly means and training days."""
    gate(src).may_see(viewer, wearer, "training")
    told = diaries.ratings_by_day(diary.evenings(src, viewer, wearer), outcome)
    trained = diaries.training_days(diary.trainings(src, viewer, wearer), tz)
    if not told:
        return training_effect.published_training_effect(np.empty(0), np.empty(0))
    last = local_date(src.clock.now_ns(), tz)
    mean, days = training_effect.weekly(told, trained, min(told), last)
    return training_effect.published_training_effect(mean, days)


def own_baseline(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> Baseline:
    """What is usual for this person: their first ten usable days, or those from a chosen day on."""
    gate(src).may_see(viewer, wearer, "sitting")
    today = local_date(src.clock.now_ns(), tz)
    begin = str(viewer.settings.get("baseline_from") or "")
    days = series.summaries(
        src, viewer, wearer, today - timedelta(days=HISTORY_D), today - timedelta(days=1), tz
    )
    return baseline(
        days, work_window(viewer), from_day=date.fromisoformat(begin) if begin else None
    )


def sessions_planned(src: Sources, viewer: Person, wearer: str) -> int:
    """Sessions a week as a therapist planned them, else as this person plans them."""
    plans = diary.entries(src, viewer, wearer, [Kind.PLAN])
    told = [n for e in plans if (n := _whole(e.body.get("sessions_per_week")))]
    return told[-1] if told else sessions_plan(viewer)


def sessions_plan(viewer: Person) -> int:
    """Training sessions a week that this person plans; three until they say otherwise."""
    return _whole(viewer.settings.get("sessions_plan")) or 3


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None
