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

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from tracker.model_tables import (
    EPOCH_COLUMNS,
    EPOCH_DTYPES,
    EPOCH_RESOLUTION,
    Epochs,
    Samples,
)

__all__ = [
    "EPOCH_COLUMNS",
    "EPOCH_DTYPES",
    "EPOCH_NS",
    "EPOCH_RESOLUTION",
    "EPOCH_S",
    "MICROSECOND_NS",
    "SECOND_NS",
    "Bout",
    "Epochs",
    "Exercise",
    "ExerciseSet",
    "Gap",
    "GapReason",
    "Live",
    "Placement",
    "Pose",
    "Samples",
    "State",
    "Transition",
    "TransitionKind",
    "Trunk",
]

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
