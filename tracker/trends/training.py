# SPDX-License-Identifier: Apache-2.0
"""Core-training sessions from recognised sets."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.model import SECOND_NS, Exercise, ExerciseSet

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
