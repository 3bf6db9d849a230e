# SPDX-License-Identifier: Apache-2.0
"""Does massage help *me*? One person's diary, one pre-stated model, categories instead of curves.

Model (docs/nof1.md): y_t = a + b_S W^S_t + b_L W^L_t + d t/28 + g'x_t + e_t with AR(1) errors;
W^S is 1 on days 1-3 after a massage, W^L on days 4-7 and not 1-3. At most three pre-declared
covariates. Nothing is said before the gates are met, and "still uncertain" is a normal result.

The difference "days before minus days after" is not here and must not be added: see `quasi.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from tracker.errors import InputError
from tracker.trends.quasi import Estimate, quasi_fit

MAX_COVARIATES = 3
PRIOR_SD = 1.0  # points; sceptical but open
CLAIM_MIN_ABS = 1.0
EVALUATE_EVERY_D = 28
PERSIST = 2  # evaluations in a row that must agree before anything is claimed


class Category(StrEnum):
    """What may be said about relief."""

    LASTING = "lasting"
    SHORT = "short"
    NO_CLEAR_EFFECT = "no_clear_effect"
    UNCERTAIN = "uncertain"
    COLLECTING = "collecting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What must be there before anything is estimated (rules: gate.massage)."""

    min_massages: int = 6
    min_days: int = 84
    min_completeness: float = 0.7
    min_free_days: int = 28


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """A diary as arrays, one entry per calendar day.

    y           (n,) ratings 0-10, NaN where missing (also on days of illness)
    event       (n,) 1 on days of a massage (or another exposure), 0 else, NaN unknown
    covariates  up to three named (n,) arrays, known before the day's rating
    """

    y: NDArray[np.float64]
    event: NDArray[np.float64]
    covariates: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.covariates) > MAX_COVARIATES:
            raise InputError(
                f"{len(self.covariates)} covariates: declare at most {MAX_COVARIATES} beforehand"
            )

    def until(self, n: int) -> "Series":
        """The first n days."""
        return Series(
            y=self.y[:n],
            event=self.event[:n],
            covariates={k: v[:n] for k, v in self.covariates.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Sceptical prior N(0, 1^2) combined with an estimate: what is displayed."""

    mean: float
    sd: float
    low: float
    high: float
    p_helps: float
    p_helps_noticeably: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the diary is from an answer; every number with what is needed."""

    events: int
    days: int
    completeness: float
    free_days: int
    met: bool
    missing: tuple[str, ...]  # of "events", "days", "completeness", "free_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One evaluation. Estimates are None while collecting or where there is no contrast."""

    category: Category
    progress: Progress
    short: Estimate | None = None
    long: Estimate | None = None
    later: Estimate | None = None
    posterior: Posterior | None = None
    phi: float | None = None
    pairs: int = 0


def after(event: NDArray[np.float64], first: int, last: int) -> NDArray[np.float64]:
    """1 where an event took place `first`..`last` days before, NaN where that is unknown."""
    out = np.zeros(event.size)
    unknown = np.zeros(event.size, bool)
    for lag in range(first, last + 1):
        moved = event[: max(event.size - lag, 0)]
        with np.errstate(invalid="ignore"):
            out[lag:] = np.maximum(out[lag:], np.nan_to_num(moved) > 0)
        unknown[lag:] |= np.isnan(moved)
    out[unknown & (out == 0)] = np.nan
    return out


def progress_of(
    series: Series, gates: Gates, *, window: tuple[int, int] = (1, 3), last_lag: int = 7
) -> Progress:
    """Counts against the gates. Days run from the first to the last rating.

    An event counts with a rating in its `window`; a free day has none up to `last_lag` days before.
    """
    rated = np.flatnonzero(~np.isnan(series.y))
    if rated.size == 0:
        missing: tuple[str, ...] = ("events", "days", "completeness", "free_days")
        return Progress(events=0, days=0, completeness=0.0, free_days=0, met=False, missing=missing)
    span = slice(int(rated[0]), int(rated[-1]) + 1)
    y, event = series.y[span], series.event[span]
    seen_after = after(np.where(np.isnan(y), 0.0, 1.0)[::-1], *window)[::-1] > 0
    events = int(np.count_nonzero((np.nan_to_num(event) > 0) & seen_after))
    exposed = after(event, window[0], last_lag)
    days = int(y.size)
    completeness = rated.size / days
    free = int(np.count_nonzero(~np.isnan(y) & (exposed == 0)))
    short_of = {
        "events": events < gates.min_massages,
        "days": days < gates.min_days,
        "completeness": completeness < gates.min_completeness,
        "free_days": free < gates.min_free_days,
    }
    missing = tuple(k for k, short in short_of.items() if short)
    return Progress(
        events=events,
        days=days,
        completeness=completeness,
        free_days=free,
        met=not missing,
        missing=missing,
    )


def posterior(estimate: Estimate, prior_sd: float = PRIOR_SD) -> Posterior:
    """Normal prior around no effect; P(helps) is the chance that the effect is below 0."""
    w = prior_sd**2 / (prior_sd**2 + estimate.se**2)
    mean, sd = w * estimate.beta, float(np.sqrt(w)) * estimate.se
    return Posterior(
        mean=mean,
        sd=sd,
        low=mean - 1.959964 * sd,
        high=mean + 1.959964 * sd,
        p_helps=float(ndtr(-mean / sd)) if sd else float(mean < 0),
        p_helps_noticeably=float(ndtr((-1 - mean) / sd)) if sd else float(mean < -1),
    )


def evaluate(series: Series, gates: Gates | None = None, *, later: bool = False) -> Result:
    """One evaluation of a massage diary; `later` adds the window of days 8-14."""
    progress = progress_of(series, gates or Gates())
    if not progress.met:
        return Result(category=Category.COLLECTING, progress=progress)
    short = after(series.event, 1, 3)
    long = np.where(short == 1, 0.0, after(series.event, 4, 7))
    columns = {"short": short, "long": long}
    if later:
        near = (short == 1) | (long == 1)
        columns["later"] = np.where(near, 0.0, after(series.event, 8, 14))
    columns["trend"] = np.arange(series.y.size) / 28
    fit = quasi_fit(series.y, columns | dict(series.covariates))
    s = None if fit is None else fit.estimates["short"]
    if fit is None or s is None:
        return Result(category=Category.UNCERTAIN, progress=progress)
    peak = series.y[np.nan_to_num(series.event) > 0]
    at_peaks = float(np.nanmean(peak) - np.nanmean(series.y)) if (~np.isnan(peak)).any() else 0.0
    return Result(
        category=_category(s, fit.estimates["long"], at_peaks),
        progress=progress,
        short=s,
        long=fit.estimates["long"],
        later=fit.estimates.get("later"),
        posterior=posterior(s),
        phi=fit.phi,
        pairs=fit.pairs,
    )


def _category(s: Estimate, long: Estimate | None, at_peaks: float) -> Category:
    if s.high < 0 and abs(s.beta) >= CLAIM_MIN_ABS:
        lasts = long is not None and long.high < 0 and long.beta <= -0.5
        return Category.LASTING if lasts else Category.SHORT
    # with massages at peaks the estimator leans against massage: then say "uncertain"
    if s.half_width <= 1.0 and abs(s.beta) < 0.5 and at_peaks < 0.5:
        return Category.NO_CLEAR_EFFECT
    return Category.UNCERTAIN


def published(series: Series, gates: Gates | None = None) -> Result:
    """What may be shown: looked at every 28 days, and claimed only if two looks in a row agree.

    The first look is at the first multiple of 28 days at which the gates could be met. Looking
    every day would let chance cross the line sooner or later.
    """
    rule = gates or Gates()
    rated = np.flatnonzero(~np.isnan(series.y))
    days = int(rated[-1] - rated[0]) + 1 if rated.size else 0
    looks = days // EVALUATE_EVERY_D
    first = int(rated[0]) if rated.size else 0
    if looks * EVALUATE_EVERY_D < rule.min_days:
        return Result(category=Category.COLLECTING, progress=progress_of(series, rule))
    now, before = (
        evaluate(series.until(first + k * EVALUATE_EVERY_D), rule)
        for k in (looks, looks - PERSIST + 1)
    )
    if now.category is Category.COLLECTING:
        whole = progress_of(series, rule)
        return Result(category=Category.COLLECTING, progress=whole)
    return Result(
        category=agreed(before.category, now.category),
        progress=progress_of(series, rule),
        short=now.short,
        long=now.long,
        posterior=now.posterior,
        phi=now.phi,
        pairs=now.pairs,
    )


def agreed(before: Category, now: Category) -> Category:
    """What two looks in a row allow to be said."""
    relief = (Category.LASTING, Category.SHORT)
    if before is now:
        return now
    if before in relief and now in relief:
        return Category.SHORT  # the weaker of two claims that both say relief
    return Category.UNCERTAIN
