# SPDX-License-Identifier: Apache-2.0
"""What a diary entry must be: ranges, dates, overlaps, who may edit and for how long.

Pure: a fault comes back as a `Problem`, a key of the catalogue with its values, so that page,
phone door and import say the same sentence in the reader's language. An imported file may hold any
JSON value anywhere, so a value of the wrong type is a problem like any other, never an exception.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from tracker.advice import profiles
from tracker.diary import Entry, Evening, Massage, Training
from tracker.model import SECOND_NS
from tracker.units import local_date

EDIT_WINDOW_H = 48  # `evidence.md` 5.2
LATE_DAYS = 2  # an evening may be filled in for so many days back; then it stays missing
OLDEST_DAYS = 366  # massages and sessions further back are typing errors
MASSAGE_KINDS = ("knead", "tap", "rub", "stroke", "vibrate", "mixed", "other")
PRESSURES = ("light", "firm")
BY = ("self", "therapist", "partner", "device")
MASSAGE_MINUTES = (1, 240)
TRAINING_MINUTES = (1, 300)
NOTE_LENGTH = 500

_HOUR_NS = 3_600 * SECOND_NS
_MINUTE_NS = 60 * SECOND_NS
_FAR_NS = 9_000_000_000 * SECOND_NS  # beyond it a calendar has no day
_MANY = 100_000  # repetitions or seconds of one set; more is a typing error


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why an entry is refused: the field, a key of the catalogue and the values of its sentence."""

    field: str
    key: str
    values: dict[str, object] = dataclasses.field(default_factory=dict)


def check_evening(
    entry: Evening,
    today: date,
    *,
    profile: str = profiles.DEFAULT,
    pain_journal: bool = False,
    taken_days: Iterable[str] = (),
) -> list[Problem]:
    """Problems of an evening entry; `taken_days` are the days that already have one."""
    problems = [
        problem
        for name in ("tension", "pain", "stress")
        for problem in _scale(name, getattr(entry, name), 0, 10)
    ]
    allowed = profiles.diary_fields(profile, pain_journal=pain_journal)
    if entry.pain is not None and "pain" not in allowed:
        problems.append(_problem("pain", "pain_not_asked"))
    problems += _day(entry.day, today, LATE_DAYS)
    if entry.day in list(taken_days):
        problems.append(_problem("day", "day_taken", day=entry.day))
    problems += _answers(entry, ("painkiller", "unusual_load", "illness"))
    return problems + _note(entry.note)


def is_late(entry: Evening, today: date) -> bool:
    """Whether an evening is filled in on a later day; such entries are marked."""
    return date.fromisoformat(entry.day) < today


def check_massage(
    entry: Massage, now_ns: int, zone: ZoneInfo, others: Iterable[Massage] = ()
) -> list[Problem]:
    """Problems of a massage; `others` are the massages already in the diary."""
    problems = _moment(entry.at_ns, now_ns, zone)
    problems += _minutes(entry.minutes, MASSAGE_MINUTES)
    for name, value, allowed in (
        ("kind", entry.kind, MASSAGE_KINDS),
        ("pressure", entry.pressure, PRESSURES),
        ("by", entry.by, BY),
    ):
        if value not in allowed:
            problems.append(_problem(name, "choice", value=value, allowed=", ".join(allowed)))
    for name in ("relief_1h", "relief_morning"):
        problems += _scale(name, getattr(entry, name), 0, 10)
    problems += _answers(entry, ("sore_morning",))
    return problems + _overlap(entry, others)


def check_training(
    entry: Training, now_ns: int, zone: ZoneInfo, others: Iterable[Training] = ()
) -> list[Problem]:
    """Problems of a training session; `others` are the sessions already in the diary."""
    problems = _moment(entry.at_ns, now_ns, zone)
    problems += _minutes(entry.minutes, TRAINING_MINUTES)
    problems += _scale("effort", entry.effort, 0, 10)
    problems += _scale("rise", entry.rise, 0, 10)
    problems += _scale("next_morning", entry.next_morning, -10, 10)
    if not _are_sets(entry.sets):
        problems.append(_problem("sets", "negative_set"))
    return problems + _overlap(entry, others)


def check_edit(
    entry: Entry, editor: str, now_ns: int, *, first_written_ns: int | None = None
) -> Problem | None:
    """Why `editor` may not change an entry now, or None. The window runs from the first version."""
    if editor != entry.author:
        return _problem("author", "not_yours")
    if entry.replaced_ns is not None:
        return _problem("version", "replaced")
    written = entry.written_ns if first_written_ns is None else first_written_ns
    if now_ns - written > EDIT_WINDOW_H * _HOUR_NS:
        return _problem("written", "too_late", hours=EDIT_WINDOW_H)
    return None


def _overlap(
    entry: Massage | Training, others: Iterable[Massage] | Iterable[Training]
) -> list[Problem]:
    """A problem where two of a kind share a minute."""
    if not _is_whole(entry.at_ns) or not _is_whole(entry.minutes):
        return []  # said already
    end_ns = entry.at_ns + entry.minutes * _MINUTE_NS
    for other in others:
        if entry.at_ns < other.at_ns + other.minutes * _MINUTE_NS and other.at_ns < end_ns:
            return [_problem("at", "overlap")]
    return []


def _answers(entry: Evening | Massage, names: tuple[str, ...]) -> list[Problem]:
    """Yes, no or not answered; a file may say anything else."""
    found = {name: getattr(entry, name) for name in names}
    return [
        _problem(name, "yes_no", value=_short(value))
        for name, value in found.items()
        if value is not None and not isinstance(value, bool)
    ]


def _are_sets(sets: object) -> bool:
    """(exercise, repetitions, seconds) triples, nothing below 0."""
    return isinstance(sets, list | tuple) and all(
        isinstance(one, list | tuple)
        and len(one) == 3
        and isinstance(one[0], str)
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in one[1:])
        and all(0 <= n < _MANY for n in one[1:])
        for one in sets
    )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _short(value: object) -> str:
    return str(value)[:40]


def _scale(name: str, value: object, low: int, high: int) -> list[Problem]:
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        return [_problem(name, "scale", value=_short(value), low=low, high=high)]
    return []


def _day(text: object, today: date, back: int) -> list[Problem]:
    try:
        day = date.fromisoformat(text)  # type: ignore[arg-type]  # refused below if it is no text
    except (TypeError, ValueError):
        return [_problem("day", "no_date", value=_short(text))]
    if day > today:
        return [_problem("day", "future", day=day.isoformat())]
    if day < today - timedelta(days=back):
        return [_problem("day", "too_old", day=day.isoformat(), n=back)]
    return []


def _moment(at_ns: object, now_ns: int, zone: ZoneInfo) -> list[Problem]:
    if not isinstance(at_ns, int) or isinstance(at_ns, bool) or abs(at_ns) > _FAR_NS:
        return [_problem("at", "no_moment", value=_short(at_ns))]
    day = local_date(at_ns, zone)
    if at_ns > now_ns:
        return [_problem("at", "future", day=day.isoformat())]
    if at_ns < now_ns - OLDEST_DAYS * 24 * _HOUR_NS:
        return [_problem("at", "too_old", day=day.isoformat(), n=OLDEST_DAYS)]
    return []


def _minutes(minutes: object, limits: tuple[int, int]) -> list[Problem]:
    low, high = limits
    if isinstance(minutes, int) and not isinstance(minutes, bool) and low <= minutes <= high:
        return []
    return [_problem("minutes", "minutes", value=_short(minutes), low=low, high=high)]


def _note(note: object) -> list[Problem]:
    if isinstance(note, str) and len(note) <= NOTE_LENGTH:
        return []
    return [_problem("note", "note_long", n=NOTE_LENGTH)]


def _problem(name: str, key: str, **values: object) -> Problem:
    return Problem(field=name, key=f"diary.problem.{key}", values=values)
