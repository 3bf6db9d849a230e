# SPDX-License-Identifier: Apache-2.0
"""The wearer's own baseline, and when a change is called real.

The baseline is the first ten usable days (from a chosen day on: re-basable). A change is real only
outside twice the wearer's own week-to-week spread *and* above the known measurement limit;
everything else is "within your normal variation", and too few weeks is an answer of its own.

The spread is that of the *differences* between successive weeks (two weeks that differ by chance
lie 1.4 times as far apart as the weeks scatter), and with few weeks the factor 2 is replaced by
the larger quantile of Student's t: so chance is called real in about 5 % of looks, not in 20 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
from scipy.special import stdtrit

from tracker.trends.hours import WorkWindow
from tracker.trends.metrics import METRICS, Metric
from tracker.trends.week import Days, Week, usable

BASELINE_DAYS = 10
MIN_WEEKS = 4  # below it the spread says nothing (ours)
SPREAD_WEEKS = 12  # the newest weeks before the one that is compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """A metric over the baseline days: mean, and the range that holds 80 % of the days."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The first ten usable days; `complete` once there are ten."""

    days: tuple[date, ...]
    values: Mapping[str, Usual]

    @property
    def complete(self) -> bool:
        """Whether ten usable days are there."""
        return len(self.days) >= BASELINE_DAYS


def baseline(days: Days, window: WorkWindow, *, from_day: date | None = None) -> Baseline:
    """The baseline from the first usable days on or after `from_day`.

    Totals use whole days only, so they may rest on fewer days than the rest (see `Usual.n`).
    """
    good = [
        d
        for d in sorted(days)
        if (from_day is None or d >= from_day) and usable(d, days[d], window)
    ][:BASELINE_DAYS]
    values = {m.id: found for m in METRICS.values() if (found := _usual(m, days, good)) is not None}
    return Baseline(days=tuple(good), values=values)


def _usual(metric: Metric, days: Days, good: Sequence[date]) -> Usual | None:
    known = [
        value
        for d in good
        if (metric.wear == "any" or days[d].valid_day)
        and (value := metric.read(days[d])) is not None
    ]
    if not known:
        return None
    low, high = np.percentile(known, [10, 90])
    return Usual(mean=float(np.mean(known)), low=float(low), high=float(high), n=len(known))


class Verdict(StrEnum):
    """Whether a change is real."""

    REAL = "real"
    NORMAL = "within_normal"
    TOO_LITTLE = "too_little_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference, what it would have to exceed, and the verdict."""

    metric: str
    before: float | None
    now: float | None
    threshold: float | None
    verdict: Verdict

    @property
    def difference(self) -> float | None:
        """Now minus before."""
        return None if self.now is None or self.before is None else self.now - self.before


def real_change(
    metric: str,
    before: float | None,
    now: float | None,
    weekly: Sequence[float],
    *,
    mdc: float | None = None,
) -> Change:
    """Verdict on a change given the weekly means (in order) that show the wearer's own spread."""
    if before is None or now is None or len(weekly) < MIN_WEEKS:
        return Change(
            metric=metric, before=before, now=now, threshold=None, verdict=Verdict.TOO_LITTLE
        )
    limit = METRICS[metric].mdc if mdc is None else mdc
    spread = float(np.sqrt(np.mean(np.diff(weekly) ** 2)))
    factor = max(2.0, float(stdtrit(len(weekly) - 2, 0.975)))
    threshold = max(factor * spread, limit)
    verdict = Verdict.REAL if abs(now - before) > threshold else Verdict.NORMAL
    return Change(metric=metric, before=before, now=now, threshold=threshold, verdict=verdict)


def compare(metric: str, before: Week, now: Week, history: Sequence[Week]) -> Change:
    """Week against week; both need three usable days, and totals the same kind of wear."""
    spread = _spread(metric, now, history)
    alike = METRICS[metric].wear == "any" or before.worn_time_only == now.worn_time_only
    fit = before.valid and now.valid and alike
    return real_change(
        metric,
        before.values.get(metric) if fit else None,
        now.values.get(metric) if fit else None,
        spread,
    )


def against_baseline(metric: str, base: Baseline, now: Week, history: Sequence[Week]) -> Change:
    """Week against the own baseline."""
    usual = base.values.get(metric)
    whole = METRICS[metric].wear == "any" or not now.worn_time_only
    fit = base.complete and now.valid and whole
    return real_change(
        metric,
        usual.mean if usual is not None and fit else None,
        now.values.get(metric) if fit else None,
        _spread(metric, now, history),
    )


def _spread(metric: str, now: Week, history: Sequence[Week]) -> list[float]:
    earlier = [
        w.values[metric]
        for w in history
        if w.valid
        and w.monday < now.monday
        and metric in w.values
        and (METRICS[metric].wear == "any" or w.worn_time_only == now.worn_time_only)
    ]
    return earlier[-SPREAD_WEEKS:]
