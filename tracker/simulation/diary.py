# SPDX-License-Identifier: Apache-2.0
"""Diary worlds with a known truth: what an honest estimator must survive.

Ratings follow an AR(1) process, rounded and clipped to 0-10, with missing days. Massages are
booked by a rule: on a fixed schedule, at random, after bad days ("trigger") or exactly at peaks.
A massage may have no effect at all, or one that halves every two days. Optional extras break what
the estimator assumes: rating noise and sudden flares. Vectorised over runs: thousands of years
take seconds.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Assign = Literal["fixed", "random", "trigger", "peak"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryWorld:
    """One kind of person; ratings in points of 0-10.

    effect       change on the first day after a massage (negative is relief)
    half_life_d  days in which the effect halves
    assign       when massages happen; "trigger": both of the last two ratings are high;
                 "peak": the day's own rating is among the highest
    noise        sd of rating noise on top of the AR(1) process
    flare        size of flares that start on 2 % of the days and last 4 days
    """

    days: int = 168
    mean: float = 4.0
    sd: float = 1.5
    phi: float = 0.6
    massages: int = 12
    min_gap_d: int = 10
    effect: float = 0.0
    half_life_d: float = 2.0
    assign: Assign = "trigger"
    missing: float = 0.15
    noise: float = 0.0
    flare: float = 0.0
    weekend: float = 0.0

    def window_effect(self, first: int, last: int) -> float:
        """True mean effect on days `first`..`last` after a massage."""
        k = np.arange(first, last + 1)
        return float((self.effect * 0.5 ** ((k - 1) / self.half_life_d)).mean())


def simulate(
    rng: np.random.Generator, world: DiaryWorld, runs: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Ratings (runs, days) with NaN where missing, and massage days (runs, days).

    A massage takes place after the day's rating, so its effect starts on the next day.
    """
    n = world.days
    shock = world.sd * np.sqrt(1 - world.phi**2)
    state = rng.normal(0, world.sd, runs)
    carry = np.zeros(runs)  # what is left of massages
    flare_left = np.zeros(runs)
    since = np.full(runs, world.min_gap_d)
    done = np.zeros(runs, int)
    rated = np.zeros((runs, n))
    massage = np.zeros((runs, n), bool)
    decay = 0.5 ** (1 / world.half_life_d)
    planned = _schedule(rng, world, runs)
    for day in range(n):
        state = world.phi * state + rng.normal(0, shock, runs)
        flare_left = np.where(rng.random(runs) < 0.02, 4, np.maximum(flare_left - 1, 0))
        level = world.mean + state + carry + world.flare * (flare_left > 0)
        level += world.weekend * (day % 7 >= 5) + rng.normal(0, 1, runs) * world.noise
        rated[:, day] = np.clip(np.rint(level), 0, 10)
        if planned is not None:
            booked = planned[:, day]
        else:
            booked = (since >= world.min_gap_d) & _bad(world, rated, day)
        booked = booked & (done < world.massages)
        massage[:, day] = booked
        done += booked
        since = np.where(booked, 1, since + 1)
        carry = carry * decay + world.effect * booked
    rated[rng.random((runs, n)) < world.missing] = np.nan
    return rated, massage


def _bad(world: DiaryWorld, rated: NDArray[np.float64], day: int) -> NDArray[np.bool_]:
    high = world.mean + (0.5 if world.assign == "trigger" else 1.25) * world.sd
    bad = rated[:, day] >= high
    if world.assign == "trigger":
        bad &= rated[:, max(day - 1, 0)] >= high
    return np.asarray(bad)


def _schedule(rng: np.random.Generator, world: DiaryWorld, runs: int) -> NDArray[np.bool_] | None:
    """Days fixed in advance, or None where the rule looks at the ratings."""
    if world.assign not in ("fixed", "random"):
        return None
    plan = np.zeros((runs, world.days), bool)
    step = world.days // max(world.massages, 1)
    for k in range(world.massages):
        day = np.full(runs, k * step + step // 2)
        if world.assign == "random":
            day = k * step + rng.integers(0, max(step - 3, 1), runs)
        plan[np.arange(runs), np.minimum(day, world.days - 1)] = True
    return plan
