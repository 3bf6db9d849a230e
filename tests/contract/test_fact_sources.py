# SPDX-License-Identifier: Apache-2.0
"""Every input that a rule may read is made of something real in the product, and of what."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dashboard.data.told import EpisodeTold
from tracker.advice.load import packaged
from tracker.advice.screening import Screening, screened
from tracker.advice.start import Start, with_start
from tracker.diary import Evening, Massage, Training
from tracker.simulation.history import history
from tracker.trends.day import summarise
from tracker.trends.diary_facts import Sources
from tracker.trends.facts import facts
from tracker.units import day_bounds_ns, to_ns

RULES = packaged()
ZONE = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 23)
# Which of the wearer's own data an input is made of; without them it is not known.
SENSOR, EVENINGS, MASSAGES, TRAININGS = "sensor", "evenings", "massages", "trainings"
LIST, START, EPISODE = "safety list", "one-minute start", "episode of the clinic profile"
ORIGIN = {
    "screen_actions": LIST,
    "screen_age_days": LIST,
    "massage_allowed": LIST,
    "training_allowed": LIST,
    "pain_mean_3d": EVENINGS,
    "pain_mean_7d": EVENINGS,
    "pain_trend_14d": EVENINGS,
    "pain_change_14d": EVENINGS,
    "pain_duration_weeks": EPISODE,
    "medical_check_done": EPISODE,
    "tension_mean_7d": EVENINGS,
    "diary_days_14d": EVENINGS,
    "stress_mean_7d": EVENINGS,
    "train_per_week_28d": TRAININGS,
    "train_weeks_on_plan": TRAININGS,
    "train_load_ratio": TRAININGS,
    "exercise_next_morning_delta": TRAININGS,
    "days_since_massage": MASSAGES,
    "massages_28d": MASSAGES,
    "post_massage_worse_48h": MASSAGES,
    "post_massage_tense_48h": MASSAGES,
    "massage_pattern": MASSAGES,
    "massage_n": MASSAGES,
    "sit_h_day_7d": SENSOR,
    "sit_bouts60_day_7d": SENSOR,
    "slouch_share_7d": SENSOR,
    "aerobic_min_7d": SENSOR,
    "longest_sit_min_7d": SENSOR,
    "shifts_per_h_7d": SENSOR,
    "train_recognised_28d": SENSOR,
    "whole_day_wear": SENSOR,
    "start_age_days": START,
}
EMPTY: dict[str, object] = {  # what "nothing of it" is, where it is not "unknown"
    "diary_days_14d": 0,
    "train_per_week_28d": 0.0,
    "train_weeks_on_plan": 0,
    "massages_28d": 0,
    "massage_n": 0,
    "massage_pattern": "collecting",
    "screen_actions": [],
    "massage_allowed": False,
    "training_allowed": True,
}


@dataclass(frozen=True)
class World:
    """Everything a wearer may tell and a sensor may see."""

    told: Sources
    listed: Screening | None
    start: Start | None
    episode: EpisodeTold

    def facts(self) -> dict[str, Any]:
        """The facts as the pages make them."""
        checked = screened(RULES, self.listed, TODAY)
        asked = {**checked.facts, **self.episode.facts(TODAY)}
        sheet = facts(replace(self.told, asked=asked), today=TODAY, zone=ZONE)
        return with_start(sheet.facts, self.start, TODAY)[0]


@pytest.fixture(scope="module")
def whole() -> World:
    """Six weeks of wear and diary with everything answered."""
    past = history(np.random.default_rng(5), 42, ZONE, last_day=TODAY)
    days = {}
    for i in range(9):
        day = TODAY - timedelta(days=i)
        start, end = day_bounds_ns(day, ZONE)
        days[day] = summarise(
            past.epochs, past.transitions, past.sets, start_ns=start, end_ns=end, zone=ZONE
        )

    def at(days_ago: int, hour: int = 17) -> int:
        day = TODAY - timedelta(days=days_ago)
        return to_ns(datetime(day.year, day.month, day.day, hour, tzinfo=UTC))

    evenings = [
        Evening(
            day=(TODAY - timedelta(days=i)).isoformat(), tension=4 + i % 3, pain=3 + i % 2, stress=5
        )
        for i in range(35)
    ]
    return World(
        told=Sources(
            days=days,
            evenings=evenings,
            massages=[Massage(at_ns=at(4), minutes=30)],
            trainings=[
                Training(at_ns=at(i), minutes=30, next_morning=1) for i in (1, 3, 8, 10, 15, 20, 25)
            ],
        ),
        listed=Screening(day=TODAY - timedelta(days=2), none_applies=True),
        start=Start(day=TODAY - timedelta(days=12), tension=6),
        episode=EpisodeTold(since=TODAY - timedelta(days=40), checked=False),
    )


WITHOUT: dict[str, Callable[[World], World]] = {
    SENSOR: lambda w: replace(w, told=replace(w.told, days={})),
    # until five evenings are there, the start's answer stands in for tension
    EVENINGS: lambda w: replace(w, told=replace(w.told, evenings=()), start=None),
    MASSAGES: lambda w: replace(w, told=replace(w.told, massages=())),
    TRAININGS: lambda w: replace(w, told=replace(w.told, trainings=())),
    LIST: lambda w: replace(w, listed=None),
    START: lambda w: replace(w, start=None),
    EPISODE: lambda w: replace(w, episode=EpisodeTold()),
}


def test_every_input_has_an_origin():
    """A new input must say what it is made of."""
    assert set(ORIGIN) == set(RULES.inputs)


def test_a_wearer_who_tells_and_wears_everything_gives_every_input(whole: World):
    """No rule waits for a fact that nothing in the product can ever give."""
    assert set(RULES.inputs) - set(whole.facts()) == set()


@pytest.mark.parametrize("name", sorted(ORIGIN))
def test_an_input_comes_from_where_it_says(name: str, whole: World):
    """Without its origin it is unknown, or says that there is none of it."""
    gone = WITHOUT[ORIGIN[name]](whole).facts()
    assert gone.get(name) == EMPTY.get(name), name
    print(f"{name}: {ORIGIN[name]}")


def test_every_input_that_rules_read_is_one_of_these():
    """The rules of both profiles read nothing else."""
    read = {
        c.input for p in RULES.by_profile for r in RULES.by_profile[p] for c in r.when.conditions
    }
    assert read <= set(ORIGIN)
