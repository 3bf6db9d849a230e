# SPDX-License-Identifier: Apache-2.0
"""Glute bridge: on the back, the hips rise until the head end lies lower than the pelvis.

The opposite sign of a curl-up: the lean goes below -90 deg. 15-40 deg at the low back, 10-20 deg at
the upper back.
"""

from tracker.exercises.spec import Spec
from tracker.model import Exercise

SPEC = Spec(
    exercise=Exercise.GLUTE_BRIDGE,
    sign=-1,
    base_deg=(-112, -62),
    peak_deg=(-150, -82),
    amp_deg=(7, 52),
    period_s=(1.6, 9),
    sure="medium",
)
