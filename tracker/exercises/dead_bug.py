# SPDX-License-Identifier: Apache-2.0
"""Dead bug: guided by timer and tap. The low back stays quiet, so nothing is counted."""

from tracker.exercises.spec import Spec
from tracker.model import Exercise

SPEC = Spec(exercise=Exercise.DEAD_BUG, mode="guided", base_deg=(-115, -65), sure="low")
