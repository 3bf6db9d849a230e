# SPDX-License-Identifier: Apache-2.0
"""Back extension: face down, the chest rises a little. The lean falls from 90 deg and returns.

Seen from the upper back or chest; at the low back hardly.
"""

from tracker.exercises.spec import UPPER_PLACES, Spec
from tracker.model import Exercise

SPEC = Spec(
    exercise=Exercise.BACK_EXTENSION,
    sign=-1,
    base_deg=(68, 118),
    peak_deg=(35, 98),
    amp_deg=(9, 45),
    period_s=(1.8, 10),
    places=UPPER_PLACES,
    sure="medium",
)
