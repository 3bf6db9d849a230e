# SPDX-License-Identifier: Apache-2.0
"""Weeks: which are valid, what they hold, and the facts of the weekly summary.

A week is valid with at least three work days. A day is usable when it was worn awake for 10 h, or
when it is a valid work day; totals over whole days are taken from days worn for 10 h, else the
week says so (`worn_time_only`) and its totals are "while worn".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from tracker.trends.hours import WorkWindow, valid_workday
from tracker.trends.metrics import METRICS, Metric
from tracker.trends.summary import DaySummary

MIN_DAYS = 3
Days = Mapping[date, DaySummary]


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One calendar week, Monday first. `values` are means over usable days; missing: no key."""

    monday: date
    workdays_valid: int
    workdays: int
    valid_days: int
    days: tuple[date, ...]  # usable
    worn_time_only: bool
    values: Mapping[str, float]
    core_sessions: float
    core_min: float

    @property
    def valid(self) -> bool:
        """Three valid work days or three whole days."""
        return len(self.days) >= MIN_DAYS


def usable(day: date, summary: DaySummary, window: WorkWindow) -> bool:
    """Worn awake for 10 h, or a valid work day."""
    return summary.valid_day or is_valid_workday(day, summary, window)


def is_valid_workday(day: date, summary: DaySummary, window: WorkWindow) -> bool:
    """A work day worn for at least 80 % of the work window and 4 h."""
    return window.includes(day) and valid_workday(summary.half_hours["worn"], window)


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def mean_of(metric: Metric, summaries: Sequence[DaySummary]) -> float | None:
    """Mean of what is known."""
    known = [v for s in summaries if (v := metric.read(s)) is not None]
    return float(np.mean(known)) if known else None


def week(days: Days, monday: date, window: WorkWindow) -> Week:
    """The week that begins on `monday`."""
    span = [monday + timedelta(days=i) for i in range(7)]
    here = {d: days[d] for d in span if d in days}
    good = tuple(d for d, s in here.items() if usable(d, s, window))
    whole = [here[d] for d in good if here[d].valid_day]
    worn_only = len(whole) < MIN_DAYS
    values: dict[str, float] = {}
    for metric in METRICS.values():
        of_days = whole if metric.wear == "day" and not worn_only else [here[d] for d in good]
        value = mean_of(metric, of_days)
        if value is not None:
            values[metric.id] = value
    return Week(
        monday=monday,
        workdays_valid=sum(is_valid_workday(d, s, window) for d, s in here.items()),
        workdays=sum(window.includes(d) for d in span),
        valid_days=len(whole),
        days=good,
        worn_time_only=worn_only,
        values=values,
        core_sessions=sum(s.core_sessions for s in here.values()),
        core_min=sum(s.core_min for s in here.values()),
    )


def weeks(days: Days, window: WorkWindow, *, first: date, last: date) -> tuple[Week, ...]:
    """All calendar weeks that lie in [first, last] with their Monday, oldest first."""
    start = monday_of(first)
    n = max((last - start).days // 7 + 1, 0)
    return tuple(week(days, start + timedelta(days=7 * i), window) for i in range(n))
