# SPDX-License-Identifier: Apache-2.0
"""The fourteen exercises as trunk movements, with documented ranges.

Amplitudes and periods are the priors of the exercise table of the rule base (`imu` fields: practice
knowledge, no recording); tempo varies by 10 % and amplitude by 12 % from repetition to repetition,
tremor grows with effort, 0.02 deg at 6-10 Hz. Each set is entered from standing or the floor the
way a person does it, because that movement is what a counter must not count.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tracker.model import Exercise, State
from tracker.simulation.body import FLEX_PITCH, PITCH, ROLL, TWIST, YAW, Floats
from tracker.simulation.motions import Script, ease

G_MS2 = 9.80665


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """Ranges of one exercise: degrees or metres of the movement, seconds, and where it starts."""

    start: str  # standing, supine, prone, all_fours, side
    amp_deg: tuple[float, float]
    period_s: tuple[float, float]
    hold_s: tuple[float, float] = (0.0, 0.0)
    sink_m: tuple[float, float] = (0.0, 0.0)


DRILLS: dict[Exercise, Drill] = {
    Exercise.CURL_UP: Drill(start="supine", amp_deg=(18, 40), period_s=(2.5, 6)),
    Exercise.SIT_UP: Drill(start="supine", amp_deg=(65, 105), period_s=(2.5, 5)),
    Exercise.PLANK: Drill(start="prone", amp_deg=(0, 2), period_s=(0, 0), hold_s=(10, 90)),
    Exercise.SIDE_PLANK: Drill(start="side", amp_deg=(0, 2), period_s=(0, 0), hold_s=(8, 45)),
    Exercise.GLUTE_BRIDGE: Drill(start="supine", amp_deg=(18, 40), period_s=(2.5, 6)),
    Exercise.BIRD_DOG: Drill(start="all_fours", amp_deg=(2, 10), period_s=(10, 25)),
    Exercise.DEAD_BUG: Drill(start="supine", amp_deg=(0, 4), period_s=(3, 8)),
    Exercise.BACK_EXTENSION: Drill(start="prone", amp_deg=(12, 35), period_s=(3, 8)),
    Exercise.SQUAT: Drill(
        start="standing", amp_deg=(15, 45), period_s=(1.8, 5), sink_m=(0.25, 0.5)
    ),
    Exercise.CAT_COW: Drill(start="all_fours", amp_deg=(8, 25), period_s=(4, 12)),
    Exercise.HIP_HINGE: Drill(start="standing", amp_deg=(50, 95), period_s=(2.5, 8)),
    Exercise.LATERAL_FLEXION: Drill(start="standing", amp_deg=(15, 40), period_s=(2.5, 8)),
    Exercise.TRUNK_ROTATION: Drill(start="standing", amp_deg=(25, 70), period_s=(2.5, 8)),
    Exercise.BURPEE: Drill(
        start="standing", amp_deg=(80, 95), period_s=(3.5, 6), sink_m=(0.5, 0.8)
    ),
}
START = {
    "standing": (0.0, 0.0),
    "supine": (-90.0, 0.0),
    "prone": (88.0, 0.0),
    "all_fours": (85.0, 0.0),
    "side": (-86.0, 90.0),
}


def perform(
    script: Script,
    exercise: Exercise,
    *,
    reps: int = 8,
    period_s: float | None = None,
    amp_deg: float | None = None,
    hold_s: float | None = None,
    pause_s: float = 0.0,
    side: str = "left",
) -> None:
    """Go to the start pose, do one set, note it as truth. The script must be standing or there.

    period_s, amp_deg, hold_s  drawn from the ranges of `DRILLS` when not given
    pause_s  still time between repetitions
    side     of a side plank, "left" or "right" down
    """
    drill = DRILLS[exercise]
    rng = script.rng
    amp = amp_deg if amp_deg is not None else rng.uniform(*drill.amp_deg)
    period = period_s if period_s is not None else rng.uniform(*drill.period_s)
    hold = hold_s if hold_s is not None else rng.uniform(*drill.hold_s)
    _to_start(script, drill.start, side)
    script.still(rng.uniform(1.5, 4.0), _resting(drill.start), 0.3)
    start_ns = script.now_ns
    if exercise in (Exercise.PLANK, Exercise.SIDE_PLANK):
        _hold(script, exercise, hold)
        script.record_set(exercise, start_ns, 1, hold)
    else:
        for number in range(reps):
            _repeat(script, exercise, number, amp, period, hold)
            if pause_s and number < reps - 1:
                script.still(pause_s, State.EXERCISE, 0.3)
        script.record_set(exercise, start_ns, reps, 0.0)
    script.still(rng.uniform(1.5, 4.0), _resting(drill.start), 0.3)


def to_standing(script: Script) -> None:
    """Get up from wherever the exercise ended, over all fours and in no hurry."""
    if abs(script.angles[PITCH]) < 45:
        return
    rng = script.rng
    if script.angles[PITCH] < 0:  # supine or side: over the side to sitting on the floor
        script.glide(rng.uniform(2, 3.5), State.LYING, pitch=10.0, twist=0.0, flex_pitch=0.0)
        script.still(rng.uniform(0.5, 2), State.SITTING)
    script.glide(rng.uniform(1.0, 2.0), State.UNKNOWN, pitch=60.0, flex_pitch=0.0, twist=0.0)
    script.glide(
        rng.uniform(1.2, 2.2), State.STANDING, pitch=0.0, roll=0.0, flex_roll=0.0, rise_m=0.7
    )


def _resting(start: str) -> State:
    return State.STANDING if start == "standing" else State.LYING


def _to_start(script: Script, start: str, side: str) -> None:
    pitch, twist = START[start]
    if side == "right":
        twist = -twist
    there = abs(script.angles[PITCH] - pitch) < 12 and abs(script.angles[TWIST] - twist) < 12
    if there:
        return
    rng = script.rng
    if start == "standing":
        to_standing(script)
        return
    if abs(script.angles[PITCH]) > 45:
        to_standing(script)
    jitter = float(np.clip(rng.normal(0, 3), -4, 4))
    if start in ("supine", "side"):
        script.glide(rng.uniform(1.5, 2.5), State.UNKNOWN, pitch=15.0, dip_deg=35.0, rise_m=-0.7)
        script.still(rng.uniform(0.3, 1.5), State.SITTING)
        script.glide(rng.uniform(1.5, 3.0), State.LYING, pitch=pitch + jitter, flex_pitch=0.0)
        if twist:
            script.glide(rng.uniform(1.0, 2.0), State.LYING, twist=twist + jitter)
    else:
        script.glide(
            rng.uniform(1.5, 3.0), State.UNKNOWN, pitch=pitch + jitter, rise_m=-0.7, flex_pitch=0.0
        )


def _tremor(script: Script, n: int, effort: float) -> Floats:
    t = np.arange(n) / script.fs_hz
    fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.3)
    # 0.02 deg at 8 Hz is about 35 mg at the chest: a hard-working trunk, not a shaking one.
    wave: Floats = (
        0.02
        * effort
        * fade
        * np.sin(2 * np.pi * (script.rng.uniform(6, 10) * t + script.rng.random()))
    )
    return wave


def _hold(script: Script, exercise: Exercise, hold_s: float) -> None:
    """Into the hold, hold with tremor and slow sinking, out again; the hold alone is timed."""
    rng = script.rng
    base = script.angles.copy()
    if exercise is Exercise.PLANK:
        # Shoulders 0.3 m up; 1.45 m to the toes or 1.0 m to the knees: 12-18 deg of slope.
        into = {"pitch": rng.uniform(70, 79)}
    else:
        into = {"pitch": -rng.uniform(62, 70)}
    script.glide(rng.uniform(0.8, 1.5), State.EXERCISE, rise_m=0.2, **into)
    n = script.count(hold_s)
    angles = np.tile(script.angles, (n, 1))
    angles[:, PITCH] += (
        script.sway(n, 0.8, 0.05, 0.5) + _tremor(script, n, 1.0) + np.linspace(0, 2, n)
    )
    angles[:, ROLL] += script.sway(n, 0.6, 0.05, 0.5) + 0.7 * _tremor(script, n, 1.0)
    angles[:, FLEX_PITCH] += script.breath(n)
    script.append(angles, None, State.EXERCISE)
    script.glide(
        rng.uniform(0.8, 1.5), State.EXERCISE, rise_m=-0.2, pitch=float(base[PITCH]), roll=0.0
    )


def _shape(script: Script, period_s: float, hold_s: float) -> Floats:
    """Out and back, 0 to 1 to 0, with `hold_s` at the far end and uneven halves."""
    out = script.count(period_s * script.rng.uniform(0.42, 0.55))
    back = max(1, script.count(period_s) - out)
    return np.concatenate([ease(out), np.ones(round(hold_s * script.fs_hz)), ease(back)[::-1]])


def _repeat(
    script: Script, exercise: Exercise, number: int, amp: float, period: float, hold: float
) -> None:
    rng = script.rng
    size = amp * float(np.clip(rng.normal(1, 0.12), 0.7, 1.3))
    length = period * float(np.clip(rng.normal(1, 0.10), 0.75, 1.3))
    shape = _shape(script, length, hold)
    n = shape.shape[0]
    angles = np.tile(script.angles, (n, 1))
    angles[:, PITCH] += _tremor(script, n, 0.5 + 0.05 * number)
    push = np.zeros((n, 3))
    _PATTERNS[exercise](script, number, size, shape, angles, push)
    if exercise is Exercise.SQUAT:
        sink = rng.uniform(*DRILLS[exercise].sink_m)
        push[:, 2] = _lift(-sink * shape, script.fs_hz)
    script.append(angles, push, State.EXERCISE)


def _lift(height_m: Floats, fs_hz: float) -> Floats:
    """Acceleration in g of a height over time."""
    rise: Floats = np.gradient(np.gradient(height_m, 1 / fs_hz), 1 / fs_hz) / G_MS2
    return rise


Pattern = Callable[[Script, int, float, Floats, Floats, Floats], None]


def _curl_up(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    angles[:, FLEX_PITCH] += size * shape


def _sit_up(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    angles[:, PITCH] += size * shape
    angles[:, FLEX_PITCH] += 12 * np.sin(np.pi * np.minimum(shape, 1)) ** 2


def _bridge(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    angles[:, PITCH] -= size * shape
    angles[:, FLEX_PITCH] += 0.45 * size * shape  # the chest turns 10-20 deg only


def _bird_dog(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    angles[:, TWIST] += (1 if k % 2 else -1) * size * np.minimum(1, 4 * shape)


def _dead_bug(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    angles[:, TWIST] += (1 if k % 2 else -1) * size * shape


def _extension(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    angles[:, FLEX_PITCH] -= size * shape


def _squat(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    angles[:, PITCH] += size * shape


def _cat_cow(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    # Round, arch, back to the middle; the low back turns the other way.
    n = shape.shape[0]
    round_n = int(0.55 * n)
    wave = np.concatenate([0.6 * _bump(round_n), -0.4 * _bump(n - round_n)])
    angles[:, FLEX_PITCH] += 1.6 * size * wave
    angles[:, PITCH] -= 0.6 * size * wave


def _hinge(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    angles[:, PITCH] += 0.8 * size * shape
    angles[:, FLEX_PITCH] += 0.2 * size * shape


def _side_bend(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    side = 1 if k % 2 else -1
    angles[:, ROLL] += side * 0.4 * size * shape
    angles[:, 5] += side * 0.6 * size * shape


def _rotation(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    # One repetition is left, right and back to the middle.
    n = shape.shape[0]
    half = n // 2
    turn = np.concatenate([_bump(half), -_bump(n - half)])
    angles[:, 6] += 0.7 * size * turn
    angles[:, YAW] += 0.3 * size * turn


def _bump(n: int) -> Floats:
    up = ease(n // 2)
    return np.concatenate([up, ease(n - n // 2)[::-1]])


def _burpee(s: Script, k: int, size: float, shape: Floats, angles: Floats, push: Floats) -> None:
    # Down to the floor, plank, back, jump: the trunk goes to the horizontal and up again.
    n = shape.shape[0]
    phase = np.linspace(0, 1, n)
    down = np.interp(phase, [0, 0.25, 0.4, 0.6, 0.75, 1], [0, 0.55, 1, 1, 0.55, 0])
    angles[:, PITCH] += size * _smooth(down, s.fs_hz)
    height = np.interp(
        phase,
        [0, 0.25, 0.4, 0.6, 0.75, 0.88, 0.94, 1],
        [0, -0.7, -0.8, -0.8, -0.7, 0, 0.25, 0],
    )
    push[:, 2] = _lift(_smooth(height, s.fs_hz), s.fs_hz)
    # Hands, feet and landing: 1-2 g for about 0.15 s (exermote: 95th percentile of |a| 1.4-1.75 g).
    t = np.arange(n) / s.fs_hz
    for at in (0.32, 0.62, 0.72, 0.97):
        blow = s.rng.uniform(0.8, 2.0) * np.exp(-0.5 * ((t - at * t[-1]) / 0.07) ** 2)
        push[:, 2] += blow
        push[:, 0] += s.rng.normal(0, 0.3) * blow


def _smooth(values: Floats, fs_hz: float) -> Floats:
    width = max(3, int(0.3 * fs_hz) | 1)
    kernel = np.hanning(width + 2)[1:-1]
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


_PATTERNS: dict[Exercise, Pattern] = {
    Exercise.CURL_UP: _curl_up,
    Exercise.SIT_UP: _sit_up,
    Exercise.GLUTE_BRIDGE: _bridge,
    Exercise.BIRD_DOG: _bird_dog,
    Exercise.DEAD_BUG: _dead_bug,
    Exercise.BACK_EXTENSION: _extension,
    Exercise.SQUAT: _squat,
    Exercise.CAT_COW: _cat_cow,
    Exercise.HIP_HINGE: _hinge,
    Exercise.LATERAL_FLEXION: _side_bend,
    Exercise.TRUNK_ROTATION: _rotation,
    Exercise.BURPEE: _burpee,
}
