# SPDX-License-Identifier: Apache-2.0
"""Side bend: upright, the trunk leans to one side and comes back; each bend counts, either side.

Walking about with a slow sensor looks like small side bends; what tells them apart is that a side
bend is gentle (swing of the specific force below 0.2 g) and larger than 12 deg.
"""

import numpy as np

from tracker.exercises.spec import UPPER_PLACES, Reps, Spec
from tracker.model import Exercise, Placement


def _fit(reps: Reps, placement: Placement) -> float:
    upright = float(np.clip((np.median(reps.up_low_g) - 0.45) / 0.1, 0, 1))
    gentle = float(np.clip((0.22 - np.median(reps.force_span_g)) / 0.08, 0, 1))
    returns = float(np.clip((0.45 - np.median(reps.base_deg) / reps.amp()) / 0.15, 0, 1))
    return upright * gentle * returns


SPEC = Spec(
    exercise=Exercise.LATERAL_FLEXION,
    signal="psi",
    sign=0,
    base_deg=(-1, 14),
    peak_deg=(8, 60),
    amp_deg=(12, 48),
    period_s=(1.8, 10),
    smooth_s=0.9,
    min_reps=4,
    fit=_fit,
    places=UPPER_PLACES,
    rank=0.9,
    sure="high",
)
