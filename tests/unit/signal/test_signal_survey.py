# SPDX-License-Identifier: Apache-2.0
"""The first look at a recording, where somebody trains instead of sitting at a desk."""

import math

import numpy as np
import pytest

from tracker.model import Exercise, Placement, Samples
from tracker.signal.calibrate import Axes, calibrate
from tracker.signal.gather import survey
from tracker.simulation.days import record
from tracker.simulation.drills import perform, to_standing
from tracker.simulation.motions import Script
from tracker.simulation.sensor import Sensor

# Worn at the chest with the face inwards, turned by 90 deg: x left, y down, z back.
INWARDS = Axes.parse("x=left,y=down,z=back").rotation()


def trained(*, walk_s: float = 0.0, seed: int = 1) -> Samples:
    """Burpees, squats and sit-ups with short rests, as a slow sensor records them."""
    rng = np.random.default_rng(seed)
    script = Script(rng)
    script.stand(8)
    for exercise in (Exercise.BURPEE, Exercise.SQUAT, Exercise.SIT_UP, Exercise.SQUAT):
        perform(script, exercise, reps=7)
        to_standing(script)
        script.stand(8)
    if walk_s:
        script.walk(walk_s)
    worn = Sensor(fs_hz=10, hold_hz=4, gyro=False, mounting=INWARDS, noise_g=0.02)
    return record(script, Placement.CHEST, worn).samples


@pytest.mark.parametrize("seed", range(4))
def test_training_is_no_walk(seed: int):
    """Squats and burpees at the step rate never become the upright direction of a sensor."""
    found = survey(trained(seed=seed)).walking
    if found is not None:
        up = INWARDS @ found
        assert math.degrees(math.acos(up[2] / np.linalg.norm(up))) < 20


def test_bends_tell_forward_where_nothing_is_stated():
    """Without axes, poses and rest: up within 25 deg, and forward is where nearly all bends go."""
    right = 0
    for seed in range(10):
        made = calibrate(trained(seed=seed), Placement.CHEST)
        left = made.matrix() @ INWARDS.T  # identity where everything was found
        assert math.degrees(math.acos(left[2, 2])) < 25
        right += left[0, 0] > 0.8
    assert right >= 8


def test_a_walk_beside_training_is_still_used():
    """Half a minute of walking after the training levels the stated axes."""
    assert survey(trained(walk_s=60)).gain == pytest.approx(1, abs=0.05)
    made = calibrate(trained(walk_s=60), Placement.CHEST, Axes.parse("x=left,y=down,z=back"))
    assert math.degrees(math.acos((made.matrix() @ INWARDS.T)[2, 2])) < 12
