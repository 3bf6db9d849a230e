# SPDX-License-Identifier: Apache-2.0
"""Everyday movements of the trunk: sit, stand, walk, lie, get up, bend, reach.

A :class:`Script` is a builder: each call appends a movement and remembers the pose it ends in, the
state of every stretch, and the transitions. Parameter ranges are stated at each movement; where no
source is given they are engineering priors, chosen wide. Breath is 0.2-0.3 Hz and about 0.5 deg,
postural sway below 1 Hz, physiological tremor 8-12 Hz and a few mg.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracker.model import (
    SECOND_NS,
    Exercise,
    ExerciseSet,
    State,
    Transition,
    TransitionKind,
)
from tracker.simulation.body import (
    FLEX_PITCH,
    N_ANGLES,
    PITCH,
    ROLL,
    TWIST,
    YAW,
    Floats,
    Motion,
)

SUPINE, LEFT_SIDE, RIGHT_SIDE, PRONE = 0.0, 90.0, -90.0, 180.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """What a script did. `state_s` (seconds,) uint8 holds the state of each whole second."""

    state_s: NDArray[np.uint8]
    transitions: tuple[Transition, ...]
    sets: tuple[ExerciseSet, ...]


def ease(n: int) -> Floats:
    """0 to 1 in n samples with minimum jerk (Flash and Hogan 1985)."""
    s = np.linspace(0, 1, max(n, 2))[:n] if n > 1 else np.ones(n)
    smooth: Floats = s**3 * (10 - 15 * s + 6 * s**2)
    return smooth


@dataclass(slots=True)
class Script:
    """Builder of a motion. All randomness comes from `rng`."""

    rng: np.random.Generator
    fs_hz: float = 50.0
    angles: Floats = field(default_factory=lambda: np.zeros(N_ANGLES))
    tall_deg: float = 0.0  # flex_pitch of the wearer's own tall sitting
    slump_deg: float = 24.0  # how far slumping turns the chest, sit_postures: 24 +- 6 deg
    slump_pelvis_deg: float = -4.0  # and the pelvis: backward in most people
    _angles: list[Floats] = field(default_factory=list)
    _push: list[Floats] = field(default_factory=list)
    _state: list[tuple[int, State]] = field(default_factory=list)
    _n: int = 0
    transitions: list[Transition] = field(default_factory=list)
    sets: list[ExerciseSet] = field(default_factory=list)

    @property
    def now_s(self) -> float:
        """Seconds so far."""
        return self._n / self.fs_hz

    @property
    def now_ns(self) -> int:
        """Nanoseconds so far."""
        return round(self._n / self.fs_hz * SECOND_NS)

    def count(self, seconds: float) -> int:
        """Grid points in a duration, at least one."""
        return max(1, round(seconds * self.fs_hz))

    def append(self, angles: Floats, push: Floats | None, state: State) -> None:
        """Append a stretch, (n, 7) degrees and (n, 3) g; it starts where the last one ended."""
        self._angles.append(angles)
        self._push.append(np.zeros((angles.shape[0], 3)) if push is None else push)
        self._state.append((angles.shape[0], state))
        self._n += angles.shape[0]
        self.angles = angles[-1].copy()

    def motion(self) -> Motion:
        """Everything so far."""
        return Motion(
            fs_hz=self.fs_hz,
            angles_deg=np.concatenate(self._angles),
            push_g=np.concatenate(self._push),
        )

    def truth(self) -> Truth:
        """States, transitions and sets so far; times count from the start of the script."""
        labels = np.concatenate([np.full(n, int(s), np.uint8) for n, s in self._state])
        middle = np.arange(int(self.now_s)) * self.fs_hz + self.fs_hz / 2
        return Truth(
            state_s=labels[np.minimum(middle.astype(np.int64), labels.shape[0] - 1)],
            transitions=tuple(self.transitions),
            sets=tuple(self.sets),
        )

    # -- building blocks ----------------------------------------------------------------------

    def sway(self, n: int, sd_deg: float, low_hz: float = 0.1, high_hz: float = 0.8) -> Floats:
        """Smooth wandering (n,) in degrees: three sines of random frequency and phase."""
        t = np.arange(n) / self.fs_hz
        total = np.zeros(n)
        for _ in range(3):
            turns = self.rng.uniform(low_hz, high_hz)
            total += np.sin(2 * np.pi * (turns * t + self.rng.random()))
        fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.5)  # quiet at the seams
        wandering: Floats = total * fade * (sd_deg / np.sqrt(1.5))
        return wandering

    def breath(self, n: int, deg: float = 0.5) -> Floats:
        """Breathing (n,) in degrees of the chest."""
        t = np.arange(n) / self.fs_hz
        fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.5)
        wave: Floats = deg * fade * np.sin(2 * np.pi * self.rng.uniform(0.2, 0.3) * t)
        return wave

    def still(self, seconds: float, state: State, sway_deg: float = 0.3) -> None:
        """Stay as one is: breath and sway."""
        n = self.count(seconds)
        angles = np.tile(self.angles, (n, 1))
        angles[:, PITCH] += self.sway(n, sway_deg)
        angles[:, ROLL] += self.sway(n, sway_deg * 0.7)
        angles[:, FLEX_PITCH] += self.breath(n)
        self.append(angles, None, state)

    def glide(
        self,
        seconds: float,
        state: State,
        *,
        rise_m: float = 0.0,
        dip_deg: float = 0.0,
        **to_deg: float,
    ) -> None:
        """Move to new angles (`pitch=`, `roll=`, ...) with minimum jerk.

        rise_m  how far the hips rise (negative: sink) during it
        dip_deg extra forward pitch in the middle, as in standing up
        """
        names = ("pitch", "roll", "twist", "yaw", "flex_pitch", "flex_roll", "flex_twist")
        target = self.angles.copy()
        for name, value in to_deg.items():
            target[names.index(name)] = value
        n = self.count(seconds)
        share = ease(n)
        angles = self.angles + share[:, None] * (target - self.angles)
        s = np.linspace(0, 1, n)
        angles[:, PITCH] += dip_deg * np.sin(np.pi * s) ** 2
        push = np.zeros((n, 3))
        if rise_m:
            # Second derivative of the minimum-jerk path.
            push[:, 2] = rise_m * (60 * s - 180 * s**2 + 120 * s**3) / seconds**2 / 9.80665
        self.append(angles, push, state)

    # -- everyday -----------------------------------------------------------------------------

    def sit(self, seconds: float, slump: float = 0.0) -> None:
        """Sit with a share of the own slump (0 tall, 1 slumped), with small shifts.

        A shift of some degrees every 1-6 min, as in desk work; one in five is a reach of 15-35 deg.
        """
        state = State.SLOUCHING if slump > 0.6 else State.SITTING
        end = self.now_s + seconds
        self._settle(slump, state)
        while self.now_s < end - 1:
            self.still(min(end - self.now_s, self.rng.uniform(60, 360)), state)
            if self.now_s >= end - 4:
                continue
            if self.rng.random() < 0.2:
                before = self.angles.copy()
                self.glide(
                    self.rng.uniform(0.8, 1.5),
                    state,
                    pitch=before[PITCH] + self.rng.uniform(10, 30),
                    flex_roll=self.rng.uniform(-15, 15),
                )
                self.glide(
                    self.rng.uniform(0.8, 1.5), state, pitch=float(before[PITCH]), flex_roll=0.0
                )
            else:
                self._settle(slump, state)

    def _settle(self, slump: float, state: State) -> None:
        jitter = self.rng.normal(0, 2, 3)
        self.glide(
            self.rng.uniform(0.8, 2.0),
            state,
            pitch=slump * self.slump_pelvis_deg + jitter[0],
            roll=jitter[1],
            flex_pitch=self.tall_deg + slump * self.slump_deg + jitter[2],
            flex_roll=0.0,
        )

    def stand(self, seconds: float) -> None:
        """Stand quietly with weight shifts every 10-40 s."""
        end = self.now_s + seconds
        while self.now_s < end - 0.5:
            self.still(min(end - self.now_s, self.rng.uniform(10, 40)), State.STANDING, 0.5)
            if self.now_s < end - 3:
                self.glide(
                    self.rng.uniform(0.7, 1.5),
                    State.STANDING,
                    roll=self.rng.normal(0, 2),
                    pitch=self.rng.normal(0, 2),
                )

    def walk(self, seconds: float, cadence_spm: float | None = None) -> None:
        """Walk: 90-130 steps a minute, vertical 0.1-0.3 g, turns now and then.

        Trunk accelerations: Moe-Nilssen and Helbostad 2004; trunk turns 3-7 deg at the stride.
        """
        n = self.count(seconds)
        rng = self.rng
        steps_hz = (cadence_spm or rng.uniform(95, 125)) / 60
        t = np.arange(n) / self.fs_hz
        phase = 2 * np.pi * (steps_hz * t + 0.04 * self.sway(n, 1.0, 0.02, 0.1))
        fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.7)
        up = rng.uniform(0.10, 0.28) * fade
        push = np.empty((n, 3))
        push[:, 2] = up * (np.sin(phase) + 0.35 * np.sin(2 * phase + 0.6))
        push[:, 0] = 0.6 * up * (np.sin(phase + 1.7) + 0.2 * np.sin(2 * phase))
        push[:, 1] = 0.45 * up * (np.sin(phase / 2) + 0.4 * np.sin(1.5 * phase))
        angles = np.tile(self.angles, (n, 1))
        angles[:, PITCH] += fade * (2 + 1.2 * np.sin(phase + 0.5)) + self.sway(n, 0.6)
        angles[:, ROLL] += fade * 1.5 * np.sin(phase / 2)
        angles[:, TWIST] += fade * rng.uniform(3, 7) * np.sin(phase / 2 + 0.4)
        yaw = np.zeros(n)
        at = rng.uniform(3, 12)
        while at < seconds - 3:  # turns of 30-180 deg in 1-2.5 s
            first, length = self.count(at), self.count(rng.uniform(1.0, 2.5))
            size = rng.choice([-1, 1]) * rng.uniform(30, 180)
            yaw[first : first + length] += size * ease(length)[: max(0, n - first)]
            yaw[first + length :] += size
            at += rng.uniform(6, 25)
        angles[:, YAW] += yaw
        self.append(angles, push, State.WALKING)

    def bend(self, depth_deg: float | None = None) -> None:
        """Bend down once, as to pick something up: 40-100 deg, 2-4 s."""
        depth = depth_deg or self.rng.uniform(40, 100)
        seconds = self.rng.uniform(1.0, 2.0)
        self.glide(seconds, State.STANDING, pitch=0.75 * depth, flex_pitch=0.25 * depth)
        self.still(self.rng.uniform(0.2, 2.0), State.STANDING)
        self.glide(seconds, State.STANDING, pitch=0.0, flex_pitch=0.0)

    def stand_up(self) -> None:
        """From sitting: lean 30-45 deg forward and rise 0.35-0.45 m in 1.5-2.5 s."""
        self._event(TransitionKind.SIT_TO_STAND, self._rise, 0.4)

    def sit_down(self) -> None:
        """From standing: the same back."""
        self._event(TransitionKind.STAND_TO_SIT, self._rise, -0.4)

    def lie_down(self, side: float = SUPINE) -> None:
        """From sitting: to the back (or a side, by `twist`) in 2-4 s."""
        self._event(TransitionKind.SIT_TO_LIE, self._recline, side)

    def sit_up_from_lying(self) -> None:
        """From lying to sitting on the edge, over the side, 2-4 s."""
        self._event(TransitionKind.LIE_TO_SIT, self._get_up, 0.0)

    def lie(self, seconds: float) -> None:
        """Lie still: breath only."""
        self.still(seconds, State.LYING, 0.1)

    def turn_over(self, side: float) -> None:
        """While lying: turn to another side in 1.5-3 s."""
        self.glide(self.rng.uniform(1.5, 3.0), State.LYING, twist=side)

    def _event(self, kind: TransitionKind, action: Callable[[float], None], value: float) -> None:
        start = self.now_ns
        action(value)
        middle = (start + self.now_ns) // 2
        self.transitions.append(Transition(at_ns=middle, kind=kind, confidence=1.0))

    def _rise(self, rise_m: float) -> None:
        seconds = self.rng.uniform(1.5, 2.5)
        dip = self.rng.uniform(30, 45)
        state = State.SITTING if rise_m > 0 else State.STANDING
        self.glide(
            seconds,
            state,
            rise_m=rise_m,
            dip_deg=dip,
            pitch=self.rng.normal(0, 1.5),
            roll=0.0,
            flex_pitch=0.0 if rise_m > 0 else self.tall_deg,
        )

    def _recline(self, side: float) -> None:
        seconds = self.rng.uniform(2, 4)
        self.glide(seconds, State.LYING, pitch=-90.0 + self.rng.normal(0, 3), flex_pitch=0.0)
        if side != SUPINE:
            self.turn_over(side)

    def _get_up(self, _: float) -> None:
        seconds = self.rng.uniform(2, 4)
        self.glide(seconds, State.LYING, pitch=0.0, twist=0.0, roll=0.0)

    def record_set(self, exercise: Exercise, start_ns: int, reps: int, hold_s: float) -> None:
        """Note a set that has just ended."""
        self.sets.append(
            ExerciseSet(
                start_ns=start_ns,
                end_ns=self.now_ns,
                exercise=exercise,
                reps=reps,
                hold_s=hold_s,
                confidence="high",
                source="simulation",
            )
        )
