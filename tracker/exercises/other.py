# SPDX-License-Identifier: Apache-2.0
"""Other rhythmic training of the trunk, such as rowing: strokes are counted, the name is not known.

Only long and regular series: twelve or more at 1.1-5 s.
"""

import numpy as np

from tracker.exercises.spec import Reps, Spec
from tracker.model import Exercise, Placement


def _fit(reps: Reps, placement: Placement) -> float:
    return float(np.clip((np.median(reps.up_low_g) - 0.2) / 0.1, 0, 1))


SPEC = Spec(
    exercise=Exercise.OTHER,
    base_deg=(-75, 40),
    peak_deg=(-50, 80),
    amp_deg=(12, 90),
    period_s=(1.1, 5.0),
    min_reps=12,
    on_foot=True,
    fit=_fit,
    rank=0.5,
    sure="medium",
)
