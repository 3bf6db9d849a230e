# SPDX-License-Identifier: Apache-2.0
"""On recordings of other people: sets found and counted, and none where nobody trains."""

from pathlib import Path

import numpy as np
import pytest

from tracker.exercises import engine
from tracker.model import Exercise, ExerciseSet, Placement, Samples
from tracker.signal.grid import advance_grid, finish_grid, start_grid

NAMES = {1: Exercise.BURPEE, 2: Exercise.SQUAT, 3: Exercise.SIT_UP}


def sets_of(
    t_s: np.ndarray, acc: np.ndarray, turn: np.ndarray, place: Placement
) -> list[ExerciseSet]:
    """Sets of one recording; `turn` brings the sensor's axes to the body's."""
    one = np.ones(3, np.float32)
    samples = Samples(
        t_ns=np.rint(t_s.astype(np.float64) * 1e6).astype(np.int64) * 1000,
        acc_g=acc.astype(np.float32),
    )
    state, first = advance_grid(start_grid(), samples, turn.astype(np.float32), 0 * one, one)
    _, rest = finish_grid(state)
    training = engine.start(engine.EngineParams(placement=place))
    found: list[ExerciseSet] = []
    for block in first.runs() + rest.runs():
        training, more, _ = engine.advance(training, block)
        found += more
    return found + engine.finish(training)[1]


@pytest.mark.parametrize("fresh", [False, True], ids=["held values", "new packets"])
def test_exermote_is_counted(recordings: Path, fresh: bool):
    """Chest, 3-4.6 packets a second: within one in 95 % of all sets, exact in 85 %, few extra."""
    total = within = exact = extra = 0
    for file in sorted((recordings / "exermote").glob("*.npz")):
        with np.load(file) as z:
            d = {k: z[k] for k in z.files}
        for seg in np.unique(d["seg"]):
            rows = d["seg"] == seg
            keep = rows & d["fresh"].astype(bool) if fresh else rows
            found = sets_of(d["t"][keep], d["acc"][keep], d["R_body"], Placement.CHEST)
            matched = 0
            for number in sorted(set(d["set"][rows].tolist()) - {-1}):
                own = rows & (d["set"] == number)
                kind = NAMES[int(max(set(d["label"][own].tolist()) & set(NAMES)))]
                reps = len(set(d["rep"][own].tolist()) - {-1})
                begin, end = d["t"][own][[0, -1]] * 1e9
                hits = [
                    s.reps
                    for s in found
                    if s.exercise is kind and min(s.end_ns, end) - max(s.start_ns, begin) > 4e9
                ]
                total += 1
                matched += bool(hits)
                within += bool(hits) and abs(max(hits) - reps) <= 1
                exact += bool(hits) and max(hits) == reps
            extra += len(found) - matched
    assert total == 102
    assert within / total >= 0.95
    assert exact / total >= 0.85
    assert extra <= 5


@pytest.mark.parametrize(
    ("folder", "place", "suffix"),
    [
        ("sit_postures", Placement.UPPER_BACK, ""),
        ("sit_postures", Placement.LOWER_BACK, "_L5"),
        ("gait_l5", Placement.LOWER_BACK, ""),
        ("sisfall_waist", Placement.WAIST, ""),
    ],
)
def test_nobody_trains_in_daily_life(recordings: Path, folder: str, place: Placement, suffix: str):
    """Sitting postures, walking, single bends and single squats are no sets."""
    for file in sorted((recordings / folder).glob("*.npz"))[:5]:
        with np.load(file) as z:
            d = {k: z[k] for k in ("t", "seg", "R_body", f"acc{suffix}")}
        for seg in np.unique(d["seg"]):
            rows = d["seg"] == seg
            t_s = d["t"][rows] - d["t"][rows][0]
            assert sets_of(t_s, d[f"acc{suffix}"][rows], d["R_body"], place) == []


@pytest.mark.parametrize(
    ("case", "within"),
    [("axes stated", 0.97), ("nothing stated", 0.8)],
)
def test_exermote_the_way_of_analyze(recordings: Path, case: str, within: float):
    """Calibration included: training is not taken for a walk, and bends tell forward."""
    from bench.accuracy_exercises_analyze import CASES, _case

    assert recordings.is_dir()
    assert _case(*CASES[case])["within_1"] >= within


def test_jumping_is_exercise_and_no_listed_set(recordings: Path):
    """Five people jump for five minutes: every epoch is exercise, no exercise of the list is named.

    Rowing beside it is a long series without a name.
    """
    from bench import recordings as data
    from tracker.chain import Setup, analyze
    from tracker.model import State
    from tracker.signal.calibrate import Axes, calibrate

    assert recordings.is_dir()
    for one in data.recordings("dsads_torso"):
        assert one.axes is not None
        made = calibrate(one.samples, one.placement, Axes.parse(one.axes))
        for what, named in (("jumping", set()), ("rowing", {Exercise.OTHER})):
            code = next(c for c, (name, _) in one.names.items() if name == what)
            rows = one.label == code
            part = Samples(t_ns=one.samples.t_ns[rows], acc_g=one.samples.acc_g[rows])
            got = analyze(part, Setup(placement=one.placement, calibration=made))
            assert (got.epochs.state == int(State.EXERCISE)).mean() > 0.9
            assert {s.exercise for s in got.sets} == named


def test_climbing_stairs_is_no_squat(recordings: Path):
    """Two people with a phone at the belly, calibrated by their own walk: steps are no repetitions.

    The pelvis sways once a stride as far as in a shallow squat; the force tells the steps.
    """
    from bench import recordings as data
    from tracker.chain import Setup, analyze
    from tracker.signal.calibrate import calibrate

    assert recordings.is_dir()
    for person in ("user01", "user14"):
        one = data.load("hapt_waist", person)
        made = calibrate(one.samples, one.placement, None)
        assert analyze(one.samples, Setup(placement=one.placement, calibration=made)).sets == ()
