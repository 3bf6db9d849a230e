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

_BODY = {
    "forward": (1, 0, 0),
    "back": (-1, 0, 0),
    "left": (0, 1, 0),
    "right": (0, -1, 0),
    "up": (0, 0, 1),
    "down": (0, 0, -1),
}
Spans = Sequence[tuple[int, int]]


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

    rotation: tuple[tuple[float, float, float], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
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
    """The calibration of a recording from its axes, poses and movement."""
    poses = poses or {}
    up = _pose_up(samples, poses)
    if axes is not None:
        rotation = axes.rotation()
        method = ["axes"]
    else:
        gravity = up if up is not None else np.median(samples.acc_g, axis=0).astype(np.float64)
        rotation = frame_from(gravity, placement)
        method = ["gravity", "face"]
    if up is not None:
        rotation = _level(rotation @ up) @ rotation
        method.append("poses")
    found: dict[str, float] = {}
    for pose, name in (
        (Pose.SITTING_TALL, "tall"),
        (Pose.SITTING_SLUMPED, "slumped"),
        (Pose.STANDING, "standing"),
        (Pose.WALKING, "walking"),
    ):
        mean = _mean_in(samples, poses.get(pose, ()))
        if mean is not None:
            b = rotation @ mean
            found[f"{name}_deg"] = math.degrees(math.atan2(-b[0], b[2]))
            if name == "tall":
                found["tall_side_deg"] = math.degrees(math.atan2(b[1], math.hypot(b[0], b[2])))
    return Calibration(
        rotation=tuple(tuple(float(x) for x in row) for row in rotation),  # type: ignore[misc]
        method=tuple(method),
        made_ns=int(samples.t_ns[-1]) if len(samples) else 0,
        quality=1.0 if up is not None else 0.5,
        **found,
    )


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


def _mean_in(samples: Samples, spans: Spans) -> NDArray[np.float64] | None:
    rows = np.zeros(len(samples), np.bool_)
    for start_ns, end_ns in spans:
        a, b = np.searchsorted(samples.t_ns, [start_ns, end_ns])
        rows[a:b] = True
    if not rows.any():
        return None
    return np.asarray(samples.acc_g[rows].mean(axis=0, dtype=np.float64))


def _pose_up(samples: Samples, poses: Mapping[Pose, Spans]) -> NDArray[np.float64] | None:
    for pose in (Pose.STANDING, Pose.SITTING_TALL, Pose.WALKING):
        mean = _mean_in(samples, poses.get(pose, ()))
        if mean is not None:
            return mean
    return None
