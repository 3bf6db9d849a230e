# SPDX-License-Identifier: Apache-2.0
"""What the wearer told, as read: evening entries, massages, training, safety list, corrections.

Writing is in `diary_write.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from dashboard.data import series
from dashboard.data.gate import gate
from dashboard.data.people import profile_of
from dashboard.data.sources import Sources, records
from tracker.diary import Entry, Evening, Kind, Massage, Person, Training
from tracker.scoped import KIND_SCOPE, entry_for
from tracker.units import local_date

SCOPE = KIND_SCOPE


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
