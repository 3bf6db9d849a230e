# SPDX-License-Identifier: Apache-2.0
"""From candidates to sets: one reading for each stretch, and how sure it is."""

from dataclasses import dataclass, replace

import numpy as np

from tracker.exercises.episode import FS_HZ, Episode
from tracker.exercises.holds import FoundHold, find_holds
from tracker.exercises.registry import exercises
from tracker.exercises.repeats import find_sets
from tracker.exercises.series import FoundSet
from tracker.model import Exercise, ExerciseSet

_ORDER = ("low", "medium", "high")
ENDLESS = 30
REST_S = 7.0
STILL_DPS = 4.0
BESIDE_S = 8.0
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
    readings = [
        _repeated(episode, found)
        for spec in table.values()
        if spec.mode == "reps" and episode.placement in spec.places
        for found in find_sets(episode, spec)
    ]
    readings += [
        _held(episode, hold)
        for hold in find_holds(episode, table.get(Exercise.PLANK), table.get(Exercise.SIDE_PLANK))
    ]
    kept: list[_Reading] = []
    for one in sorted(readings, key=lambda r: (-r.score, r.start, r.result.exercise)):
        if all(one.end <= k.start or one.start >= k.end for k in kept):
            kept.append(one)
    in_order = sorted(kept, key=lambda r: r.start)
    return [_named(k, kept) for k in in_order if not _pause(k, kept)]


def _named(one: _Reading, kept: list[_Reading]) -> ExerciseSet:
    """Strokes right beside a long series without a name belong to it."""
    near = int(BESIDE_S * FS_HZ)
    beside = any(
        k.result.exercise is Exercise.OTHER
        and k.start - near <= one.end
        and one.start <= k.end + near
        for k in kept
    )
    if not beside or one.result.hold_s > 0 or one.result.exercise is Exercise.OTHER:
        return one.result
    return replace(one.result, exercise=Exercise.OTHER, confidence="low")


def _pause(one: _Reading, kept: list[_Reading]) -> bool:
    """An unsure hold right beside counted repetitions is their start pose, not a plank."""
    near = int(BESIDE_S * FS_HZ)
    return (
        one.result.hold_s > 0
        and one.result.confidence == "low"
        and any(
            k.result.hold_s == 0 and k.start - near <= one.end and one.start <= k.end + near
            for k in kept
        )
    )


def _repeated(episode: Episode, found: FoundSet) -> _Reading:
    score = found.score * _rest(episode, found)
    if len(found.reps) > ENDLESS and found.spec.exercise is not Exercise.OTHER:
        score *= 0.2  # rowing for minutes is no set of squats
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
    """How well the still moments around the set agree with its start pose: 1 well, 0.3 not.

    The same wave can be read as going up from its troughs or down from its crests; where the body
    was still before and after decides. A wave around the start pose rests half way.
    """
    signal = episode.signal(found.spec.signal, found.spec.smooth_s)
    if signal is None or found.spec.sign == 0:
        return 1.0
    reach, edge = int(REST_S * FS_HZ), int(0.3 * FS_HZ)
    rows = np.concatenate(
        [
            np.arange(max(0, found.start - reach), max(0, found.start - edge)),
            np.arange(min(len(episode), found.end + edge), min(len(episode), found.end + reach)),
        ]
    )
    still = np.abs(np.gradient(signal)[rows]) * FS_HZ < STILL_DPS
    share = (found.spec.sign * signal[rows] - float(np.median(found.reps.base_deg))) / max(
        found.reps.amp(), 1.0
    )
    near = share[still & (np.abs(share) < 1.5)]
    if near.shape[0] < FS_HZ / 2:
        return 0.8
    away = abs(float(np.median(near)) - (0.45 if found.spec.wave else 0.0))
    return float(np.clip(1.1 - 0.8 * away, 0.3, 1.0))


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
