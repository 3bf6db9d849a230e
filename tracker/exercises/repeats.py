# SPDX-License-Identifier: Apache-2.0
"""Repetitions: excursions of similar size and spacing, found in retrospect in a whole episode.

The recipe of the design (advice/evidence.md 6.3): turning points by prominence, pose gate on the
troughs, spacing, the first repetition counted in retrospect, autocorrelation as a check. One
polarity for each exercise, because counting both polarities overcounts (recognition.md section 5).

Deviations: prominence is compared with the median of the finished set instead of a running one,
since the episode is complete when it is looked at; a causal count for the live page is the same
function on the episode so far.
"""

import numpy as np
from numpy.typing import NDArray

from tracker.exercises.episode import FS_HZ, Episode
from tracker.exercises.filters import moving_rank, peaks
from tracker.exercises.series import FoundSet, make_set, parts, split_runs, take
from tracker.exercises.spec import Floats, Ints, Reps, Spec, Tuning

MIDDLE_DEG = 8.0  # for exercises to both sides: rows that stand for the middle


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
    tuning = episode.tuning
    low_deg, high_deg = _range(spec, spec.peak_deg)
    base_deg = _range(spec, spec.base_deg)
    if signal.max() < low_deg or signal.min() > base_deg[1] or signal.max() < base_deg[0]:
        return []
    low_s, high_s = spec.period_s
    window = int(4 * high_s * FS_HZ) | 1
    at, prominence = peaks(
        signal,
        prominence=tuning.least_prominence * spec.amp_deg[0],
        distance=max(1, round(tuning.same_pace * low_s * FS_HZ)),
        window=window,
        # A sensor that repeats one value for so long has no peak there (and no prominence).
        widest=window // 2 - 1,
    )
    usual = (signal[at] >= low_deg) & (signal[at] <= high_deg)
    if np.count_nonzero(usual) < spec.min_reps:
        return []
    at = at[_own_peaks(at, prominence, usual, tuning)]
    if at.shape[0] < spec.min_reps:
        return []
    reps = _measure(episode, spec, signal, at, round(high_s * FS_HZ))
    good = _inside(reps, spec)
    runs = split_runs(reps, good, spec, tuning)
    made = (
        make_set(episode, spec, signal, part)
        for members in runs
        for part in parts(take(reps, members), tuning)
        if len(part) >= spec.min_reps
    )
    return [one for one in made if one is not None]


def _own_peaks(
    peaks: Ints, prominence: Floats, usual: NDArray[np.bool_], tuning: Tuning
) -> NDArray[np.bool_]:
    """Without the smaller one of two peaks of the same repetition (a push-up, a pause half way).

    A peak is small against the second largest of the five around it that reach a usual height
    (sitting down or getting up next to a set must not make the set's own peaks look small), and a
    small one is dropped where a large one is nearer than the pace of the large ones allows.
    """
    own = np.ones(prominence.shape[0], np.bool_)
    index = np.flatnonzero(usual)
    if index.shape[0] < 3:
        return own
    scale = moving_rank(prominence[index], 3, 5)
    large = prominence[index] >= tuning.same_prominence * scale
    if large.all() or np.count_nonzero(large) < 2:
        return own
    at = peaks[index]
    near = tuning.same_pace * float(np.median(np.diff(at[large])))
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
