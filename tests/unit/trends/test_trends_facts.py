# SPDX-License-Identifier: Apache-2.0
"""The facts that rules read: zero and unknown differ, rates divide by observed days."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import get_type_hints
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.advice.facts import Facts
from tracker.diary import Evening, Massage, Training
from tracker.model import Epochs, State
from tracker.simulation.history import history
from tracker.trends.day import summarise
from tracker.trends.facts import Sources, Told, facts
from tracker.trends.summary import DaySummary
from tracker.units import day_bounds_ns, local_ns, to_ns

Line = Callable[..., Epochs]
BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 23)


def ago(days: int) -> date:
    """A day so many days before today."""
    return TODAY - timedelta(days=days)


def at(day: date) -> int:
    """Five in the afternoon of a day."""
    return to_ns(datetime(day.year, day.month, day.day, 16, tzinfo=UTC))


def evenings(values: dict[int, int], *, pain: bool = False) -> list[Evening]:
    """Entries by days ago."""
    return [
        Evening(day=ago(k).isoformat(), pain=v)
        if pain
        else Evening(day=ago(k).isoformat(), tension=v)
        for k, v in values.items()
    ]


def known(src: Sources) -> dict[str, object]:
    """The facts of today."""
    return facts(src, today=TODAY, zone=BERLIN).facts


@pytest.fixture
def worn(line: Line) -> Callable[[int, float], DaySummary]:
    """A day worn so many hours from 8 h on, half of it sitting in two long bouts."""

    def make(days_ago: int, hours: float) -> DaySummary:
        day = ago(days_ago)
        start, end = day_bounds_ns(day, BERLIN)
        quarter = hours * 900
        parts = [(State.STANDING, quarter), (State.SITTING, quarter)] * 2
        epochs = line(*parts, start_ns=local_ns(day, time(8), BERLIN))
        return summarise(epochs, start_ns=start, end_ns=end, zone=BERLIN)

    return make


def test_names_are_the_inputs_of_the_rule_base() -> None:
    """Every fact of a full year of history is an input of the rules."""
    past = history(np.random.default_rng(3), 120, BERLIN, last_day=TODAY)
    days = {}
    for i in range(120):
        start, end = day_bounds_ns(ago(i), BERLIN)
        days[ago(i)] = summarise(
            past.epochs, past.transitions, past.sets, start_ns=start, end_ns=end, zone=BERLIN
        )
    sheet = facts(
        Sources(
            days=days,
            evenings=past.evenings,
            massages=past.massages,
            trainings=past.trainings,
            asked={"screen_age_days": 3, "massage_allowed": True},
        ),
        today=TODAY,
        zone=BERLIN,
    )
    inputs = set(get_type_hints(Facts))
    assert set(sheet.facts) <= inputs
    for name in ("sit_h_day_7d", "tension_mean_7d", "train_per_week_28d", "massages_28d"):
        assert name in sheet.facts
    assert sheet.facts["whole_day_wear"] is True
    assert sheet.context.problem_hour is not None
    assert sheet.context.usual_longest_sit_min is not None
    assert not sheet.context.worn_time_only


def test_nothing_known_on_an_empty_day() -> None:
    """Without any record there are no rates, no means and no massage count."""
    got = known(Sources())
    assert got == {"diary_days_14d": 0, "massage_pattern": "collecting", "massage_n": 0}


def test_zero_and_unknown_training_differ() -> None:
    """Three observed days give no rate; a week without training gives 0."""
    assert "train_per_week_28d" not in known(Sources(evenings=evenings(dict.fromkeys(range(3), 4))))
    week = known(Sources(evenings=evenings(dict.fromkeys(range(7), 4))))
    assert week["train_per_week_28d"] == 0
    assert week["train_weeks_on_plan"] == 0


def test_rates_divide_by_observed_days() -> None:
    """Four training days on 14 observed of 28 days are two a week, not one."""
    seen = evenings(dict.fromkeys(range(14), 4))
    trained = [Training(at_ns=at(ago(k)), minutes=20) for k in (1, 4, 8, 11)]
    got = known(Sources(evenings=seen, trainings=trained))
    assert got["train_per_week_28d"] == 2
    assert got["train_weeks_on_plan"] == 2
    twice = known(Sources(evenings=seen, trainings=[*trained, trained[0]]))
    assert twice["train_per_week_28d"] == 2  # days, not sessions


def test_the_start_stands_in_for_the_days_before_it() -> None:
    """Day 1: what was told; day 14: half told, half observed; day 28: observed alone."""
    told = Told(day=TODAY, training_days_per_week=2, massages_4_weeks=4, last_massage=ago(5))
    first = known(Sources(told=told, evenings=evenings({0: 6})))
    assert first["train_per_week_28d"] == pytest.approx(2 * 27 / 28)
    assert first["massages_28d"] == 4
    assert first["days_since_massage"] == 5
    half = Told(day=ago(13), training_days_per_week=2, massages_4_weeks=4)
    seen = evenings(dict.fromkeys(range(14), 4))
    got = known(Sources(told=half, evenings=seen, massages=[Massage(at_ns=at(ago(2)), minutes=20)]))
    assert got["train_per_week_28d"] == 1
    assert got["massages_28d"] == 3
    assert got["days_since_massage"] == 2
    old = Told(day=ago(40), training_days_per_week=7, massages_4_weeks=9)
    late = known(Sources(told=old, evenings=evenings(dict.fromkeys(range(28), 4))))
    assert (late["train_per_week_28d"], late["massages_28d"]) == (0, 0)


def test_means_need_their_entries() -> None:
    """Two of three days, four of seven; the trend needs eight in both fortnights."""
    got = known(Sources(evenings=evenings({0: 6, 1: 4, 5: 8}, pain=True)))
    assert got["pain_mean_3d"] == 5
    assert "pain_mean_7d" not in got
    assert "pain_trend_14d" not in got
    long = dict.fromkeys(range(8), 6) | dict.fromkeys(range(14, 22), 4)
    trend = known(Sources(evenings=evenings(long, pain=True)))
    assert (trend["pain_change_14d"], trend["pain_trend_14d"]) == (2, "worse")
    assert trend["diary_days_14d"] == 8
    assert "tension_mean_7d" not in trend


def test_worse_after_a_massage() -> None:
    """Both evenings two points above the one before; one missing evening leaves it unknown."""
    last = [Massage(at_ns=at(ago(2)), minutes=30)]
    bad = known(Sources(evenings=evenings({2: 4, 1: 6, 0: 7}), massages=last))
    assert bad["post_massage_tense_48h"] is True
    assert "post_massage_worse_48h" not in bad
    good = known(Sources(evenings=evenings({2: 4, 1: 6, 0: 5}), massages=last))
    assert good["post_massage_tense_48h"] is False
    open_ = known(Sources(evenings=evenings({2: 4, 1: 6}), massages=last))
    assert "post_massage_tense_48h" not in open_


def test_load_ratio_needs_a_base() -> None:
    """This week over the four before; missing below 20 min a week."""
    before = [Training(at_ns=at(ago(k)), minutes=30) for k in (8, 15, 22, 29)]
    now = [Training(at_ns=at(ago(k)), minutes=25, next_morning=2) for k in (1, 3)]
    got = known(Sources(trainings=before + now))
    assert got["train_load_ratio"] == pytest.approx(50 / 30)
    assert got["exercise_next_morning_delta"] == 2
    assert "train_load_ratio" not in known(Sources(trainings=before[:2] + now))


def test_three_valid_workdays_are_enough_and_say_so(
    worn: Callable[[int, float], DaySummary],
) -> None:
    """Three work days of 8.5 h give sitting "while worn"; two give none; four whole days do."""
    # Monday today, and the Friday, Thursday and Wednesday before
    work = {ago(k): worn(k, 9.2) for k in (3, 4, 5)}
    sheet = facts(Sources(days=work), today=TODAY, zone=BERLIN)
    assert sheet.facts["sit_h_day_7d"] == pytest.approx(4.6, abs=0.01)
    assert sheet.facts["whole_day_wear"] is False
    assert sheet.context.worn_time_only
    assert sheet.context.valid_workdays_7d == 3
    del work[ago(3)]
    assert "sit_h_day_7d" not in known(Sources(days=work))
    whole = {ago(k): worn(k, 12) for k in (1, 2, 3, 4)}
    full = facts(Sources(days=whole), today=TODAY, zone=BERLIN)
    assert full.facts["whole_day_wear"] is True
    assert full.facts["sit_bouts60_day_7d"] == 2
    assert full.facts["longest_sit_min_7d"] == 180
    assert not full.context.worn_time_only


def test_records_of_the_future_are_not_read() -> None:
    """A massage or training dated after today changes nothing."""
    later = [Massage(at_ns=at(ago(-1)), minutes=20)]
    assert "days_since_massage" not in known(Sources(massages=later))
    soon = [Training(at_ns=at(ago(-1)), minutes=500)]
    seen = evenings(dict.fromkeys(range(7), 4))
    assert known(Sources(trainings=soon, evenings=seen))["train_per_week_28d"] == 0


def test_stress_is_an_optional_detail_of_the_evening() -> None:
    """Three answers in seven days make a mean; two do not, and other evenings change nothing."""
    told = [Evening(day=ago(k).isoformat(), tension=3, stress=s) for k, s in ((0, 9), (2, 7))]
    rest = [Evening(day=ago(k).isoformat(), tension=3) for k in (1, 3)]
    assert "stress_mean_7d" not in known(Sources(evenings=[*told, *rest]))
    third = Evening(day=ago(6).isoformat(), tension=3, stress=8)
    assert known(Sources(evenings=[*told, *rest, third]))["stress_mean_7d"] == 8
