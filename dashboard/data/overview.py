# SPDX-License-Identifier: Apache-2.0
"""The therapist's list: one row per person who shares, in the order of the profile.

A line costs tens of milliseconds, a practice has hundreds: lines are kept while what they were
worked out from is the same, and a thread of the dashboard works them out before anybody looks.
Kept are derived numbers, never an answer of the gate: grants are read at each look.
"""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock

from dashboard.data import practice
from dashboard.data.gate import gate
from dashboard.data.lines import Line, aged, made
from dashboard.data.people import profile_of
from dashboard.data.sources import Sources, records
from tracker.access import SHARED_SCOPES
from tracker.diary import Person, Role
from tracker.model import SECOND_NS
from tracker.units import from_ns

_FRESH_S = 300.0  # a wearer who is measured now changes every minute: this is soon enough
_LONGEST_S = 3600.0  # a correction of an older day shows at the latest then
_AHEAD_S = 120.0  # how long before their end lines are worked out anew
_MOST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A line, when it was made, and the marks of what it was made from."""

    line: Line
    made_ns: int
    days: object
    told: object


_KEPT: "OrderedDict[tuple[object, ...], _Kept]" = OrderedDict()
_LOCK = Lock()


def patient_lines(src: Sources, viewer: Person) -> Sequence[Line]:
    """Everybody who shares with this therapist now."""
    shared = gate(src).overview(viewer)
    profile = profile_of(src, viewer)
    lines = [*_lines(src, viewer, shared, profile)]
    if profile == "clinic":
        return sorted(lines, key=lambda x: (-len(x.flags), -_age(x), x.who.name.casefold()))
    return sorted(lines, key=lambda x: (x.next_visit or date.max, x.who.name.casefold()))


def warm_lines(src: Sources, pause: Callable[[], object]) -> None:
    """Work out what will soon be asked for, for every therapist; `pause` between two lines.

    Nobody looks, so nothing is shown and nothing is audited.
    """
    kept = records(src)
    for viewer in kept.people(active_only=True) if kept else ():
        if Role.THERAPIST not in viewer.roles:
            continue
        shared: dict[str, frozenset[str]] = {}
        for grant in kept.grants(viewer=viewer.id, active_only=True) if kept else ():
            scopes = grant.scopes & SHARED_SCOPES
            shared[grant.wearer] = shared.get(grant.wearer, frozenset()) | scopes
        for _ in _lines(src, viewer, shared, profile_of(src, viewer), ahead_s=_AHEAD_S):
            pause()


def _age(line: Line) -> float:
    return float("inf") if line.age_h is None else line.age_h


def _lines(
    src: Sources,
    viewer: Person,
    shared: Mapping[str, frozenset[str]],
    profile: str,
    *,
    ahead_s: float = 0.0,
) -> Iterable[Line]:
    """A line per wearer, kept or new; `ahead_s` makes anew what ends within that time."""
    days, told = _day_marks(src, shared), _told_marks(src)
    for wearer, scopes in shared.items():
        key = (str(src.settings.data), viewer.id, wearer, scopes, profile)
        now_ns = src.clock.now_ns()
        with _LOCK:
            held = _KEPT.get(key)
        if (
            held is None
            or held.told != told.get(wearer)
            or _over(held, wearer, days.get(wearer), (now_ns - held.made_ns) / SECOND_NS + ahead_s)
        ):
            who = practice.patient_of(src, viewer, wearer, scopes)
            held = _Kept(
                line=made(src, viewer, who, profile), made_ns=now_ns, days=days.get(wearer),
                told=told.get(wearer),
            )  # fmt: skip
            with _LOCK:
                _KEPT[key] = held
                while len(_KEPT) > _MOST:
                    _KEPT.popitem(last=False)
        yield aged(held.line, (now_ns - held.made_ns) / SECOND_NS / 3600)


def _over(held: _Kept, wearer: str, days: object, age_s: float) -> bool:
    """Whether a line has to be made anew. Unchanged ones end one after the other, not at once."""
    if held.days != days:
        return age_s > _FRESH_S
    return age_s > _LONGEST_S * (1 - zlib.crc32(wearer.encode()) % 100 / 200)


def _day_marks(src: Sources, wearers: Iterable[str]) -> dict[str, object]:
    """What the newest days of each wearer hold, in one read: another mark, other data."""
    today = from_ns(src.clock.now_ns()).date()
    first, last = today - timedelta(days=2), today + timedelta(days=1)
    wanted = set(wearers)
    pairs = [(w, p) for w, p in src.series.wearers() if w in wanted]
    found = src.series.days_of(pairs, first.isoformat(), last.isoformat(), detail=False)
    marks: dict[str, object] = {}
    for (wearer, place), rows in found.items():
        mark = (str(place), *((r.day, *r.seconds.values()) for r in rows))
        marks[wearer] = (marks.get(wearer), mark)
    return marks


def _told_marks(src: Sources) -> Mapping[str, object]:
    kept = records(src)
    return kept.entry_marks() if kept else {}


def forget_lines() -> None:
    """Nothing: lines follow what was written by themselves. Kept for pages that still ask."""
