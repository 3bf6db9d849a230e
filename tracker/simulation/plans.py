# SPDX-License-Identifier: Apache-2.0
"""What one simulated wearer does on one day: stretches of states with durations, and sets."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from tracker.model import EPOCH_S, Exercise, State

NO_EPOCHS = -1  # a stretch that leaves a gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of wearer.

    desk_bout_min  median length of a sit at the desk
    long_days      weekdays (Monday is 0) with longer sits from 14 to 16 h
    trainings      mean core sessions a week
    massages       mean massages in four weeks
    worn           share of days on which the sensor is worn
    upper_back     False: a place that cannot see slouching
    only_gaps      every day is a gap: the sensor was never in reach
    """

    desk_bout_min: float = 21.0
    long_days: frozenset[int] = frozenset({1, 3})
    trainings: float = 2.2
    massages: float = 1.8
    worn: float = 0.93
    upper_back: bool = True
    only_gaps: bool = False
    diary: bool = True


OFFICE = Profile()
ONLY_GAPS = Profile(only_gaps=True, diary=False)
LOW_BACK = Profile(upper_back=False)


@dataclass(slots=True)
class DayPlan:
    """Stretches of one day: state code (or no epochs), epochs long; sets found on the way."""

    states: list[int]
    lengths: list[int]
    sets: list[tuple[int, int, Exercise, int, float]]  # first epoch, epochs, what, reps, hold s

    def add(self, state: int, minutes: float) -> None:
        """Append a stretch; at least one epoch."""
        self.states.append(state)
        self.lengths.append(max(1, round(minutes * 60 / EPOCH_S)))

    @property
    def minutes(self) -> float:
        """Length so far."""
        return sum(self.lengths) * EPOCH_S / 60


def workday_plan(rng: np.random.Generator, day: date, profile: Profile) -> DayPlan:
    """From putting the sensor on before work to taking it off at night."""
    plan = DayPlan(states=[], lengths=[], sets=[])
    _upright(rng, plan, 25)
    while plan.minutes < 10.5 * 60:  # about 7:30 to 18:00
        clock_h = 7.5 + plan.minutes / 60
        if 12.4 < clock_h < 12.9:
            _upright(rng, plan, 12)
            plan.add(State.SITTING, rng.uniform(15, 30))
            _upright(rng, plan, 15)
            continue
        longer = 2.0 if day.weekday() in profile.long_days and 14 <= clock_h < 16 else 1.0
        _sit(rng, plan, profile.desk_bout_min * longer)
        _upright(rng, plan, rng.exponential(8.0) + 1.5)
    _evening(rng, plan, profile)
    return plan


def weekend_plan(rng: np.random.Generator, profile: Profile) -> DayPlan:
    """A day with less sitting and now and then a rest lying down."""
    plan = DayPlan(states=[], lengths=[], sets=[])
    while plan.minutes < 10 * 60:
        _upright(rng, plan, rng.uniform(10, 60))
        _sit(rng, plan, 18.0)
        if rng.random() < 0.06:
            plan.add(State.LYING, rng.uniform(15, 50))
    _evening(rng, plan, profile)
    return plan


def _evening(rng: np.random.Generator, plan: DayPlan, profile: Profile) -> None:
    _upright(rng, plan, 20)
    if rng.random() < profile.trainings / 7:
        _session(rng, plan)
    while plan.minutes < 14.5 * 60:
        _sit(rng, plan, 16.0)
        _upright(rng, plan, rng.uniform(5, 40))
    plan.add(State.NOT_WORN, rng.uniform(5, 20))


def _sit(rng: np.random.Generator, plan: DayPlan, median_min: float) -> None:
    left = float(np.clip(median_min * np.exp(rng.normal(0, 0.75)), 1.5, 170))
    if rng.random() < 0.03:  # out of reach, off, or nobody can tell, somewhere in the sit
        part = left * rng.uniform(0.2, 0.8)
        plan.add(State.SITTING, part)
        blind = rng.choice([NO_EPOCHS, int(State.UNKNOWN)], p=[0.6, 0.4])
        plan.add(int(blind), min(rng.exponential(6.0) + 0.5, 40))
        left = max(left - part, 1.0)
    plan.add(State.SITTING, left)


def _upright(rng: np.random.Generator, plan: DayPlan, minutes: float) -> None:
    left = max(minutes, 0.2)
    while left > 0:
        part = min(left, rng.exponential(2.5) + 0.25)
        plan.add(State.WALKING if rng.random() < 0.55 else State.STANDING, part)
        left -= part


PROGRAMME = (
    (Exercise.CAT_COW, 10, 0.0),
    (Exercise.CURL_UP, 10, 0.0),
    (Exercise.BIRD_DOG, 12, 0.0),
    (Exercise.GLUTE_BRIDGE, 12, 0.0),
    (Exercise.SIDE_PLANK, 0, 25.0),
    (Exercise.PLANK, 0, 35.0),
)


def _session(rng: np.random.Generator, plan: DayPlan) -> None:
    for what, reps, hold_s in PROGRAMME:
        for _ in range(2):
            seconds = hold_s * rng.uniform(0.8, 1.3) if hold_s else reps * rng.uniform(3.0, 4.2)
            first = sum(plan.lengths)
            plan.add(State.EXERCISE, seconds / 60)
            n = plan.lengths[-1]
            done = int(reps + rng.integers(-2, 3)) if reps else 0
            plan.sets.append((first, n, what, done, round(seconds, 1) if hold_s else 0.0))
            plan.add(State.STANDING, rng.uniform(0.5, 1.2))
