# SPDX-License-Identifier: Apache-2.0
"""CSV and Parquet files as blocks of columns; what is no number is refused with its place."""

import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.errors import RecordingError, UsageError

TIME = "t_s"
ACC = ("acc_x_g", "acc_y_g", "acc_z_g")
GYR = ("gyr_x_dps", "gyr_y_dps", "gyr_z_dps")
# Twenty minutes at 50 Hz: large enough for the chain, small enough that the allocator does not give
# the arrays back to the system and fetch them again for every block.
ROWS_PER_BLOCK = 60_000
_CSV_BYTES = 4_000_000
_PARQUET_BUFFER = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """A block of rows: `values` one array per name; the first of them is `where` number `first`."""

    names: tuple[str, ...]
    values: tuple[NDArray[Any], ...]
    where: str
    first: int

    def __len__(self) -> int:
        return int(self.values[0].shape[0])


def columns_of(path: Path) -> Iterator[Columns]:
    """Blocks of the needed columns, time first. Raises RecordingError."""
    parquet = path.suffix.lower() in (".parquet", ".pq")
    return _parquet(path) if parquet else _csv(path)


def _pick(path: Path, header: Sequence[str]) -> tuple[str, ...]:
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
    return (TIME, *ACC, *(GYR if some else ()))


def _parquet(path: Path) -> Iterator[Columns]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            f"{path}: reading Parquet needs pyarrow; install backstay[parquet] or give a CSV file"
        ) from error
    try:
        # Read page by page: a mapped file or a whole row group would count as memory in use.
        with pq.ParquetFile(path, buffer_size=_PARQUET_BUFFER, pre_buffer=False) as file:
            schema = file.schema_arrow
            names = _pick(path, schema.names)
            for name in names:
                kind = schema.field(name).type
                if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
                    raise RecordingError(f"{path}, column {name}: {kind} is not a number type")
            row = 1
            for batch in file.iter_batches(ROWS_PER_BLOCK, columns=names, use_threads=False):
                columns = [batch.column(name) for name in names]
                for name, column in zip(names, columns, strict=True):
                    if column.null_count:
                        raise RecordingError(
                            f"{path}, row {row + _first_null(column)}, column {name}: no value; "
                            "leave out rows without data (a gap is allowed)"
                        )
                values = tuple(_numbers(column) for column in columns)
                yield Columns(names=names, values=values, where="row", first=row)
                row += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordingError(
            f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})"
        ) from error


def _first_null(column: Any) -> int:
    return next(i for i, value in enumerate(column) if not value.is_valid)


def _numbers(column: Any) -> NDArray[Any]:
    """An Arrow array without nulls, not copied (its own conversion imports pandas)."""
    values = np.frombuffer(column.buffers()[1], column.type.to_pandas_dtype())
    return values[column.offset : column.offset + len(column)]


def _csv(path: Path) -> Iterator[Columns]:
    try:
        with _open_text(path) as file:
            header = [h.strip() for h in file.readline().strip("\ufeff\r\n").split(",")]
            if header == [""]:
                raise RecordingError(f"{path}: the file is empty: it needs a header and data rows")
            names = _pick(path, header)
            index = [header.index(n) for n in names]
            line = 2  # line 1 is the header
            while lines := file.readlines(_CSV_BYTES):
                table = _parse(path, lines, header, index, line)
                yield Columns(names=names, values=tuple(table.T), where="line", first=line)
                line += len(lines)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: not a readable text file ({error})") from error


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
