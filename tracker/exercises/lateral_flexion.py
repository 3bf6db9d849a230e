# SPDX-License-Identifier: Apache-2.0
"""Side bend: upright, the trunk leans to one side and comes back; each bend counts, either side."""

import numpy as np

from tracker.exercises.spec import Reps, Spec
from tracker.model import Exercise


def _fit(reps: Reps) -> float:
    return float(np.clip((np.median(reps.up_low_g) - 0.45) / 0.1, 0, 1))


SPEC = Spec(
    exercise=Exercise.LATERAL_FLEXION,
    signal="psi",
    sign=0,
    base_deg=(-1, 14),
    peak_deg=(8, 60),
    amp_deg=(10, 48),
    period_s=(1.5, 10),
    fit=_fit,
    sure="high",
)
