# SPDX-License-Identifier: Apache-2.0
"""Glute bridge: on the back, the hips rise until the head end lies lower than the pelvis.

The opposite sign of a curl-up: the lean goes below -90 deg. 15-40 deg at the low back, 10-20 deg at
the upper back. Tossing in bed swings the force by more than half a g and is faster.
"""

import numpy as np

from tracker.exercises.spec import Reps, Spec
from tracker.model import Exercise, Placement


def _fit(reps: Reps, placement: Placement) -> float:
    return float(np.clip((0.55 - np.median(reps.force_span_g)) / 0.2, 0, 1))


SPEC = Spec(
    exercise=Exercise.GLUTE_BRIDGE,
    sign=-1,
    base_deg=(-112, -62),
    peak_deg=(-150, -82),
    amp_deg=(7, 52),
    period_s=(2.0, 9),
    fit=_fit,
    sure="medium",
)
