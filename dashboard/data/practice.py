# SPDX-License-Identifier: Apache-2.0
"""What a therapist reads and writes of the people who share with them.

Every function asks the gate for exactly the scopes that hold at this moment and cuts the data to
them. The list, the patient page, the PDF and its JSON twin come from one `Report`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from dashboard.data import series
from dashboard.data.diary import Told, told_of
from dashboard.data.gate import accounts, gate
from dashboard.data.people import profile_of
from dashboard.data.sources import Sources, records, writable
from tracker.access import SHARED_SCOPES
from tracker.accounts import Accounts
from tracker.diary import Entry, Evening, Grant, Kind, Massage, Person, Role, Training
from tracker.errors import InputError
from tracker.model import SECOND_NS
from tracker.prompt_choice import work_window
from tracker.report.charts.minutes import DayMinutes, day_minutes
from tracker.report.report import Report, Subject, build
from tracker.scoped import SERIES_SCOPES, entry_for, epochs_for, summary_for
from tracker.share_desk import take_in
from tracker.trends.summary import DaySummary
from tracker.units import day_bounds_ns, from_ns, local_date, local_ns

HISTORY_D = 400
PERIOD_D = 14
HALF_HOUR_NS = 1800 * SECOND_NS
LONGEST_PERIOD_D = 92
_NOON = time(12)
MOST_TEXT = 2000  # characters of a note or goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Somebody who shares: their alias, zone, and what they share until when."""

    wearer: str
    name: str
    zone: ZoneInfo
    scopes: frozenset[str]
    today: date
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What therapist and wearer agreed on; the wearer sees it on their page *Training*."""

    sessions_per_week: int | None = None
    goal: str = ""
    day: date | None = None
    author: str = ""


def patients(src: Sources, viewer: Person) -> dict[str, frozenset[str]]:
    """Who shares with this therapist now, and what."""
    return gate(src).overview(viewer)


def accept(src: Sources, viewer: Person, code: str) -> Grant:
    """Turn an invitation code into a grant, once."""
    held = accounts(src) or Accounts(writable(src), src.clock)
    grant = held.accept(viewer, code)
    gate(src).note(viewer, grant.wearer, ",".join(sorted(grant.scopes)), "grant", allowed=True)
    return grant


def import_share(src: Sources, viewer: Person, content: bytes, code: str) -> date:
    """Take in a file that somebody shared; the day on which it is deleted again."""
    if not viewer.active or Role.THERAPIST not in viewer.roles:
        gate(src).note(viewer, "-", "any", "import", allowed=False)
    kept = writable(src)
    made = take_in(src.settings, src.clock, kept, viewer, content, code)
    return from_ns(made.expires_ns, ZoneInfo(viewer.zone or src.zone_name)).date()


def patient(src: Sources, viewer: Person, wearer: str) -> Patient:
    """Name, zone and shared scopes of one person."""
    scopes = gate(src).shared(viewer, wearer) & SHARED_SCOPES
    return patient_of(src, viewer, wearer, scopes)


def patient_of(src: Sources, viewer: Person, wearer: str, scopes: frozenset[str]) -> Patient:
    """The same for callers that have asked the gate already."""
    kept = records(src)
    person = kept.person_of(wearer) if kept else None
    tz = ZoneInfo(person.zone) if person and person.zone else src.local.zone_of(wearer)
    held = kept.grants(wearer=wearer, viewer=viewer.id, active_only=True) if kept else ()
    until = max((g.expires_ns for g in held), default=None)
    return Patient(
        wearer=wearer,
        name=person.name if person and person.name else wearer,
        zone=tz,
        scopes=scopes,
        today=local_date(src.clock.now_ns(), tz),
        expires=None if until is None else from_ns(until, tz).date(),
    )


def period(src: Sources, viewer: Person, wearer: str) -> tuple[date, date, date | None]:
    """First and last day of "now", and the last day of what it is compared with.

    Now is the last 14 days, or since the last visit when that is shorter; it is compared with the
    days before the visit, or with the 14 days before when there was none.
    """
    gate(src).shared(viewer, wearer)
    return _period(src, viewer, patient(src, viewer, wearer))


def _period(src: Sources, viewer: Person, who: Patient) -> tuple[date, date, date | None]:
    first = who.today - timedelta(days=PERIOD_D - 1)
    last_visit, _ = _visits(src, viewer, who)
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
    who = patient_of(src, viewer, wearer, scopes)
    if first is None or last is None:
        first, last, before_last = _period(src, viewer, who)
    if first > last or (last - first).days >= LONGEST_PERIOD_D:
        raise InputError(f"A report covers 1 to {LONGEST_PERIOD_D} days: choose other dates.")
    return report_of(src, viewer, who, first, last, before_last)


def report_of(
    src: Sources,
    viewer: Person,
    who: Patient,
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
    plan = plan_of(src, who)
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
    who = patient_of(src, viewer, wearer, scopes)
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


def plan(src: Sources, viewer: Person, wearer: str) -> Plan:
    """The plan and goal that hold now."""
    gate(src).may_see(viewer, wearer, "training")
    return _plan(src, wearer)


def plan_of(src: Sources, who: Patient) -> Plan:
    """The same for callers that have asked the gate already."""
    return _plan(src, who.wearer) if "training" in who.scopes else Plan()


def _plan(src: Sources, wearer: str) -> Plan:
    kept = records(src)
    found = kept.entries(wearer, [Kind.PLAN]) if kept else ()
    if found:
        body = found[-1].body
        times = body.get("sessions_per_week")
        return Plan(
            sessions_per_week=int(times) if isinstance(times, int | float) else None,
            goal=str(body.get("goal") or ""),
            day=date.fromisoformat(found[-1].day),
            author=found[-1].author,
        )
    person = kept.person_of(wearer) if kept else None
    own = person.settings.get("sessions_plan") if person else None
    return Plan(sessions_per_week=int(own) if isinstance(own, int | float) else None)


def save_plan(
    src: Sources, viewer: Person, wearer: str, sessions_per_week: int, goal: str
) -> Entry:
    """A new plan; the wearer sees it. Earlier plans stay as they were."""
    gate(src).may_guide(viewer, wearer)
    if not 1 <= sessions_per_week <= 7:
        raise InputError("A plan has 1 to 7 sessions a week.")
    body: dict[str, object] = {"sessions_per_week": sessions_per_week, "goal": _text(goal)}
    return _write(src, viewer, wearer, Kind.PLAN, body)


def notes(src: Sources, viewer: Person, wearer: str) -> Sequence[Entry]:
    """Notes that this therapist wrote, newest first; the wearer can read them, too."""
    gate(src).may_see(viewer, wearer, "training")
    kept = records(src)
    found = kept.entries(wearer, [Kind.NOTE]) if kept else ()
    return [e for e in reversed(found) if e.author == viewer.id]


def save_note(src: Sources, viewer: Person, wearer: str, text: str) -> Entry:
    """A note about this person, which they can read, too."""
    gate(src).may_guide(viewer, wearer)
    if not text.strip():
        raise InputError("The note is empty: write something first.")
    return _write(src, viewer, wearer, Kind.NOTE, {"text": _text(text), "by": "therapist"})


def from_therapists(src: Sources, viewer: Person, wearer: str) -> Sequence[Entry]:
    """Everything that therapists wrote about the wearer, newest first: for the wearer alone."""
    gate(src).may_change(viewer, wearer, "diary", "read")
    kept = records(src)
    kinds = (Kind.PLAN, Kind.NOTE, Kind.VISIT)
    found = kept.entries(wearer, kinds) if kept else ()
    return [e for e in reversed(found) if e.author != viewer.id]


def visits(src: Sources, viewer: Person, wearer: str) -> tuple[date | None, date | None]:
    """The last visit before today and the next one from today on, of this therapist."""
    gate(src).may_see(viewer, wearer, "training")
    return _visits(src, viewer, patient_of(src, viewer, wearer, SHARED_SCOPES))


def next_visit_of(src: Sources, viewer: Person, who: Patient) -> date | None:
    """The next visit, for callers that have asked the gate already."""
    return _visits(src, viewer, who)[1]


def _visits(src: Sources, viewer: Person, who: Patient) -> tuple[date | None, date | None]:
    kept = records(src)
    found = kept.entries(who.wearer, [Kind.VISIT]) if kept else ()
    days = sorted(date.fromisoformat(e.day) for e in found if e.author == viewer.id)
    before = [d for d in days if d < who.today]
    after = [d for d in days if d >= who.today]
    return (before[-1] if before else None), (after[0] if after else None)


def save_visit(src: Sources, viewer: Person, wearer: str, day: date) -> None:
    """A visit, past or planned. A planned one replaces the one planned before."""
    gate(src).may_guide(viewer, wearer)
    who = patient_of(src, viewer, wearer, SHARED_SCOPES)
    kept = writable(src)
    for old in kept.entries(wearer, [Kind.VISIT]):
        planned = date.fromisoformat(old.day) >= who.today
        if old.author == viewer.id and (old.day == day.isoformat() or planned):
            kept.delete_entry(old.id, author=viewer.id)
    at_ns = local_ns(day, _NOON, who.zone)
    kept.put_entry(
        wearer, Kind.VISIT, {}, at_ns=at_ns, day=day.isoformat(), author=viewer.id
    )  # fmt: skip


def days_of(src: Sources, who: Patient, first: date, last: date) -> dict[date, DaySummary]:
    """Days cut to the scopes of `who`, which the caller got from the gate."""
    if not who.scopes & SERIES_SCOPES:
        return {}
    found = series.summaries_of(src, who.wearer, first, last, who.zone)
    return {day: summary_for(one, who.scopes) for day, one in found.items()}


def history_of(src: Sources, who: Patient, last: date) -> dict[date, DaySummary]:
    """All the days that a report looks back on."""
    return days_of(src, who, last - timedelta(days=HISTORY_D), last)


def entries_of(src: Sources, who: Patient, kinds: Sequence[Kind]) -> list[Entry]:
    """Diary records cut to the scopes of `who`, which the caller got from the gate."""
    kept = records(src)
    if kept is None:
        return []
    found = kept.entries(who.wearer, kinds)
    return [cut for one in found if (cut := entry_for(one, who.scopes)) is not None]


def calibrated_of(src: Sources, wearer: str) -> str:
    """Day of the newest calibration, ISO; "" for none. Technical, part of every report."""
    times = [
        c.from_ns
        for place in series.places_of(src, wearer)
        for c in src.local.calibrations(wearer, place)
        if c.kind != "today"
    ]
    return from_ns(max(times)).date().isoformat() if times else ""


def told(src: Sources, who: Patient, kind: Kind, what: type[Told]) -> list[Told]:
    """Diary records of one kind, cut to the scopes of `who`, for callers that asked the gate."""
    return [told_of(what, e) for e in entries_of(src, who, [kind])]


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


def _text(text: str) -> str:
    if len(text) > MOST_TEXT:
        raise InputError(f"At most {MOST_TEXT} characters: shorten the text.")
    return text.strip()


def _write(src: Sources, viewer: Person, wearer: str, kind: Kind, body: dict[str, object]) -> Entry:
    who = patient_of(src, viewer, wearer, SHARED_SCOPES)
    return writable(src).put_entry(
        wearer, kind, body, at_ns=src.clock.now_ns(), day=who.today.isoformat(), author=viewer.id
    )
