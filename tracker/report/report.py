# SPDX-License-Identifier: Apache-2.0
"""What a report says, before it is drawn: one object behind the page, the PDF and the JSON twin.

Numbers are rounded once, here, so page, paper and file agree to the digit. The hash covers every
number and the thresholds, so that two reports of the same data can be recognised as equal.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from tracker.diary import Evening, Massage, Training
from tracker.trends.baseline import Baseline, Verdict, baseline, real_change
from tracker.trends.hours import WorkWindow
from tracker.trends.metrics import METRICS, RATING_MDC
from tracker.trends.summary import DaySummary
from tracker.trends.week import Days, mean_of, usable, weeks

DIGITS = {"h": 1, "min": 0, "share": 2, "count": 1, "per_h": 1, "deg": 0, "deg_min": 0, "nrs": 1}
# In this order on paper; the scope that a viewer needs to see a row.
ROWS = (
    ("sit_h", "sitting"),
    ("longest_sit_min", "sitting"),
    ("w50_min", "sitting"),
    ("prolonged60_n", "sitting"),
    ("slouch_share", "posture"),
    ("shifts_per_h", "posture"),
    ("longest_still_min", "posture"),
    ("rises_per_worn_h", "sitting"),
    ("active_min", "sitting"),
)
MIN_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose report it is and how it was measured; `alias` is what the wearer chose to be called."""

    alias: str
    wearer: str
    zone: str
    placement: str = ""
    sensor: str = ""
    calibrated: str = ""  # ISO date
    algo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One metric over three stretches of time; `verdict` says whether the change is real."""

    metric: str
    unit: str
    baseline: float | None
    before: float | None
    now: float | None
    verdict: Verdict

    @property
    def change(self) -> float | None:
        """Now minus before, of the rounded numbers that are printed."""
        if self.now is None or self.before is None:
            return None
        return round(self.now - self.before, DIGITS[self.unit])


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is printed. Sections outside `scopes` are empty, not hidden."""

    subject: Subject
    first: date
    last: date
    scopes: frozenset[str]
    days_measured: int
    days_usable: int
    rows: tuple[Row, ...]
    days: Mapping[date, DaySummary]
    before: Mapping[date, DaySummary]
    evenings: tuple[Evening, ...] = ()
    massages: tuple[Massage, ...] = ()
    trainings: tuple[Training, ...] = ()
    sessions: float | None = None
    sessions_plan: int | None = None
    quality: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    profile: str = "wellness"

    @property
    def digest(self) -> str:
        """Hash of every number and threshold, hexadecimal, 12 digits."""
        text = json.dumps(twin(self, with_hash=False), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def build(
    subject: Subject,
    summaries: Days,
    *,
    first: date,
    last: date,
    window: WorkWindow,
    scopes: frozenset[str],
    evenings: Sequence[Evening] = (),
    massages: Sequence[Massage] = (),
    trainings: Sequence[Training] = (),
    sessions_plan: int | None = None,
    base_from: date | None = None,
    before_last: date | None = None,
    note: str = "",
    profile: str = "wellness",
) -> Report:
    """The report of the days `first` to `last`, both included.

    summaries  all days that are known: the period, the one before of the same length, the baseline
    base_from  where the baseline begins (the wearer or therapist may have set it anew)
    before_last  last day of the period compared with, for example the day before the last visit
    """
    span = (last - first).days + 1
    now = _between(summaries, first, last)
    until = min(before_last or first, first - timedelta(days=1))
    before = _between(summaries, until - timedelta(days=span - 1), until)
    base = baseline(summaries, window, from_day=base_from)
    history = weeks(summaries, window, first=min(summaries, default=first), last=last)
    rows = [
        _row(metric, base, now, before, window, [w.values for w in history if w.valid])
        for metric, scope in ROWS
        if scope in scopes
    ]
    rows += _ratings(evenings, last, until, scopes, profile)
    train = "training" in scopes
    return Report(
        subject=subject,
        first=first,
        last=last,
        scopes=scopes,
        days_measured=len(now),
        days_usable=sum(usable(d, s, window) for d, s in now.items()),
        rows=tuple(rows),
        days=now if "sitting" in scopes else {},
        before=before if "sitting" in scopes else {},
        evenings=tuple(evenings) if "tension" in scopes else (),
        massages=tuple(massages) if "massage" in scopes else (),
        trainings=tuple(trainings) if train else (),
        sessions=sum(s.core_sessions for s in now.values()) if train else None,
        sessions_plan=sessions_plan if train else None,
        quality=_quality(now),
        note=note if "notes" in scopes else "",
        profile=profile,
    )


def _between(summaries: Days, first: date, last: date) -> dict[date, DaySummary]:
    return {d: s for d, s in sorted(summaries.items()) if first <= d <= last}


def _row(
    metric_id: str,
    base: Baseline,
    now: Days,
    before: Days,
    window: WorkWindow,
    history: Sequence[Mapping[str, float]],
) -> Row:
    metric = METRICS[metric_id]
    digits = DIGITS[metric.unit]

    def mean(days: Days) -> float | None:
        good = [
            s for d, s in days.items()
            if usable(d, s, window) and (metric.wear == "any" or s.valid_day)
        ]  # fmt: skip
        return mean_of(metric, good) if len(good) >= MIN_DAYS else None

    usual = base.values.get(metric_id) if base.complete else None
    spread = [values[metric_id] for values in history if metric_id in values]
    change = real_change(metric_id, mean(before), mean(now), spread)
    return Row(
        metric=metric_id,
        unit=metric.unit,
        baseline=_rounded(usual.mean if usual else None, digits),
        before=_rounded(change.before, digits),
        now=_rounded(change.now, digits),
        verdict=change.verdict,
    )


def _ratings(
    evenings: Sequence[Evening],
    last: date,
    until: date,
    scopes: frozenset[str],
    profile: str,
) -> list[Row]:
    """Mean rating of the last seven days of the period and of the period before."""
    rows = []
    for name in ("tension", "pain"):
        if name not in scopes or (name == "pain" and profile != "clinic"):
            continue
        values = {e.day: v for e in evenings if (v := getattr(e, name)) is not None}
        now = _seven(values, last)
        before = _seven(values, until)
        verdict = Verdict.TOO_LITTLE
        if now is not None and before is not None:
            verdict = Verdict.REAL if abs(now - before) >= RATING_MDC else Verdict.NORMAL
        base = (
            _seven(values, date.fromisoformat(min(values)) + timedelta(days=6)) if values else None
        )
        rows.append(
            Row(metric=name, unit="nrs", baseline=base, before=before, now=now, verdict=verdict)
        )
    return rows


def _seven(values: Mapping[str, int], last: date) -> float | None:
    days = [(last - timedelta(days=i)).isoformat() for i in range(7)]
    known = [values[d] for d in days if d in values]
    return _rounded(float(np.mean(known)), DIGITS["nrs"]) if len(known) >= MIN_DAYS else None


def _quality(days: Days) -> dict[str, float]:
    worn = sum(s.worn_s for s in days.values()) / 3600
    unknown = sum(s.seconds.get("unknown", 0) for s in days.values()) / 60
    nothing = sum(s.seconds.get("no_data", 0) for s in days.values()) / 3600
    return {
        "worn_h": round(worn, 1),
        "unknown_min": round(unknown),
        "no_data_h": round(nothing, 1),
        "bouts": round(sum(s.bouts for s in days.values())),
        "bouts_censored": round(sum(s.bouts_censored for s in days.values())),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)


def twin(report: Report, *, with_hash: bool = True) -> dict[str, Any]:
    """The machine-readable twin: the numbers of the PDF, nothing more."""
    out: dict[str, Any] = {
        "schema": "backstay-report-1",
        "subject": {
            "alias": report.subject.alias,
            "zone": report.subject.zone,
            "placement": report.subject.placement,
            "sensor": report.subject.sensor,
            "calibrated": report.subject.calibrated,
        },
        "algo": report.subject.algo,
        "profile": report.profile,
        "first": report.first.isoformat(),
        "last": report.last.isoformat(),
        "scopes": sorted(report.scopes),
        "days_measured": report.days_measured,
        "days_usable": report.days_usable,
        "rows": [
            {
                "metric": r.metric,
                "unit": r.unit,
                "baseline": r.baseline,
                "before": r.before,
                "now": r.now,
                "change": r.change,
                "verdict": r.verdict.value,
            }
            for r in report.rows
        ],
        "daily": [_daily(d, s) for d, s in report.days.items()],
        "sessions": report.sessions,
        "sessions_plan": report.sessions_plan,
        "quality": dict(report.quality),
    }
    if with_hash:
        out["hash"] = report.digest
    return out


def _daily(day: date, summary: DaySummary) -> dict[str, Any]:
    return {
        "day": day.isoformat(),
        "valid_day": summary.valid_day,
        "worn_min": round(summary.worn_s / 60),
        "sit_min": round(summary.sit_s / 60),
        "longest_sit_min": _rounded(summary.longest_sit_min, 0),
        "w50_min": _rounded(summary.w50_min, 0),
        "slouch_share": _rounded(summary.slouch_share, 2),
        "shifts_per_h": _rounded(summary.shifts_per_h, 1),
        "core_min": _rounded(summary.core_min, 0),
    }
