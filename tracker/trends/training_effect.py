# SPDX-License-Identifier: Apache-2.0
"""Does training help *me*? The weekly model, slow on purpose.

p_w = a + b d_w + c w + e_w with AR(1) errors; p_w is the week's mean rating, d_w the mean training
days a week over weeks w-3..w. Reported only if the dose one week earlier gives the same sign:
people train less in bad weeks. The plain start-to-now difference is not an effect and not here.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tracker.trends.nof1 import Posterior, posterior
from tracker.trends.quasi import Estimate, quasi_fit

DOSE_WEEKS = 4
MIN_RATINGS_PER_WEEK = 3


class TrainingCategory(StrEnum):
    """What may be said about training."""

    PATTERN = "training_pattern"
    UNCERTAIN = "uncertain"
    NO_COMPARISON = "no_comparison"
    COLLECTING = "collecting"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingGates:
    """What must be there before anything is estimated (rules: gate.training)."""

    min_weeks: int = 16
    min_completeness: float = 0.7
    min_dose_sd: float = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """Points per extra weekly training day held for four weeks; negative is relief."""

    category: TrainingCategory
    weeks: int
    completeness: float
    dose_sd: float
    effect: Estimate | None = None
    lagged: Estimate | None = None
    posterior: Posterior | None = None


def weekly(
    ratings: dict[date, int], trained: frozenset[date], first: date, last: date
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weekly means (NaN below three ratings) and training days, in weeks of 7 days from `first`."""
    weeks = ((last - first).days + 1) // 7
    mean, days = np.full(weeks, np.nan), np.zeros(weeks)
    for w in range(weeks):
        span = [first + timedelta(days=7 * w + i) for i in range(7)]
        values = [ratings[d] for d in span if d in ratings]
        if len(values) >= MIN_RATINGS_PER_WEEK:
            mean[w] = float(np.mean(values))
        days[w] = sum(d in trained for d in span)
    return mean, days


def dose(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean training days over the week and the three before it; NaN in the first three weeks."""
    out = np.full(days.size, np.nan)
    if days.size >= DOSE_WEEKS:
        out[DOSE_WEEKS - 1 :] = np.convolve(days, np.full(DOSE_WEEKS, 1 / DOSE_WEEKS), "valid")
    return out


def training_effect(
    mean: NDArray[np.float64], days: NDArray[np.float64], gates: TrainingGates | None = None
) -> TrainingResult:
    """Evaluate weekly means (n,) and training days per week (n,)."""
    rule = gates or TrainingGates()
    d = dose(days)
    used = ~np.isnan(mean) & ~np.isnan(d)
    weeks = int(mean.size)
    complete = float(np.mean(~np.isnan(mean))) if weeks else 0.0
    spread = float(d[used].std(ddof=1)) if used.sum() > 1 else 0.0

    def result(category: TrainingCategory, **found: Estimate | Posterior | None) -> TrainingResult:
        return TrainingResult(
            category=category,
            weeks=weeks,
            completeness=complete,
            dose_sd=spread,
            **found,  # type: ignore[arg-type]  # names as declared
        )

    if weeks < rule.min_weeks or complete < rule.min_completeness:
        return result(TrainingCategory.COLLECTING)
    if spread < rule.min_dose_sd:
        return result(TrainingCategory.NO_COMPARISON)
    trend = np.arange(weeks, dtype=np.float64)
    late = np.concatenate([[np.nan], d[:-1]])
    now = quasi_fit(mean, {"dose": d, "trend": trend})
    lag = quasi_fit(mean, {"dose": late, "trend": trend})
    effect = None if now is None else now.estimates["dose"]
    lagged = None if lag is None else lag.estimates["dose"]
    if effect is None or lagged is None:
        return result(TrainingCategory.NO_COMPARISON, effect=effect)
    clear = effect.high < 0 and lagged.beta < 0
    return result(
        TrainingCategory.PATTERN if clear else TrainingCategory.UNCERTAIN,
        effect=effect,
        lagged=lagged,
        posterior=posterior(effect),
    )


def published_training_effect(
    mean: NDArray[np.float64], days: NDArray[np.float64], gates: TrainingGates | None = None
) -> TrainingResult:
    """What may be shown: a pattern only if the evaluation four weeks earlier found it, too."""
    now = training_effect(mean, days, gates)
    if now.category is not TrainingCategory.PATTERN:
        return now
    before = training_effect(mean[:-DOSE_WEEKS], days[:-DOSE_WEEKS], gates)
    if before.category is TrainingCategory.PATTERN:
        return now
    return replace(now, category=TrainingCategory.UNCERTAIN)
