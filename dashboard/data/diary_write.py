# SPDX-License-Identifier: Apache-2.0
"""What the wearer tells, as kept: new entries, edits within 48 hours, deletions, imports.

Every write is checked here again, whatever the page allowed: a browser's limits are a courtesy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from zoneinfo import ZoneInfo

from dashboard.data.diary import SCOPE, entries, evening_entry, massages, told_of, trainings
from dashboard.data.gate import gate
from dashboard.data.people import profile_of
from dashboard.data.sources import Sources, writable
from tracker.advice import diary_rules as rules
from tracker.diary import Entry, Evening, Kind, Massage, Person, Training
from tracker.errors import InputError
from tracker.model import SECOND_NS, State
from tracker.units import day_bounds_ns, local_date

_TOLD = (Kind.EVENING, Kind.MASSAGE, Kind.TRAINING)


class Refused(InputError):
    """An entry that the diary does not take; `problems` are keys of the catalogue.

    `row` is the number of the entry in a file that was read.
    """

    def __init__(self, problems: Sequence[rules.Problem], *, row: int | None = None) -> None:
        super().__init__("; ".join(f"{p.field}: {p.key}" for p in problems))
        self.problems = tuple(problems)
        self.row = row


def save_evening(src: Sources, viewer: Person, wearer: str, told: Evening, tz: ZoneInfo) -> Entry:
    """Keep the evening entry of a day; a second one of the same day is an edit."""
    gate(src).may_change(viewer, wearer, "tension")
    today = local_date(src.clock.now_ns(), tz)
    told = replace(told, late=told.late or rules.is_late(told, today))
    _refuse(
        rules.check_evening(
            told,
            today,
            profile=profile_of(src, viewer),
            pain_journal=bool(viewer.settings.get("pain_journal")),
        )
    )
    old = evening_entry(src, viewer, wearer, date.fromisoformat(told.day))
    if old is not None:
        return edit(src, viewer, wearer, old.id, asdict(told))
    return writable(src).put_entry(
        wearer,
        Kind.EVENING,
        asdict(told),
        at_ns=src.clock.now_ns(),
        day=told.day,
        author=viewer.id,
    )


def save_massage(src: Sources, viewer: Person, wearer: str, told: Massage, tz: ZoneInfo) -> Entry:
    """Keep a massage; two at the same time are refused."""
    gate(src).may_change(viewer, wearer, "massage")
    others = massages(src, viewer, wearer)
    _refuse(rules.check_massage(told, src.clock.now_ns(), tz, others))
    return _put(src, viewer, wearer, Kind.MASSAGE, asdict(told), told.at_ns, tz)


def save_training(src: Sources, viewer: Person, wearer: str, told: Training, tz: ZoneInfo) -> Entry:
    """Keep a training session; two at the same time are refused."""
    gate(src).may_change(viewer, wearer, "training")
    others = trainings(src, viewer, wearer)
    _refuse(rules.check_training(told, src.clock.now_ns(), tz, others))
    return _put(src, viewer, wearer, Kind.TRAINING, asdict(told), told.at_ns, tz)


def import_entries(
    src: Sources,
    viewer: Person,
    wearer: str,
    told: Sequence[Evening | Massage | Training],
    tz: ZoneInfo,
    *,
    rows: Sequence[int] = (),
) -> None:
    """Keep entries of a diary file, old days included; all are checked before one is kept.

    `rows` are their numbers in the file, for the sentence that refuses one.
    """
    gate(src).may_change(viewer, wearer, "diary")
    now_ns = src.clock.now_ns()
    today = local_date(now_ns, tz)
    booked, trained = [*massages(src, viewer, wearer)], [*trainings(src, viewer, wearer)]
    days = {e.day for e in entries(src, viewer, wearer, [Kind.EVENING])}
    for number, one in zip(rows or range(1, len(told) + 1), told, strict=True):
        if isinstance(one, Evening):
            found = rules.check_evening(one, today, pain_journal=True, taken_days=days)
        elif isinstance(one, Massage):
            found = rules.check_massage(one, now_ns, tz, booked)
        else:
            found = rules.check_training(one, now_ns, tz, trained)
        _refuse(_old_is_fine(found), row=number)
        if isinstance(one, Evening):
            days.add(one.day)
        elif isinstance(one, Massage):
            booked.append(one)
        else:
            trained.append(one)
    for one in told:
        if isinstance(one, Evening):
            writable(src).put_entry(
                wearer,
                Kind.EVENING,
                asdict(one),
                at_ns=day_bounds_ns(date.fromisoformat(one.day), tz)[1] - 3 * 3600 * SECOND_NS,
                day=one.day,
                author=viewer.id,
            )
        else:
            kind = Kind.MASSAGE if isinstance(one, Massage) else Kind.TRAINING
            _put(src, viewer, wearer, kind, asdict(one), one.at_ns, tz)


def _old_is_fine(problems: list[rules.Problem]) -> list[rules.Problem]:
    """Without "too long ago": a file may bring years."""
    return [p for p in problems if not p.key.endswith(".too_old")]


def save_correction(
    src: Sources, viewer: Person, wearer: str, start_ns: int, end_ns: int, state: State,
    tz: ZoneInfo,
) -> Entry:  # fmt: skip
    """Keep what a stretch of the time line really was, as a label."""
    gate(src).may_change(viewer, wearer, "posture")
    if end_ns <= start_ns:
        raise InputError("The stretch ends before it begins: choose a later end.")
    if end_ns > src.clock.now_ns():
        raise InputError("The stretch lies in the future: choose an earlier end.")
    body: dict[str, object] = {"start_ns": start_ns, "end_ns": end_ns, "state": state.label}
    return _put(src, viewer, wearer, Kind.CORRECTION, body, start_ns, tz)


def save_entry(
    src: Sources, viewer: Person, wearer: str, kind: Kind, body: Mapping[str, object],
    tz: ZoneInfo,
) -> Entry:  # fmt: skip
    """Keep any other record (start, safety list, note, plan, session, experiment) as of now."""
    gate(src).may_change(viewer, wearer, SCOPE[kind])
    return _put(src, viewer, wearer, kind, dict(body), src.clock.now_ns(), tz)


def edit(
    src: Sources, viewer: Person, wearer: str, entry_id: int, body: Mapping[str, object]
) -> Entry:
    """A new version within 48 h of the first writing; earlier ones are kept.

    What a person tells is checked as if it were new; `at_ns` in the body moves the entry.
    """
    entry = _own(src, viewer, wearer, entry_id)
    at_ns, day = entry.at_ns, entry.day
    if entry.kind in _TOLD:
        moved = body.get("at_ns", at_ns) if entry.kind is not Kind.EVENING else at_ns
        asked = replace(entry, at_ns=moved, body=dict(body))  # type: ignore[arg-type]  # checked next
        tz = ZoneInfo(viewer.zone or src.zone_name)
        _refuse(_problems(src, viewer, wearer, _told(asked), entry, tz))
        at_ns = asked.at_ns
        day = day if entry.kind is Kind.EVENING else local_date(at_ns, tz).isoformat()
    return writable(src).edit_entry(entry_id, dict(body), author=viewer.id, at_ns=at_ns, day=day)


def versions(src: Sources, viewer: Person, wearer: str, entry_id: int) -> Sequence[Entry]:
    """All versions of an entry, oldest first; earlier ones stay after an edit."""
    found = entries(src, viewer, wearer, (), history=True)
    return sorted((e for e in found if e.id == entry_id), key=lambda e: e.version)


def _told(entry: Entry) -> Evening | Massage | Training:
    if entry.kind is Kind.EVENING:
        return told_of(Evening, entry)
    if entry.kind is Kind.MASSAGE:
        return told_of(Massage, entry)
    return told_of(Training, entry)


def _problems(
    src: Sources,
    viewer: Person,
    wearer: str,
    told: Evening | Massage | Training,
    entry: Entry,
    tz: ZoneInfo,
) -> list[rules.Problem]:
    """What speaks against a changed entry; it does not overlap with its own earlier version."""
    now_ns = src.clock.now_ns()
    if isinstance(told, Evening):
        found = rules.check_evening(
            replace(told, day=entry.day), local_date(now_ns, tz), profile=profile_of(src, viewer),
            pain_journal=bool(viewer.settings.get("pain_journal")),
        )  # fmt: skip
        # The 48 hours may reach further back than an evening that is told for the first time.
        return _old_is_fine(found)
    others = [e for e in entries(src, viewer, wearer, [entry.kind]) if e.id != entry.id]
    if isinstance(told, Massage):
        return rules.check_massage(told, now_ns, tz, [told_of(Massage, e) for e in others])
    return rules.check_training(told, now_ns, tz, [told_of(Training, e) for e in others])


def delete(src: Sources, viewer: Person, wearer: str, entry_id: int) -> None:
    """Delete an entry within 48 h; that it was there stays in the history."""
    _own(src, viewer, wearer, entry_id)
    writable(src).delete_entry(entry_id, author=viewer.id)


def editable(src: Sources, viewer: Person, entry: Entry) -> bool:
    """Whether this person may still change an entry (48 h from its first version)."""
    first = _first_written(src, entry)
    return rules.check_edit(entry, viewer.id, src.clock.now_ns(), first_written_ns=first) is None


def _own(src: Sources, viewer: Person, wearer: str, entry_id: int) -> Entry:
    gate(src).may_change(viewer, wearer, "diary")
    entry = writable(src).entry(entry_id)
    if entry is None or entry.wearer != wearer:
        raise InputError("This entry does not exist any more.")
    gate(src).may_change(viewer, entry.wearer, SCOPE[entry.kind])
    problem = rules.check_edit(
        entry, viewer.id, src.clock.now_ns(), first_written_ns=_first_written(src, entry)
    )
    _refuse([problem] if problem else [])
    return entry


def _first_written(src: Sources, entry: Entry) -> int:
    """When the first version of an entry was written: the 48 hours run from there."""
    if entry.version == 1:
        return entry.written_ns
    kept = writable(src).entries(entry.wearer, [entry.kind], entry.day, entry.day, history=True)
    return min((e.written_ns for e in kept if e.id == entry.id), default=entry.written_ns)


def _refuse(problems: Sequence[rules.Problem], *, row: int | None = None) -> None:
    if problems:
        raise Refused(problems, row=row)


def _put(
    src: Sources, viewer: Person, wearer: str, kind: Kind, body: dict[str, object], at_ns: int,
    tz: ZoneInfo,
) -> Entry:  # fmt: skip
    day = local_date(at_ns, tz).isoformat()
    return writable(src).put_entry(wearer, kind, body, at_ns=at_ns, day=day, author=viewer.id)
