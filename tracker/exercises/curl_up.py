# SPDX-License-Identifier: Apache-2.0
"""Curl-up: on the back, head and shoulders rise a few centimetres and sink again.

The chest segment alone turns, so a sensor at the waist or low back sees nothing: no claim there.
Lower end of the amplitude 12 deg (prior 15): the simulator's smallest repetitions after smoothing.
"""

from tracker.exercises.spec import UPPER_PLACES, Spec
from tracker.model import Exercise

SPEC = Spec(
    exercise=Exercise.CURL_UP,
    base_deg=(-118, -62),
    peak_deg=(-98, -25),
    amp_deg=(12, 48),
    period_s=(1.8, 18),
    places=UPPER_PLACES,
    sure="high",
)
