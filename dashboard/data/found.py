# SPDX-License-Identifier: Apache-2.0
"""Sets that the sensor found outside of a session: which to ask about, and what was answered.

An answer is a label in the diary, a training entry where it was training, and, where a collector
runs, a set with source "user" in the store, over which no re-analysis writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.data import diary, diary_write, series
from dashboard.data.gate import gate
from dashboard.data.sources import Sources, writable
from tracker.collect.control import ControlClient
from tracker.diary import Kind, Person, Training
from tracker.errors import ServiceError
from tracker.exercises import confirm
from tracker.model import SECOND_NS, Exercise, ExerciseSet, Placement, State
from tracker.units import local_date

ASK_DAYS = 2  # later nobody remembers how many it were
TOGETHER_NS = 30 * 60 * SECOND_NS  # sets this close are one training
CONFIRMED = "sets_confirmed"  # single sets; "sensor_confirmed" is a whole session


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A set that was found, and at which place."""

    placement: Placement
    set: ExerciseSet


def to_ask(src: Sources, viewer: Person, wearer: str, tz: ZoneInfo) -> Sequence[Found]:
    """Sets of yesterday and today that nobody was asked about yet, the newest first."""
    gate(src).may_see(viewer, wearer, "training")
    today = local_date(src.clock.now_ns(), tz)
    first = today - timedelta(days=ASK_DAYS - 1)
    told = [
        (t.at_ns, t.at_ns + t.minutes * 60 * SECOND_NS)
        for t in diary.trainings(src, viewer, wearer, first - timedelta(days=1), today)
        if t.source != CONFIRMED
    ]
    answers = _answers(src, viewer, wearer, first, today)
    found: list[Found] = []
    for place, sets in series.sets_by_place(src, viewer, wearer, first, today, tz):
        known = [*answers, *(s for s in sets if s.source == "user")]
        ask = confirm.to_ask(sets, known, told)
        found += [Found(placement=place, set=s) for s in ask if s.exercise is not Exercise.NONE]
    return sorted(found, key=lambda f: -f.set.start_ns)


def best_sets(
    src: Sources, viewer: Person, wearer: str, first: date, last: date, tz: ZoneInfo
) -> Sequence[ExerciseSet]:
    """Sets as they count: what was answered replaces what was found there."""
    found = series.sets(src, viewer, wearer, first, last, tz)
    mine = [s for s in found if s.source == "user"]
    answers = [
        a
        for a in _answers(src, viewer, wearer, first, last)
        if not any(m.start_ns == a.start_ns for m in mine)
    ]
    return confirm.best(found, [*mine, *answers])


def _answers(
    src: Sources, viewer: Person, wearer: str, first: date, last: date
) -> Sequence[ExerciseSet]:
    """Answers of the diary; nothing where the viewer may not see corrections."""
    if "posture" not in gate(src).visible_scopes(viewer, wearer):
        return ()
    bodies: list[Mapping[str, Any]] = [
        e.body for e in diary.entries(src, viewer, wearer, [Kind.CORRECTION], first, last)
    ]
    return [
        ExerciseSet(
            start_ns=int(b["start_ns"]),
            end_ns=int(b["end_ns"]),
            exercise=Exercise[str(b["exercise"]).upper()],
            reps=int(b.get("reps", 0)),
            hold_s=float(b.get("hold_s", 0.0)),
            confidence="high",
            source="user",
        )
        for b in bodies
        if str(b.get("exercise", "")).upper() in Exercise.__members__
    ]


def answer(
    src: Sources, viewer: Person, wearer: str, found: Found, said: ExerciseSet, tz: ZoneInfo
) -> bool:
    """Keep what the person says of a set; False where no collector could lay it into the store."""
    gate(src).may_change(viewer, wearer, "posture")
    gate(src).may_change(viewer, wearer, "training")
    trained = said.exercise is not Exercise.NONE
    if trained:
        _train(src, viewer, wearer, said, tz)
    body: dict[str, object] = {
        "start_ns": said.start_ns,
        "end_ns": said.end_ns,
        "state": (State.EXERCISE if trained else State.UNKNOWN).label,
        "exercise": said.exercise.label,
        "reps": said.reps,
        "hold_s": said.hold_s,
    }
    day = local_date(said.start_ns, tz).isoformat()
    writable(src).put_entry(
        wearer, Kind.CORRECTION, body, at_ns=said.start_ns, day=day, author=viewer.id
    )
    try:
        ControlClient(src.settings.data).call(
            "confirm_set",
            wearer=wearer,
            placement=str(found.placement),
            start_ns=said.start_ns,
            end_ns=said.end_ns,
            exercise=said.exercise.label,
            reps=said.reps,
            hold_s=said.hold_s,
        )
    except ServiceError:
        return False
    return True


def _train(src: Sources, viewer: Person, wearer: str, said: ExerciseSet, tz: ZoneInfo) -> None:
    """The set as training: with confirmed sets close to it one session, else its own."""
    one = (said.exercise.label, said.reps, said.hold_s)
    day = local_date(said.start_ns, tz)
    for entry in diary.entries(src, viewer, wearer, [Kind.TRAINING], day, day):
        told = diary.told_of(Training, entry)
        end_ns = told.at_ns + told.minutes * 60 * SECOND_NS
        near = told.at_ns - TOGETHER_NS <= said.start_ns <= end_ns + TOGETHER_NS
        if told.source != CONFIRMED or not near or not diary_write.editable(src, viewer, entry):
            continue
        until_ns = max(end_ns, said.end_ns)
        minutes = max(1, -((min(told.at_ns, said.start_ns) - until_ns) // (60 * SECOND_NS)))
        whole = replace(told, minutes=minutes, sets=(*told.sets, one))
        diary_write.edit(src, viewer, wearer, entry.id, asdict(whole))
        return
    minutes = max(1, -((said.start_ns - said.end_ns) // (60 * SECOND_NS)))
    new = Training(at_ns=said.start_ns, minutes=minutes, sets=(one,), source=CONFIRMED)
    diary_write.save_training(src, viewer, wearer, new, tz)
