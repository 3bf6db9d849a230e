# SPDX-License-Identifier: Apache-2.0
"""Bad input through the real command: a clear refusal or `unknown`, never a wrong sure state."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import lacking
from tracker.model import Samples
from tracker.recording import write_recording

Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parents[2]
KNOWN_NOTHING = {"unknown", "not_worn"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `backstay analyze ...` in an empty folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BACKSTAY_DATA": str(tmp_path / "data")}

    def go(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tracker", "analyze", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return go


def sitter(seconds: float, fs_hz: float = 50.0) -> Samples:
    """Somebody who sits and breathes, leaning forward by ten degrees; body axes."""
    n = int(seconds * fs_hz)
    t = np.arange(n) / fs_hz
    lean = np.radians(10 + 0.5 * np.sin(2 * np.pi * 0.25 * t))
    acc = np.stack([-np.sin(lean), np.zeros(n), np.cos(lean)], axis=1)
    noise = np.random.default_rng(n).normal(0, 0.002, (n, 3))
    t_us = np.rint(t * 1e6).astype(np.int64)
    return Samples(t_ns=t_us * 1000, acc_g=(acc + noise).astype(np.float32))


def _csv(path: Path, t_s: np.ndarray, acc: np.ndarray) -> None:
    rows = [f"{t:.6f},{x:.5f},{y:.5f},{z:.5f}" for t, (x, y, z) in zip(t_s, acc, strict=True)]
    path.write_text("\n".join(["t_s,acc_x_g,acc_y_g,acc_z_g", *rows]) + "\n")


def _states(path: Path) -> list[tuple[float, str, float]]:
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        return [(float(r["start_s"]), r["state"], float(r["confidence"])) for r in rows]


def _good() -> tuple[np.ndarray, np.ndarray]:
    samples = sitter(60)
    return samples.t_ns / 1e9, samples.acc_g.astype(np.float64)


def _nan() -> tuple[np.ndarray, np.ndarray]:
    t, acc = _good()
    acc[1000, 1] = np.nan
    return t, acc


def _metres() -> tuple[np.ndarray, np.ndarray]:
    t, acc = _good()
    return t, acc * 9.80665


def _at(fs_hz: float) -> tuple[np.ndarray, np.ndarray]:
    samples = sitter(3000 / fs_hz, fs_hz)
    return samples.t_ns / 1e9, samples.acc_g.astype(np.float64)


def _jumps_back() -> tuple[np.ndarray, np.ndarray]:
    t, acc = _good()
    t[1500:] -= 7.0
    return t, acc


def _single() -> tuple[np.ndarray, np.ndarray]:
    t, acc = _good()
    return t[:1], acc[:1]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (_nan, ["line 1002", "column acc_y_g", "leave out rows without data"]),
        (_metres, ["looks like m/s2", "divide by 9.80665"]),
        (lambda: _at(2.0), ["2 samples a second", "record faster"]),
        (lambda: _at(1000.0), ["1e+03 samples a second", "reduce the rate"]),
        (_jumps_back, ["line 1502", "column t_s", "time does not increase"]),
        (_single, ["a single sample is no recording"]),
    ],
    ids=["nan", "m/s2", "2 Hz", "1 kHz", "clock back", "single"],
)
def test_what_cannot_be_analysed_is_refused_with_place_and_cure(
    run: Run, tmp_path: Path, made: Callable[[], tuple[np.ndarray, np.ndarray]], words: list[str]
) -> None:
    """Exit 1, one sentence with the place and what to do, no table."""
    _csv(tmp_path / "bad.csv", *made())
    done = run("bad.csv", "--placement=upper-back", "--epochs=e.csv")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert all(word in done.stderr for word in ["bad.csv", *words]), done.stderr
    assert not (tmp_path / "e.csv").exists()


def test_ten_saturated_minutes_are_unknown_and_the_rest_is_kept(run: Run, tmp_path: Path) -> None:
    """At the end of its range a sensor says nothing; the time around it is as without."""
    samples = sitter(1500)
    acc = samples.acc_g.copy()
    inside = (samples.t_ns >= 300e9) & (samples.t_ns < 900e9)
    acc[inside] = 16.0
    write_recording(tmp_path / "full.parquet", Samples(t_ns=samples.t_ns, acc_g=acc))
    axes = "--axes=x=forward,y=left,z=up"
    done = run("full.parquet", "--placement=chest", axes, "--epochs=e.csv")
    assert done.returncode == 0, done.stderr
    rows = _states(tmp_path / "e.csv")
    assert {s for at, s, _ in rows if 305 <= at < 895} <= KNOWN_NOTHING
    assert all(c <= 0.5 for at, s, c in rows if 305 <= at < 895 and s == "unknown")
    assert {s for at, s, _ in rows if at < 200} & {"sitting", "standing"}


def test_a_day_of_zeros_is_no_posture(run: Run, tmp_path: Path) -> None:
    """24 h in which every axis reads 0 g: unknown or not worn, and the dead axes are named."""
    n = 24 * 3600 * 10
    t_ns = np.arange(n, dtype=np.int64) * 100_000_000
    zeros = np.zeros((n, 3), np.float32)
    write_recording(tmp_path / "zeros.parquet", Samples(t_ns=t_ns, acc_g=zeros))
    done = run("zeros.parquet", "--placement=waist", "--epochs=e.csv", "--summary=s.json")
    assert done.returncode == 0, done.stderr
    rows = _states(tmp_path / "e.csv")
    assert len(rows) == 24 * 720
    assert {s for _, s, _ in rows} <= KNOWN_NOTHING
    assert "axis never changes" in done.stderr
    assert json.loads((tmp_path / "s.json").read_text())["warnings"]


@pytest.mark.parametrize("axis", [0, 2])
def test_a_constant_axis_is_named(run: Run, tmp_path: Path, axis: int) -> None:
    """One dead axis: it is said, and the state is never surer than a coin."""
    samples = sitter(300)
    acc = samples.acc_g.copy()
    acc[:, axis] = 0.3
    write_recording(tmp_path / "dead.parquet", Samples(t_ns=samples.t_ns, acc_g=acc))
    done = run("dead.parquet", "--placement=upper-back", "--epochs=e.csv")
    assert done.returncode == 0, done.stderr
    assert f"the {'xyz'[axis]} axis never changes" in done.stderr


def test_swapped_axes_are_told_by_gravity(run: Run, tmp_path: Path) -> None:
    """X and z taken for one another, one pose known: the note names the angle and the cure."""
    samples = sitter(120)
    write_recording(tmp_path / "swapped.parquet", samples)
    axes = "--axes=x=up,y=left,z=back"  # in truth x points forward and z up
    done = run("swapped.parquet", "--placement=chest", axes, "--pose=sitting_tall=0:60")
    assert done.returncode == 0
    assert "the stated axes and gravity differ by" in done.stderr
    assert "check the axes" in done.stderr
    assert run("swapped.parquet", "--placement=chest", "--pose=sitting_tall=0:60").stderr == ""


PEAK = """
import sys
from pathlib import Path
from tracker.cli import main
try:
    main()
finally:
    text = Path("/proc/self/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
    sys.stderr.write(line.split()[1])
"""


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    """Sixteen hours take no more than four, although their samples do: read, analysed, let go."""
    if not Path("/proc/self/status").exists():
        lacking("the peak memory of a process is read from /proc")
    peaks = []
    part = sitter(3600)
    for hours in (4, 16):
        path = tmp_path / f"{hours}.parquet"
        later = [replace(part, t_ns=part.t_ns + h * 3600 * 10**9) for h in range(hours)]
        write_recording(path, Samples.concat(later))
        done = subprocess.run(
            [sys.executable, "-c", PEAK, "analyze", str(path), "--placement=waist"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stderr.splitlines()[-1]) / 1024)
    samples_mb = 12 * 3600 * 50 * 20 / 1e6
    assert samples_mb > 40
    assert peaks[1] - peaks[0] < samples_mb / 3, peaks
