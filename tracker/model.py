# SPDX-License-Identifier: Apache-2.0
"""The data that everything shares: samples, epochs, transitions, sets, gaps.

Conventions (all of the project):

* time is `int` nanoseconds UTC (`_ns`); sample times are whole microseconds, so that a recording
  written as decimal seconds and read back is the same recording;
* body frame X forward, Y left, Z up, right-handed; acceleration in g pointing *up* at rest;
  forward lean is positive (`tilt_deg`), lean to the right is positive (`side_deg`); deg/s;
* epochs are 5 s long, aligned to multiples of 5 s;
* fixed resolutions are applied where an epoch is made, so every store returns the same numbers:
  angles 0.1 deg, movement 0.1 mg, slump 1 %, confidence and valid fraction 0.01.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

SECOND_NS = 1_000_000_000
MICROSECOND_NS = 1_000
EPOCH_S = 5
EPOCH_NS = EPOCH_S * SECOND_NS


class _Named(IntEnum):
    @property
    def label(self) -> str:
        """The lower-case name used in tables, files and texts."""
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> "_Named":
        """The member with this label."""
        return cls[label.upper()]


class State(_Named):
    """What an epoch is; one per epoch. Codes are stored: never renumber."""

    UNKNOWN = 0
    NOT_WORN = 1
    LYING = 2
    SITTING = 3
    SLOUCHING = 4
    STANDING = 5
    WALKING = 6
    EXERCISE = 7


class Trunk(_Named):
    """The pose of the trunk in one epoch, whatever the state."""

    UNKNOWN = 0
    UPRIGHT = 1
    SLUMPED = 2
    FORWARD = 3
    BACK = 4
    LEFT = 5
    RIGHT = 6


class Exercise(_Named):
    """Core exercises; 0 is none. Codes are stored: never renumber."""

    NONE = 0
    CURL_UP = 1
    SIT_UP = 2
    PLANK = 3
    SIDE_PLANK = 4
    GLUTE_BRIDGE = 5
    BIRD_DOG = 6
    DEAD_BUG = 7
    BACK_EXTENSION = 8
    SQUAT = 9
    CAT_COW = 10
    HIP_HINGE = 11
    LATERAL_FLEXION = 12
    TRUNK_ROTATION = 13
    BURPEE = 14
    OTHER = 15


class Placement(StrEnum):
    """Where the sensor sits. `UNKNOWN` falls back to rules and promises less."""

    UPPER_BACK = "upper-back"
    LOWER_BACK = "lower-back"
    CHEST = "chest"
    WAIST = "waist"
    UNKNOWN = "unknown"


class Pose(StrEnum):
    """Poses a wearer can be asked for; the names of `--pose`."""

    STANDING = "standing"
    WALKING = "walking"
    SITTING_TALL = "sitting_tall"
    SITTING_SLUMPED = "sitting_slumped"
    LYING = "lying"
    BEND = "bend"


class TransitionKind(StrEnum):
    """Changes of posture that are events of their own."""

    SIT_TO_STAND = "sit_to_stand"
    STAND_TO_SIT = "stand_to_sit"
    LIE_TO_SIT = "lie_to_sit"
    SIT_TO_LIE = "sit_to_lie"


class GapReason(StrEnum):
    """Why there are no samples. A gap is a result: shown, counted, left out of denominators."""

    LINK_LOST = "link_lost"
    OUT_OF_REACH = "out_of_reach"
    SENSOR_OFF = "sensor_off"
    ADAPTER_OFF = "adapter_off"
    QUEUE_FULL = "queue_full"
    PACKET_LOSS = "packet_loss"
    COLLECTOR_DOWN = "collector_down"
    STORE_FULL = "store_full"
    CLOCK_JUMP = "clock_jump"
    BAD_DATA = "bad_data"
    NOT_RECORDED = "not_recorded"


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
        return replace(self, **{c: getattr(self, c)[key] for c in EPOCH_COLUMNS})

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of posture: when it happened (middle of the movement) and how sure it is, 0..1."""

    at_ns: int
    kind: TransitionKind
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseSet:
    """A set of repetitions or a hold. `confidence` is "high", "medium" or "low"."""

    start_ns: int
    end_ns: int
    exercise: Exercise
    reps: int
    hold_s: float
    confidence: str
    source: str = "sensor"  # "user" once a person confirmed or corrected it


@dataclass(frozen=True, slots=True, kw_only=True)
class Bout:
    """A stretch of one state. Censored: its beginning or end was not seen."""

    start_ns: int
    end_ns: int
    state: State
    censored: bool = False

    @property
    def minutes(self) -> float:
        """Length in minutes."""
        return (self.end_ns - self.start_ns) / (60 * SECOND_NS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch without samples and the reason."""

    start_ns: int
    end_ns: int
    reason: GapReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What a live page shows of one wearer and placement; one row, replaced once a second.

    `provisional` is true until the label of the newest epoch is settled. `link` is one of
    "streaming", "connecting", "lost", "out_of_reach", "sensor_off", "demo". `trace` holds the tilt
    of the last 60 s at 1 Hz (NaN where missing), newest last.
    """

    at_ns: int
    state: State
    since_ns: int
    confidence: float
    provisional: bool
    tilt_deg: float
    side_deg: float
    slump_pct: float
    link: str
    battery_pct: int | None = None
    rssi_dbm: int | None = None
    loss_pct: float = 0.0
    reconnects: int = 0
    drift_ppm: float = 0.0
    sensor: str = ""
    trace: tuple[float, ...] = ()
