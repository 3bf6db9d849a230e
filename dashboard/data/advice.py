# SPDX-License-Identifier: Apache-2.0
"""Today's advice from what was measured and told."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from dashboard.data import diary
from dashboard.data.gate import gate
from dashboard.data.people import profile_of
from dashboard.data.sources import Sources
from tracker.advice.cards import Card, cards_of
from tracker.advice.load import packaged
from tracker.diary import Person
from tracker.trends import diaries, nof1, training_effect
from tracker.units import local_date


def advice(src: Sources, viewer: Person, wearer: str, lang: str) -> Sequence[Card]:
    """Today's advice as cards, in the order of the evaluation."""
    gate(src).may_see(viewer, wearer, "advice")
    facts, told = facts_of(src, viewer, wearer)
    return cards_of(packaged(), facts, profile_of(src, viewer), lang, told=told)


def facts_of(
    src: Sources, viewer: Person, wearer: str
) -> tuple[Mapping[str, object], Sequence[str]]:
    """What is known for the rules, and which of it the wearer told at the start."""
    gate(src).may_see(viewer, wearer, "advice")
    return {}, ()


def massage_effect(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> nof1.Result:
    """Does massage help: the published category of the wearer's own diary."""
    gate(src).may_see(viewer, wearer, "massage")
    series = diaries.massage_series(
        diary.evenings(src, viewer, wearer),
        diary.massages(src, viewer, wearer),
        tz,
        today=local_date(src.clock.now_ns(), tz),
    )
    return nof1.published(series)


def training_effect_of(
    src: Sources, viewer: Person, wearer: str, tz: ZoneInfo
) -> training_effect.TrainingResult:
    """Does training help: from weekly means of the evenings and the training days."""
    gate(src).may_see(viewer, wearer, "training")
    told = diaries.ratings_by_day(diary.evenings(src, viewer, wearer), "tension")
    trained = diaries.training_days(diary.trainings(src, viewer, wearer), tz)
    if not told:
        return training_effect.training_effect(np.empty(0), np.empty(0))
    last = local_date(src.clock.now_ns(), tz)
    mean, days = training_effect.weekly(told, trained, min(told), last)
    return training_effect.training_effect(mean, days)
