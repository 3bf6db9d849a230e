# SPDX-License-Identifier: Apache-2.0
"""Recordings from files: CSV (.gz allowed) or Parquet in, samples out; every fault named exactly.

Columns: `t_s, acc_x_g, acc_y_g, acc_z_g` and optionally `gyr_x_dps, gyr_y_dps, gyr_z_dps`; other
columns are left alone. `t_s` is seconds, relative or Unix UTC, strictly increasing. Rows are never
skipped in silence: a value that is no number is refused with file, line and column.
"""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.errors import RecordingError, UsageError
from tracker.model import MICROSECOND_NS, SECOND_NS, Samples
from tracker.units import G_MS2

TIME = "t_s"
ACC = ("acc_x_g", "acc_y_g", "acc_z_g")
GYR = ("gyr_x_dps", "gyr_y_dps", "gyr_z_dps")
RATE_HZ = (3.0, 200.0)
# Clocks of cheap sensors are off by a few percent; a nominal 3 or 200 Hz is still one.
RATE_TOLERANCE = 0.06
# Nobody's median specific force over a recording is 3 g; in m/s2 it is about 9.8.
MEDIAN_ACC_MAX_G = 3.0
_ROWS_PER_BLOCK = 200_000


def read_recording(path: Path) -> Samples:
    """Read and check a recording.

    Raises RecordingError with file, line (or row) and column where there is one.
    """
    if not path.is_file():
        raise RecordingError(f"{path}: there is no such file")
    if path.suffix.lower() in (".parquet", ".pq"):
        names, columns = _read_parquet(path)
        where = "row"
        first = 1
    else:
        names, columns = _read_csv(path)
        where = "line"
        first = 2  # line 1 is the header
    return _samples(path, names, columns, where=where, first=first)


def _samples(
    path: Path, names: Sequence[str], columns: list[NDArray[Any]], *, where: str, first: int
) -> Samples:
    t_s = columns[0]
    if t_s.shape[0] == 0:
        raise RecordingError(f"{path}: the recording is empty: it needs a header and data rows")
    for name, column in zip(names, columns, strict=True):
        # One pass: the sum is finite unless a value is not (or the sum of finite ones overflows).
        if not np.isfinite(column.sum(dtype=np.float64)):
            bad = np.flatnonzero(~np.isfinite(column))
            if bad.size:
                raise RecordingError(
                    f"{path}, {where} {int(bad[0]) + first}, column {name}: "
                    f"{float(column[bad[0]])} is not a finite number; leave out rows without data "
                    "(a gap is allowed)"
                )
    if np.abs(t_s[[0, -1]]).max() > 9e9:
        raise RecordingError(
            f"{path}, {where} {first}, column {TIME}: {t_s[0]!r} is too large for seconds; "
            "divide milliseconds by 1000 or nanoseconds by 1e9"
        )
    t_us = np.rint(t_s * 1e6).astype(np.int64)
    late = np.flatnonzero(np.diff(t_us) <= 0)
    if late.size:
        row = int(late[0]) + 1
        raise RecordingError(
            f"{path}, {where} {row + first}, column {TIME}: time does not increase "
            f"({t_s[row - 1]!r} then {t_s[row]!r}); sort the rows and remove repeated ones"
        )
    if t_s.shape[0] < 2:
        raise RecordingError(f"{path}: a single sample is no recording; at least two are needed")
    acc = np.column_stack([c.astype(np.float32, copy=False) for c in columns[1:4]])
    _check_unit(path, acc)
    _check_rate(path, t_us)
    gyr = None
    if len(columns) == 7:
        gyr = np.column_stack([c.astype(np.float32, copy=False) for c in columns[4:7]])
    return Samples(t_ns=t_us * MICROSECOND_NS, acc_g=acc, gyr_dps=gyr)


def _check_unit(path: Path, acc_g: NDArray[np.float32]) -> None:
    step = max(1, acc_g.shape[0] // 100_000)
    few = acc_g[::step].astype(np.float64)
    median = float(np.median(np.sqrt((few * few).sum(axis=1))))
    if median > MEDIAN_ACC_MAX_G:
        cure = (
            f"looks like m/s2: divide by {G_MS2}"
            if median < 40.0
            else "looks like raw counts or milli-g: convert to g"
        )
        raise RecordingError(f"{path}: median |acc| is {median:.1f} g; {cure}")


def _check_rate(path: Path, t_us: NDArray[np.int64]) -> None:
    step = np.diff(t_us)
    fs_hz = 1e6 / float(np.median(step))
    low, high = RATE_HZ[0] * (1 - RATE_TOLERANCE), RATE_HZ[1] * (1 + RATE_TOLERANCE)
    if not low <= fs_hz <= high:
        raise RecordingError(
            f"{path}: {fs_hz:.3g} samples a second; between {RATE_HZ[0]:.0f} and "
            f"{RATE_HZ[1]:.0f} are needed"
            + (": record faster" if fs_hz < low else ": reduce the rate to 100 Hz first")
        )


def _pick(path: Path, header: Sequence[str]) -> list[str]:
    """The needed columns, in our order; sentence for what is missing or repeated."""
    for name in (TIME, *ACC, *GYR):
        if list(header).count(name) > 1:
            raise RecordingError(f"{path}, line 1, column {name}: the column appears twice")
    missing = [n for n in (TIME, *ACC) if n not in header]
    if missing:
        raise RecordingError(
            f"{path}, line 1, column {missing[0]}: the column is missing; needed are "
            f"{', '.join((TIME, *ACC))}, found {', '.join(header) or 'nothing'}"
        )
    some = [n for n in GYR if n in header]
    if some and len(some) < 3:
        lost = next(n for n in GYR if n not in header)
        raise RecordingError(
            f"{path}, line 1, column {lost}: the column is missing; give all three gyr columns "
            "or none"
        )
    return [TIME, *ACC, *(GYR if some else ())]


def _read_parquet(path: Path) -> tuple[list[str], list[NDArray[Any]]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            f"{path}: reading Parquet needs pyarrow; install backstay[parquet] or give a CSV file"
        ) from error
    try:
        file = pq.ParquetFile(path, memory_map=True)
        names = _pick(path, file.schema_arrow.names)
        table = file.read(columns=names)
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordingError(
            f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})"
        ) from error
    columns = []
    for name in names:
        column = table.column(name)
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            raise RecordingError(f"{path}, column {name}: {column.type} is not a number type")
        if column.null_count:
            mask = column.is_null().to_numpy()
            raise RecordingError(
                f"{path}, row {int(np.flatnonzero(mask)[0]) + 1}, column {name}: no value; leave "
                "out rows without data (a gap is allowed)"
            )
        values = column.to_numpy()
        columns.append(values.astype(np.float64, copy=False) if name == TIME else values)
    return names, columns


def _read_csv(path: Path) -> tuple[list[str], list[NDArray[Any]]]:
    try:
        with _open_text(path) as file:
            header = [h.strip() for h in file.readline().strip("\ufeff\r\n").split(",")]
            if header == [""]:
                raise RecordingError(f"{path}: the file is empty: it needs a header and data rows")
            names = _pick(path, header)
            index = [header.index(n) for n in names]
            blocks: list[NDArray[np.float64]] = []
            line = 2
            while lines := file.readlines(_ROWS_PER_BLOCK * 60):
                blocks.append(_parse(path, lines, header, index, line))
                line += len(lines)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: not a readable text file ({error})") from error
    if not blocks:
        return names, [np.empty(0) for _ in names]
    table = np.concatenate(blocks)
    return names, [np.ascontiguousarray(table[:, i]) for i in range(len(names))]


def _open_text(path: Path) -> io.TextIOBase:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline=None)
    return path.open(encoding="utf-8", newline=None)


def _parse(
    path: Path, lines: list[str], header: list[str], index: list[int], first: int
) -> NDArray[np.float64]:
    """Fast for good rows; a fault is found again slowly, to name its line and column."""
    try:
        if any(not text.strip() for text in lines):
            raise ValueError("blank line")  # noqa: TRY301 - found again below with its number
        return np.loadtxt(lines, delimiter=",", usecols=index, ndmin=2, comments=None)
    except ValueError:
        pass
    for number, text in enumerate(lines, start=first):
        cells = text.rstrip("\r\n").split(",")
        if len(cells) != len(header):
            what = "the line is blank" if not text.strip() else f"{len(cells)} values"
            raise RecordingError(f"{path}, line {number}: {what}, {len(header)} are needed")
        for i in index:
            try:
                float(cells[i])
            except ValueError as error:
                raise RecordingError(
                    f"{path}, line {number}, column {header[i]}: {cells[i]!r} is not a number"
                ) from error
    raise RecordingError(f"{path}, lines {first}-{first + len(lines) - 1}: not readable as CSV")


def write_recording(path: Path, samples: Samples) -> None:
    """Write samples so that reading them back gives the same samples, bit for bit."""
    names = [TIME, *ACC, *(GYR if samples.gyr_dps is not None else ())]
    parts = [samples.acc_g] if samples.gyr_dps is None else [samples.acc_g, samples.gyr_dps]
    if path.suffix.lower() in (".parquet", ".pq"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrays = [samples.t_ns / SECOND_NS, *(p[:, i] for p in parts for i in range(3))]
        pq.write_table(pa.table(dict(zip(names, arrays, strict=True))), path, compression="zstd")
        return
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        file.write(",".join(names) + "\n")
        rows = np.concatenate(parts, axis=1)
        for t_ns, row in zip(samples.t_ns.tolist(), rows, strict=True):
            sign, whole = ("-", -t_ns) if t_ns < 0 else ("", t_ns)
            seconds, rest = divmod(whole, SECOND_NS)
            # 9 significant digits bring every float32 back exactly.
            values = ",".join(f"{v:.9g}" for v in row.tolist())
            file.write(f"{sign}{seconds}.{rest // MICROSECOND_NS:06d},{values}\n")
