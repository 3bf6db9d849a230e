# SPDX-License-Identifier: Apache-2.0
"""Whether long-sitting days precede tenser evenings, and active breaks looser ones.

The same estimator and the same gates as for massage; only the exposure and its windows differ:
the same day (it lies before the evening's rating) and the day after. A day that was not worn long
enough is unknown and leaves its pair out. Who hurts may also sit more: the text says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from tracker.trends.nof1 import (
    CLAIM_MIN_ABS,
    Gates,
    Posterior,
    Progress,
    Series,
    after,
    posterior,
    progress_of,
)
from tracker.trends.quasi import Estimate, quasi_fit
from tracker.trends.summary import DaySummary

LONG_DAY_QUANTILE = 0.67  # the upper third of the wearer's own valid days (ours)


class Direction(StrEnum):
    """What may be said about an exposure."""

    TENSER = "tenser"
    LOOSER = "looser"
    NO_CLEAR_EFFECT = "no_clear_effect"
    UNCERTAIN = "uncertain"
    COLLECTING = "collecting"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureResult:
    """One evaluation; `same_day` and `next_day` are points per exposed day."""

    direction: Direction
    progress: Progress
    same_day: Estimate | None = None
    next_day: Estimate | None = None
    posterior: Posterior | None = None


def upper_third(values: Mapping[date, float]) -> dict[date, bool]:
    """Days in the upper third of the wearer's own values; empty below ten days."""
    if len(values) < 10:
        return {}
    limit = float(np.quantile(list(values.values()), LONG_DAY_QUANTILE))
    return {d: v > limit for d, v in values.items()}


def long_sitting_days(days: Mapping[date, DaySummary]) -> dict[date, bool]:
    """Valid days by sitting hours: the own upper third is long."""
    return upper_third({d: s.sit_s / 3600 for d, s in days.items() if s.valid_day})


def active_break_days(days: Mapping[date, DaySummary]) -> dict[date, bool]:
    """Valid days by breaks per hour of sitting: the own upper third is active."""
    return upper_third(
        {
            d: s.breaks_per_sitting_h
            for d, s in days.items()
            if s.valid_day and s.breaks_per_sitting_h is not None
        }
    )


def evaluate_exposure(series: Series, gates: Gates | None = None) -> ExposureResult:
    """One evaluation of an exposure series."""
    rule = gates or Gates()
    progress = progress_of(series, rule, window=(0, 1), last_lag=1)
    if not progress.met:
        return ExposureResult(direction=Direction.COLLECTING, progress=progress)
    same = after(series.event, 0, 0)
    later = np.where(same == 1, 0.0, after(series.event, 1, 1))
    columns = {"same": same, "next": later, "trend": np.arange(series.y.size) / 28}
    fit = quasi_fit(series.y, columns | dict(series.covariates))
    found = None if fit is None else fit.estimates["same"]
    if fit is None or found is None:
        return ExposureResult(direction=Direction.UNCERTAIN, progress=progress)
    return ExposureResult(
        direction=_direction(found),
        progress=progress,
        same_day=found,
        next_day=fit.estimates["next"],
        posterior=posterior(found),
    )


def _direction(found: Estimate) -> Direction:
    if abs(found.beta) >= CLAIM_MIN_ABS:
        if found.low > 0:
            return Direction.TENSER
        if found.high < 0:
            return Direction.LOOSER
    if found.half_width <= 1.0 and abs(found.beta) < 0.5:
        return Direction.NO_CLEAR_EFFECT
    return Direction.UNCERTAIN


def published_exposure(series: Series, gates: Gates | None = None) -> ExposureResult:
    """What may be shown: two evaluations 28 days apart must agree on a direction."""
    now = evaluate_exposure(series, gates)
    if now.direction is Direction.COLLECTING:
        return now
    rated = np.flatnonzero(~np.isnan(series.y))
    before = evaluate_exposure(series.until(max(int(rated[-1]) + 1 - 28, 0)), gates)
    if before.direction is now.direction:
        return now
    return ExposureResult(
        direction=Direction.UNCERTAIN,
        progress=now.progress,
        same_day=now.same_day,
        next_day=now.next_day,
        posterior=now.posterior,
    )
