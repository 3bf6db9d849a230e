# SPDX-License-Identifier: Apache-2.0
"""One line of the therapist's list: what a report of now says, in a row.

In `wellness` flags are technical only; medical flags and pain exist in `clinic` alone.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from dashboard.data import patient_report, practice, series
from dashboard.data.practice import Patient
from dashboard.data.sources import Sources
from tracker.advice import screening, screening_entries
from tracker.advice.load import packaged
from tracker.diary import Kind, Person
from tracker.model import SECOND_NS
from tracker.report.report import Report, Row
from tracker.report.report_words import sessions_per_week
from tracker.trends.diaries import massage_days
from tracker.trends.summary import DaySummary

ENOUGH_DAYS = 16  # of 30; fewer say little about a month (`product.md` 7.12)
NO_DATA_D = 3
CALIBRATION_D = 30  # as `backstay doctor`: sensors slip and bodies change; ours, no standard
PAIN_UP = 2.0  # OSTELO2008: the smallest change that matters to people


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One person in the list; what is not shared is None."""

    who: Patient
    report: Report
    age_h: float | None
    valid_14: int
    valid_30: int
    sessions: float | None
    sessions_plan: int | None
    tension: Row | None
    pain: Row | None
    massages_30: int | None
    next_visit: date | None
    flags: tuple[str, ...]

    def metric(self, name: str) -> Row | None:
        """A row of the report behind this line."""
        return next((r for r in self.report.rows if r.metric == name), None)


def made(src: Sources, viewer: Person, who: Patient, profile: str) -> Line:
    """One person's line, worked out from everything that is shared."""
    first, last = who.today - timedelta(days=patient_report.PERIOD_D - 1), who.today
    days = patient_report.history_of(src, who, last)
    report = patient_report.report_of(src, viewer, who, first, last, None, days=days)
    month = {d: s for d, s in days.items() if d > last - timedelta(days=30)}
    age_h = _age_h(src, who, month)
    rows = {r.metric: r for r in report.rows}
    massages = None
    if "massage" in who.scopes:
        booked = massage_days(report.massages, who.zone)
        massages = sum(d > who.today - timedelta(days=30) for d in booked)
    line = Line(
        who=who,
        report=report,
        age_h=age_h,
        valid_14=sum(s.valid_day for d, s in month.items() if d >= first),
        valid_30=sum(s.valid_day for s in month.values()),
        sessions=sessions_per_week(report),
        sessions_plan=report.sessions_plan,
        tension=rows.get("tension"),
        pain=rows.get("pain"),
        massages_30=massages,
        next_visit=practice.next_visit_of(src, viewer, who),
        flags=(),
    )
    return replace(line, flags=_flags(src, line, profile))


def _flags(src: Sources, line: Line, profile: str) -> tuple[str, ...]:
    who, found = line.who, list[str]()
    if profile == "clinic":
        if "screening" in who.scopes and _red(src, who):
            found.append("red_flag")
        pain = line.pain
        if pain is not None and pain.change is not None and pain.change >= PAIN_UP:
            found.append("pain_up")
    if _silent(line.age_h):
        found.append("no_data")
    told = patient_report.calibrated_of(src, who.wearer)
    if not told or (who.today - date.fromisoformat(told)).days > CALIBRATION_D:
        found.append("calibration")
    return tuple(found)


def _silent(age_h: float | None) -> bool:
    return age_h is None or age_h > 24 * NO_DATA_D


def aged(line: Line, hours: float) -> Line:
    """The same line so many hours later, when no data came since."""
    age_h = None if line.age_h is None else line.age_h + hours
    flags = [f for f in line.flags if f != "no_data"]
    if _silent(age_h):
        at = flags.index("calibration") if "calibration" in flags else len(flags)
        flags.insert(at, "no_data")
    return replace(line, age_h=age_h, flags=tuple(flags))


def _red(src: Sources, who: Patient) -> bool:
    """Whether a point was not discussed with a doctor yet, or a new symptom came since."""
    told = practice.entries_of(src, who, [Kind.SCREENING])
    if screening_entries.symptom_day_of(told) is not None:
        return True
    latest = screening_entries.latest_of(told)
    talks = screening_entries.talks_of(practice.entries_of(src, who, [Kind.DISCUSSED]))
    return bool(screening.screened(packaged(), latest, who.today, discussed=talks).open_items)


def _age_h(src: Sources, who: Patient, month: dict[date, DaySummary]) -> float | None:
    """Hours since the newest data; from the live row, else from the last half hour with data."""
    live = [src.local.live(who.wearer, p) for p in series.places_of(src, who.wearer)]
    times = [row.at_ns for row in live if row is not None]
    for day in sorted(month, reverse=True)[:1]:
        halves = month[day].half_hours.get("worn", ())
        used = [i for i, seconds in enumerate(halves) if seconds]
        if used:
            times.append(month[day].start_ns + (used[-1] + 1) * 1800 * SECOND_NS)
    if not times:
        return None
    return max(0.0, (src.clock.now_ns() - max(times)) / (3600 * SECOND_NS))
