# SPDX-License-Identifier: Apache-2.0
"""Squat: upright, the trunk leans 15-60 deg forward in phase with the hips' way down and up.

On the exermote chests squats lean 30-55 deg, more than the prior of 15-45. A hip hinge leans
further or sinks less: the hips' way, estimated from the swing of the specific force, decides
between them (the trunk's own turn lowers the upper back by lever * (1 - cos lean)).
"""

import numpy as np

from tracker.exercises.spec import Reps, Spec
from tracker.model import Exercise, Placement

# How much of the way of a place is explained by leaning alone, in metres of lever arm.
LEVER_M = {Placement.LOWER_BACK: 0.10, Placement.WAIST: 0.05}
DEEPEST_LEAN_DEG = 72.0
LEAST_SINK_M = 0.10


def sink_beyond_lean_m(reps: Reps, placement: Placement) -> float:
    """The hips' way: what the lean of the trunk does not explain."""
    lean = np.deg2rad(min(reps.amp(), 90.0))
    return reps.sink_m() - LEVER_M.get(placement, 0.42) * float(1 - np.cos(lean))


def _fit(reps: Reps, placement: Placement) -> float:
    if np.median(reps.up_low_g) < 0.1:
        return 0.0
    shallow = float(np.clip((DEEPEST_LEAN_DEG - reps.amp()) / 20, 0, 1))
    sinks = float(np.clip(sink_beyond_lean_m(reps, placement) / (2 * LEAST_SINK_M), 0.15, 1))
    return shallow * sinks


SPEC = Spec(
    exercise=Exercise.SQUAT,
    base_deg=(-50, 46),
    peak_deg=(-10, 80),
    amp_deg=(12, 70),
    period_s=(1.3, 10),
    on_foot=True,
    fit=_fit,
    sure="high",
)
