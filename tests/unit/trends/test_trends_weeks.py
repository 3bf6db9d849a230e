# SPDX-License-Identifier: Apache-2.0
"""Weeks, baselines, real changes, the hour matrix and the weekly summary."""

from collections.abc import Callable
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tracker.model import Epochs, State
from tracker.simulation.history import history
from tracker.trends.baseline import Verdict, against_baseline, baseline, compare, real_change
from tracker.trends.day import summarise
from tracker.trends.exposure import active_break_days, long_sitting_days
from tracker.trends.hours import WorkWindow
from tracker.trends.problem import hour_weekday, problem_hour
from tracker.trends.summary import DaySummary
from tracker.trends.tables import accumulation_of_days, daily, events
from tracker.trends.week import is_valid_workday, week, weeks
from tracker.trends.weekly import weekly_summary
from tracker.units import day_bounds_ns, local_ns

Line = Callable[..., Epochs]
BERLIN = ZoneInfo("Europe/Berlin")
WINDOW = WorkWindow()
MONDAY = date(2026, 11, 16)
HOUR = 3600.0


@pytest.fixture
def make_day(line: Line) -> Callable[..., DaySummary]:
    """A summary of one day: hours of sitting in bouts, the rest standing, from 8 h on."""

    def make(
        day: date, *, sit_h: float, worn_h: float = 12.0, bout_min: float = 30.0, at: int = 8
    ) -> DaySummary:
        start, end = day_bounds_ns(day, BERLIN)
        n = round(sit_h * 60 / bout_min)
        up = (worn_h - n * bout_min / 60) * HOUR / (n + 1)
        parts: list[tuple[State, float]] = [(State.STANDING, up)]
        for _ in range(n):
            parts += [(State.SITTING, bout_min * 60), (State.STANDING, up)]
        epochs = line(*parts, start_ns=local_ns(day, time(at), BERLIN))
        return summarise(epochs, start_ns=start, end_ns=end, zone=BERLIN)

    return make


def test_valid_week_and_what_totals_mean(make_day: Callable[..., DaySummary]) -> None:
    """Three work days make a week; without three whole days totals are "while worn"."""
    days = {MONDAY + timedelta(days=i): make_day(MONDAY, sit_h=6) for i in range(2)}
    assert not week(days, MONDAY, WINDOW).valid
    days[MONDAY + timedelta(days=2)] = make_day(MONDAY, sit_h=6)
    whole = week(days, MONDAY, WINDOW)
    assert whole.valid
    assert not whole.worn_time_only
    assert whole.values["sit_h"] == pytest.approx(6, abs=0.01)
    short = {d: make_day(d, sit_h=4, worn_h=8, at=9) for d in days}
    worn = week(short, MONDAY, WINDOW)
    assert (worn.valid, worn.worn_time_only, worn.workdays_valid) == (True, True, 3)
    assert worn.values["sit_h"] == pytest.approx(4, abs=0.01)
    saturday = MONDAY + timedelta(days=5)
    assert not is_valid_workday(saturday, make_day(saturday, sit_h=6), WINDOW)


def test_baseline_is_the_first_ten_usable_days(make_day: Callable[..., DaySummary]) -> None:
    """Short days are skipped; the eleventh day changes nothing; re-basing starts anew."""
    days = {MONDAY + timedelta(days=i): make_day(MONDAY, sit_h=4 + i % 5) for i in range(14)}
    days[MONDAY] = make_day(MONDAY, sit_h=1, worn_h=2)
    base = baseline(days, WINDOW)
    assert base.complete
    assert MONDAY not in base.days
    assert base.days[-1] == MONDAY + timedelta(days=10)
    assert base.values["sit_h"].n == 10
    later = baseline(days, WINDOW, from_day=MONDAY + timedelta(days=8))
    assert (len(later.days), later.complete) == (6, False)


def test_real_change_needs_both_limits() -> None:
    """Outside the own spread and above the measurement limit; else normal or too little."""
    calm = [6.0, 6.1, 5.9, 6.0, 6.05]
    assert real_change("sit_h", 6.0, 7.0, calm).verdict is Verdict.NORMAL  # below 77 min
    assert real_change("sit_h", 6.0, 7.5, calm).verdict is Verdict.REAL
    wild = [4.0, 8.0, 5.0, 7.0]
    assert real_change("sit_h", 6.0, 7.5, wild).verdict is Verdict.NORMAL
    assert real_change("sit_h", 6.0, 9.0, calm[:3]).verdict is Verdict.TOO_LITTLE
    assert real_change("sit_h", None, 9.0, calm).verdict is Verdict.TOO_LITTLE
    assert real_change("shifts_per_h", 20, 26, [20, 21, 19, 20]).difference == 6


@pytest.mark.parametrize("n", [4, 6, 12])
def test_noise_is_rarely_called_real(n: int) -> None:
    """Weeks that differ by chance alone are called a real change in at most 8 % of looks."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(1000):
        values = rng.normal(30, 4, n + 1).tolist()
        found = real_change("w50_min", values[-2], values[-1], values[:-1])
        hits += found.verdict is Verdict.REAL
    print(f"{n} weeks: real by chance {hits / 1000:.3f}")
    assert hits / 1000 <= 0.08


def test_compare_wants_the_same_kind_of_wear(make_day: Callable[..., DaySummary]) -> None:
    """A week of whole days and a week of work days cannot be compared in totals."""
    days: dict[date, DaySummary] = {}
    for w in range(6):
        for i in range(4):
            day = MONDAY + timedelta(days=7 * w + i)
            days[day] = make_day(day, sit_h=6 + 0.5 * ((w + i) % 2))
    for i in range(4):
        day = MONDAY + timedelta(days=42 + i)
        days[day] = make_day(day, sit_h=3, worn_h=8, at=9, bout_min=20)
    every = weeks(days, WINDOW, first=MONDAY, last=MONDAY + timedelta(days=48))
    assert [w.valid for w in every] == [True] * 7
    total = compare("sit_h", every[5], every[6], every)
    assert total.verdict is Verdict.TOO_LITTLE
    assert compare("w50_min", every[5], every[6], every).verdict is Verdict.REAL
    assert compare("sit_h", every[4], every[5], every).verdict is Verdict.NORMAL
    base = baseline(days, WINDOW)
    assert against_baseline("sit_h", base, every[5], every).verdict is Verdict.NORMAL
    assert against_baseline("sit_h", base, every[6], every).verdict is Verdict.TOO_LITTLE


def test_hour_matrix_dashes_below_three_days(line: Line) -> None:
    """Minutes of sitting per hour seen; a cell with two days is missing, not 0."""
    days = {}
    for w in range(3):
        day = MONDAY + timedelta(days=7 * w)
        start, end = day_bounds_ns(day, BERLIN)
        parts = [(State.STANDING, 2 * HOUR), (State.SITTING, 1.5 * HOUR), (State.WALKING, HOUR)]
        epochs = line(*parts, start_ns=local_ns(day, time(12), BERLIN))
        days[day] = summarise(epochs, start_ns=start, end_ns=end, zone=BERLIN)
    matrix = hour_weekday(days)
    assert matrix.value[14, 0] == 60
    assert matrix.value[15, 0] == 30
    assert matrix.value[12, 0] == 0
    assert np.isnan(matrix.value[14, 1])
    assert np.isnan(matrix.value[10, 0])
    found = problem_hour(days)
    assert found is not None
    assert (found.hour, found.sit_min_per_h, found.days) == (14, 60, 3)
    del days[MONDAY]
    assert np.isnan(hour_weekday(days).value[14, 0])
    assert problem_hour(days) is None


def test_weekly_summary_of_a_simulated_wearer() -> None:
    """A year-like history gives number, usual range, longest sits, sessions and a suggestion."""
    last = date(2026, 11, 22)
    past = history(np.random.default_rng(8), 56, BERLIN, last_day=last)
    days = {}
    for i in range(56):
        day = last - timedelta(days=i)
        a, b = day_bounds_ns(day, BERLIN)
        days[day] = summarise(
            past.epochs, past.transitions, past.sets, start_ns=a, end_ns=b, zone=BERLIN
        )
    got = weekly_summary(days, WINDOW, monday=MONDAY, sessions_plan=3)
    assert (got.number, got.send, got.workdays) == (47, True, 5)
    assert got.sit_h is not None
    assert got.usual_low_h is not None
    assert got.usual_high_h is not None
    assert got.usual_low_h < got.usual_high_h
    assert got.longest_sit_min is not None
    assert got.suggestion is not None
    assert 8 <= got.suggestion.hour <= 21
    empty = weekly_summary({}, WINDOW, monday=MONDAY, sessions_plan=3)
    assert (empty.send, empty.sit_h, empty.suggestion) == (False, None, None)
    lengths, share = accumulation_of_days(list(days.values()))
    assert share[-1] == pytest.approx(1)
    assert np.all(np.diff(share) >= 0)
    assert lengths.size == share.size
    rows = daily(days)
    assert [r["date"] for r in rows] == sorted(str(r["date"]) for r in rows)
    a, b = day_bounds_ns(MONDAY, BERLIN)
    found = events(past.epochs, past.transitions, start_ns=a, end_ns=b)
    assert all(a <= e.t_ns < b for e in found)
    assert {"sit_to_stand", "slouch", "shift"} <= {e.kind for e in found}


def test_weekly_longest_sit_is_the_weeks_maximum(make_day: Callable[..., DaySummary]) -> None:
    """One long sit on one day is the week's longest, beside that of the week before."""
    before, now = MONDAY - timedelta(days=7), MONDAY
    days = {before + timedelta(days=i): make_day(MONDAY, sit_h=6, bout_min=45) for i in range(3)}
    days |= {now + timedelta(days=i): make_day(MONDAY, sit_h=6, bout_min=20) for i in range(3)}
    days[now] = make_day(MONDAY, sit_h=6, bout_min=90)
    got = weekly_summary(days, WINDOW, monday=MONDAY, sessions_plan=3, sessions=2)
    assert (got.longest_sit_min, got.longest_sit_before_min) == (90, 45)
    assert (got.sessions, got.sessions_plan) == (2, 3)


def test_long_sitting_and_active_break_days(make_day: Callable[..., DaySummary]) -> None:
    """The own upper third of valid days; days not worn long enough are unknown, not short."""
    days = {MONDAY + timedelta(days=i): make_day(MONDAY, sit_h=3 + 0.5 * i) for i in range(12)}
    days[MONDAY + timedelta(days=20)] = make_day(MONDAY, sit_h=3, worn_h=6)
    long_days = long_sitting_days(days)
    assert sorted(d for d, v in long_days.items() if v) == [
        MONDAY + timedelta(days=i) for i in (8, 9, 10, 11)
    ]
    assert MONDAY + timedelta(days=20) not in long_days
    few = dict(list(days.items())[:9])
    assert long_sitting_days(few) == {}
    calm = {MONDAY + timedelta(days=i): make_day(MONDAY, sit_h=6, bout_min=60) for i in range(9)}
    busy = {MONDAY + timedelta(days=9 + i): make_day(MONDAY, sit_h=6, bout_min=20) for i in (0, 1)}
    active = active_break_days(calm | busy)
    assert {d for d, v in active.items() if v} == set(busy)
