# SPDX-License-Identifier: Apache-2.0
"""`backstay analyze` as its user runs it: a process, files in and out, a sentence on failure."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tracker.model import Samples
from tracker.recording import write_recording

Run = Callable[..., subprocess.CompletedProcess[str]]
EPOCH_COLUMNS = (
    "start_s,state,confidence,trunk,slouch,tilt_deg,side_deg,slump_pct,move_mg,exercise,worn,valid"
)
STATES = {"unknown", "not_worn", "lying", "sitting", "slouching", "standing", "walking", "exercise"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `backstay ...` in an empty folder."""
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "BACKSTAY_DATA": str(tmp_path / "data")}

    def go(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tracker", *map(str, arguments)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return go


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """Two minutes of a trunk that leans forward by 20 degrees, hardly moving."""
    rng = np.random.default_rng(1)
    n, lean = 120 * 50, np.deg2rad(20.0)
    t_ns = np.arange(n, dtype=np.int64) * 20_000_000
    upright = np.array([-np.sin(lean), 0.0, np.cos(lean)])
    acc = (upright + rng.normal(0, 0.004, (n, 3))).astype(np.float32)
    path = tmp_path / "still.csv"
    write_recording(path, Samples(t_ns=t_ns, acc_g=acc))
    return path


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_any_one_output_alone_is_fine(run: Run, still: Path, tmp_path: Path) -> None:
    """Each output by itself, and all in one call, with the documented columns."""
    names = {"epochs": "e.csv", "sets": "s.csv", "transitions": "t.csv", "summary": "u.json"}
    for option, name in names.items():
        done = run("analyze", still, "--placement", "upper-back", f"--{option}", name)
        assert (done.returncode, done.stderr) == (0, "")
    rows = _rows(tmp_path / "e.csv")
    assert ",".join(rows[0]) == EPOCH_COLUMNS
    assert [row["start_s"] for row in rows] == [str(5 * i) for i in range(24)]
    assert {row["state"] for row in rows} <= STATES
    assert (tmp_path / "s.csv").read_text() == "start_s,end_s,exercise,reps,hold_s,confidence\n"
    assert (tmp_path / "t.csv").read_text().startswith("at_s,kind,confidence\n")
    assert json.loads((tmp_path / "u.json").read_text())["minutes"]
    again = [f"--{option}={tmp_path / ('2' + name)}" for option, name in names.items()]
    assert run("analyze", still, "--placement=upper-back", *again).returncode == 0
    for name in names.values():
        assert (tmp_path / f"2{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_stated_axes_give_the_tilt_that_is_there(run: Run, still: Path, tmp_path: Path) -> None:
    """A lean of 20 degrees is 20.0 degrees when the axes are known."""
    axes = "x=forward,y=left,z=up"
    done = run("analyze", still, "--placement=upper-back", "--axes", axes, "--epochs=e.csv")
    assert done.returncode == 0, done.stderr
    tilts = [float(row["tilt_deg"]) for row in _rows(tmp_path / "e.csv")]
    assert np.allclose(tilts, 20.0, atol=0.3)


def test_parquet_in_and_out_is_the_same_table(run: Run, still: Path, tmp_path: Path) -> None:
    """Suffixes decide the format; the values are those of the CSV way."""
    import pyarrow.parquet as pq

    from tracker.recording import read_recording

    write_recording(tmp_path / "still.parquet", read_recording(still))
    assert run("analyze", still, "--placement=chest", "--epochs=e.csv").returncode == 0
    done = run("analyze", "still.parquet", "--placement=chest", "--epochs=e.parquet")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "e.parquet")
    assert ",".join(table.column_names) == EPOCH_COLUMNS
    rows = _rows(tmp_path / "e.csv")
    assert table.column("state").to_pylist() == [row["state"] for row in rows]
    assert table.column("tilt_deg").to_pylist() == [
        float(row["tilt_deg"]) if row["tilt_deg"] else None for row in rows
    ]


def test_unix_times_stay_in_their_time_base(run: Run, still: Path, tmp_path: Path) -> None:
    """Epochs start at multiples of 5 s of t_s, also where t_s is Unix time."""
    from tracker.recording import read_recording

    samples = read_recording(still)
    moved = Samples(t_ns=samples.t_ns + 1_763_980_003 * 10**9, acc_g=samples.acc_g)
    write_recording(tmp_path / "unix.csv", moved)
    assert run("analyze", "unix.csv", "--placement=waist", "--epochs=e.csv").returncode == 0
    starts = [int(row["start_s"]) for row in _rows(tmp_path / "e.csv")]
    assert starts[0] == 1_763_980_000
    assert all(start % 5 == 0 for start in starts)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere.csv", "--placement=chest"], 1, ["nowhere.csv", "no such file"]),
        (["still.csv"], 2, ["--placement"]),
        (["still.csv", "--placement=head"], 2, ["'head'", "upper-back"]),
        (["still.csv", "--placement=chest", "--loud"], 2, ["--loud"]),
        (["still.csv", "--placement=chest", "--pose=yoga=1:2"], 2, ["'yoga'", "sitting_tall"]),
        (["still.csv", "--placement=chest", "--pose=standing=5"], 2, ["NAME=START:END"]),
        (["still.csv", "--placement=chest", "--pose=standing=9:3"], 2, ["before the end"]),
        (["still.csv", "--placement=chest", "--pose=standing=900:910"], 1, ["no samples there"]),
        (["still.csv", "--placement=chest", "--axes=x=up,y=up,z=back"], 2, ["up"]),
        (["still.csv", "--placement=chest", "--axes=nonsense"], 2, ["nonsense"]),
        (["still.csv", "--placement=chest", "--epochs=e.xls"], 2, ["e.xls", ".csv"]),
        (["still.csv", "--placement=chest", "--epochs=none/e.csv"], 2, ["none"]),
        (["still.csv", "--placement=chest", "--summary=e.csv"], 2, [".json"]),
        (["still.csv", "--placement=chest", "--second=still.csv"], 2, ["--second-placement"]),
        (["bad.csv", "--placement=chest", "--epochs=e.csv"], 1, ["bad.csv", "line 3", "acc_y_g"]),
        (["mss.csv", "--placement=chest", "--epochs=e.csv"], 1, ["9.80665"]),
    ],
    ids=str,
)
def test_failures_are_one_sentence_and_leave_nothing(
    run: Run, still: Path, tmp_path: Path, arguments: list[str], code: int, words: list[str]
) -> None:
    """Exit 1 or 2, stderr holds the sentence alone, stdout nothing, no file appears."""
    header = "t_s,acc_x_g,acc_y_g,acc_z_g\n"
    (tmp_path / "bad.csv").write_text(header + "0,0,0,1\n0.02,0,zero,1\n0.04,0,0,1\n")
    rows = "".join(f"{i / 50},0,0,9.81\n" for i in range(50))
    (tmp_path / "mss.csv").write_text(header + rows)
    before = sorted(p.name for p in tmp_path.iterdir())
    done = run("analyze", *arguments)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_an_output_that_cannot_be_written_leaves_no_other(
    run: Run, still: Path, tmp_path: Path
) -> None:
    """When one of two files cannot be put in its place, the sentence comes and no part is left."""
    (tmp_path / "s.csv").mkdir()
    done = run("analyze", still, "--placement=chest", "--epochs=e.csv", "--sets=s.csv")
    assert done.returncode in (1, 2)
    assert "s.csv" in done.stderr
    assert not (tmp_path / "e.csv").exists()
    assert not list(tmp_path.glob(".*.part"))
