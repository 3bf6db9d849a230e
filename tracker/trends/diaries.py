# SPDX-License-Identifier: Apache-2.0
"""From diary records to one value per calendar day, and from there to the models.

A missing evening is NaN, never 0 and never imputed. Days of illness are left out of analysis.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tracker.diary import Evening, Massage, Training
from tracker.trends.nof1 import Series
from tracker.units import local_date

Outcome = Literal["tension", "pain"]


def rating(evening: Evening, outcome: Outcome) -> int | None:
    """The evening's answer on the chosen scale."""
    return evening.tension if outcome == "tension" else evening.pain


def ratings_by_day(evenings: Iterable[Evening], outcome: Outcome) -> dict[date, int]:
    """Answers by day; the last record of a day counts."""
    return {
        date.fromisoformat(e.day): value
        for e in evenings
        if (value := rating(e, outcome)) is not None
    }


def massage_days(massages: Iterable[Massage], zone: ZoneInfo) -> frozenset[date]:
    """Local days with a massage."""
    return frozenset(local_date(m.at_ns, zone) for m in massages)


def training_days(trainings: Iterable[Training], zone: ZoneInfo) -> frozenset[date]:
    """Local days with training, told or confirmed."""
    return frozenset(local_date(t.at_ns, zone) for t in trainings)


def days_between(first: date, last: date) -> list[date]:
    """All days, both included."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def massage_series(
    evenings: Sequence[Evening],
    massages: Sequence[Massage],
    zone: ZoneInfo,
    *,
    outcome: Outcome = "tension",
    today: date,
    covariates: Mapping[str, Mapping[date, float]] | None = None,
) -> Series:
    """Ratings and massage days from the first to the last record, today included.

    `covariates`: up to two more, by day, known before the day's rating (trained yesterday, sitting
    hours yesterday). The weekend is always one: an appointment on Fridays would get its credit.
    """
    booked = massage_days(massages, zone)
    return _series(evenings, outcome, today, dict.fromkeys(booked, 1.0), 0.0, covariates)


def exposure_series(
    evenings: Sequence[Evening],
    exposed: Mapping[date, bool],
    *,
    outcome: Outcome = "tension",
    today: date,
    covariates: Mapping[str, Mapping[date, float]] | None = None,
) -> Series:
    """Ratings and any other exposure by day; days that `exposed` does not name are unknown.

    The weekend is always a covariate: people sit less *and* are looser on it for other reasons.
    """
    known = {d: float(v) for d, v in exposed.items()}
    return _series(evenings, outcome, today, known, np.nan, covariates)


def _series(
    evenings: Sequence[Evening],
    outcome: Outcome,
    today: date,
    event: Mapping[date, float],
    otherwise: float,
    covariates: Mapping[str, Mapping[date, float]] | None,
) -> Series:
    ill = {date.fromisoformat(e.day) for e in evenings if e.illness}
    rated = {
        d: v for d, v in ratings_by_day(evenings, outcome).items() if d <= today and d not in ill
    }
    if not rated:
        empty = np.empty(0)
        return Series(y=empty, event=empty)
    days = days_between(min(rated), max(rated))

    def column(values: Mapping[date, float], missing: float) -> NDArray[np.float64]:
        return np.array([values.get(d, missing) for d in days], np.float64)

    weekend = np.array([float(d.weekday() >= 5) for d in days])
    return Series(
        y=column(rated, np.nan),
        event=column(event, otherwise),
        covariates={"weekend": weekend}
        | {k: column(v, np.nan) for k, v in (covariates or {}).items()},
    )
