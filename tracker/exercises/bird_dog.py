# SPDX-License-Identifier: Apache-2.0
"""Bird-dog: guided by timer and tap. Good form moves the trunk little, so nothing is counted."""

from tracker.exercises.spec import Spec
from tracker.model import Exercise

SPEC = Spec(exercise=Exercise.BIRD_DOG, mode="guided", base_deg=(60, 110), sure="low")
