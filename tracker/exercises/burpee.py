# SPDX-License-Identifier: Apache-2.0
"""Burpee: from standing to the floor, back and up with a jump; violent and through the horizontal.

Lean above 45 deg after smoothing over 1.2 s, head axis near the horizontal, size of the specific
force far over 1 g (exermote chests: 95th percentile 1.4-1.75 g, squats 1.15-1.45 g, sit-ups below
1.25 g).
"""

import numpy as np

from tracker.exercises.spec import Reps, Spec
from tracker.model import Exercise, Placement

# Two in a row must go all the way down: lying down and getting up again must not look like them.
PAIR_AMP_DEG = 80.0


def _fit(reps: Reps, placement: Placement) -> float:
    span = float(np.median(reps.force_span_g))
    if len(reps) < 3 and reps.amp() < PAIR_AMP_DEG:
        return 0.0
    flat = float(np.clip((0.55 - np.median(reps.up_low_g)) / 0.2, 0, 1))
    return flat * float(np.clip((span - 0.35) / 0.3, 0, 1))


SPEC = Spec(
    exercise=Exercise.BURPEE,
    base_deg=(-75, 45),
    peak_deg=(45, 185),
    amp_deg=(48, 220),
    period_s=(2.5, 13),
    min_reps=2,
    smooth_s=1.2,
    fit=_fit,
    rank=1.3,
    sure="high",
)
