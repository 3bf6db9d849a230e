# SPDX-License-Identifier: Apache-2.0
"""Diary rows, progression, variability and what will come."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.diary import Evening, Massage, Training
from tracker.model import SECOND_NS, Epochs, Exercise, ExerciseSet, State
from tracker.trends.diary_table import diary_days, training_weeks
from tracker.trends.nof1 import Progress
from tracker.trends.outlook import by_id, next_news, outlook
from tracker.trends.tables import angle_1min, day_state
from tracker.trends.training import core_sessions, progression
from tracker.trends.variability import sample_entropy, variability
from tracker.units import to_ns

Line = Callable[..., Epochs]
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 16)


def noon(day: date) -> int:
    """Noon UTC of a day."""
    return to_ns(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


def test_diary_rows_keep_none_and_median() -> None:
    """A row per day; no entry is None; the median needs three ratings in seven days."""
    told = [
        Evening(day=(MONDAY + timedelta(days=k)).isoformat(), tension=v)
        for k, v in ((0, 4), (2, 6), (3, 8))
    ]
    rows = diary_days(
        told,
        [Massage(at_ns=noon(MONDAY), minutes=20), Massage(at_ns=noon(MONDAY), minutes=10)],
        [Training(at_ns=noon(MONDAY + timedelta(days=8)), minutes=15)],
        BERLIN,
        first=MONDAY,
        last=MONDAY + timedelta(days=9),
    )
    assert [r.tension for r in rows][:4] == [4, None, 6, 8]
    assert [r.tension_median7 for r in rows][:5] == [None, None, None, 6, 6]
    assert rows[9].tension_median7 is None
    assert (rows[0].massages, rows[0].massage_min, rows[1].massages) == (2, 30, 0)
    assert rows[1].painkiller is None
    assert [(w.days, w.minutes) for w in training_weeks(rows)] == [(0, 0), (1, 15)]


def one_set(
    start_s: float, seconds: float, what: Exercise, reps: int, hold_s: float = 0
) -> ExerciseSet:
    """A set."""
    return ExerciseSet(
        start_ns=round(start_s * SECOND_NS),
        end_ns=round((start_s + seconds) * SECOND_NS),
        exercise=what,
        reps=reps,
        hold_s=hold_s,
        confidence="high",
    )


def test_core_sessions_join_over_three_minutes() -> None:
    """Sets 3 min apart are one session, more are two; below 5 min or without core there is none."""
    curl = Exercise.CURL_UP
    near = [one_set(0, 60, curl, 10), one_set(240, 60, curl, 10)]
    (session,) = core_sessions(near)
    assert (session.work_s, session.sets, session.reps) == (120, 2, 20)
    assert core_sessions([one_set(0, 60, curl, 10), one_set(241, 60, curl, 10)]) == ()
    assert core_sessions([one_set(0, 600, Exercise.OTHER, 0)]) == ()


def test_progression_marks_records() -> None:
    """The first day is no record; more reps or a longer hold on a later day is."""
    day_s = 86_400
    sets = [
        one_set(0, 40, Exercise.PLANK, 0, 40),
        one_set(day_s, 30, Exercise.PLANK, 0, 30),
        one_set(2 * day_s, 55, Exercise.PLANK, 0, 55),
        one_set(2 * day_s + 100, 60, Exercise.CURL_UP, 12),
    ]
    rows = progression(sets, BERLIN)
    assert [(r.exercise, r.best_hold_s, r.record) for r in rows] == [
        (Exercise.PLANK, 40, False),
        (Exercise.PLANK, 30, False),
        (Exercise.PLANK, 55, True),
        (Exercise.CURL_UP, 0, False),
    ]


def test_sample_entropy_orders_regular_before_random() -> None:
    """A constant has none, a sine little, noise much; the value of a short series is by hand."""
    rng = np.random.default_rng(1)
    t = np.arange(180)
    wave = sample_entropy(np.sin(t / 5))
    noise = sample_entropy(rng.normal(size=180))
    assert sample_entropy(np.ones(180)) is None
    assert wave is not None
    assert noise is not None
    assert wave < 0.5
    assert noise > 1.5
    # 0 1 0 1 0 1 0 1: six stretches of two, 6 ordered pairs + 6 agree, all of them in the third
    assert sample_entropy(np.array([0, 1, 0, 1, 0, 1, 0, 1.0])) == pytest.approx(0)


def test_variability_needs_unbroken_quarter_hours(line: Line) -> None:
    """Only full windows of sitting count; standing between makes two short ones."""
    epochs = line((State.SITTING, 1000), (State.STANDING, 60), (State.SITTING, 800))
    tilt = np.random.default_rng(2).normal(10, 3, len(epochs)).astype(np.float32)
    got = variability(replace(epochs, tilt_deg=tilt))
    assert got.windows == 1
    assert got.sd_deg == pytest.approx(3, abs=0.5)
    assert variability(line((State.SITTING, 800))).sd_deg is None


def test_day_state_names_the_bout_around_a_run(line: Line) -> None:
    """A slouched run inside a sit carries the length of the whole sit; a gap is not measured."""
    epochs = line((State.STANDING, 60), (State.SITTING, 600), (State.SLOUCHING, 600), (None, 600))
    rows = day_state(epochs, start_ns=0, end_ns=1860 * SECOND_NS)
    assert rows.state.tolist() == [5, 3, 4, 0]
    assert rows.bout_min.tolist() == [0, 20, 20, 0]
    assert rows.measured.tolist() == [True, True, True, False]
    short = line((State.SITTING, 600), (State.STANDING, 60), (State.SITTING, 30))
    bits = day_state(short, start_ns=0, end_ns=690 * SECOND_NS)
    assert bits.bout_min.tolist() == [10, 0, 0]  # half a minute of sitting is no bout
    table = angle_1min(epochs, start_ns=0, end_ns=1860 * SECOND_NS)
    assert table.t_ns.size == 21


def test_outlook_says_what_comes_next() -> None:
    """On day 0 the first news is days away; after a year only what was never fed is missing."""
    today = MONDAY
    none = Progress(events=0, days=0, completeness=0, free_days=0, met=False, missing=("days",))
    fresh = outlook(
        today=today, usable_days=0, valid_weeks=0, diary_days_7d=0, progress=none, diary_weeks=0
    )
    first = next_news(fresh)
    assert first is not None
    assert first.earliest == today + timedelta(days=3)
    assert by_id(fresh)["baseline"].earliest == today + timedelta(days=10)
    assert by_id(fresh)["massage_answer_days"].earliest == today + timedelta(days=112)
    year = replace(none, events=2, days=360)
    old = outlook(
        today=today, usable_days=300, valid_weeks=50, diary_days_7d=7, progress=year, diary_weeks=51
    )
    left = next_news(old)
    assert left is not None
    assert (left.id, left.have, left.need) == ("massage_answer_massages", 2, 6)
