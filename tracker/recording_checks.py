# SPDX-License-Identifier: Apache-2.0
"""What a recording must hold to be analysed: numbers, time that increases, g, a rate we know."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.errors import RecordingError
from tracker.model import MICROSECOND_NS, Samples
from tracker.recording_files import TIME, Columns
from tracker.units import G_MS2

RATE_HZ = (3.0, 200.0)
# Clocks of cheap sensors are off by a few percent; a nominal 3 or 200 Hz is still one.
RATE_TOLERANCE = 0.06
# Nobody's median specific force over a recording is 3 g; in m/s2 it is about 9.8.
MEDIAN_ACC_MAX_G = 3.0
MOST_SECONDS = 9e9
_FEW = 100_000  # rows that stand for all in a median


class Checks:
    """Takes blocks in order; remembers what the whole recording is judged by."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = 0
        self._last_us = 0
        self._size_g, self._step_us = Sample(_size), Sample(_steps)

    def take(self, columns: Columns) -> Samples:
        """Samples of a block. Raises RecordingError with the place of the first fault."""
        self._check_finite(columns, 0, columns.values[0])
        t_us = self._times(columns)
        n = len(columns)
        values = np.empty((len(columns.values) - 1, n), np.float32)
        with np.errstate(over="ignore"):  # what does not fit is refused
            for i, column in enumerate(columns.values[1:]):
                values[i] = column
                self._check_finite(columns, 1 + i, values[i])
        if n:
            self._size_g.take(values[:3])
            self._step_us.take(t_us)
            self._last_us = int(t_us[-1])
            self._rows += n
        t_us *= MICROSECOND_NS
        # Transposed, not copied: the grid wants channels one after another again.
        gyr = values[3:].T if len(values) == 6 else None
        return Samples(t_ns=t_us, acc_g=values[:3].T, gyr_dps=gyr)

    def end(self) -> None:
        """What the whole recording shows. Raises RecordingError with the cure."""
        if not self._rows:
            raise RecordingError(
                f"{self._path}: the recording is empty: it needs a header and data rows"
            )
        if self._rows < 2:
            raise RecordingError(
                f"{self._path}: a single sample is no recording; at least two are needed"
            )
        self._check_unit()
        self._check_rate()

    def _check_finite(self, columns: Columns, i: int, values: NDArray[np.floating]) -> None:
        finite = np.isfinite(values)
        if finite.all():
            return
        bad = int(np.flatnonzero(~finite)[0])
        given = float(columns.values[i][bad])
        why = (
            "too large for a measurement"
            if np.isfinite(given)
            else "not a finite number; leave out rows without data (a gap is allowed)"
        )
        raise RecordingError(
            f"{self._at(columns, bad)}, column {columns.names[i]}: {given} is {why}"
        )

    def _times(self, columns: Columns) -> NDArray[np.int64]:
        """Whole microseconds."""
        t_s = np.asarray(columns.values[0], np.float64)
        if t_s.size and np.abs(t_s[[0, -1]]).max() > MOST_SECONDS:
            raise RecordingError(
                f"{self._at(columns, 0)}, column {TIME}: {t_s[0]!r} is too large for seconds; "
                "divide milliseconds by 1000 or nanoseconds by 1e9"
            )
        t_us = np.rint(t_s * 1e6).astype(np.int64)
        late = t_us[1:] <= t_us[:-1]
        if self._rows and t_us.size and t_us[0] <= self._last_us:
            row, before = 0, self._last_us / 1e6
        elif late.any():
            row = int(np.flatnonzero(late)[0]) + 1
            before = float(t_s[row - 1])
        else:
            return t_us
        raise RecordingError(
            f"{self._at(columns, row)}, column {TIME}: time does not increase ({before!r} then "
            f"{float(t_s[row])!r}); sort the rows and remove repeated ones"
        )

    def _at(self, columns: Columns, row: int) -> str:
        return f"{self._path}, {columns.where} {columns.first + row}"

    def _check_unit(self) -> None:
        median = self._size_g.median()
        if median > MEDIAN_ACC_MAX_G:
            if self._size_g.quantile(0.1) <= MEDIAN_ACC_MAX_G:
                cure = "part of it is in g: cut out what is saturated or in another unit"
            elif median < 40.0:
                cure = f"looks like m/s2: divide by {G_MS2}"
            else:
                cure = "looks like raw counts or milli-g: convert to g"
            raise RecordingError(f"{self._path}: median |acc| is {median:.1f} g; {cure}")

    def _check_rate(self) -> None:
        fs_hz = 1e6 / self._step_us.median()
        low, high = RATE_HZ[0] * (1 - RATE_TOLERANCE), RATE_HZ[1] * (1 + RATE_TOLERANCE)
        if not low <= fs_hz <= high:
            raise RecordingError(
                f"{self._path}: {fs_hz:.3g} samples a second; between {RATE_HZ[0]:.0f} and "
                f"{RATE_HZ[1]:.0f} are needed"
                + (": record faster" if fs_hz < low else ": reduce the rate to 100 Hz first")
            )


class Sample:
    """A measure of every k-th row of a stream; k doubles whenever there are too many to keep."""

    def __init__(self, measure: Callable[[NDArray[Any], slice], NDArray[Any]]) -> None:
        self._measure = measure
        self._every, self._skip = 1, 0
        self._parts: list[NDArray[np.float64]] = []
        self._kept = 0

    def take(self, values: NDArray[Any]) -> None:
        """The next rows (..., n), of which `measure` makes what is kept."""
        part = self._measure(values, slice(self._skip, None, self._every)).astype(np.float64)
        self._skip = (self._skip - values.shape[-1]) % self._every
        self._parts.append(part)
        self._kept += part.shape[0]
        while self._kept > 2 * _FEW:
            kept = np.concatenate(self._parts)
            # The next value to keep lies `_skip` further on; keep the phase of the coarser step.
            if kept.shape[0] % 2:
                self._skip += self._every
            self._parts, self._every = [kept[::2]], 2 * self._every
            self._kept = self._parts[0].shape[0]

    def median(self) -> float:
        """Median of what was kept; 0 where there is nothing."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float:
        """The value below which this share of what was kept lies; 0 where there is nothing."""
        return float(np.quantile(np.concatenate(self._parts), share)) if self._kept else 0.0


def _steps(t_us: NDArray[Any], rows: slice) -> NDArray[Any]:
    here = t_us[:-1][rows]
    return np.asarray(t_us[1:][rows] - here)


def _size(values: NDArray[Any], rows: slice) -> NDArray[Any]:
    x, y, z = values[:, rows]
    with np.errstate(over="ignore"):  # infinite is over the limit too
        return np.asarray(np.sqrt(x * x + y * y + z * z))
