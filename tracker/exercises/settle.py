# SPDX-License-Identifier: Apache-2.0
"""From candidates to sets: one reading for each stretch, and how sure it is."""

from dataclasses import dataclass

import numpy as np

from tracker.exercises.episode import FS_HZ, Episode
from tracker.exercises.holds import FoundHold, find_holds
from tracker.exercises.registry import exercises
from tracker.exercises.repeats import FoundSet, find_sets
from tracker.model import Exercise, ExerciseSet

_ORDER = ("low", "medium", "high")
RHYTHM = 0.5  # evidence 6.3: normalised autocorrelation for sets of four and more


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    start: int
    end: int
    score: float
    result: ExerciseSet


def settle(episode: Episode) -> list[ExerciseSet]:
    """All sets of an episode, in order, without overlap."""
    table = exercises()
    readings: list[_Reading] = []
    for spec in table.values():
        if spec.mode != "reps" or episode.placement not in spec.places:
            continue
        for found in find_sets(episode, spec):
            readings.append(_repeated(episode, found))
    for hold in find_holds(episode, table.get(Exercise.PLANK), table.get(Exercise.SIDE_PLANK)):
        readings.append(_held(episode, hold))
    kept: list[_Reading] = []
    for one in sorted(readings, key=lambda r: (-r.score, r.start, r.result.exercise)):
        if all(one.end <= k.start or one.start >= k.end for k in kept):
            kept.append(one)
    return [k.result for k in sorted(kept, key=lambda r: r.start)]


def _repeated(episode: Episode, found: FoundSet) -> _Reading:
    score = found.score * _rest(episode, found)
    return _Reading(
        start=found.start,
        end=found.end,
        score=score,
        result=ExerciseSet(
            start_ns=episode.time_ns(found.start),
            end_ns=episode.time_ns(found.end),
            exercise=found.spec.exercise,
            reps=len(found.reps),
            hold_s=0.0,
            confidence=_confidence(found),
        ),
    )


def _rest(episode: Episode, found: FoundSet) -> float:
    """How near the pose before and after the set is to the trough: 1 near, 0.3 at the far end."""
    signal = episode.signal(found.spec.signal, found.spec.smooth_s)
    if signal is None or found.spec.sign == 0:
        return 1.0
    around = np.concatenate(
        [
            signal[max(0, found.start - int(2 * FS_HZ)) : found.start + 1],
            signal[found.end : found.end + int(2 * FS_HZ)],
        ]
    )
    away = np.abs(found.spec.sign * around - float(np.median(found.reps.base_deg)))
    share = float(np.median(away)) / max(found.reps.amp(), 1.0)
    return float(np.clip(1.1 - 0.8 * share, 0.3, 1.0))


def _confidence(found: FoundSet) -> str:
    n = len(found.reps)
    level = 2
    if n < 4 or found.rhythm < RHYTHM:
        level = 1
    if n < 3 or found.spread > 0.35 or (n >= 4 and found.rhythm < 0.3):
        level = 0
    return _ORDER[min(level, _ORDER.index(found.spec.sure))]


def _held(episode: Episode, hold: FoundHold) -> _Reading:
    level = min(_ORDER.index(hold.sure), _ORDER.index(hold.spec.sure))
    return _Reading(
        start=hold.start,
        end=hold.end,
        score=hold.score,
        result=ExerciseSet(
            start_ns=episode.time_ns(hold.start),
            end_ns=episode.time_ns(hold.end),
            exercise=hold.spec.exercise,
            reps=1,
            hold_s=round(hold.hold_s, 1),
            confidence=_ORDER[level],
        ),
    )
