# SPDX-License-Identifier: Apache-2.0
"""What the wearer told: evening entries, massages, training, safety list, corrections.

Every write is checked here again, whatever the page allowed: a browser's limits are a courtesy.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from dashboard.data import series
from dashboard.data.gate import gate
from dashboard.data.people import profile_of
from dashboard.data.sources import Sources, records, writable
from tracker.advice import diary_rules as rules
from tracker.diary import Entry, Evening, Kind, Massage, Person, Training
from tracker.errors import InputError
from tracker.model import SECOND_NS, State
from tracker.scoped import KIND_SCOPE, entry_for
from tracker.units import day_bounds_ns, local_date

SCOPE = KIND_SCOPE


class Refused(InputError):
    """An entry that the diary does not take; `problems` are keys of the catalogue."""

    def __init__(self, problems: Sequence[rules.Problem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.key}" for p in problems))
        self.problems = tuple(problems)


Told = TypeVar("Told", Evening, Massage, Training)


def entries(
    src: Sources,
    viewer: Person,
    wearer: str,
    kinds: Iterable[Kind],
    first: date | None = None,
    last: date | None = None,
    *,
    history: bool = False,
) -> Sequence[Entry]:
    """Entries of these kinds (none named: all), by time, cut to what the viewer may see.

    `history` adds earlier versions and deleted ones.
    """
    wanted = tuple(kinds) or tuple(Kind)
    door = gate(src)
    seen = door.visible_scopes(viewer, wearer)
    for scope in sorted({_asked(kind, seen) for kind in wanted}):
        door.may_see(viewer, wearer, scope)
    kept = records(src)
    if kept is None:
        return ()
    found = kept.entries(
        wearer,
        wanted,
        first.isoformat() if first else "0000-01-01",
        last.isoformat() if last else "9999-12-31",
        history=history,
    )
    return [cut for one in found if (cut := entry_for(one, seen)) is not None]


def _asked(kind: Kind, seen: frozenset[str]) -> str:
    """The scope that a kind needs; an evening entry may be seen for its pain alone."""
    only_pain = "pain" in seen and "tension" not in seen
    return "pain" if kind is Kind.EVENING and only_pain else SCOPE[kind]


def evenings(
    src: Sources, viewer: Person, wearer: str, first: date | None = None, last: date | None = None
) -> Sequence[Evening]:
    """Evening entries; pain is left out where the viewer may not see it."""
    found = [told_of(Evening, e) for e in entries(src, viewer, wearer, [Kind.EVENING], first, last)]
    return sorted(found, key=lambda e: e.day)


def massages(
    src: Sources, viewer: Person, wearer: str, first: date | None = None, last: date | None = None
) -> Sequence[Massage]:
    """Massages by time."""
    return [told_of(Massage, e) for e in entries(src, viewer, wearer, [Kind.MASSAGE], first, last)]


def trainings(
    src: Sources, viewer: Person, wearer: str, first: date | None = None, last: date | None = None
) -> Sequence[Training]:
    """Training sessions as told or confirmed, by time."""
    return [
        told_of(Training, e) for e in entries(src, viewer, wearer, [Kind.TRAINING], first, last)
    ]


def training_minutes(
    src: Sources, viewer: Person, wearer: str, first: date, last: date, tz: ZoneInfo
) -> dict[date, float]:
    """Minutes of core training by day: as told where a session was told, else as recognised."""
    gate(src).may_see(viewer, wearer, "training")
    found = {
        d: s.core_min
        for d, s in series.summaries(src, viewer, wearer, first, last, tz).items()
        if s.core_min > 0
    }
    told: dict[date, float] = {}
    confirmed: dict[date, float] = {}  # single sets that the sensor found: never less than it saw
    for one in trainings(src, viewer, wearer, first, last):
        day = local_date(one.at_ns, tz)
        into = confirmed if one.source == "sets_confirmed" else told
        into[day] = into.get(day, 0.0) + one.minutes
    seen = {d: max(found.get(d, 0.0), confirmed.get(d, 0.0)) for d in {*found, *confirmed}}
    return dict(sorted({**seen, **told}.items()))


def outcomes(src: Sources, viewer: Person) -> tuple[Literal["tension", "pain"], ...]:
    """Which evening scales may be drawn: tension always, pain in the clinic or as a journal."""
    pain = profile_of(src, viewer) == "clinic" or bool(viewer.settings.get("pain_journal"))
    return ("tension", "pain") if pain else ("tension",)


def told_of(kind: type[Told], entry: Entry) -> Told:
    """A diary record as the dataclass it was told as; unknown fields are left out."""
    known = {f.name for f in fields(kind)}
    values: dict[str, Any] = {k: v for k, v in entry.body.items() if k in known}
    if kind is Evening:
        values["day"] = entry.day
    else:
        values["at_ns"] = entry.at_ns
    if "sets" in values:
        values["sets"] = tuple((str(a), int(b), float(c)) for a, b, c in values["sets"])
    return kind(**values)


def evening_entry(src: Sources, viewer: Person, wearer: str, day: date) -> Entry | None:
    """The evening entry of a day, if there is one."""
    found = entries(src, viewer, wearer, [Kind.EVENING], day, day)
    return found[-1] if found else None


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
) -> None:
    """Keep entries of a diary file, old days included; all are checked before one is kept."""
    gate(src).may_change(viewer, wearer, "diary")
    now_ns = src.clock.now_ns()
    today = local_date(now_ns, tz)
    for one in told:
        if isinstance(one, Evening):
            found = rules.check_evening(one, today, pain_journal=True)
            _refuse([p for p in found if not p.key.endswith(".too_old")])
        elif isinstance(one, Massage):
            _refuse(rules.check_massage(one, now_ns, tz))
        else:
            _refuse(rules.check_training(one, now_ns, tz))
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
    """A new version within 48 h of the first writing; earlier ones are kept."""
    _own(src, viewer, wearer, entry_id)
    return writable(src).edit_entry(entry_id, dict(body), author=viewer.id)


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


def _refuse(problems: Sequence[rules.Problem]) -> None:
    if problems:
        raise Refused(problems)


def _put(
    src: Sources, viewer: Person, wearer: str, kind: Kind, body: dict[str, object], at_ns: int,
    tz: ZoneInfo,
) -> Entry:  # fmt: skip
    day = local_date(at_ns, tz).isoformat()
    return writable(src).put_entry(wearer, kind, body, at_ns=at_ns, day=day, author=viewer.id)
