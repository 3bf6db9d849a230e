# SPDX-License-Identifier: Apache-2.0
"""Side plank: on one forearm, the trunk straight and inclined, the head end up."""

from tracker.exercises.spec import Spec
from tracker.model import Exercise

SPEC = Spec(
    exercise=Exercise.SIDE_PLANK,
    mode="hold",
    signal="psi",
    base_deg=(45, 80),
    hold_s=(5, 240),
    sure="high",
)
