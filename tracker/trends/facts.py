# SPDX-License-Identifier: Apache-2.0
"""From days and diary to the facts that the rules read; what is not known is absent.

The sensor's numbers rest on whole days (worn awake for 10 h, four of them) or, failing that, on
valid work days (three are enough); then they hold "during the time worn" and the sheet says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tracker.trends.diaries import Outcome, massage_series, training_days
from tracker.trends.diary_facts import (
    WINDOW_D,
    Sources,
    Told,
    massage_facts,
    observed_days,
    ratings_facts,
    training_facts,
)
from tracker.trends.nof1 import Gates, published
from tracker.trends.problem import ProblemHour, problem_hour
from tracker.trends.summary import DaySummary
from tracker.trends.week import is_valid_workday, usable

__all__ = ["Context", "FactSheet", "Sources", "Told", "facts"]
MIN_WHOLE_DAYS = 4
MIN_WORKDAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Numbers beside the facts, for cards: not read by rules.

    `worn_time_only`: whole days are too few, so totals hold "during the time worn".
    """

    problem_hour: ProblemHour | None
    usual_longest_sit_min: float | None
    sessions_7d: int
    sessions_plan: int
    valid_days_7d: int
    valid_workdays_7d: int
    usable_days_7d: int
    worn_time_only: bool
    observed_days_28d: int
    days_with_sensor: int
    diary_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSheet:
    """`facts`: input id -> value, missing is absent; `context`: numbers for cards."""

    facts: dict[str, object]
    context: Context


def facts(
    src: Sources,
    *,
    today: date,
    zone: ZoneInfo,
    outcome: Outcome = "tension",
    gates: Gates | None = None,
) -> FactSheet:
    """All facts of one evening. `outcome` is what relief is judged by (clinic: "pain")."""
    recent = {d: s for d, s in src.days.items() if today - timedelta(days=7) < d <= today}
    out: dict[str, object | None] = dict(src.asked)
    out |= ratings_facts(src.evenings, today)
    observed = observed_days(src, today, zone)
    out |= training_facts(src, observed, today, zone)
    out |= massage_facts(src, observed, today, zone)
    out |= _pattern(src, today, zone, outcome, gates)
    sensor, worn_only = _sensor(src, recent)
    out |= sensor
    good = {d: s for d, s in recent.items() if usable(d, s, src.window)}
    trained = {d for d in training_days(src.trainings, zone) if today - timedelta(days=7) < d}
    month = {d: s for d, s in src.days.items() if today - timedelta(days=WINDOW_D) < d <= today}
    context = Context(
        problem_hour=problem_hour({d: s for d, s in month.items() if usable(d, s, src.window)}),
        usual_longest_sit_min=_median([s.longest_sit_min for s in good.values()])
        if len(good) >= MIN_WORKDAYS
        else None,
        sessions_7d=len({d for d in trained if d <= today}),
        sessions_plan=src.sessions_plan,
        valid_days_7d=sum(s.valid_day for s in recent.values()),
        valid_workdays_7d=sum(is_valid_workday(d, s, src.window) for d, s in recent.items()),
        usable_days_7d=len(good),
        worn_time_only=worn_only,
        observed_days_28d=len(observed),
        days_with_sensor=sum(s.worn_s > 0 for s in src.days.values()),
        diary_days=len({e.day for e in src.evenings}),
    )
    return FactSheet(facts={k: v for k, v in out.items() if v is not None}, context=context)


def _median(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.median(known)) if known else None


def _pattern(
    src: Sources, today: date, zone: ZoneInfo, outcome: Outcome, gates: Gates | None
) -> dict[str, object | None]:
    series = massage_series(src.evenings, src.massages, zone, outcome=outcome, today=today)
    result = published(series, gates)
    return {
        "massage_pattern": result.category.value,
        "massage_n": result.progress.events,
    }


def _sensor(
    src: Sources, recent: Mapping[date, DaySummary]
) -> tuple[dict[str, object | None], bool]:
    """Facts of the last 7 days, and whether totals hold only while worn."""
    whole = [s for s in recent.values() if s.valid_day]
    good = [s for d, s in recent.items() if usable(d, s, src.window)]
    worn_only = len(whole) < MIN_WHOLE_DAYS
    base = good if worn_only else whole
    if len(base) < MIN_WORKDAYS:
        return {"whole_day_wear": False if recent else None}, worn_only
    sat = sum(s.slump_seen_s for s in base if s.slump_seen_s is not None)
    slouched = sum(s.slouch_s for s in base if s.slouch_s is not None)
    shifts = [s.shifts_per_h for s in base if s.shifts_per_h is not None]
    return {
        "sit_h_day_7d": float(np.mean([s.sit_s for s in base])) / 3600,
        "sit_bouts60_day_7d": float(np.mean([s.prolonged60_n for s in base])),
        "slouch_share_7d": slouched / sat if sat else None,
        "aerobic_min_7d": round(7 * float(np.mean([s.active_min for s in base]))),
        "longest_sit_min_7d": _median([s.longest_sit_min for s in base]),
        "shifts_per_h_7d": float(np.mean(shifts)) if shifts else None,
        "whole_day_wear": not worn_only,
    }, worn_only
