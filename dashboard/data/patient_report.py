# SPDX-License-Identifier: Apache-2.0
"""The report of one patient: its period, its table, its days, cut to what is shared.

The list, the patient page, the PDF and its JSON twin come from one `Report`.
"""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from dashboard.data import practice, series
from dashboard.data.diary import Told, told_of
from dashboard.data.gate import gate
from dashboard.data.people import profile_of
from dashboard.data.sources import Sources, records
from tracker.access import SHARED_SCOPES
from tracker.diary import Evening, Kind, Massage, Person, Training
from tracker.errors import InputError
from tracker.model import SECOND_NS
from tracker.prompt_choice import work_window
from tracker.report.charts.minutes import DayMinutes, day_minutes
from tracker.report.report import Report, Subject, build
from tracker.scoped import SERIES_SCOPES, epochs_for, summary_for
from tracker.trends.summary import DaySummary
from tracker.units import day_bounds_ns, from_ns

HISTORY_D = 400
PERIOD_D = 14
HALF_HOUR_NS = 1800 * SECOND_NS
LONGEST_PERIOD_D = 92


def period(src: Sources, viewer: Person, wearer: str) -> tuple[date, date, date | None]:
    """First and last day of "now", and the last day of what it is compared with.

    Now is the last 14 days, or since the last visit when that is shorter; it is compared with the
    days before the visit, or with the 14 days before when there was none.
    """
    gate(src).shared(viewer, wearer)
    return _period(src, viewer, practice.patient(src, viewer, wearer))


def _period(src: Sources, viewer: Person, who: practice.Patient) -> tuple[date, date, date | None]:
    first = who.today - timedelta(days=PERIOD_D - 1)
    last_visit, _ = practice.visits_of(src, viewer, who)
    if last_visit is None:
        return first, who.today, None
    return max(first, last_visit), who.today, last_visit - timedelta(days=1)


def report(
    src: Sources,
    viewer: Person,
    wearer: str,
    first: date | None = None,
    last: date | None = None,
    *,
    before_last: date | None = None,
) -> Report:
    """The report of a period (default: now), cut to what is shared with the viewer."""
    scopes = gate(src).shared(viewer, wearer) & SHARED_SCOPES
    who = practice.patient_of(src, viewer, wearer, scopes)
    if first is None or last is None:
        first, last, before_last = _period(src, viewer, who)
    if first > last or (last - first).days >= LONGEST_PERIOD_D:
        raise InputError(f"A report covers 1 to {LONGEST_PERIOD_D} days: choose other dates.")
    return report_of(src, viewer, who, first, last, before_last)


def report_of(
    src: Sources,
    viewer: Person,
    who: practice.Patient,
    first: date,
    last: date,
    before_last: date | None,
    *,
    days: dict[date, DaySummary] | None = None,
) -> Report:
    """The same for callers that have asked the gate already, and may have read `days` for it."""
    scopes, wearer = who.scopes, who.wearer
    kept = records(src)
    person = kept.person_of(wearer) if kept else None
    plan = practice.plan_of(src, who)
    subject = Subject(
        alias=who.name, wearer=wearer, zone=str(who.zone), placement=_place(src, wearer),
        calibrated=calibrated_of(src, wearer), algo=_algo(src, wearer, last, who.zone),
    )  # fmt: skip
    return build(
        subject,
        history_of(src, who, last) if days is None else days,
        first=first,
        last=last,
        window=work_window(person or viewer),
        scopes=scopes,
        evenings=told(src, who, Kind.EVENING, Evening),
        massages=told(src, who, Kind.MASSAGE, Massage),
        trainings=told(src, who, Kind.TRAINING, Training),
        sessions_plan=plan.sessions_per_week,
        base_from=_base_from(person),
        before_last=before_last,
        profile=profile_of(src, viewer),
    )


def minutes(
    src: Sources, viewer: Person, wearer: str, first: date, last: date
) -> dict[date, DayMinutes]:
    """The minute grid of each day, for the actogram."""
    scopes = gate(src).shared(viewer, wearer) & SHARED_SCOPES
    who = practice.patient_of(src, viewer, wearer, scopes)
    found: dict[date, DayMinutes] = {}
    if "sitting" not in scopes:
        return found
    for place in series.places_of(src, wearer):
        for n in range((last - first).days + 1):
            shown = first + timedelta(days=n)
            epochs = epochs_for(
                src.series.epochs(wearer, place, *day_bounds_ns(shown, who.zone)), scopes
            )
            if len(epochs) and (
                shown not in found or len(epochs) / 12 > found[shown].measured.sum()
            ):
                found[shown] = day_minutes(epochs, shown, who.zone)
    return dict(sorted(found.items()))


def days_of(src: Sources, who: practice.Patient, first: date, last: date) -> dict[date, DaySummary]:
    """Days cut to the scopes of `who`, which the caller got from the gate."""
    if not who.scopes & SERIES_SCOPES:
        return {}
    found = series.summaries_of(src, who.wearer, first, last, who.zone)
    return {day: summary_for(one, who.scopes) for day, one in found.items()}


def history_of(src: Sources, who: practice.Patient, last: date) -> dict[date, DaySummary]:
    """All the days that a report looks back on."""
    return days_of(src, who, last - timedelta(days=HISTORY_D), last)


def calibrated_of(src: Sources, wearer: str) -> str:
    """Day of the newest calibration, ISO; "" for none. Technical, part of every report."""
    times = [
        c.from_ns
        for place in series.places_of(src, wearer)
        for c in src.local.calibrations(wearer, place)
        if c.kind != "today"
    ]
    return from_ns(max(times)).date().isoformat() if times else ""


def told(src: Sources, who: practice.Patient, kind: Kind, what: type[Told]) -> list[Told]:
    """Diary records of one kind, cut to the scopes of `who`, for callers that asked the gate."""
    return [told_of(what, e) for e in practice.entries_of(src, who, [kind])]


def _place(src: Sources, wearer: str) -> str:
    places = series.places_of(src, wearer)
    return str(places[0]) if places else ""


def _algo(src: Sources, wearer: str, last: date, tz: ZoneInfo) -> str:
    """Method of the newest epochs of the last days of a period."""
    for place in series.places_of(src, wearer):
        rows = src.series.days(
            wearer, place, (last - timedelta(days=PERIOD_D)).isoformat(), last.isoformat()
        )
        if rows:
            row = rows[-1]
            halves = DaySummary.from_values(row.start_ns, row.seconds, row.values).half_hours
            used = [i for i, seconds in enumerate(halves["seen"]) if seconds] or [0]
            start_ns = row.start_ns + used[-1] * HALF_HOUR_NS
            return src.series.epochs(wearer, place, start_ns, start_ns + HALF_HOUR_NS).algo
    return ""


def _base_from(person: Person | None) -> date | None:
    text = str(person.settings.get("baseline_from") or "") if person else ""
    return date.fromisoformat(text) if text else None
