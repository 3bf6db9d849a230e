# SPDX-License-Identifier: Apache-2.0
"""Repetitions: excursions of similar size and spacing, found in retrospect in a whole episode.

The recipe of the design (advice/evidence.md 6.3): turning points by prominence, pose gate on the
troughs, spacing, the first repetition counted in retrospect, autocorrelation as a check. One
polarity for each exercise, because counting both polarities overcounts (recognition.md section 5).

Deviations: prominence is compared with the median of the finished set instead of a running one,
since the episode is complete when it is looked at; a causal count for the live page is the same
function on the episode so far.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import rank_filter
from scipy.signal import find_peaks

from tracker.exercises.episode import FS_HZ, Episode
from tracker.exercises.spec import Floats, Ints, Reps, Spec

MIN_PROMINENCE = 0.6  # of the lower end of the amplitude range
SAME_PROMINENCE = 0.6  # of the second largest of the neighbours
NEIGHBOURS = 5
SAME_SIZE = 0.5  # of the median amplitude of the set
SAME_PACE = 0.6  # of the median period
SET_ENDS_PERIODS = 2.3
SET_ENDS_S = 6.0
# A movement at the end of a set is foreign when size and pace together are this strange; the scales
# are the log spread of size and pace inside sets (exermote, every choice inside leave-one-out).
TRIM_FROM = 4
SIZE_SD = 0.25
PACE_SD = 0.20
FORCE_SD = 0.5
STRANGE = 3.2
FEW_LARGE = 1.4  # of the lower end of the amplitude range
FEW_SPREAD, FEW_SIZE, FEW_RHYTHM = 0.25, 0.25, 0.3  # sets of two or three
MIDDLE_DEG = 8.0  # for exercises to both sides: rows that stand for the middle


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


def find_sets(episode: Episode, spec: Spec) -> list[FoundSet]:
    """All sets of one exercise in an episode, as far as its ranges allow."""
    signal = episode.signal(spec.signal, spec.smooth_s)
    if signal is None or len(episode) < 10:
        return []
    found: list[FoundSet] = []
    if spec.sign == 0:
        middle = signal[np.abs(signal) < MIDDLE_DEG]
        level = np.abs(signal - (np.median(middle) if middle.size else 0.0))
        return _of(episode, spec, level)
    found.extend(_of(episode, spec, spec.sign * signal))
    return found


def _of(episode: Episode, spec: Spec, signal: Floats) -> list[FoundSet]:
    low_deg, high_deg = _range(spec, spec.peak_deg)
    base_deg = _range(spec, spec.base_deg)
    if signal.max() < low_deg or signal.min() > base_deg[1] or signal.max() < base_deg[0]:
        return []
    low_s, high_s = spec.period_s
    peaks, measured = find_peaks(
        signal,
        prominence=MIN_PROMINENCE * spec.amp_deg[0],
        distance=max(1, round(SAME_PACE * low_s * FS_HZ)),
        wlen=int(4 * high_s * FS_HZ) | 1,
    )
    usual = (signal[peaks] >= low_deg) & (signal[peaks] <= high_deg)
    if np.count_nonzero(usual) < spec.min_reps:
        return []
    peaks = peaks[_own_peaks(peaks, measured["prominences"], usual)]
    if peaks.shape[0] < spec.min_reps:
        return []
    reps = _measure(episode, spec, signal, peaks, round(high_s * FS_HZ))
    good = _inside(reps, spec)
    sets = []
    for members in _runs(reps, good, spec):
        made = _set(episode, spec, signal, _take(reps, members))
        if made is not None:
            sets.append(made)
    return sets


def _own_peaks(peaks: Ints, prominence: Floats, usual: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without the smaller one of two peaks of the same repetition (a push-up, a pause half way).

    A peak is small against the second largest of the five around it that reach a usual height
    (sitting down or getting up next to a set must not make the set's own peaks look small), and a
    small one is dropped where a large one is nearer than the pace of the large ones allows.
    """
    own = np.ones(prominence.shape[0], np.bool_)
    index = np.flatnonzero(usual)
    if index.shape[0] < 3:
        return own
    scale = rank_filter(prominence[index], NEIGHBOURS - 2, NEIGHBOURS, mode="nearest")
    large = prominence[index] >= SAME_PROMINENCE * scale
    if large.all() or np.count_nonzero(large) < 2:
        return own
    at = peaks[index]
    near = SAME_PACE * float(np.median(np.diff(at[large])))
    distance = np.abs(at[:, None] - at[large][None, :]).min(axis=1)
    own[index] = large | (distance >= near)
    return own


def _measure(episode: Episode, spec: Spec, signal: Floats, peaks: Ints, reach: int) -> Reps:
    """Troughs around each peak: the lowest point to the next peak, at most `reach` rows away."""
    n = signal.shape[0]
    before = np.maximum(np.concatenate([[0], peaks[:-1]]), peaks - reach)
    after = np.minimum(np.concatenate([peaks[1:], [n - 1]]), peaks + reach)
    start, end = np.empty_like(peaks), np.empty_like(peaks)
    span, low, high = (np.empty(peaks.shape[0]) for _ in range(3))
    force = episode.force()
    up = episode.smooth(spec.smooth_s)[:, 2]
    for i, (a, p, b) in enumerate(
        zip(before.tolist(), peaks.tolist(), after.tolist(), strict=True)
    ):
        start[i] = _last_low(signal[a : p + 1]) + a
        end[i] = _first_low(signal[p : b + 1]) + p
        part = force[start[i] : end[i] + 1]
        few, many = np.percentile(part, [5, 95])
        span[i], high[i] = many - few, many
        low[i] = np.percentile(up[start[i] : end[i] + 1], 5)
    low_trough = np.minimum(signal[start], signal[end])
    base = np.maximum(signal[start], signal[end])
    if spec.wave:
        # It begins and ends half way, so its lower trough counts, unless that is the way in or out.
        base = np.where(low_trough >= _range(spec, spec.base_deg)[0], low_trough, base)
    return Reps(
        start=start,
        peak=peaks,
        end=end,
        base_deg=base,
        peak_deg=signal[peaks],
        amp_deg=signal[peaks] - base,
        force_span_g=span,
        up_low_g=low,
        force_high_g=high,
    )


def _last_low(part: Floats) -> int:
    """Where the rise to the last row begins: within a tenth of it above the lowest point."""
    low = float(part.min())
    return int(np.flatnonzero(part <= low + 0.1 * (part[-1] - low))[-1])


def _first_low(part: Floats) -> int:
    """Where the fall from the first row ends."""
    low = float(part.min())
    return int(np.flatnonzero(part <= low + 0.1 * (part[0] - low))[0])


def _range(spec: Spec, limits_deg: tuple[float, float]) -> tuple[float, float]:
    """Limits as they lie in the signal that is counted (minima are counted upside down)."""
    low, high = limits_deg
    return (-high, -low) if spec.sign < 0 else (low, high)


def _inside(reps: Reps, spec: Spec) -> NDArray[np.bool_]:
    base_low, base_high = _range(spec, spec.base_deg)
    peak_low, peak_high = _range(spec, spec.peak_deg)
    inside: NDArray[np.bool_] = (
        (reps.base_deg >= base_low)
        & (reps.base_deg <= base_high)
        & (reps.peak_deg >= peak_low)
        & (reps.peak_deg <= peak_high)
        & (reps.amp_deg >= 0.6 * spec.amp_deg[0])
        & (reps.amp_deg <= 1.3 * spec.amp_deg[1])
    )
    return inside


def _runs(reps: Reps, good: NDArray[np.bool_], spec: Spec) -> list[Ints]:
    """Neighbouring good repetitions whose distance is no pause; a foreign one ends the run."""
    index = np.flatnonzero(good)
    if index.shape[0] < spec.min_reps:
        return []
    at = reps.peak[index] / FS_HZ
    step = np.diff(at)
    usual = float(np.median(step)) if step.size else 0.0
    limit = max(SET_ENDS_PERIODS * min(usual, spec.period_s[1]), SET_ENDS_S)
    foreign = np.diff(index) > 1
    pause = (step > limit) | (foreign & (step > 1.5 * max(usual, spec.period_s[0])))
    return [r for r in np.split(index, np.flatnonzero(pause) + 1) if r.shape[0] >= spec.min_reps]


def _take(reps: Reps, rows: Ints) -> Reps:
    return Reps(**{name: getattr(reps, name)[rows] for name in Reps.__slots__})


def _set(episode: Episode, spec: Spec, signal: Floats, reps: Reps) -> FoundSet | None:
    """Drop what is not like the rest, then check size, pace and rhythm of what is left."""
    for _ in range(2):
        like = reps.amp_deg >= SAME_SIZE * np.median(reps.amp_deg)
        if not like.all():
            reps = _take(reps, np.flatnonzero(like))
    reps = _trim(_split_pace(reps))
    if len(reps) < spec.min_reps:
        return None
    reps = _outer(signal, reps)
    if not spec.amp_deg[0] <= reps.amp() <= spec.amp_deg[1]:
        return None
    step = np.diff(reps.peak) / FS_HZ
    period = float(np.median(step)) if step.size else float((reps.end - reps.start)[0]) / FS_HZ
    if not spec.period_s[0] <= period <= spec.period_s[1]:
        return None
    if not episode.valid[reps.start[0] : reps.end[-1] + 1].mean() > 0.6:
        return None
    fit = spec.fit(reps, episode.placement)
    if fit <= 0:
        return None
    spread = float(np.std(step) / period) if step.size > 1 else 0.0
    rhythm = _rhythm(signal[reps.start[0] : reps.end[-1] + 1], period)
    if not _alike(spec, reps, spread, rhythm):
        return None
    score = spec.rank * fit * (1 - 0.5 * spread) * len(reps) ** 0.5
    return FoundSet(spec=spec, reps=reps, score=score, rhythm=rhythm, spread=spread)


def _alike(spec: Spec, reps: Reps, spread: float, rhythm: float) -> bool:
    """Whether pace and size agree; the fewer repetitions, the better they must."""
    size = float(np.std(np.log(np.maximum(reps.amp_deg, 0.1))))
    if len(reps) >= 4:
        return spread <= 0.6 and size <= 0.45
    large = reps.amp() >= FEW_LARGE * spec.amp_deg[0]
    even = spread <= FEW_SPREAD and size <= FEW_SIZE
    return large and even and (len(reps) < 3 or rhythm >= FEW_RHYTHM)


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


def _split_pace(reps: Reps) -> Reps:
    """The longest stretch without a step over twice the median (at least 6 s)."""
    step = np.diff(reps.peak) / FS_HZ
    if not step.size:
        return reps
    limit = max(SET_ENDS_PERIODS * float(np.median(step)), SET_ENDS_S)
    parts = np.split(np.arange(len(reps)), np.flatnonzero(step > limit) + 1)
    best = max(parts, key=len)
    return reps if best.shape[0] == len(reps) else _take(reps, best)


def _trim(reps: Reps) -> Reps:
    """Without movements at either end that differ in size and in pace: the way in and out."""
    while len(reps) >= TRIM_FROM:
        step = np.diff(reps.peak) / FS_HZ
        size = np.abs(np.log(reps.amp_deg / np.median(reps.amp_deg))) / SIZE_SD
        pace = np.abs(np.log(step / np.median(step))) / PACE_SD
        force = np.maximum(reps.force_span_g, 0.05)
        drive = np.abs(np.log(force / np.median(force))) / FORCE_SD
        first = 1 if size[0] + pace[0] + drive[0] > STRANGE else 0
        last = len(reps) - (1 if size[-1] + pace[-1] + drive[-1] > STRANGE else 0)
        if first == 0 and last == len(reps):
            break
        reps = _take(reps, np.arange(first, last))
    return reps


def _rhythm(part: Floats, period_s: float) -> float:
    """Highest normalised autocorrelation at a lag of 0.7 to 1.4 periods."""
    lag = period_s * FS_HZ
    low, high = max(1, int(0.7 * lag)), int(1.4 * lag) + 1
    x = part - part.mean()
    total = float((x * x).sum())
    if x.shape[0] < high + 5 or total <= 0:
        return 0.0
    best = 0.0
    for k in range(low, high + 1):
        a, b = x[:-k], x[k:]
        size = float(np.sqrt((a * a).sum() * (b * b).sum()))
        if size > 0:
            best = max(best, float((a * b).sum()) / size)
    return best
