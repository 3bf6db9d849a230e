# SPDX-License-Identifier: Apache-2.0
"""The simulated body agrees with mechanics and with the conventions of the body frame."""

import numpy as np
import pytest

from tracker.model import Exercise, Placement, State, TransitionKind
from tracker.simulation.body import PITCH, ROLL, TWIST, Motion, kinematics
from tracker.simulation.days import record, still_desk, workday
from tracker.simulation.drills import DRILLS, perform
from tracker.simulation.motions import Script
from tracker.simulation.sensor import Sensor, observe, random_sensor, rotation


def _still(n: int = 100, **angles: float) -> Motion:
    names = {"pitch": PITCH, "roll": ROLL, "twist": TWIST}
    values = np.zeros((n, 7))
    for name, value in angles.items():
        values[:, names[name]] = value
    return Motion(fs_hz=50.0, angles_deg=values, push_g=np.zeros((n, 3)))


@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        ({}, (0, 0, 1)),
        ({"pitch": -90}, (1, 0, 0)),
        ({"pitch": 90}, (-1, 0, 0)),
        ({"pitch": -90, "twist": 90}, (0, -1, 0)),
        ({"pitch": -90, "twist": -90}, (0, 1, 0)),
        ({"pitch": -90, "twist": 180}, (-1, 0, 0)),
        ({"pitch": 30}, (-0.5, 0, np.sqrt(0.75))),
        ({"roll": 30}, (0, 0.5, np.sqrt(0.75))),
    ],
)
def test_gravity_points_up_in_every_pose(angles, expected):
    """Standing, on the back, face down, on either side and leaning read as the frame says."""
    acc, gyr = kinematics(_still(**angles), Placement.LOWER_BACK)
    assert np.allclose(acc.mean(0), expected, atol=1e-6)
    assert np.allclose(gyr, 0)


@pytest.mark.parametrize("seed", range(3))
def test_gyro_turns_gravity(seed):
    """At the hip axis gravity in the body frame changes as the gyro says: dg/dt = -w x g."""
    rng = np.random.default_rng(seed)
    script = Script(rng)
    script.glide(2.0, State.STANDING, pitch=60.0, roll=20.0, twist=40.0, yaw=90.0, flex_roll=10.0)
    script.glide(2.0, State.STANDING, pitch=-80.0, roll=-10.0, twist=-70.0, yaw=10.0)
    quiet = Motion(
        fs_hz=50.0,
        angles_deg=script.motion().angles_deg,
        push_g=np.zeros((script.motion().angles_deg.shape[0], 3)),
    )
    from tracker.simulation import body

    up, gyr = kinematics(quiet, Placement.WAIST)
    up = up - 0  # the lever of the waist is 2 cm: its acceleration stays below 0.02 g here
    turned = np.gradient(up, 1 / 50, axis=0)
    predicted = -np.cross(np.deg2rad(gyr), up)
    assert body.LEVER_M[Placement.WAIST] < 0.05
    assert np.abs(turned - predicted)[5:-5].max() < 0.25
    assert np.abs(turned).max() > 1.0


def test_mounting_and_loss():
    """A turned sensor reads the same in the body frame; loss takes packets, never order."""
    rng = np.random.default_rng(0)
    turn = rotation(np.array([1.0, 2.0, 3.0]), 70)
    motion = _still(5000, pitch=20)
    clean = Sensor(noise_g=0.0, noise_dps=0.0)
    turned = Sensor(noise_g=0.0, noise_dps=0.0, mounting=turn, loss=0.2, jitter_s=0.004)
    a = observe(motion, Placement.CHEST, clean, rng)
    b = observe(motion, Placement.CHEST, turned, rng)
    assert np.allclose(b.acc_g @ turn.T, a.acc_g[: len(b)], atol=1e-5)
    assert 0.6 < len(b) / len(a) < 0.95
    assert np.all(np.diff(b.t_ns) > 0)
    assert np.all(b.t_ns % 1000 == 0)


def test_slow_sensor_holds_values():
    """A 4 Hz sensor saved on a 10 Hz clock repeats its values."""
    rng = np.random.default_rng(0)
    script = Script(rng)
    script.walk(20)
    samples = observe(script.motion(), Placement.CHEST, Sensor(fs_hz=10, hold_hz=4), rng)
    changes = np.any(np.diff(samples.acc_g, axis=0) != 0, axis=1).mean()
    assert 0.35 < changes < 0.45


def test_a_day_is_the_same_for_the_same_seed():
    """All randomness comes from the generator that is passed in."""
    one = workday(np.random.default_rng(7), hours=0.5)
    two = workday(np.random.default_rng(7), hours=0.5)
    assert np.array_equal(one.samples.acc_g, two.samples.acc_g)
    assert one.truth.transitions == two.truth.transitions


def test_a_day_knows_its_truth():
    """States are given per second, transitions alternate, sets lie inside the day."""
    start = 1_700_000_000_000_000_000
    day = workday(np.random.default_rng(3), hours=3, training=list(DRILLS), start_ns=start)
    seconds = (day.samples.t_ns[-1] - day.samples.t_ns[0]) / 1e9
    assert abs(day.truth.state_s.shape[0] - seconds) < 2
    kinds = [t.kind for t in day.truth.transitions]
    assert kinds[0] is TransitionKind.STAND_TO_SIT
    assert {s.exercise for s in day.truth.sets} == set(DRILLS)
    for one in day.truth.sets:
        assert day.samples.t_ns[0] <= one.start_ns < one.end_ns <= day.samples.t_ns[-1]
    walking = day.truth.state_s == State.WALKING
    assert walking.any()


def test_still_desk_hardly_moves():
    """Quiet desk work stays within a few milli-g for nearly all of the time."""
    day = still_desk(np.random.default_rng(1), 0.5, sensor=Sensor(noise_g=0.001))
    spread = np.abs(np.diff(np.linalg.norm(day.samples.acc_g[::50], axis=1)))
    assert np.median(spread) < 0.005


@pytest.mark.parametrize("exercise", list(DRILLS))
def test_every_exercise_is_recorded_as_done(exercise: Exercise):
    """A drill notes its own repetitions or hold, and starts in its start pose."""
    rng = np.random.default_rng(5)
    script = Script(rng)
    script.stand(5)
    perform(script, exercise, reps=5, hold_s=20)
    day = record(script, Placement.UPPER_BACK, random_sensor(rng))
    (done,) = day.truth.sets
    assert done.exercise is exercise
    assert done.reps in (1, 5)
    assert np.isfinite(day.samples.acc_g).all()
    assert np.abs(np.linalg.norm(day.samples.acc_g, axis=1)).max() < 8.1
