# SPDX-License-Identifier: Apache-2.0
"""Hip hinge or forward bend: upright, the trunk goes 40-100 deg forward and back.

A single bend is no set. Hinge and rounded back look alike to one sensor; both count as one name.
"""

import numpy as np

from tracker.exercises.spec import Reps, Spec
from tracker.exercises.squat import LEAST_SINK_M, sink_beyond_lean_m
from tracker.model import Exercise, Placement


def _fit(reps: Reps, placement: Placement) -> float:
    deep = float(np.clip((reps.amp() - 30) / 20, 0, 1))
    stays = sink_beyond_lean_m(reps, placement)
    calm = float(np.clip(1.5 - stays / (2 * LEAST_SINK_M), 0.15, 1))
    gentle = float(np.clip(2.0 - np.median(reps.force_span_g) / 0.5, 0, 1))
    return deep * max(calm, float(np.clip((reps.amp() - 60) / 15, 0, 1))) * gentle


SPEC = Spec(
    exercise=Exercise.HIP_HINGE,
    base_deg=(-45, 32),
    peak_deg=(25, 135),
    amp_deg=(32, 125),
    period_s=(1.8, 10),
    on_foot=True,
    fit=_fit,
    sure="high",
)
