# SPDX-License-Identifier: Apache-2.0
"""What everything downstream of the grid works on: blocks of 2.5 s at 50 Hz in body axes.

Blocks are aligned to absolute time, so the same numbers come out however the stream was split.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FS_HZ = 50.0
STEP_NS = 20_000_000
BLOCK_N = 125
BLOCK_NS = BLOCK_N * STEP_NS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyBlock:
    """Consecutive samples in body axes on the 50 Hz grid, as the exercises get them.

    t0_ns         time of the first row
    acc_body_g    (n, 3) float32, forward, left, up; g
    gyr_body_dps  (n, 3) float32, deg/s, or None
    valid         (n,) bool: False where no sample was near (values there are held)
    source_fs_hz  rate of the sensor before gridding; 0 where unknown
    """

    t0_ns: int
    acc_body_g: NDArray[np.float32]
    gyr_body_dps: NDArray[np.float32] | None
    valid: NDArray[np.bool_]
    source_fs_hz: float
    fs_hz: float = FS_HZ


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """Blocks of 2.5 s, channel-major.

    index   (n,) int64: block number; block i starts at i * 2.5 s
    values  (c, n, 125) float32: acc forward, left, up in g, then gyro in deg/s where there is one
    valid   (n, 125) bool
    fs_hz   rate of the sensor
    """

    index: NDArray[np.int64]
    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    fs_hz: float

    def __len__(self) -> int:
        return int(self.index.shape[0])

    def join(self, later: "Blocks") -> "Blocks":
        """These blocks and later ones."""
        if not len(self):
            return later
        if not len(later):
            return replace(self, fs_hz=later.fs_hz or self.fs_hz)
        return Blocks(
            index=np.concatenate([self.index, later.index]),
            values=np.concatenate([self.values, later.values], axis=1),
            valid=np.concatenate([self.valid, later.valid]),
            fs_hz=later.fs_hz or self.fs_hz,
        )

    def runs(self) -> list[BodyBlock]:
        """The same as stretches of consecutive blocks for the exercises."""
        if not len(self):
            return []
        cuts = np.flatnonzero(np.diff(self.index) != 1) + 1
        edges = [0, *cuts.tolist(), len(self)]
        runs = []
        for a, b in pairwise(edges):
            flat = self.values[:, a:b].reshape(self.values.shape[0], -1)
            runs.append(
                BodyBlock(
                    t0_ns=int(self.index[a]) * BLOCK_NS,
                    acc_body_g=flat[:3].T,
                    gyr_body_dps=flat[3:].T if flat.shape[0] == 6 else None,
                    valid=self.valid[a:b].reshape(-1),
                    source_fs_hz=self.fs_hz,
                )
            )
        return runs


def no_blocks(channels: int = 0, fs_hz: float = 0.0) -> Blocks:
    """Nothing."""
    return Blocks(
        index=np.empty(0, np.int64),
        values=np.empty((channels, 0, BLOCK_N), np.float32),
        valid=np.empty((0, BLOCK_N), np.bool_),
        fs_hz=fs_hz,
    )
