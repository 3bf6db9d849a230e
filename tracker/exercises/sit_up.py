# SPDX-License-Identifier: Apache-2.0
"""Sit-up: from the back to sitting and down again; counted where done, not in the programme.

Getting up from bed once is half a repetition and no set. Two in a row are one, with low confidence.
"""

from tracker.exercises.spec import Spec
from tracker.model import Exercise

SPEC = Spec(
    exercise=Exercise.SIT_UP,
    base_deg=(-150, -50),
    peak_deg=(-50, 80),
    amp_deg=(50, 175),
    period_s=(1.5, 12),
    min_reps=2,
    rank=1.2,
    sure="high",
)
