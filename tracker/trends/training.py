# SPDX-License-Identifier: Apache-2.0
"""Core-training sessions from recognised sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from tracker.model import SECOND_NS, Exercise, ExerciseSet
from tracker.units import local_date

GAP_S = 180.0  # product definition: sets at most 3 min apart belong together
MIN_SESSION_S = 300.0  # and a group of at least 5 min is a session
NO_CORE = frozenset({Exercise.NONE, Exercise.OTHER})


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSession:
    """A group of sets; `work_s` leaves out the rests between them."""

    start_ns: int
    end_ns: int
    work_s: float
    sets: int
    reps: int
    longest_hold_s: float


def core_sessions(sets: Sequence[ExerciseSet]) -> tuple[CoreSession, ...]:
    """Sessions in order of time. Other exercise than core training does not make one."""
    groups: list[list[ExerciseSet]] = []
    for one in sorted(sets, key=lambda s: s.start_ns):
        if one.exercise in NO_CORE:
            continue
        if groups and one.start_ns - groups[-1][-1].end_ns <= GAP_S * SECOND_NS:
            groups[-1].append(one)
        else:
            groups.append([one])
    sessions = [
        CoreSession(
            start_ns=g[0].start_ns,
            end_ns=max(s.end_ns for s in g),
            work_s=sum((s.end_ns - s.start_ns) / SECOND_NS for s in g),
            sets=len(g),
            reps=sum(s.reps for s in g),
            longest_hold_s=max(s.hold_s for s in g),
        )
        for g in groups
    ]
    return tuple(s for s in sessions if s.end_ns - s.start_ns >= MIN_SESSION_S * SECOND_NS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BestLine:
    """One exercise on one local day: what was done, and the best up to then."""

    day: date
    exercise: Exercise
    sets: int
    reps: int  # of all sets
    best_reps: int  # of one set on that day
    best_hold_s: float
    record: bool  # better than every day before


def progression(sets: Sequence[ExerciseSet], zone: ZoneInfo) -> tuple[BestLine, ...]:
    """Rows per day and exercise in order of time; the first day of an exercise is no record."""
    groups: dict[tuple[date, Exercise], list[ExerciseSet]] = {}
    for one in sorted(sets, key=lambda s: s.start_ns):
        if one.exercise is not Exercise.NONE:
            groups.setdefault((local_date(one.start_ns, zone), one.exercise), []).append(one)
    best: dict[Exercise, tuple[int, float]] = {}
    rows = []
    for (day, exercise), done in groups.items():
        reps, hold_s = max(s.reps for s in done), max(s.hold_s for s in done)
        before = best.get(exercise)
        rows.append(
            BestLine(
                day=day,
                exercise=exercise,
                sets=len(done),
                reps=sum(s.reps for s in done),
                best_reps=reps,
                best_hold_s=hold_s,
                record=before is not None and (reps > before[0] or hold_s > before[1]),
            )
        )
        old = before or (0, 0.0)
        best[exercise] = (max(old[0], reps), max(old[1], hold_s))
    return tuple(rows)
