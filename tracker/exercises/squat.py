# SPDX-License-Identifier: Apache-2.0
"""Squat: upright, the trunk leans 15-60 deg forward in phase with the hips' way down and up.

On the exermote chests squats lean 30-55 deg, more than the prior of 15-45. A hip hinge leans
further (from 60 deg on); between 45 and 65 deg the swing of the specific force decides.
"""

import numpy as np

from tracker.exercises.spec import Reps, Spec
from tracker.model import Exercise


def _fit(reps: Reps) -> float:
    if np.median(reps.up_low_g) < 0.3:
        return 0.0
    span = float(np.median(reps.force_span_g))
    shallow = float(np.clip((70 - reps.amp()) / 20, 0, 1))
    lively = float(np.clip(span / 0.15, 0.2, 1))
    return shallow * (0.6 + 0.4 * lively)


SPEC = Spec(
    exercise=Exercise.SQUAT,
    base_deg=(-50, 32),
    peak_deg=(-10, 80),
    amp_deg=(12, 68),
    period_s=(1.3, 7),
    fit=_fit,
    sure="high",
)
