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
from typing import Any, TypeVar

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
_ROWS_PER_BLOCK = 65_536


def read_recording(path: Path) -> Samples:
    """Read and check a recording.

    Raises RecordingError with file, line (or row) and column where there is one.
    """
    if not path.is_file():
        raise RecordingError(f"{path}: there is no such file")
    columns_of = _read_parquet if path.suffix.lower() in (".parquet", ".pq") else _read_csv
    return columns_of(path).samples()


class _Taken:
    """Blocks of columns, checked as they come and put in place; each value is touched once.

    Blocks stay in the processor's cache, which is what makes days of samples cheap.
    """

    def __init__(
        self, path: Path, names: Sequence[str], *, where: str, first: int, room: int = 0
    ) -> None:
        self._path, self._names, self._where, self._first = path, names, where, first
        self._n = 0
        room = max(room, 1)
        self._t_us = np.empty(room, np.int64)
        self._acc = np.empty((room, 3), np.float32)
        self._gyr = np.empty((room, 3), np.float32) if len(names) == 7 else None

    def take(self, columns: Sequence[NDArray[Any]]) -> None:
        """Take the next rows; columns in the order of the names."""
        t_s = np.asarray(columns[0], np.float64)
        for name, column in zip(self._names, columns, strict=True):
            finite = np.isfinite(column)
            if not finite.all():
                bad = int(np.flatnonzero(~finite)[0])
                raise RecordingError(
                    f"{self._at(bad)}, column {name}: {float(column[bad])} is not a finite "
                    "number; leave out rows without data (a gap is allowed)"
                )
        if t_s.size and np.abs(t_s[[0, -1]]).max() > 9e9:
            raise RecordingError(
                f"{self._at(0)}, column {TIME}: {t_s[0]!r} is too large for seconds; divide "
                "milliseconds by 1000 or nanoseconds by 1e9"
            )
        end = self._n + t_s.shape[0]
        self._make_room(end)
        t_us = self._t_us[self._n : end]
        t_us[:] = np.rint(t_s * 1e6)
        self._check_order(t_s, t_us)
        for i in range(3):
            self._acc[self._n : end, i] = columns[1 + i]
            if self._gyr is not None:
                self._gyr[self._n : end, i] = columns[4 + i]
        self._n = end

    def samples(self) -> Samples:
        """Everything that was taken, with the checks that need the whole recording."""
        if not self._n:
            raise RecordingError(
                f"{self._path}: the recording is empty: it needs a header and data rows"
            )
        if self._n < 2:
            raise RecordingError(
                f"{self._path}: a single sample is no recording; at least two are needed"
            )
        t_us, acc = self._t_us[: self._n], self._acc[: self._n]
        _check_unit(self._path, acc)
        _check_rate(self._path, t_us)
        t_us *= MICROSECOND_NS
        gyr = None if self._gyr is None else self._gyr[: self._n]
        return Samples(t_ns=t_us, acc_g=acc, gyr_dps=gyr)

    def _make_room(self, wanted: int) -> None:
        """A file that does not say its length grows by half at a time."""
        room = self._t_us.shape[0]
        if wanted <= room:
            return
        room = max(wanted, room + room // 2)
        self._t_us = _longer(self._t_us, room)
        self._acc = _longer(self._acc, room)
        if self._gyr is not None:
            self._gyr = _longer(self._gyr, room)

    def _check_order(self, t_s: NDArray[np.float64], t_us: NDArray[np.int64]) -> None:
        late = t_us[1:] <= t_us[:-1]
        if self._n and t_us.size and t_us[0] <= self._t_us[self._n - 1]:
            row, before = 0, float(self._t_us[self._n - 1]) / 1e6
        elif late.any():
            row = int(np.flatnonzero(late)[0]) + 1
            before = float(t_s[row - 1])
        else:
            return
        raise RecordingError(
            f"{self._at(row)}, column {TIME}: time does not increase ({before!r} then "
            f"{float(t_s[row])!r}); sort the rows and remove repeated ones"
        )

    def _at(self, row: int) -> str:
        return f"{self._path}, {self._where} {self._n + row + self._first}"


_Array = TypeVar("_Array", bound=NDArray[Any])


def _longer(values: _Array, room: int) -> _Array:
    out = np.empty((room, *values.shape[1:]), values.dtype)
    out[: values.shape[0]] = values
    return out  # type: ignore[return-value]  # same kind of array


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
    step = max(1, (t_us.shape[0] - 1) // 100_000)
    fs_hz = 1e6 / float(np.median(t_us[1::step] - t_us[:-1:step]))
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


def _read_parquet(path: Path) -> _Taken:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            f"{path}: reading Parquet needs pyarrow; install backstay[parquet] or give a CSV file"
        ) from error
    try:
        file = pq.ParquetFile(path, memory_map=True)
        schema = file.schema_arrow
        names = _pick(path, schema.names)
        for name in names:
            kind = schema.field(name).type
            if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
                raise RecordingError(f"{path}, column {name}: {kind} is not a number type")
        taken = _Taken(path, names, where="row", first=1, room=file.metadata.num_rows)
        row = 1
        for batch in file.iter_batches(_ROWS_PER_BLOCK, columns=names, use_threads=False):
            columns = [batch.column(name) for name in names]
            for name, column in zip(names, columns, strict=True):
                if column.null_count:
                    lost = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
                    raise RecordingError(
                        f"{path}, row {row + lost}, column {name}: no value; leave out rows "
                        "without data (a gap is allowed)"
                    )
            taken.take([column.to_numpy(zero_copy_only=False) for column in columns])
            row += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordingError(
            f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})"
        ) from error
    return taken


def _read_csv(path: Path) -> _Taken:
    try:
        with _open_text(path) as file:
            header = [h.strip() for h in file.readline().strip("\ufeff\r\n").split(",")]
            if header == [""]:
                raise RecordingError(f"{path}: the file is empty: it needs a header and data rows")
            names = _pick(path, header)
            index = [header.index(n) for n in names]
            taken = _Taken(path, names, where="line", first=2)  # line 1 is the header
            line = 2
            while lines := file.readlines(_ROWS_PER_BLOCK * 60):
                table = _parse(path, lines, header, index, line)
                taken.take([table[:, i] for i in range(len(names))])
                line += len(lines)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: not a readable text file ({error})") from error
    return taken


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
