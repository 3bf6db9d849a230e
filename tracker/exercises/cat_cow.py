# SPDX-License-Identifier: Apache-2.0
"""Cat-cow: on all fours the back is rounded and arched in the rhythm of the breath.

Upper and lower back turn in opposite phase. The upper back sees a slow wave around 90 deg; at the
low back it is a few degrees in the other direction, too little for a claim.
"""

from tracker.exercises.spec import UPPER_PLACES, Spec
from tracker.model import Exercise

SPEC = Spec(
    exercise=Exercise.CAT_COW,
    base_deg=(52, 112),
    peak_deg=(70, 145),
    amp_deg=(6, 48),
    wave=True,
    places=UPPER_PLACES,
    period_s=(2.5, 14),
    smooth_s=1.0,
    rank=0.9,
    sure="medium",
)
