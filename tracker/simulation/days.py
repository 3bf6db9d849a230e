# SPDX-License-Identifier: Apache-2.0
"""Whole days: a desk day with breaks, walks, bends and, if wanted, training; samples and truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracker.model import Exercise, Placement, Samples, State
from tracker.simulation.drills import DRILLS, perform, to_standing
from tracker.simulation.motions import Script, Truth
from tracker.simulation.sensor import Sensor, observe, random_sensor

GRID_HZ = 50.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """A simulated recording and what happened in it, on the same time base."""

    samples: Samples
    truth: Truth
    placement: Placement


def workday(
    rng: np.random.Generator,
    *,
    hours: float = 8.0,
    placement: Placement = Placement.UPPER_BACK,
    sensor: Sensor | None = None,
    training: Sequence[Exercise] = (),
    start_ns: int = 0,
) -> Day:
    """A desk day that begins standing and walking: sitting bouts of 10-70 min, walks, bends, rests.

    training  exercises done in one session at two thirds of the day, one set of 6-12 each
    """
    script = Script(
        rng,
        GRID_HZ,
        slump_deg=float(np.clip(rng.normal(24, 6), 12, 38)),
        slump_pelvis_deg=float(rng.normal(-3, 4)),
        tall_deg=float(rng.normal(2, 2)),
    )
    end_s = hours * 3600
    train_at_s = end_s * 2 / 3 if training else np.inf
    script.stand(20)
    script.walk(30)
    while script.now_s < end_s:
        script.stand(rng.uniform(3, 20))
        script.sit_down()
        left = min(end_s - script.now_s, rng.uniform(10, 70) * 60)
        bout_end = script.now_s + max(left, 1.0)
        while script.now_s < bout_end - 1:
            part = min(bout_end - script.now_s, rng.uniform(3, 25) * 60)
            script.sit(part, float(rng.choice([0.0, 0.3, 0.9, 1.0], p=[0.35, 0.3, 0.2, 0.15])))
        if script.now_s >= end_s:
            break
        script.stand_up()
        _break(script)
        if script.now_s >= train_at_s:
            session(script, training)
            train_at_s = np.inf
    return _day(script, placement, sensor or random_sensor(rng), start_ns)


def still_desk(
    rng: np.random.Generator,
    hours: float,
    *,
    placement: Placement = Placement.UPPER_BACK,
    sensor: Sensor | None = None,
    start_ns: int = 0,
) -> Day:
    """Hours of hardly moving desk work: the hardest case for telling worn from not worn."""
    script = Script(rng, GRID_HZ)
    script.sit(hours * 3600, 0.4)
    return _day(script, placement, sensor or random_sensor(rng), start_ns)


def session(script: Script, exercises: Sequence[Exercise]) -> None:
    """One set of each exercise with 20-60 s of standing or walking about between them."""
    rng = script.rng
    for exercise in exercises:
        drill = DRILLS[exercise]
        hold = rng.uniform(*drill.hold_s)
        perform(script, exercise, reps=int(rng.integers(6, 13)), hold_s=hold)
        to_standing(script)
        script.stand(rng.uniform(10, 30))
        script.walk(rng.uniform(10, 30))


def record(
    script: Script,
    placement: Placement,
    sensor: Sensor | None = None,
    *,
    start_ns: int = 0,
) -> Day:
    """Put a sensor on a finished script."""
    return _day(script, placement, sensor or Sensor(), start_ns)


def _break(script: Script) -> None:
    """Up from the desk: a walk, perhaps a bend to a drawer, perhaps a rest on the back."""
    rng = script.rng
    script.walk(rng.uniform(20, 240))
    script.stand(rng.uniform(5, 120))
    for _ in range(int(rng.integers(0, 3))):
        script.bend()
        script.stand(rng.uniform(2, 15))
    if rng.random() < 0.1:
        script.sit_down()
        script.still(2, State.SITTING)
        script.lie_down()
        script.lie(rng.uniform(60, 600))
        script.sit_up_from_lying()
        script.still(5, State.SITTING)
        script.stand_up()
    script.walk(rng.uniform(10, 60))


def _day(script: Script, placement: Placement, sensor: Sensor, start_ns: int) -> Day:
    samples = observe(script.motion(), placement, sensor, script.rng, start_ns=start_ns)
    truth = script.truth()
    shifted = replace(
        truth,
        transitions=tuple(replace(t, at_ns=t.at_ns + start_ns) for t in truth.transitions),
        sets=tuple(
            replace(s, start_ns=s.start_ns + start_ns, end_ns=s.end_ns + start_ns)
            for s in truth.sets
        ),
    )
    return Day(samples=samples, truth=shifted, placement=placement)
