# SPDX-License-Identifier: Apache-2.0
"""Tables of arrays that everything shares, samples and epochs; import them from `tracker.model`.

Units, frame and codes are those of `tracker.model`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Motion samples of one sensor, in the sensor's own frame, with fitted UTC.

    t_ns     (n,) int64, strictly increasing, whole microseconds
    acc_g    (n, 3) float32, specific force in g
    gyr_dps  (n, 3) float32 in deg/s, or None where the sensor has no gyro
    """

    t_ns: NDArray[np.int64]
    acc_g: NDArray[np.float32]
    gyr_dps: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return int(self.t_ns.shape[0])

    def __getitem__(self, key: slice) -> "Samples":
        gyr = None if self.gyr_dps is None else self.gyr_dps[key]
        return Samples(t_ns=self.t_ns[key], acc_g=self.acc_g[key], gyr_dps=gyr)

    @staticmethod
    def concat(parts: Sequence["Samples"]) -> "Samples":
        """Join consecutive blocks; the gyro survives only where every block has it."""
        gyrs = [p.gyr_dps for p in parts if p.gyr_dps is not None]
        return Samples(
            t_ns=np.concatenate([p.t_ns for p in parts]),
            acc_g=np.concatenate([p.acc_g for p in parts]),
            gyr_dps=np.concatenate(gyrs) if len(gyrs) == len(parts) else None,
        )

    @staticmethod
    def empty(gyro: bool = False) -> "Samples":
        """No samples."""
        none = np.empty((0, 3), np.float32)
        return Samples(
            t_ns=np.empty(0, np.int64), acc_g=none, gyr_dps=none.copy() if gyro else None
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Epochs:
    """A table of epochs, one array per column, all of length n, sorted by `start_ns`.

    start_ns    int64, multiple of EPOCH_NS in the time base of the samples
    state       uint8, codes of :class:`State`
    confidence  float32 0..1, resolution 0.01: calibrated probability that `state` is right
    trunk       uint8, codes of :class:`Trunk`; holds for this epoch alone (no dwell)
    slouch      uint8 0/1; holds for this epoch alone, whatever the state
    tilt_deg    float32, forward positive, 0.1 deg; NaN where unknown
    side_deg    float32, right positive, 0.1 deg; NaN where unknown
    slump_pct   float32, 1 %, clipped -50..150; NaN where the place or the poses do not allow it
    move_mg     float32, 0.1 mg, mean absolute deviation of |acc| from its own mean
    exercise    uint8, codes of :class:`Exercise`
    worn        uint8 0/1
    valid       float32 0..1, resolution 0.01: fraction of the epoch that has samples
    algo        name, version and parameter hash of what made them
    """

    start_ns: NDArray[np.int64]
    state: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    trunk: NDArray[np.uint8]
    slouch: NDArray[np.uint8]
    tilt_deg: NDArray[np.float32]
    side_deg: NDArray[np.float32]
    slump_pct: NDArray[np.float32]
    move_mg: NDArray[np.float32]
    exercise: NDArray[np.uint8]
    worn: NDArray[np.uint8]
    valid: NDArray[np.float32]
    algo: str = ""

    def __len__(self) -> int:
        return int(self.start_ns.shape[0])

    def __getitem__(self, key: "slice | NDArray[np.bool_] | NDArray[np.intp]") -> "Epochs":
        return Epochs(**{c: getattr(self, c)[key] for c in EPOCH_COLUMNS}, algo=self.algo)

    def equals(self, other: "Epochs") -> bool:
        """Whether every column is equal (NaN equals NaN)."""
        return len(self) == len(other) and all(
            np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
            for a, b in ((getattr(self, c), getattr(other, c)) for c in EPOCH_COLUMNS)
        )

    @staticmethod
    def concat(parts: Sequence["Epochs"]) -> "Epochs":
        """Join consecutive tables; `algo` is that of the last non-empty one."""
        full = [p for p in parts if len(p)]
        if not full:
            return Epochs.empty()
        return Epochs(
            **{c: np.concatenate([getattr(p, c) for p in full]) for c in EPOCH_COLUMNS},
            algo=full[-1].algo,
        )

    @staticmethod
    def empty() -> "Epochs":
        """No epochs."""
        columns: dict[str, Any] = {c: np.empty(0, d) for c, d in EPOCH_DTYPES.items()}
        return Epochs(**columns)


EPOCH_DTYPES: dict[str, type] = {
    "start_ns": np.int64,
    "state": np.uint8,
    "confidence": np.float32,
    "trunk": np.uint8,
    "slouch": np.uint8,
    "tilt_deg": np.float32,
    "side_deg": np.float32,
    "slump_pct": np.float32,
    "move_mg": np.float32,
    "exercise": np.uint8,
    "worn": np.uint8,
    "valid": np.float32,
}
EPOCH_COLUMNS = tuple(EPOCH_DTYPES)
# One step of the last digit that is kept; stores keep value / resolution as an integer.
EPOCH_RESOLUTION = {
    "confidence": 0.01,
    "tilt_deg": 0.1,
    "side_deg": 0.1,
    "slump_pct": 1.0,
    "move_mg": 0.1,
    "valid": 0.01,
}
assert tuple(f.name for f in fields(Epochs))[:-1] == EPOCH_COLUMNS  # noqa: S101 - one list, twice
