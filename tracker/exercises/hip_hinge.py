# SPDX-License-Identifier: Apache-2.0
"""Hip hinge or forward bend: upright, the trunk goes 40-100 deg forward and back.

A single bend is no set. Hinge and rounded back look alike to one sensor; both count as one name.
"""

import numpy as np

from tracker.exercises.spec import Reps, Spec
from tracker.model import Exercise


def _fit(reps: Reps) -> float:
    span = float(np.median(reps.force_span_g))
    deep = float(np.clip((reps.amp() - 35) / 25, 0, 1))
    calm = float(np.clip(1.6 - span / 0.5, 0.0, 1))
    return deep * calm


SPEC = Spec(
    exercise=Exercise.HIP_HINGE,
    base_deg=(-45, 32),
    peak_deg=(28, 135),
    amp_deg=(36, 125),
    period_s=(1.8, 10),
    fit=_fit,
    sure="high",
)
