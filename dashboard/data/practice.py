# SPDX-License-Identifier: Apache-2.0
"""What a therapist reads and writes of the people who share with them.

Every function asks the gate for exactly the scopes that hold at this moment and cuts the data to
them. The report of a patient is in `patient_report`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo

from dashboard.data.gate import accounts, gate
from dashboard.data.sources import Sources, records, writable
from tracker.access import SHARED_SCOPES
from tracker.accounts import Accounts
from tracker.diary import Entry, Grant, Kind, Person, Role
from tracker.errors import InputError
from tracker.scoped import entry_for
from tracker.share_desk import take_in
from tracker.units import from_ns, local_date, local_ns

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
    return visits_of(src, viewer, patient_of(src, viewer, wearer, SHARED_SCOPES))


def next_visit_of(src: Sources, viewer: Person, who: Patient) -> date | None:
    """The next visit, for callers that have asked the gate already."""
    return visits_of(src, viewer, who)[1]


def visits_of(src: Sources, viewer: Person, who: Patient) -> tuple[date | None, date | None]:
    """The same for callers that have asked the gate already."""
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


def entries_of(src: Sources, who: Patient, kinds: Sequence[Kind]) -> list[Entry]:
    """Diary records cut to the scopes of `who`, which the caller got from the gate."""
    kept = records(src)
    if kept is None:
        return []
    found = kept.entries(who.wearer, kinds)
    return [cut for one in found if (cut := entry_for(one, who.scopes)) is not None]


def _text(text: str) -> str:
    if len(text) > MOST_TEXT:
        raise InputError(f"At most {MOST_TEXT} characters: shorten the text.")
    return text.strip()


def _write(src: Sources, viewer: Person, wearer: str, kind: Kind, body: dict[str, object]) -> Entry:
    who = patient_of(src, viewer, wearer, SHARED_SCOPES)
    return writable(src).put_entry(
        wearer, kind, body, at_ns=src.clock.now_ns(), day=who.today.isoformat(), author=viewer.id
    )
