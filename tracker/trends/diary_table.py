# SPDX-License-Identifier: Apache-2.0
"""The diary as one tidy row per day: the chart of ratings and treatment and its twin on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tracker.diary import Evening, Massage, Training
from tracker.trends.diaries import days_between, ratings_by_day
from tracker.units import local_date

MEDIAN_DAYS = 7
MEDIAN_LEAST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryDay:
    """One calendar day; None is "no entry", not 0. `*_median7` needs three ratings in 7 days."""

    day: date
    tension: int | None
    pain: int | None
    tension_median7: float | None
    pain_median7: float | None
    massages: int
    massage_min: int
    training_min: int
    painkiller: bool | None
    unusual_load: bool | None
    illness: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWeek:
    """One calendar week of training as told or confirmed."""

    monday: date
    days: int
    minutes: int


def diary_days(
    evenings: Sequence[Evening],
    massages: Sequence[Massage],
    trainings: Sequence[Training],
    zone: ZoneInfo,
    *,
    first: date,
    last: date,
) -> list[DiaryDay]:
    """One row per day from `first` to `last`, both included."""
    by_day = {date.fromisoformat(e.day): e for e in evenings}
    tension, pain = ratings_by_day(evenings, "tension"), ratings_by_day(evenings, "pain")
    rubbed: dict[date, list[int]] = {}
    for m in massages:
        rubbed.setdefault(local_date(m.at_ns, zone), []).append(m.minutes)
    trained: dict[date, int] = {}
    for t in trainings:
        day = local_date(t.at_ns, zone)
        trained[day] = trained.get(day, 0) + t.minutes
    rows = []
    for day in days_between(first, last):
        entry = by_day.get(day)
        rows.append(
            DiaryDay(
                day=day,
                tension=tension.get(day),
                pain=pain.get(day),
                tension_median7=_median7(tension, day),
                pain_median7=_median7(pain, day),
                massages=len(rubbed.get(day, ())),
                massage_min=sum(rubbed.get(day, ())),
                training_min=trained.get(day, 0),
                painkiller=None if entry is None else entry.painkiller,
                unusual_load=None if entry is None else entry.unusual_load,
                illness=None if entry is None else entry.illness,
            )
        )
    return rows


def _median7(rated: dict[date, int], day: date) -> float | None:
    values = [rated[d] for k in range(MEDIAN_DAYS) if (d := day - timedelta(days=k)) in rated]
    return float(np.median(values)) if len(values) >= MEDIAN_LEAST else None


def training_weeks(rows: Sequence[DiaryDay]) -> list[TrainingWeek]:
    """Minutes and days per calendar week of the rows (the first and last may be cut)."""
    weeks: dict[date, list[int]] = {}
    for row in rows:
        monday = row.day - timedelta(days=row.day.weekday())
        weeks.setdefault(monday, []).append(row.training_min)
    return [
        TrainingWeek(monday=m, days=sum(v > 0 for v in values), minutes=sum(values))
        for m, values in sorted(weeks.items())
    ]
