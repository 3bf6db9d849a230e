# SPDX-License-Identifier: Apache-2.0
"""Recordings from files: CSV (.gz allowed) or Parquet in, samples out; every fault named exactly.

Columns: `t_s, acc_x_g, acc_y_g, acc_z_g` and optionally `gyr_x_dps, gyr_y_dps, gyr_z_dps`; other
columns are left alone. `t_s` is seconds, relative or Unix UTC, strictly increasing. Rows are never
skipped in silence: a value that is no number is refused with file, line and column.

A recording is read block by block, so that months need no more memory than an hour.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tracker.errors import RecordingError
from tracker.model import MICROSECOND_NS, SECOND_NS, Samples
from tracker.recording_checks import Checks
from tracker.recording_files import ACC, GYR, TIME, columns_of

__all__ = ["ACC", "GYR", "TIME", "Recording", "read_recording", "write_recording"]


class Recording:
    """A file that can be read more than once; `span_ns` is known after it was read to its end."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise RecordingError(f"{path}: there is no such file")
        self.path = path
        self.span_ns: tuple[int, int] | None = None

    def blocks(self) -> Iterator[Samples]:
        """Checked blocks of some minutes, in order.

        Raises RecordingError with file, line (or row) and column where there is one; what only the
        whole recording shows (unit, rate, length) is raised after the last block.
        """
        checks = Checks(self.path)
        first_ns: int | None = None
        last_ns = 0
        for columns in columns_of(self.path):
            samples = checks.take(columns)
            if len(samples):
                first_ns = int(samples.t_ns[0]) if first_ns is None else first_ns
                last_ns = int(samples.t_ns[-1])
                yield samples
        checks.end()
        if first_ns is not None:
            self.span_ns = (first_ns, last_ns)


def read_recording(path: Path) -> Samples:
    """A whole recording in memory, checked. Raises RecordingError as `Recording.blocks` does."""
    blocks = list(Recording(path).blocks())
    n = sum(len(b) for b in blocks)
    gyro = blocks[0].gyr_dps is not None
    whole = Samples(
        t_ns=np.empty(n, np.int64),
        acc_g=np.empty((n, 3), np.float32),
        gyr_dps=np.empty((n, 3), np.float32) if gyro else None,
    )
    a = 0
    for i, block in enumerate(blocks):
        place = whole[a : a + len(block)]
        place.t_ns[:], place.acc_g[:] = block.t_ns, block.acc_g
        if place.gyr_dps is not None and block.gyr_dps is not None:
            place.gyr_dps[:] = block.gyr_dps
        a += len(block)
        blocks[i] = Samples.empty()  # so that it is never there twice
    return whole


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
