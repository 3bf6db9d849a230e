# SPDX-License-Identifier: Apache-2.0
"""A recording analysed as it is read gives what it gives in memory."""

from pathlib import Path

import numpy as np
import pytest

from tracker import batch, chain, recording_files
from tracker.errors import InputError
from tracker.model import Placement, Pose, Samples
from tracker.recording import read_recording, write_recording
from tracker.recording_checks import Sample
from tracker.signal.calibrate import calibrate

POSES = {Pose.SITTING_TALL: [(20 * 10**9, 40 * 10**9)], Pose.STANDING: [(200 * 10**9, 220 * 10**9)]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four minutes: sitting, then leaning, with breath."""
    n = 240 * 50
    t = np.arange(n) / 50
    lean = np.radians(np.where(t < 150, 3.0, 20.0) + 0.5 * np.sin(2 * np.pi * 0.25 * t))
    acc = np.stack([-np.sin(lean), np.zeros(n), np.cos(lean)], axis=1)
    noise = np.random.default_rng(1).normal(0, 0.003, (n, 3))
    file = tmp_path / "wearer.parquet"
    t_ns = np.arange(n, dtype=np.int64) * 20_000_000
    write_recording(file, Samples(t_ns=t_ns, acc_g=(acc + noise).astype(np.float32)))
    return file


@pytest.mark.parametrize("kept", [10**6, 1500], ids=["kept", "read again"])
def test_blocks_from_the_file_equal_the_recording_in_memory(
    path: Path, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same calibration, same table, whether the first blocks were kept or are read again."""
    samples = read_recording(path)
    made = calibrate(samples, Placement.UPPER_BACK, None, POSES)
    setup = chain.Setup(placement=Placement.UPPER_BACK, calibration=made)
    wanted = chain.analyze(samples, setup)
    monkeypatch.setattr(recording_files, "ROWS_PER_BLOCK", 700)
    monkeypatch.setattr(batch, "KEEP_SAMPLES", kept)
    source = batch.Source(path=path, placement=Placement.UPPER_BACK, poses=POSES)
    done = batch.analyze_recording(source)
    assert done.setup.calibration == made
    assert done.results.epochs.equals(wanted.epochs)
    assert done.results.shifts == wanted.shifts
    assert done.span_ns == (int(samples.t_ns[0]), int(samples.t_ns[-1]))


def test_a_pose_outside_the_recording_is_named_with_its_span(path: Path) -> None:
    """The sentence says where the recording runs."""
    poses = {Pose.STANDING: [(900 * 10**9, 910 * 10**9)]}
    source = batch.Source(path=path, placement=Placement.UPPER_BACK, poses=poses)
    with pytest.raises(InputError, match=r"no samples there; it runs from 0 to 239\.98 s"):
        batch.analyze_recording(source)


@pytest.mark.parametrize("block", [1, 977, 40_000])
def test_a_median_of_many_values_needs_few(block: int) -> None:
    """Every k-th row stands for all, k doubling as rows come, whatever the blocks."""
    values = np.arange(900_000 if block > 1 else 3000, dtype=np.float64)
    sample = Sample(lambda part, rows: part[rows])
    for a in range(0, values.size, block):
        sample.take(values[a : a + block])
    assert sample.median() == pytest.approx(values.mean(), rel=1e-4)
