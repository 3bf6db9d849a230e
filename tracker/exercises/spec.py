# SPDX-License-Identifier: Apache-2.0
"""What an exercise file declares: which signal, which ranges, how sure one can be.

All angles in degrees of the body frame: `theta` forward lean (standing 0, on the back -90, face
down +90), `psi` lean to the right, `yaw` turning about the vertical (needs a gyro).
Amplitudes and periods start from the priors of the exercise table of the rule base; each file says
where a recording or the simulator moved one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tracker.model import Exercise, Placement

G_MS2 = 9.80665
ROW_HZ = 10.0
NOISE_SPAN_G = 0.015  # swing of the force of somebody who stands still, with a common sensor
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALL_PLACES = frozenset(Placement)
UPPER_PLACES = frozenset({Placement.UPPER_BACK, Placement.CHEST, Placement.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reps:
    """A run of similar excursions; every array has one value per repetition.

    start, peak, end  row numbers (10 Hz) of the trough before, the peak, the trough after
    base_deg, peak_deg, amp_deg  level of the lower flank's trough, of the peak, and their distance
    force_span_g      95th minus 5th percentile of the size of the specific force in the repetition
    up_low_g          5th percentile of the upward component (head axis) in it
    force_high_g      95th percentile of the size of the specific force
    """

    start: Ints
    peak: Ints
    end: Ints
    base_deg: Floats
    peak_deg: Floats
    amp_deg: Floats
    force_span_g: Floats
    up_low_g: Floats
    force_high_g: Floats

    def __len__(self) -> int:
        return int(self.peak.shape[0])

    def amp(self) -> float:
        """Median amplitude."""
        return float(np.median(self.amp_deg))

    def sink_m(self) -> float:
        """How far the place sinks, from the swing of the force: a minimum-jerk way down and up.

        The peak acceleration of a way d in time h is 5.77 d / h^2; 5th to 95th percentile cover
        about 1.7 of the 2 peaks. With the tilt small this is the vertical way; good for ranking.
        """
        half_s = (self.end - self.start) / ROW_HZ / 2
        swing = np.maximum(self.force_span_g - NOISE_SPAN_G, 0.0)
        return float(np.median(swing * G_MS2 * half_s**2)) / (1.7 * 5.77)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Numbers of the counter that all exercises share (advice/evidence.md 6.3 and exermote).

    least_prominence  a turning point stands out by this share of the smallest amplitude
    same_prominence   the smaller of two peaks of a repetition is below this share of its neighbours
    same_size         a repetition has at least this share of the median amplitude of its set
    same_length       and lasts at most this many median periods (a rest half way lasts longer)
    same_force        and this share of its swing of force, where the set is violent
    same_pace         and is at least this share of the median period from the next
    set_ends_periods, set_ends_s  a set ends after this long without a repetition
    size_sd, pace_sd, force_sd, base_sd, strange  a movement at the end of a set is the way in or
        out when the logs of size, pace and swing of force and the shift of the start pose (in
        amplitudes), each divided by its spread inside sets, add up to more than `strange`; asked
        from `trim_from` repetitions on
    few_large, few_spread, few_size  two or three repetitions are a set only when they are this
        large (times the smallest amplitude) and even in pace and size
    few_apart         and follow each other after at most this many times their own length
    many_spread, many_size  spread of pace and of the log of size in sets of four and more
    few_rhythm  lowest rhythm of any set of three and more
    stride_s, twice  walking and stairs sway once a stride of at most so many seconds, and the force
        repeats itself after half of it, with every step: an autocorrelation of more than `twice`.
        Stairs of hapt_waist .55 to .81, squats of exermote below .26
    """

    least_prominence: float = 0.6
    same_prominence: float = 0.6
    same_size: float = 0.5
    same_length: float = 1.9
    same_force: float = 0.35
    same_pace: float = 0.6
    set_ends_periods: float = 2.1
    set_ends_s: float = 6.0
    trim_from: int = 4
    size_sd: float = 0.25
    pace_sd: float = 0.20
    force_sd: float = 0.5
    base_sd: float = 0.2
    strange: float = 3.2
    few_large: float = 1.4
    few_spread: float = 0.25
    few_size: float = 0.25
    few_apart: float = 2.0
    many_spread: float = 0.6
    many_size: float = 0.45
    few_rhythm: float = 0.3
    stride_s: float = 1.75
    twice: float = 0.5


def always(reps: Reps, placement: Placement) -> float:
    """The default fit: the ranges decide alone."""
    return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One exercise. `mode` is how it is recorded: found and counted, found and timed, or guided.

    signal, sign   which signal; +1 counts its maxima, -1 its minima, 0 both sides of the middle
    base_deg       where the trough (the start pose) may lie
    peak_deg       where the turning point may lie
    amp_deg        median amplitude of a set
    period_s       median period of a set
    min_reps       fewer repetitions are no set
    wave           the movement swings around the start pose instead of going out and back
    smooth_s       length of the moving average before turning points are looked for
    places         where the sensor sees it; elsewhere it is left to timer and tap
    on_foot        may be taken for walking, so it is checked for steps
    fit            a set that passed the ranges gets a score 0..1 (0: not this exercise)
    sure           best confidence this exercise can reach at its places
    """

    exercise: Exercise
    mode: Literal["reps", "hold", "guided"] = "reps"
    signal: Literal["theta", "psi", "yaw"] = "theta"
    sign: int = 1
    base_deg: tuple[float, float] = (-180.0, 180.0)
    peak_deg: tuple[float, float] = (-180.0, 180.0)
    amp_deg: tuple[float, float] = (10.0, 120.0)
    period_s: tuple[float, float] = (1.5, 8.0)
    min_reps: int = 3
    wave: bool = False
    smooth_s: float = 0.7
    places: frozenset[Placement] = ALL_PLACES
    on_foot: bool = False
    fit: Callable[[Reps, Placement], float] = field(default=always)
    rank: float = 1.0
    sure: Literal["high", "medium", "low"] = "high"
    hold_s: tuple[float, float] = (5.0, 240.0)
