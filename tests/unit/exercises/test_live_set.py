# SPDX-License-Identifier: Apache-2.0
"""The live count and the hold clock of a guided set, second by second."""

import numpy as np
import pytest

from tracker import chain
from tracker.exercises.live import look, seen_from
from tracker.exercises.registry import exercises
from tracker.model import SECOND_NS, Exercise, Placement, Samples
from tracker.signal.calibrate import Calibration
from tracker.signal.grid import finish_grid
from tracker.simulation.days import Day, record
from tracker.simulation.drills import DRILLS, perform, to_standing
from tracker.simulation.motions import Script
from tracker.simulation.sensor import Sensor, random_sensor

COUNTED = [e for e in DRILLS if exercises()[e].mode == "reps"]
# As the programme asks for: repetitions of these are held at the top, too.
HOLD_S = {
    Exercise.PLANK: 20.0,
    Exercise.SIDE_PLANK: 20.0,
    Exercise.CURL_UP: 8.0,
    Exercise.GLUTE_BRIDGE: 2.0,
    Exercise.BACK_EXTENSION: 3.0,
}
HELD = [e for e in DRILLS if exercises()[e].mode == "hold"]


def done(
    exercise: Exercise, place: Placement, *, sensor: Sensor | None = None, seed: int = 0
) -> Day:
    """Stand, do one set, stand."""
    rng = np.random.default_rng(40 + seed + int(exercise))
    script = Script(rng)
    script.stand(15)
    perform(script, exercise, reps=6, hold_s=HOLD_S.get(exercise, 0.0))
    to_standing(script)
    script.stand(12)
    worn = sensor or random_sensor(rng, gyro=True, turned_deg=6, loss=0.01)
    return record(script, place, worn)


def seen(day: Day, exercise: Exercise, place: Placement, until_ns: int, since_ns: int) -> object:
    """What the page would show at a moment: all samples so far, in ticks of a second."""
    state = chain.start(chain.Setup(placement=place, calibration=Calibration()))
    samples: Samples = day.samples
    first = 0
    for edge in np.arange(samples.t_ns[0] + SECOND_NS, until_ns + SECOND_NS, SECOND_NS):
        last = int(np.searchsorted(samples.t_ns, min(int(edge), until_ns)))
        if last > first:
            state, _ = chain.advance(state, samples[first:last])
            first = last
    _, rest = finish_grid(state.grid)
    return look(state.exercises, state.queue.join(rest).runs(), exercise, since_ns)


@pytest.mark.parametrize("exercise", COUNTED, ids=lambda e: e.label)
def test_the_count_is_there_when_the_set_ends(exercise: Exercise):
    """A second after the last repetition the count is right within one, whatever the exercise."""
    day = done(exercise, Placement.UPPER_BACK)
    (truth,) = day.truth.sets
    at_end = seen(
        day, exercise, Placement.UPPER_BACK, truth.end_ns + SECOND_NS, truth.start_ns - SECOND_NS
    )
    half = seen(
        day,
        exercise,
        Placement.UPPER_BACK,
        (truth.start_ns + truth.end_ns) // 2,
        truth.start_ns - SECOND_NS,
    )
    assert abs(at_end.reps - truth.reps) <= 1
    assert 1 <= half.reps <= at_end.reps - 1


@pytest.mark.parametrize("place", [Placement.UPPER_BACK, Placement.LOWER_BACK])
@pytest.mark.parametrize("exercise", HELD, ids=lambda e: e.label)
def test_the_clock_runs_while_the_hold_lasts(exercise: Exercise, place: Placement):
    """At every moment of a hold its seconds are right within 1.5, and they stay after it."""
    day = done(exercise, place)
    (truth,) = day.truth.sets
    since = truth.start_ns - SECOND_NS
    after = seen(day, exercise, place, truth.end_ns + SECOND_NS, since).hold_s
    assert abs(after - truth.hold_s) <= 1.5
    first = seen(day, exercise, place, truth.start_ns + 8 * SECOND_NS, since).hold_s
    second = seen(day, exercise, place, truth.start_ns + 14 * SECOND_NS, since).hold_s
    assert second - first == pytest.approx(6.0, abs=0.6)


def test_nothing_is_claimed_where_nothing_is_seen():
    """Guided exercises, places that see nothing, and turning without a gyro: no number at all."""
    assert not seen_from(Exercise.BIRD_DOG, Placement.UPPER_BACK)
    assert not seen_from(Exercise.CURL_UP, Placement.LOWER_BACK)
    day = done(Exercise.TRUNK_ROTATION, Placement.UPPER_BACK, sensor=Sensor(gyro=False))
    (truth,) = day.truth.sets
    got = seen(day, Exercise.TRUNK_ROTATION, Placement.UPPER_BACK, truth.end_ns, truth.start_ns)
    assert got.reps is None
    assert got.hold_s is None


def test_standing_still_counts_nothing():
    """A set that was begun and not done stays at zero."""
    day = done(Exercise.SQUAT, Placement.UPPER_BACK)
    got = seen(day, Exercise.SQUAT, Placement.UPPER_BACK, 12 * SECOND_NS, 4 * SECOND_NS)
    assert got.reps in (0, None)
