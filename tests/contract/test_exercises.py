# SPDX-License-Identifier: Apache-2.0
"""What every exercise file promises, over the whole registry: a new file is covered at once."""

import json
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from tracker.exercises import engine
from tracker.exercises.registry import exercises
from tracker.exercises.spec import Spec
from tracker.model import Exercise, ExerciseSet, Placement, Samples
from tracker.signal.blocks import BodyBlock
from tracker.signal.grid import advance_grid, finish_grid, start_grid
from tracker.simulation.days import Day, record, session, workday
from tracker.simulation.drills import DRILLS, perform, to_standing
from tracker.simulation.motions import Script
from tracker.simulation.sensor import Sensor, random_sensor

ALL = exercises()
COUNTED = [s.exercise for s in ALL.values() if s.mode == "reps" and s.exercise in DRILLS]
HELD = [s.exercise for s in ALL.values() if s.mode == "hold"]
GUIDED = [s.exercise for s in ALL.values() if s.mode == "guided"]
ONE = np.ones(3, np.float32)


def blocks(samples: Samples) -> list[BodyBlock]:
    """The samples as the chain hands them to the exercises, with an identity mounting."""
    state, first = advance_grid(start_grid(), samples, np.eye(3, dtype=np.float32), 0 * ONE, ONE)
    _, rest = finish_grid(state)
    return first.runs() + rest.runs()


def found(parts: list[BodyBlock], placement: Placement = Placement.UPPER_BACK) -> list[ExerciseSet]:
    """All sets of a stream."""
    state = engine.start(engine.EngineParams(placement=placement))
    sets: list[ExerciseSet] = []
    for part in parts:
        state, more, spans = engine.advance(state, part)
        assert [(s.start_ns, s.end_ns) for s in spans] == [(s.start_ns, s.end_ns) for s in more]
        sets += more
    return sets + engine.finish(state)[1]


def done(exercise: Exercise, seed: int, placement: Placement, sensor: Sensor | None = None) -> Day:
    """Somebody stands, does one set of 4-12 (or a hold), stands and walks away."""
    rng = np.random.default_rng(100 * int(exercise) + seed)
    script = Script(rng)
    script.stand(15)
    perform(script, exercise, reps=int(rng.integers(4, 13)))
    to_standing(script)
    script.stand(12)
    script.walk(10)
    gyro = exercise is Exercise.TRUNK_ROTATION or bool(rng.random() < 0.5)
    fs_hz = float(rng.choice([25.0, 50.0, 100.0]))
    worn = sensor or random_sensor(rng, fs_hz=fs_hz, gyro=gyro, turned_deg=8, loss=0.02)
    return record(script, placement, worn)


def place_of(spec: Spec) -> Placement:
    """A place where the exercise is seen."""
    return Placement.UPPER_BACK if Placement.UPPER_BACK in spec.places else min(spec.places)


def test_every_exercise_has_a_file():
    """The ids of the model and the files of the folder are the same, `none` apart."""
    assert set(ALL) == set(Exercise) - {Exercise.NONE}
    assert {Exercise.BIRD_DOG, Exercise.DEAD_BUG} == set(GUIDED)


@pytest.mark.parametrize("spec", ALL.values(), ids=lambda s: s.exercise.label)
def test_ranges_are_ranges(spec: Spec):
    """Lower ends lie below upper ends, and the exercise is seen somewhere."""
    for low, high in (spec.base_deg, spec.peak_deg, spec.amp_deg, spec.period_s, spec.hold_s):
        assert low < high
    assert spec.places
    assert spec.min_reps >= 2


@pytest.mark.parametrize("exercise", COUNTED, ids=lambda e: e.label)
@pytest.mark.parametrize("seed", range(3))
def test_simulated_repetitions_are_counted(exercise: Exercise, seed: int):
    """One set of n is one set of n within one, with a mounting off by up to 8 deg and 2 % loss."""
    day = done(exercise, seed, place_of(ALL[exercise]))
    (truth,) = day.truth.sets
    sets = found(blocks(day.samples), day.placement)
    assert [s.exercise for s in sets] == [exercise]
    assert abs(sets[0].reps - truth.reps) <= 1
    assert sets[0].start_ns < truth.end_ns
    assert truth.start_ns < sets[0].end_ns


@pytest.mark.parametrize("exercise", HELD, ids=lambda e: e.label)
@pytest.mark.parametrize("placement", [Placement.UPPER_BACK, Placement.LOWER_BACK])
@pytest.mark.parametrize("seed", range(3))
def test_simulated_holds_are_timed(exercise: Exercise, placement: Placement, seed: int):
    """A hold is one hold, and its seconds are right within 1.5 s."""
    day = done(exercise, seed, placement)
    (truth,) = day.truth.sets
    sets = found(blocks(day.samples), placement)
    assert [s.exercise for s in sets] == [exercise]
    assert abs(sets[0].hold_s - truth.hold_s) <= 1.5


@pytest.mark.parametrize("exercise", COUNTED, ids=lambda e: e.label)
def test_a_slow_sensor_still_counts(exercise: Exercise):
    """Four packets a second, held on a 10 Hz clock: found, within two repetitions."""
    slow = Sensor(fs_hz=10, hold_hz=4, gyro=exercise is Exercise.TRUNK_ROTATION)
    day = done(exercise, 7, place_of(ALL[exercise]), slow)
    sets = found(blocks(day.samples), day.placement)
    assert [s.exercise for s in sets] == [exercise]
    assert abs(sets[0].reps - day.truth.sets[0].reps) <= 2


@pytest.mark.parametrize("exercise", GUIDED, ids=lambda e: e.label)
def test_guided_exercises_make_no_count_claim(exercise: Exercise):
    """Bird-dog and dead bug are never named by the sensor."""
    day = done(exercise, 1, Placement.UPPER_BACK)
    assert exercise not in {s.exercise for s in found(blocks(day.samples))}


@pytest.mark.parametrize("placement", [Placement.UPPER_BACK, Placement.LOWER_BACK, Placement.CHEST])
def test_daily_life_counts_nothing(placement: Placement):
    """A simulated desk day with walks, bends, reaches and a rest has no set."""
    day = workday(np.random.default_rng(11), hours=4, placement=placement)
    assert found(blocks(day.samples), placement) == []


def test_without_a_gyro_nothing_is_said_about_turning():
    """Gravity is blind to a turn about the vertical."""
    day = done(Exercise.TRUNK_ROTATION, 2, Placement.UPPER_BACK, Sensor(gyro=False))
    assert found(blocks(day.samples)) == []


@pytest.fixture(scope="module")
def training() -> BodyBlock:
    """Ten minutes of training with rests, as one block."""
    rng = np.random.default_rng(5)
    script = Script(rng)
    script.stand(20)
    session(script, [Exercise.SQUAT, Exercise.SIT_UP, Exercise.PLANK, Exercise.TRUNK_ROTATION])
    day = record(script, Placement.UPPER_BACK, random_sensor(rng, turned_deg=5, loss=0.01))
    main, last = blocks(day.samples)
    assert last.t0_ns == main.t0_ns + main.acc_body_g.shape[0] * engine.RAW_STEP_NS
    assert main.gyr_body_dps is not None
    assert last.gyr_body_dps is not None
    return BodyBlock(
        t0_ns=main.t0_ns,
        acc_body_g=np.concatenate([main.acc_body_g, last.acc_body_g]),
        gyr_body_dps=np.concatenate([main.gyr_body_dps, last.gyr_body_dps]),
        valid=np.concatenate([main.valid, last.valid]),
        source_fs_hz=main.source_fs_hz,
    )


def pieces(block: BodyBlock, cuts: list[int]) -> Iterator[BodyBlock]:
    """The block cut at rows."""
    edges = [0, *cuts, block.acc_body_g.shape[0]]
    for a, b in pairwise(edges):
        yield BodyBlock(
            t0_ns=block.t0_ns + a * engine.RAW_STEP_NS,
            acc_body_g=block.acc_body_g[a:b],
            gyr_body_dps=None if block.gyr_body_dps is None else block.gyr_body_dps[a:b],
            valid=block.valid[a:b],
            source_fs_hz=block.source_fs_hz,
        )


@pytest.mark.parametrize("seed", range(4))
def test_splitting_the_stream_changes_nothing(training: BodyBlock, seed: int):
    """Any cuts, also ones inside a quantum, give the same sets as one block."""
    whole = found([training])
    assert {s.exercise for s in whole} == {
        Exercise.SQUAT,
        Exercise.SIT_UP,
        Exercise.PLANK,
        Exercise.TRUNK_ROTATION,
    }
    rng = np.random.default_rng(seed)
    n = training.acc_body_g.shape[0]
    cuts = sorted(set(rng.integers(1, n, 5 + 40 * seed).tolist()))
    assert found(list(pieces(training, cuts))) == whole


def test_a_stored_state_goes_on_as_if_nothing_had_happened(training: BodyBlock):
    """Dump to JSON-like values and arrays, load, continue: the same sets."""
    n = training.acc_body_g.shape[0]
    first, second = pieces(training, [n * 2 // 5 + 7])
    state, sets, _ = engine.advance(engine.start(), first)
    kept = state.dump()
    plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in kept.items()}
    again = engine.EngineState.load(json.loads(json.dumps(plain)))
    again, more, _ = engine.advance(again, second)
    _, last, _ = engine.finish(again)
    assert sets + more + last == found([training], Placement.UNKNOWN)


def test_a_gap_ends_what_was_going_on(training: BodyBlock):
    """Half an hour without samples in the middle of a set never makes one set of both sides."""
    squats = next(s for s in found([training]) if s.exercise is Exercise.SQUAT)
    middle = (squats.start_ns + squats.end_ns) // 2
    first, second = pieces(training, [int((middle - training.t0_ns) / engine.RAW_STEP_NS)])
    later = BodyBlock(
        t0_ns=second.t0_ns + 1800 * 10**9,
        acc_body_g=second.acc_body_g,
        gyr_body_dps=second.gyr_body_dps,
        valid=second.valid,
        source_fs_hz=second.source_fs_hz,
    )
    for one in found([first, later]):
        assert one.end_ns < middle + 3 * 10**9 or one.start_ns > middle + 1790 * 10**9
