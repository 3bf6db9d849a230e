# SPDX-License-Identifier: Apache-2.0
"""Forearm plank: face down with the shoulders higher than the feet, held, with a fine tremor.

Lying face down looks alike: what tells them apart is the tilt against the lying before or after,
the lift, and the tremor. Best confidence medium.
"""

from tracker.exercises.spec import Spec
from tracker.model import Exercise

SPEC = Spec(exercise=Exercise.PLANK, mode="hold", base_deg=(55, 97), hold_s=(5, 300), sure="medium")
