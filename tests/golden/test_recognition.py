# SPDX-License-Identifier: Apache-2.0
"""Real recordings through `analyze`: what must not get worse. Accuracy: bench/accuracy.py."""

from pathlib import Path

import numpy as np
import pytest

from tracker import chain
from tracker.model import SECOND_NS, Placement, Pose, Samples, State, Trunk
from tracker.signal.calibrate import Axes, calibrate


def _person(
    path: Path, labels: tuple[int, ...] | None = None
) -> tuple[Samples, np.ndarray, np.ndarray]:
    """Pieces of a file one after another, a minute apart; labels and piece numbers."""
    with np.load(path) as data:
        keep = slice(None) if labels is None else np.isin(data["label"], labels)
        t, acc, gyr = data["t"][keep], data["acc"][keep], data["gyro"][keep]
        label, seg = data["label"][keep], data["seg"][keep]
    t_us = np.rint(t.astype(np.float64) * 1e6).astype(np.int64)
    begin = 0
    for one in dict.fromkeys(seg.tolist()):
        rows = seg == one
        t_us[rows] += begin - t_us[rows][0]
        begin = int(t_us[rows][-1]) + 60_000_000
        begin += -begin % 5_000_000
    samples = Samples(t_ns=t_us * 1000, acc_g=acc, gyr_dps=np.degrees(gyr).astype(np.float32))
    return samples, label, seg


def _label_at(samples: Samples, label: np.ndarray, starts: np.ndarray) -> np.ndarray:
    at = np.searchsorted(samples.t_ns, starts + 5 * SECOND_NS // 2)
    return label[np.minimum(at, len(label) - 1)]


@pytest.mark.parametrize("person", ["sub01", "sub05", "sub12"])
def test_slouching_at_t4_with_one_upright_pose(recordings: Path, person: str) -> None:
    """Upright is never a slouch and slouching always one, at the default limit of 10 degrees."""
    samples, label, seg = _person(recordings / "sit_postures" / f"{person}.npz")
    first = np.flatnonzero(seg == seg[np.flatnonzero(label == 2)[0]])
    tall = (int(samples.t_ns[first[0]]), int(samples.t_ns[first[-1]]))
    cal = calibrate(
        samples, Placement.UPPER_BACK, Axes.parse("x=up,y=left,z=back"), {Pose.SITTING_TALL: [tall]}
    )
    setup = chain.Setup(placement=Placement.UPPER_BACK, calibration=cal)
    epochs = chain.analyze(samples, setup).epochs
    told = _label_at(samples, label, epochs.start_ns)
    assert epochs.slouch[told == 3].all()
    assert not epochs.slouch[told == 2].any()
    assert (epochs.trunk[told == 2] == Trunk.UPRIGHT).mean() > 0.9
    assert (epochs.trunk[told == 5] != Trunk.LEFT).all()
    assert not np.isin(epochs.state, (State.NOT_WORN, State.WALKING, State.LYING)).any()


def test_the_lower_back_reports_no_slump(recordings: Path) -> None:
    """A place that cannot see slouching says nothing about it."""
    samples, label, _ = _person(recordings / "sit_postures" / "sub02.npz", (2, 3))
    cal = calibrate(
        samples,
        Placement.LOWER_BACK,
        Axes.parse("x=up,y=left,z=back"),
        {Pose.SITTING_TALL: [(0, 20 * SECOND_NS)]},
    )
    setup = chain.Setup(placement=Placement.LOWER_BACK, calibration=cal)
    epochs = chain.analyze(samples, setup).epochs
    assert np.isnan(epochs.slump_pct).all()
    assert not epochs.slouch.any()
    assert len(label) == len(samples)


def test_lying_on_the_chest_sensor_four_ways(recordings: Path) -> None:
    """Lying on the back and on the side is lying; turned about up, prone and the left side too."""
    samples, _, _ = _person(recordings / "dsads_torso" / "p1.npz", (3, 4))
    axes = "x=up,y=right,z=forward"
    for flip in (1.0, -1.0):
        turned = Samples(
            t_ns=samples.t_ns,
            acc_g=samples.acc_g * np.array([1.0, flip, flip], np.float32),
            gyr_dps=None,
        )
        cal = calibrate(turned, Placement.CHEST, Axes.parse(axes))
        setup = chain.Setup(placement=Placement.CHEST, calibration=cal)
        epochs = chain.analyze(turned, setup).epochs
        assert (epochs.state == State.LYING).mean() > 0.95


def test_walking_and_standing_at_the_waist_without_axes(recordings: Path) -> None:
    """hapt_waist without axes or poses: up from walking, walking found, transitions dated."""
    samples, label, _ = _person(recordings / "hapt_waist" / "user01.npz")
    cal = calibrate(samples, Placement.WAIST)
    assert cal.method[0] == "walking"
    results = chain.analyze(samples, chain.Setup(placement=Placement.WAIST, calibration=cal))
    told = _label_at(samples, label, results.epochs.start_ns)
    state = results.epochs.state
    assert (state[told == 1] == State.WALKING).mean() > 0.95
    assert (state[told == 6] == State.LYING).mean() > 0.95
    edges = np.flatnonzero((label[1:] == 8) & (label[:-1] != 8)) + 1
    rises = [t.at_ns for t in results.transitions if t.kind.value == "sit_to_stand"]
    assert all(min(abs(r - samples.t_ns[e]) for r in rises) < 5 * SECOND_NS for e in edges)


def test_rules_stand_in_for_the_research_model(recordings: Path) -> None:
    """Without the waist model lying and walking are still right."""
    samples, label, _ = _person(recordings / "hapt_waist" / "user03.npz")
    cal = calibrate(samples, Placement.WAIST)
    setup = chain.Setup(placement=Placement.WAIST, calibration=cal, research_models=False)
    epochs = chain.analyze(samples, setup).epochs
    told = _label_at(samples, label, epochs.start_ns)
    assert (epochs.state[told == 6] == State.LYING).mean() > 0.9
    assert (epochs.state[told == 1] == State.WALKING).mean() > 0.9
