# SPDX-License-Identifier: Apache-2.0
"""From repetitions to sets: what belongs together, what is the way in and out, what is no set."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracker.exercises.episode import FS_HZ, Episode
from tracker.exercises.spec import Floats, Ints, Reps, Spec, Tuning

LEAST_VALID = 0.5
VIOLENT_G = 0.5  # swing of the force from which on a gentle movement does not belong to a set


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundSet:
    """A candidate: `score` ranks it among other readings of the same stretch, `rhythm` is 0..1."""

    spec: Spec
    reps: Reps
    score: float
    rhythm: float
    spread: float

    @property
    def start(self) -> int:
        """First row."""
        return int(self.reps.start[0])

    @property
    def end(self) -> int:
        """Last row."""
        return int(self.reps.end[-1])


def split_runs(reps: Reps, good: NDArray[np.bool_], spec: Spec, tuning: Tuning) -> list[Ints]:
    """Neighbouring good repetitions whose distance is no pause; a foreign one ends the run."""
    index = np.flatnonzero(good)
    if index.shape[0] < spec.min_reps:
        return []
    at = reps.peak[index] / FS_HZ
    step = np.diff(at)
    usual = float(np.median(step)) if step.size else 0.0
    limit = max(tuning.set_ends_periods * min(usual, spec.period_s[1]), tuning.set_ends_s)
    foreign = np.diff(index) > 1
    pause = (step > limit) | (foreign & (step > 1.5 * max(usual, spec.period_s[0])))
    return [r for r in np.split(index, np.flatnonzero(pause) + 1) if r.shape[0] >= spec.min_reps]


def take(reps: Reps, rows: Ints) -> Reps:
    """Some of the repetitions."""
    return Reps(**{name: getattr(reps, name)[rows] for name in Reps.__slots__})


def make_set(episode: Episode, spec: Spec, signal: Floats, reps: Reps) -> FoundSet | None:
    """Drop what is not like the rest, then check size, pace and rhythm of what is left."""
    tuning = episode.tuning
    reps = _trim(_alike_in_size(reps, tuning), tuning, drifts=spec.signal == "yaw")
    if len(reps) < spec.min_reps:
        return None
    reps = _outer(signal, reps)
    step = np.diff(reps.peak) / FS_HZ
    period = float(np.median(step)) if step.size else float((reps.end - reps.start)[0]) / FS_HZ
    whole = slice(reps.start[0], reps.end[-1] + 1)
    inside = (
        spec.amp_deg[0] <= reps.amp() <= spec.amp_deg[1]
        and spec.period_s[0] <= period <= spec.period_s[1]
        and float(episode.valid[whole].mean()) > LEAST_VALID
    )
    if not inside or (spec.on_foot and _steps(episode.force()[whole], period, tuning)):
        return None
    fit = spec.fit(reps, episode.placement)
    spread = float(np.std(step) / period) if step.size > 1 else 0.0
    rhythm = _rhythm(signal[whole], period)
    if fit <= 0 or not _alike(spec, reps, spread, rhythm, tuning):
        return None
    score = spec.rank * fit * (1 - 0.5 * spread) * len(reps) ** 0.5
    return FoundSet(spec=spec, reps=reps, score=score, rhythm=rhythm, spread=spread)


def _alike(spec: Spec, reps: Reps, spread: float, rhythm: float, tuning: Tuning) -> bool:
    """Whether pace and size agree; the fewer repetitions, the better they must."""
    size = float(np.std(np.log(np.maximum(reps.amp_deg, 0.1))))
    if len(reps) >= 4:
        return (
            spread <= tuning.many_spread
            and size <= tuning.many_size
            and rhythm >= tuning.few_rhythm
        )
    large = reps.amp() >= tuning.few_large * spec.amp_deg[0]
    even = spread <= tuning.few_spread and size <= tuning.few_size
    # Three movements with longer pauses than they last are three movements.
    dense = len(reps) < 2 or float(np.median(np.diff(reps.peak))) <= tuning.few_apart * float(
        np.median(reps.end - reps.start)
    )
    return large and even and dense and (len(reps) < 3 or rhythm >= tuning.few_rhythm)


def _outer(signal: Floats, reps: Reps) -> Reps:
    """Start and end of the set at the level of its troughs, not where the way in or out began."""
    level = float(np.median(reps.base_deg)) + 0.1 * reps.amp()
    start, end = reps.start.copy(), reps.end.copy()
    before = signal[start[0] : reps.peak[0] + 1] <= level
    after = signal[reps.peak[-1] : end[-1] + 1] <= level
    if before.any():
        start[0] += int(np.flatnonzero(before)[-1])
    if after.any():
        end[-1] = reps.peak[-1] + int(np.flatnonzero(after)[0])
    return replace(reps, start=start, end=end)


def parts(reps: Reps, tuning: Tuning) -> list[Reps]:
    """A run without its small movements, cut where the pace then has a pause.

    Small movements in a rest must not tie two sets together.
    """
    reps = _alike_in_size(reps, tuning)
    step = np.diff(reps.peak) / FS_HZ
    if not step.size:
        return [reps]
    limit = max(tuning.set_ends_periods * float(np.median(step)), tuning.set_ends_s)
    cuts = np.flatnonzero(step > limit) + 1
    return [take(reps, rows) for rows in np.split(np.arange(len(reps)), cuts)]


def _alike_in_size(reps: Reps, tuning: Tuning) -> Reps:
    for _ in range(2):
        like = reps.amp_deg >= tuning.same_size * np.median(reps.amp_deg)
        if len(reps) > 2:  # the outer two begin and end where the set does: `_outer`
            long = reps.end - reps.start > tuning.same_length * np.median(np.diff(reps.peak))
            like[1:-1] &= ~long[1:-1]
        force = float(np.median(reps.force_span_g))
        if force > VIOLENT_G:
            like &= reps.force_span_g >= tuning.same_force * force
        if not like.all():
            reps = take(reps, np.flatnonzero(like))
    return reps


def _trim(reps: Reps, tuning: Tuning, *, drifts: bool) -> Reps:
    """Without movements at either end that differ in size and in pace: the way in and out."""
    while len(reps) >= tuning.trim_from:
        step = np.diff(reps.peak) / FS_HZ
        size = np.abs(np.log(reps.amp_deg / np.median(reps.amp_deg))) / tuning.size_sd
        pace = np.abs(np.log(step / np.median(step))) / tuning.pace_sd
        force = np.maximum(reps.force_span_g, 0.05)
        drive = np.abs(np.log(force / np.median(force))) / tuning.force_sd
        level = np.abs(reps.base_deg - np.median(reps.base_deg)) / (tuning.base_sd * reps.amp())
        odd = size + drive + (0.0 if drifts else level)
        first = 1 if odd[0] + pace[0] > tuning.strange else 0
        last = len(reps) - (1 if odd[-1] + pace[-1] > tuning.strange else 0)
        if first == 0 and last == len(reps):
            break
        reps = take(reps, np.arange(first, last))
    return reps


def _rhythm(part: Floats, period_s: float) -> float:
    """Highest normalised autocorrelation at a lag of 0.7 to 1.4 periods."""
    lag = period_s * FS_HZ
    low, high = max(1, int(0.7 * lag)), int(1.4 * lag) + 1
    return _alike_after(part, low, high) if part.shape[0] >= high + 5 else 0.0


def _steps(force: Floats, period_s: float, tuning: Tuning) -> bool:
    """Whether the swing is the sway of strides: two like steps in each."""
    half = round(period_s * FS_HZ / 2)
    if period_s > tuning.stride_s or force.shape[0] < 2 * half:
        return False
    return _alike_after(force, half - 1, half + 1) > tuning.twice


def _alike_after(part: Floats, low: int, high: int) -> float:
    """Highest normalised autocorrelation at lags of `low` to `high` rows, 0 where none is above."""
    x = part - part.mean()
    best = 0.0
    for k in range(low, high + 1):
        a, b = x[:-k], x[k:]
        size = float(np.sqrt((a * a).sum() * (b * b).sum()))
        if size > 0:
            best = max(best, float((a * b).sum()) / size)
    return best
