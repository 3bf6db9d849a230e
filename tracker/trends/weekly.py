# SPDX-License-Identifier: Apache-2.0
"""Facts of the weekly summary: at most five lines, no score, always against the own baseline."""

from dataclasses import dataclass
from datetime import date, timedelta

from tracker.trends.baseline import Baseline, Change, Verdict, baseline, compare
from tracker.trends.hours import WorkWindow
from tracker.trends.problem import ProblemHour, problem_hour
from tracker.trends.week import Days, monday_of, week, weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklySummary:
    """What the text of a week may say. `send` is False below three days: ask for the sensor."""

    number: int
    monday: date
    send: bool
    workdays_valid: int
    workdays: int
    worn_time_only: bool
    sit_h: float | None
    usual_low_h: float | None
    usual_high_h: float | None
    longest_sit_min: float | None
    longest_sit_before_min: float | None
    shifts_per_h: float | None
    sessions: int
    sessions_plan: int
    changes: tuple[Change, ...]  # the real ones only
    suggestion: ProblemHour | None


FOLLOWED = ("sit_h", "longest_sit_min", "w50_min", "slouch_share", "shifts_per_h")


def weekly_summary(
    days: Days,
    window: WorkWindow,
    *,
    monday: date,
    sessions_plan: int,
    sessions: int | None = None,
    base: Baseline | None = None,
) -> WeeklySummary:
    """The week that begins on `monday`; `sessions` from the diary wins over recognised ones.

    The longest sit is the week's maximum, beside that of the week before.
    """
    now = week(days, monday, window)
    before = week(days, monday - timedelta(days=7), window)
    first = min(days, default=monday)
    history = weeks(days, window, first=first, last=monday - timedelta(days=1))
    own = base or baseline(days, window)
    usual = own.values.get("sit_h") if own.complete else None
    changes = [compare(m, before, now, history) for m in FOLLOWED]
    recent = {d: s for d, s in days.items() if monday - timedelta(days=21) <= d}
    recent = {d: s for d, s in recent.items() if d <= monday + timedelta(days=6)}
    return WeeklySummary(
        number=monday_of(monday).isocalendar().week,
        monday=monday,
        send=now.valid,
        workdays_valid=now.workdays_valid,
        workdays=now.workdays,
        worn_time_only=now.worn_time_only,
        sit_h=now.values.get("sit_h"),
        usual_low_h=None if usual is None else usual.low,
        usual_high_h=None if usual is None else usual.high,
        longest_sit_min=_longest(days, now.days),
        longest_sit_before_min=_longest(days, before.days),
        shifts_per_h=now.values.get("shifts_per_h"),
        sessions=round(now.core_sessions) if sessions is None else sessions,
        sessions_plan=sessions_plan,
        changes=tuple(c for c in changes if c.verdict is Verdict.REAL),
        suggestion=problem_hour(recent),
    )


def _longest(days: Days, which: tuple[date, ...]) -> float | None:
    known = [v for d in which if (v := days[d].longest_sit_min) is not None]
    return max(known, default=None)
