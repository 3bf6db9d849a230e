# SPDX-License-Identifier: Apache-2.0
"""The recording reader: exact round trips, and one sentence with file, line and column."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.errors import RecordingError
from tracker.model import Samples
from tracker.recording import read_recording, write_recording

HEADER = "t_s,acc_x_g,acc_y_g,acc_z_g"
GOOD = "0.00,0,0,1\n0.02,0,0,1\n0.04,0,0,1\n0.06,0,0,1\n"


def _samples(n: int, start_ns: int, gyro: bool, seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    t_ns = start_ns + np.cumsum(rng.integers(5_000, 200_000, n)) * 1000
    acc = rng.normal(0, 0.6, (n, 3)).astype(np.float32)
    gyr = rng.normal(0, 90, (n, 3)).astype(np.float32) if gyro else None
    return Samples(t_ns=t_ns, acc_g=acc, gyr_dps=gyr)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
@given(
    n=st.integers(2, 40),
    start_us=st.integers(-(10**9), 2 * 10**15),
    gyro=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_round_trip_is_exact(
    tmp_path_factory: pytest.TempPathFactory,
    suffix: str,
    n: int,
    start_us: int,
    gyro: bool,
    seed: int,
) -> None:
    """Writing samples and reading them back gives every bit again, relative and Unix times."""
    before = _samples(n, start_us * 1000, gyro, seed)
    path = tmp_path_factory.getbasetemp() / f"round{suffix}"
    write_recording(path, before)
    after = read_recording(path)
    assert np.array_equal(before.t_ns, after.t_ns)
    assert np.array_equal(before.acc_g, after.acc_g)
    assert (before.gyr_dps is None) == (after.gyr_dps is None)
    if before.gyr_dps is not None and after.gyr_dps is not None:
        assert np.array_equal(before.gyr_dps, after.gyr_dps)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        (HEADER + "\n", ["empty"]),
        ("t_s,acc_x_g,acc_y_g\n0,0,0\n", ["line 1", "acc_z_g", "missing"]),
        (HEADER + ",gyr_x_dps\n0,0,0,1,0\n", ["line 1", "gyr_y_dps", "missing"]),
        (HEADER + ",t_s\n0,0,0,1,0\n", ["line 1", "t_s", "twice"]),
        (f"{HEADER}\n{GOOD}0.08,oops,0,1\n", ["line 6", "acc_x_g", "'oops'", "not a number"]),
        (f"{HEADER}\n{GOOD}0.08,,0,1\n", ["line 6", "acc_x_g", "not a number"]),
        (f"{HEADER}\n{GOOD}0.08,nan,0,1\n", ["line 6", "acc_x_g", "not a finite number"]),
        (f"{HEADER}\n{GOOD}0.08,0,inf,1\n", ["line 6", "acc_y_g", "not a finite number"]),
        (f"{HEADER}\n{GOOD}0.05,0,0,1\n", ["line 6", "t_s", "does not increase"]),
        (f"{HEADER}\n{GOOD}0.06,0,0,1\n", ["line 6", "t_s", "does not increase"]),
        (f"{HEADER}\n{GOOD}0.08,0,1\n", ["line 6", "3 values", "4 are needed"]),
        (f"{HEADER}\n{GOOD}\n0.08,0,0,1\n", ["line 6", "blank"]),
        (f"{HEADER}\n0,0,0,1\n", ["single sample"]),
        (f"{HEADER}\n0,0,0,9.8\n0.02,0,0,9.8\n0.04,0,0,9.8\n", ["m/s2", "9.80665"]),
        (f"{HEADER}\n0,0,0,1\n0.5,0,0,1\n1.0,0,0,1\n", ["2 samples a second", "faster"]),
        (f"{HEADER}\n0,0,0,1\n0.001,0,0,1\n0.002,0,0,1\n", ["1e+03 samples", "reduce"]),
        (f"{HEADER}\n1700000000000,0,0,1\n1700000000020,0,0,1\n", ["milliseconds"]),
        (HEADER.replace(",", ";") + "\n0;0;0;1\n", ["line 1", "missing"]),
    ],
)
def test_bad_files_are_refused_with_place_and_reason(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    """Each fault is refused in one sentence that names the file and where the fault is."""
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(RecordingError) as caught:
        read_recording(path)
    message = str(caught.value)
    assert "bad.csv" in message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_fault_far_into_the_file_is_found(tmp_path: Path) -> None:
    """The line number is right beyond the first block that is read at once."""
    rows = [f"{i * 0.02:.2f},0,0,1" for i in range(300_000)]
    rows[250_000] = "5000.00,0,x,1"
    path = tmp_path / "long.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    with pytest.raises(RecordingError, match=r"line 250002, column acc_y_g: 'x' is not a number"):
        read_recording(path)


@pytest.mark.parametrize("name", ["bad.parquet", "bad.csv.gz"])
def test_garbage_bytes_are_refused(tmp_path: Path, name: str) -> None:
    """A file that is not what its name says is refused, never a traceback."""
    path = tmp_path / name
    path.write_bytes(b"\x93garbage\x00\x01")
    with pytest.raises(RecordingError, match=name):
        read_recording(path)


def test_truncated_gzip_is_refused(tmp_path: Path) -> None:
    """A download that broke off is refused."""
    whole = gzip.compress(f"{HEADER}\n{GOOD}".encode())
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(whole[:-6])
    with pytest.raises(RecordingError, match=r"cut\.csv\.gz"):
        read_recording(path)


def test_parquet_null_and_text_are_refused_with_row(tmp_path: Path) -> None:
    """A missing value in Parquet is named by row and column; a text column by its type."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"t_s": [0.0, 0.02, 0.04], "acc_x_g": [0.0, None, 0.0]}
    columns |= {"acc_y_g": [0.0] * 3, "acc_z_g": [1.0] * 3}
    pq.write_table(pa.table(columns), tmp_path / "null.parquet")
    with pytest.raises(RecordingError, match=r"row 2, column acc_x_g: no value"):
        read_recording(tmp_path / "null.parquet")
    pq.write_table(pa.table(columns | {"acc_x_g": ["a", "b", "c"]}), tmp_path / "text.parquet")
    with pytest.raises(RecordingError, match=r"column acc_x_g: .*not a number type"):
        read_recording(tmp_path / "text.parquet")
