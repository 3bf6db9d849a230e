# SPDX-License-Identifier: Apache-2.0
"""What the diary alone says: ratings, training and massages of the last weeks.

Rates divide by the days that were really observed: zero and unknown differ. What the wearer told
at the start stands in for the days before it, so the first weeks are neither empty nor zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tracker.diary import Evening, Massage, Training
from tracker.trends.diaries import (
    Outcome,
    massage_days,
    rating,
    ratings_by_day,
    training_days,
)
from tracker.trends.hours import WorkWindow
from tracker.trends.summary import DaySummary
from tracker.units import local_date

WINDOW_D = 28
MIN_OBSERVED_D = 7  # below it a rate per week is a guess
STRESS_ENTRIES = 3  # an optional detail: asked for less often than tension (ours)
PLAN_DAYS_PER_WEEK = 2  # T_STRENGTH_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the one-minute start said; None where it was not answered."""

    day: date
    training_days_per_week: float | None = None
    massages_4_weeks: int | None = None
    last_massage: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What facts are made of. `days` are day summaries; `told` the start; `asked` passes through.

    `asked` holds facts that were asked or come from the safety list (screen_actions,
    screen_age_days, massage_allowed, training_allowed, pain_duration_weeks, medical_check_done).
    """

    days: Mapping[date, DaySummary] = field(default_factory=dict)
    evenings: Sequence[Evening] = ()
    massages: Sequence[Massage] = ()
    trainings: Sequence[Training] = ()
    told: Told | None = None
    asked: Mapping[str, object] = field(default_factory=dict)
    window: WorkWindow = field(default_factory=WorkWindow)
    sessions_plan: int = 3


def observed_days(src: Sources, today: date, zone: ZoneInfo) -> frozenset[date]:
    """Days of the last 28 on which something was recorded: rating, wear, massage or training."""
    seen = {date.fromisoformat(e.day) for e in src.evenings}
    seen |= {d for d, s in src.days.items() if s.worn_s > 0}
    seen |= massage_days(src.massages, zone) | training_days(src.trainings, zone)
    return frozenset(d for d in seen if today - timedelta(days=WINDOW_D) < d <= today)


def _told_days(told: Told | None, today: date) -> int:
    """Days of the 28-day window that lie before the start and are known by what was told."""
    if told is None:
        return 0
    return max(WINDOW_D - ((today - told.day).days + 1), 0) if told.day <= today else 0


def ratings_facts(evenings: Sequence[Evening], today: date) -> dict[str, object | None]:
    """Means, change and number of ratings."""
    tension, pain = ratings_by_day(evenings, "tension"), ratings_by_day(evenings, "pain")
    stress = {date.fromisoformat(e.day): e.stress for e in evenings if e.stress is not None}
    change = None
    now, before = _window(pain, today, 14), _window(pain, today - timedelta(days=14), 14)
    if len(now) >= 8 and len(before) >= 8:  # T_TREND
        change = float(np.mean(now) - np.mean(before))
    entries = {e.day for e in evenings if rating(e, "tension") is not None or e.pain is not None}
    days = [today - timedelta(days=i) for i in range(14)]
    return {
        "pain_mean_3d": _mean(_window(pain, today, 3), 2),
        "pain_mean_7d": _mean(_window(pain, today, 7), 4),
        "pain_change_14d": change,
        "pain_trend_14d": None
        if change is None
        else "worse"
        if change >= 2
        else "improved"
        if change <= -2
        else "stable",
        "tension_mean_7d": _mean(_window(tension, today, 7), 4),
        "stress_mean_7d": _mean(_window(stress, today, 7), STRESS_ENTRIES),
        "diary_days_14d": sum(d.isoformat() in entries for d in days),
    }


def _window(values: Mapping[date, int], last: date, n: int) -> list[int]:
    days = [last - timedelta(days=i) for i in range(n)]
    return [values[d] for d in days if d in values]


def _mean(values: Sequence[float], least: int) -> float | None:
    return float(np.mean(values)) if len(values) >= least else None


def training_facts(
    src: Sources, observed: frozenset[date], today: date, zone: ZoneInfo
) -> dict[str, object | None]:
    """Training days per week observed, load against the weeks before, the morning after."""
    trained = {d for d in training_days(src.trainings, zone) if d <= today}
    month = {d for d in trained if d > today - timedelta(days=WINDOW_D)}
    told = src.told
    told_rate = None if told is None else told.training_days_per_week
    before = _told_days(told, today) if told_rate is not None else 0
    known = len(observed) + before
    rate = None
    if known >= MIN_OBSERVED_D:
        rate = 7 * (len(month) + (told_rate or 0) / 7 * before) / known
    worn = {d for d in observed if d in src.days and src.days[d].worn_s > 0}
    recognised = sum(src.days[d].core_sessions > 0 for d in worn)
    past = [t for t in src.trainings if local_date(t.at_ns, zone) <= today]
    last = max(past, key=lambda t: t.at_ns, default=None)
    return {
        "train_per_week_28d": rate,
        "train_recognised_28d": 7 * recognised / len(worn) if len(worn) >= MIN_OBSERVED_D else None,
        "train_weeks_on_plan": _weeks_on_plan(trained, today) if known >= MIN_OBSERVED_D else None,
        "train_load_ratio": _load_ratio(src.trainings, today, zone),
        "exercise_next_morning_delta": None
        if last is None or last.next_morning is None
        else float(last.next_morning),
    }


def _weeks_on_plan(trained: set[date], today: date) -> int:
    """Full weeks back from today with at least two training days, without a break."""
    count = 0
    while True:
        days = {today - timedelta(days=7 * count + i) for i in range(7)}
        if len(days & trained) < PLAN_DAYS_PER_WEEK:
            return count
        count += 1


def _load_ratio(trainings: Sequence[Training], today: date, zone: ZoneInfo) -> float | None:
    """Training minutes of the last 7 days over the weekly mean of the four weeks before."""
    this, before = 0.0, 0.0
    for one in trainings:
        age = (today - local_date(one.at_ns, zone)).days
        if 0 <= age < 7:
            this += one.minutes
        elif 7 <= age < 35:
            before += one.minutes
    return this / (before / 4) if before / 4 >= 20 else None


def massage_facts(
    src: Sources, observed: frozenset[date], today: date, zone: ZoneInfo
) -> dict[str, object | None]:
    """How long ago, how many, and whether the newest one was followed by two worse evenings."""
    days = {d for d in massage_days(src.massages, zone) if d <= today}
    told = src.told
    newest = max(days, default=None)
    if told is not None and told.last_massage is not None and told.last_massage <= today:
        newest = told.last_massage if newest is None else max(newest, told.last_massage)
    count: int | None = None
    before = _told_days(told, today)
    if told is not None and told.massages_4_weeks is not None:
        count = round(told.massages_4_weeks * before / WINDOW_D)
    elif len(observed) >= MIN_OBSERVED_D or days:
        count = 0
    month = sum(d > today - timedelta(days=WINDOW_D) for d in days)
    return {
        "days_since_massage": None if newest is None else (today - newest).days,
        "massages_28d": None if count is None else count + month,
        "post_massage_worse_48h": _worse_after(src.evenings, days, today, "pain"),
        "post_massage_tense_48h": _worse_after(src.evenings, days, today, "tension"),
    }


def _worse_after(
    evenings: Sequence[Evening], days: set[date], today: date, outcome: Outcome
) -> bool | None:
    """Whether both evenings after the newest massage lie 2 points above the one before it."""
    ended = [d for d in days if 2 <= (today - d).days <= 14]
    if not ended:
        return None
    rated, day = ratings_by_day(evenings, outcome), max(ended)
    before = rated.get(day, rated.get(day - timedelta(days=1)))
    after = [rated.get(day + timedelta(days=k)) for k in (1, 2)]
    if before is None or any(v is None for v in after):
        return None
    return all(v is not None and v >= before + 2 for v in after)
