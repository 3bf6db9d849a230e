# SPDX-License-Identifier: Apache-2.0
"""Where a walk ends, what its end is not, and two models that answer together."""

import numpy as np
import pytest

from tracker.model import Placement
from tracker.signal import context, gait
from tracker.signal import features as f
from tracker.signal.decode import CLASSES, STAND, WALK
from tracker.signal.events import lift
from tracker.signal.models import Blend, load_model, model_for


def _rows(sd_g: list[list[float]]) -> np.ndarray:
    rows = np.zeros((len(sd_g), f.COLUMNS), np.float32)
    rows[:, f.VALID] = 1
    rows[:, f.SUB_SD] = sd_g
    return rows


def _posterior(walk: list[float]) -> np.ndarray:
    out = np.zeros((len(walk), CLASSES))
    out[:, WALK] = walk
    out[:, STAND] = 1 - out[:, WALK]
    return out


STEADY, STILL = [0.2] * 5, [0.003] * 5


@pytest.mark.parametrize("halves", range(6))
def test_a_walk_ends_where_its_steps_end(halves: int) -> None:
    """The last block walks for its steps and half a half second of the last one's landing."""
    last = [0.2] * halves + [0.003] * (5 - halves)
    rows = _rows([STEADY, STEADY, last, STILL])
    out = gait.edges(np.arange(4), rows, _posterior([1.0, 1.0, 0.9 if halves > 2 else 0.1, 0.0]))
    assert out[2, WALK] == pytest.approx(min(1.0, halves / 5 + gait.CLOSING), abs=0.11)
    assert out[3, WALK] < 0.15
    np.testing.assert_allclose(out.sum(axis=1), 1.0)


def test_what_moves_after_a_pause_is_no_walk() -> None:
    """A second of standing, then a hand on the sensor: the walk was over before."""
    rows = _rows([STEADY, STEADY, [0.004, 0.004, 0.09, 0.15, 0.1], STILL])
    out = gait.edges(np.arange(4), rows, _posterior([1.0, 1.0, 0.6, 0.0]))
    assert out[2, WALK] <= 0.15
    assert out[2, STAND] > 0.8


def test_the_middle_of_a_walk_stays_one() -> None:
    """A slow turn between two walking blocks is walking (architecture.md 6.3)."""
    rows = _rows([STEADY, STEADY, [0.02, 0.03, 0.02, 0.06, 0.1], STEADY, STEADY])
    posterior = _posterior([1.0, 1.0, 0.8, 1.0, 1.0])
    assert np.array_equal(gait.edges(np.arange(5), rows, posterior), posterior)


def test_blocks_beyond_a_gap_are_no_neighbours() -> None:
    """Half a minute later nothing of the walk is left."""
    rows = _rows([STEADY, STEADY, [0.2, 0.003, 0.003, 0.003, 0.003]])
    out = gait.edges(np.array([0, 1, 14]), rows, _posterior([1.0, 1.0, 0.0]))
    assert out[2, WALK] == 0.0


def test_swinging_sideways_and_then_standing_is_no_fall() -> None:
    """What swings sideways lengthens |a| without lifting anything: the end of a walk."""
    t = np.arange(0, 10, 0.02)
    side = np.where(t < 5, 0.3 * np.sin(2 * np.pi * 2 * t), 0.0)
    rows = np.zeros((4, f.COLUMNS), np.float32)
    rows[:, f.VALID] = 1
    halves = side.reshape(20, 25)
    rows[:, f.SUB_Y] = halves.mean(axis=1).reshape(4, 5)
    rows[:, f.SUB_Z] = 1.0
    rows[:, f.SUB_VM] = (np.sqrt(1 + halves**2).mean(axis=1) - 1).reshape(4, 5)
    assert np.abs(lift(rows)).max() < 0.05


def test_two_models_answer_with_the_mean_of_their_probabilities() -> None:
    """At the chest a gyroscope adds a model, it does not replace one."""
    both = model_for(Placement.CHEST, gyro=True, research=False)
    assert isinstance(both, Blend)
    plain, turning = load_model("chest_acc"), load_model("chest_gyro")
    assert plain is not None
    assert turning is not None
    x = np.random.default_rng(3).normal(0, 1, (9, len(context.NAMES))).astype(np.float32)
    mean = (np.exp(plain.log_probabilities(x)) + np.exp(turning.log_probabilities(x))) / 2
    np.testing.assert_allclose(np.exp(both.log_probabilities(x)), mean, atol=1e-12)
    assert model_for(Placement.CHEST, gyro=False, research=False) is plain
    assert model_for(Placement.UPPER_BACK, gyro=True, research=False) is plain
