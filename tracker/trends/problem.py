# SPDX-License-Identifier: Apache-2.0
"""Hours of the week: the heat map's matrix and the hour in which the wearer sits most."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tracker.trends.summary import DaySummary

Value = Literal["sit_min", "slouch_pct", "shifts_per_h"]
MIN_DAYS = 3
SEEN_S = 1800.0  # an hour counts for a day when at least half of it was seen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HourMatrix:
    """24 hours by 7 weekdays (Monday first).

    value  (24, 7) in the unit of `kind`; NaN with fewer than three days
    n      (24, 7) days that were seen in that hour
    """

    kind: Value
    value: NDArray[np.float64]
    n: NDArray[np.int64]


def _hours(day: DaySummary, name: str) -> NDArray[np.float64]:
    halves = np.asarray(day.half_hours[name], np.float64)
    return halves[0::2] + halves[1::2]


def hour_weekday(
    days: Mapping[date, DaySummary], kind: Value = "sit_min", *, min_days: int = MIN_DAYS
) -> HourMatrix:
    """Mean of what was seen, per hour and weekday: minutes of sitting per hour seen, and so on.

    Only hours of which at least half was seen count; with fewer than `min_days` of them the cell
    is NaN, which the chart shows as a dash.
    """
    top, base = np.zeros((24, 7)), np.zeros((24, 7))
    n = np.zeros((24, 7), np.int64)
    for day, summary in days.items():
        seen, sit = _hours(summary, "seen"), _hours(summary, "sit")
        if kind == "sit_min":
            part, whole = 60 * sit, seen
        elif kind == "slouch_pct":
            if summary.slouch_share is None:
                continue
            part, whole = 100 * _hours(summary, "slouch"), sit
        else:
            if summary.shifts is None:
                continue
            part, whole = 3600 * _hours(summary, "shifts"), sit
        counted = (seen >= SEEN_S) & (whole > 0)
        column = day.weekday()
        top[:, column] += np.where(counted, part, 0)
        base[:, column] += np.where(counted, whole, 0)
        n[:, column] += counted
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where((n >= min_days) & (base > 0), top / base, np.nan)
    return HourMatrix(kind=kind, value=value, n=n)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemHour:
    """The hour with the most sitting; weekdays only where they stand out clearly."""

    hour: int
    sit_min_per_h: float
    days: int
    weekdays: tuple[int, ...]


def problem_hour(days: Mapping[date, DaySummary]) -> ProblemHour | None:
    """The hour of the day with the most sitting; None until three days saw the same hour.

    Weekdays are named once each of them has three days in that hour and lies at least 5 min above
    the hour's own mean.
    """
    top, base, n = np.zeros(24), np.zeros(24), np.zeros(24, np.int64)
    for summary in days.values():
        seen = _hours(summary, "seen")
        counted = seen >= SEEN_S
        top += np.where(counted, 60 * _hours(summary, "sit"), 0)
        base += np.where(counted, seen, 0)
        n += counted
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where((n >= MIN_DAYS) & (base > 0), top / base, -np.inf)
    hour = int(share.argmax())
    if not np.isfinite(share[hour]) or share[hour] <= 0:
        return None
    matrix = hour_weekday(days)
    with np.errstate(invalid="ignore"):
        stands_out = matrix.value[hour] >= share[hour] + 5
    return ProblemHour(
        hour=hour,
        sit_min_per_h=float(share[hour]),
        days=int(n[hour]),
        weekdays=tuple(np.flatnonzero(stands_out).tolist()),
    )
