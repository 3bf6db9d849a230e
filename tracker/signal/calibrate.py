# SPDX-License-Identifier: Apache-2.0
"""From the sensor's frame to the wearer's: axes, mounting, reference poses.

Sources: neutral pose -> up, walking gravity as the upright reference (Vaha-Ypya 2018, doi
10.1111/sms.13017), sagittal plane as the main direction of movement (Kong 2016, Sensors 16:2011).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tracker.errors import UsageError
from tracker.model import Placement, Pose, Samples
from tracker.signal.gather import Gathered, gather
from tracker.signal.survey import Survey

_BODY = {
    "forward": (1, 0, 0),
    "back": (-1, 0, 0),
    "left": (0, 1, 0),
    "right": (0, -1, 0),
    "up": (0, 0, 1),
    "down": (0, 0, -1),
}
Spans = Sequence[tuple[int, int]]
Row = tuple[float, float, float]
Rotation = tuple[Row, Row, Row]
WRONG_AXES_DEG = 60.0
# No sensor that is worn as stated slopes by more; a walk that says so was none, unless it was worn
# upside down.
SLOPE_MOST_DEG, UPSIDE_DOWN_DEG = 45.0, 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Which body direction each sensor axis points to."""

    x: str
    y: str
    z: str

    @staticmethod
    def parse(text: str) -> "Axes":
        """Read `x=up,y=left,z=back`; raises UsageError with the remedy."""
        parts = {k.strip(): v.strip() for k, _, v in (p.partition("=") for p in text.split(","))}
        if sorted(parts) != ["x", "y", "z"] or any(v not in _BODY for v in parts.values()):
            raise UsageError(
                f"--axes {text}: write x=...,y=...,z=... with {', '.join(sorted(_BODY))}"
            )
        axes = Axes(**parts)
        if round(float(np.linalg.det(axes.rotation()))) != 1:
            raise UsageError(
                f"--axes {text}: these directions do not make a right-handed frame; check the sign "
                "of one axis"
            )
        return axes

    def rotation(self) -> NDArray[np.float64]:
        """3x3: sensor -> body."""
        return np.array([_BODY[self.x], _BODY[self.y], _BODY[self.z]], np.float64).T


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How one sensor sits on one wearer, and what the wearer's own poses measure.

    rotation       3x3 rows, sensor -> body (acc_body = R @ ((acc - offset) * gain))
    tall_deg ...   tilt in the wearer's reference poses in that frame; NaN where not known
    method         what the frame was made from, newest last: "axes", "poses", "walking", ...
    warnings       one sentence each: wrong placement, upside down, dead axis
    """

    rotation: Rotation = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    offset_g: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tall_deg: float = math.nan
    tall_side_deg: float = math.nan
    slumped_deg: float = math.nan
    standing_deg: float = math.nan
    walking_deg: float = math.nan
    method: tuple[str, ...] = ()
    made_ns: int = 0
    quality: float = 0.0
    warnings: tuple[str, ...] = ()

    def matrix(self) -> NDArray[np.float32]:
        """The rotation as float32 array."""
        return np.array(self.rotation, np.float32)

    def to_json(self) -> str:
        """One line of JSON; NaN is null."""
        values = {
            k: None if isinstance(v, float) and math.isnan(v) else v
            for k, v in asdict(self).items()
        }
        return json.dumps(values, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of :meth:`to_json`."""
        values: dict[str, Any] = json.loads(text)
        for key, value in values.items():
            if value is None:
                values[key] = math.nan
            elif key == "rotation":
                values[key] = tuple(tuple(row) for row in value)
            elif isinstance(value, list):
                values[key] = tuple(value)
        return cls(**values)


def calibrate(
    samples: Samples,
    placement: Placement,
    axes: Axes | None = None,
    poses: Mapping[Pose, Spans] | None = None,
) -> Calibration:
    """The calibration of a recording from its axes, poses and movement; see :func:`calibrated`."""
    return calibrated(gather([samples], poses or {}), placement, axes)


def calibrated(seen: Gathered, placement: Placement, axes: Axes | None = None) -> Calibration:
    """The calibration that follows from what was gathered.

    Up is gravity in the poses, else in walking, else as the axes say, else in the most upright
    still stretch. Forward is as the axes say, else the direction of the bend, else the sagittal
    plane of movement, else the sensor's face (+z, away from the wearer). The gain is that of the
    still stretches: specific force at rest is 1 g.
    """
    survey = seen.survey()
    up = _pose_up(seen)
    source = "poses"
    if up is None and survey.walking is not None:
        up, source = survey.walking, "walking"
    if axes is not None:
        rotation, method, warnings = _stated(axes, up, source)
    else:
        if up is None:
            up, source = survey.upright(), "gravity"
        rotation, how = _found(survey, up, seen.pose(Pose.BEND), placement)
        method, warnings = [source, how], []
    if Pose.SITTING_TALL in seen.poses:
        turned = survey.lean(rotation)
        if turned is not None:
            rotation = turned
            method.append("lean")
    found = _pose_angles(seen, survey, rotation)
    return Calibration(
        rotation=_rows_of(rotation),
        gain=(survey.gain, survey.gain, survey.gain),
        tall_deg=found.get("tall", math.nan),
        tall_side_deg=found.get("tall_side", math.nan),
        slumped_deg=found.get("slumped", math.nan),
        standing_deg=found.get("standing", math.nan),
        walking_deg=found.get("walking", math.nan),
        method=tuple(method),
        made_ns=seen.last_ns,
        quality={"poses": 1.0, "walking": 0.8}.get(source, 0.5) if up is not None else 0.4,
        warnings=(*survey.warnings, *warnings),
    )


def _stated(
    axes: Axes, up: NDArray[np.float64] | None, source: str
) -> tuple[NDArray[np.float64], list[str], list[str]]:
    """The frame of stated axes, levelled where up is known; how, and what contradicts."""
    rotation = axes.rotation()
    if up is None:
        return rotation, ["axes"], []
    warnings = []
    tilted = math.degrees(math.acos(min(1.0, max(-1.0, _unit(rotation @ up)[2]))))
    if tilted > WRONG_AXES_DEG:
        warnings.append(
            f"the stated axes and gravity differ by {tilted:.0f} degrees: check the axes, or "
            "whether the sensor was worn upside down"
        )
    if source == "walking" and SLOPE_MOST_DEG < tilted < UPSIDE_DOWN_DEG:
        return rotation, ["axes"], warnings
    return _level(rotation @ up) @ rotation, ["axes", source], warnings


def _found(
    seen: Survey,
    up: NDArray[np.float64],
    bend: NDArray[np.float64] | None,
    placement: Placement,
) -> tuple[NDArray[np.float64], str]:
    """A frame without stated axes, and what forward was told by."""
    rotation = frame_from(up, placement)
    turned = _towards_bend(rotation, bend) if bend is not None else None
    if turned is not None:
        return turned, "bend"
    turned = seen.sagittal(rotation)
    return (rotation, "face") if turned is None else (turned, "sagittal")


def _pose_angles(seen: Gathered, survey: Survey, rotation: NDArray[np.float64]) -> dict[str, float]:
    found: dict[str, float] = {}
    for pose, name in (
        (Pose.SITTING_TALL, "tall"),
        (Pose.SITTING_SLUMPED, "slumped"),
        (Pose.STANDING, "standing"),
        (Pose.WALKING, "walking"),
    ):
        mean = seen.pose(pose)
        if mean is None and name == "walking":
            mean = survey.walking
        if mean is not None:
            found[name], found[f"{name}_side"] = tilt_of(rotation @ mean)
    return found


def tilt_of(body: NDArray[np.float64]) -> tuple[float, float]:
    """Forward tilt and side tilt (right positive) of a direction in body axes, degrees."""
    return (
        math.degrees(math.atan2(-body[0], body[2])),
        math.degrees(math.atan2(body[1], math.hypot(body[0], body[2]))),
    )


def _rows_of(rotation: NDArray[np.float64]) -> Rotation:
    a, b, c = rotation.tolist()
    return ((a[0], a[1], a[2]), (b[0], b[1], b[2]), (c[0], c[1], c[2]))


def _unit(v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(v / max(float(np.linalg.norm(v)), 1e-9))


def _towards_bend(
    rotation: NDArray[np.float64], bend: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Turn about up so that the bend leans forward: gravity moves to -x."""
    b = _unit(rotation @ bend)
    if math.hypot(b[0], b[1]) < 0.17:
        return None
    return _turn(math.atan2(-b[1], -b[0])) @ rotation


def _turn(angle: float) -> NDArray[np.float64]:
    """A turn of the frame by `angle` about up: the direction at `angle` becomes forward."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


def frame_from(gravity: NDArray[np.float64], placement: Placement) -> NDArray[np.float64]:
    """A frame with `gravity` up and the sensor's +z away from the wearer's body."""
    up = gravity / max(float(np.linalg.norm(gravity)), 1e-9)
    sign = -1.0 if placement in (Placement.UPPER_BACK, Placement.LOWER_BACK) else 1.0
    face = np.array([0.0, 0.0, sign])
    forward = face - up * float(face @ up)
    if np.linalg.norm(forward) < 0.1:
        other = np.array([1.0, 0.0, 0.0])
        forward = other - up * float(other @ up)
    forward /= np.linalg.norm(forward)
    return np.array([forward, np.cross(up, forward), up])


def _level(b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest rotation that brings `b` to +z."""
    b = b / max(float(np.linalg.norm(b)), 1e-9)
    v = np.cross(b, [0.0, 0.0, 1.0])
    c = float(b[2])
    if c < -0.999:
        return np.diag([1.0, -1.0, -1.0])
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.asarray(np.eye(3) + k + k @ k / (1.0 + c))


def _pose_up(seen: Gathered) -> NDArray[np.float64] | None:
    for pose in (Pose.STANDING, Pose.SITTING_TALL, Pose.WALKING):
        mean = seen.pose(pose)
        if mean is not None:
            return mean
    return None
