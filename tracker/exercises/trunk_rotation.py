# SPDX-License-Identifier: Apache-2.0
"""Trunk rotation: upright, turning left and right; one repetition is left, right and back.

Gravity is blind to it: without a gyro there is no claim. A swivel chair looks the same, so the
best confidence is medium.
"""

import numpy as np

from tracker.exercises.spec import UPPER_PLACES, Reps, Spec
from tracker.model import Exercise, Placement

ANY_HEADING_DEG = (-1e6, 1e6)  # turns add up


def _fit(reps: Reps, placement: Placement) -> float:
    upright = float(np.clip((np.median(reps.up_low_g) - 0.7) / 0.15, 0, 1))
    calm = float(np.clip((0.18 - np.median(reps.force_span_g)) / 0.06, 0, 1))
    return upright * calm


SPEC = Spec(
    exercise=Exercise.TRUNK_ROTATION,
    signal="yaw",
    base_deg=ANY_HEADING_DEG,
    peak_deg=ANY_HEADING_DEG,
    amp_deg=(22, 170),
    wave=True,
    period_s=(1.8, 10),
    min_reps=4,
    places=UPPER_PLACES,
    fit=_fit,
    rank=0.8,
    sure="medium",
)
