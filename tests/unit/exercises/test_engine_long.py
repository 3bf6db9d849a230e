# SPDX-License-Identifier: Apache-2.0
"""Movement that does not end: cut in a rest where there is one, the same for any split."""

from itertools import pairwise

import numpy as np
import pytest

from tracker.exercises import cut, engine
from tracker.model import Exercise, ExerciseSet, Placement
from tracker.signal.blocks import BodyBlock


def stream(minutes: int, rests_s: tuple[int, ...]) -> np.ndarray:
    """Somebody bends 60 deg forward every 4 s; 8 s of rest begin at the given seconds."""
    t = np.arange(minutes * 60 * 50) / 50
    lean = 30 * (1 - np.cos(2 * np.pi * t / 4))
    for begin in rests_s:
        lean[(t >= begin) & (t < begin + 8)] = 0
    lean = np.deg2rad(lean)
    return np.stack([-np.sin(lean), 0 * lean, np.cos(lean)], 1).astype(np.float32)


def run(acc: np.ndarray, cuts: list[int]) -> list[ExerciseSet]:
    """All sets of the stream cut at rows."""
    state = engine.start(engine.EngineParams(placement=Placement.UPPER_BACK))
    found: list[ExerciseSet] = []
    for a, b in pairwise(sorted({0, *cuts, acc.shape[0]})):
        block = BodyBlock(
            t0_ns=a * engine.RAW_STEP_NS,
            acc_body_g=acc[a:b],
            gyr_body_dps=None,
            valid=np.ones(b - a, np.bool_),
            source_fs_hz=50.0,
        )
        state, more, _ = engine.advance(state, block)
        found += more
        assert state.flags.shape[0] <= cut.LONGEST + 2 * cut.QUIET + 1
    return found + engine.finish(state)[1]


@pytest.mark.parametrize("seed", range(3))
def test_splits_change_nothing_over_half_an_hour(seed: int):
    """Cuts of the length limit fall where they fall in absolute time, not where a block ends."""
    acc = stream(32, (200, 400, 900, 1500))
    rng = np.random.default_rng(seed)
    cuts = sorted(set(rng.integers(1, acc.shape[0], 10 + 60 * seed).tolist()))
    assert run(acc, cuts) == run(acc, [])


def test_a_long_session_is_cut_in_its_rests():
    """Rests of 8 s every two minutes for half an hour: every set is whole, none counted twice."""
    rests = tuple(range(120, 1800, 120))
    sets = run(stream(30, rests), [])
    assert len(sets) == len(rests) + 1
    assert all(28 <= s.reps <= 30 for s in sets)
    assert {s.exercise for s in sets} <= {Exercise.HIP_HINGE, Exercise.SQUAT}


def test_memory_stays_bounded():
    """Hours without a rest never hold more than the longest episode."""
    acc = stream(40, ())
    cuts = list(range(0, acc.shape[0], 500))
    sets = run(acc, cuts)
    assert {s.exercise for s in sets} == {Exercise.OTHER}
    assert len(sets) <= 6
    assert 590 <= sum(s.reps for s in sets) <= 600
