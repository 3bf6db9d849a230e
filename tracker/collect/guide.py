# SPDX-License-Identifier: Apache-2.0
"""Guided calibration: which poses were recorded when, and what comes out of them.

The page asks for one pose after the other; each is a span of time. At the end the raw samples of
the spans make the calibration, which is checked, stored with the time from which it holds, and
used at once. The thirty-second version (`base`) takes standing and the sitting poses again and
keeps the rest of what is known.
"""

from dataclasses import dataclass, field

import numpy as np

from tracker.collect.donning import again
from tracker.collect.fit_checks import mean_of
from tracker.collect.setups import record_of
from tracker.errors import InputError, UsageError
from tracker.model import SECOND_NS, Placement, Pose, Samples
from tracker.signal.calibrate import Axes, Calibration, calibrate
from tracker.store.base import CalibrationRecord

NAMES = {
    "stand": Pose.STANDING,
    "walk": Pose.WALKING,
    "sit_tall": Pose.SITTING_TALL,
    "sit_slumped": Pose.SITTING_SLUMPED,
    "lie": Pose.LYING,
    "bend": Pose.BEND,
} | {p.value: p for p in Pose}
ENOUGH = 0.6  # share of the expected samples a pose needs
STILL_MG = 60.0  # poses that are held still; mean deviation of |acc|
MOVING = (Pose.WALKING, Pose.BEND)


@dataclass(slots=True)
class Guide:
    """One guided calibration of one series."""

    wearer: str
    placement: Placement
    axes: str = ""
    base: Calibration | None = None  # the thirty-second version starts from this one
    spans: dict[Pose, list[tuple[int, int]]] = field(default_factory=dict)

    def pose(self, name: str, now_ns: int, seconds: float) -> tuple[int, int]:
        """Record a pose from now on; recording it again replaces it. Raises UsageError."""
        if name not in NAMES:
            raise UsageError(f"there is no pose {name!r}; known are {', '.join(sorted(NAMES))}")
        if not 3 <= seconds <= 60:
            raise UsageError("a pose takes 3 to 60 seconds")
        span = (now_ns, now_ns + int(seconds * SECOND_NS))
        self.spans[NAMES[name]] = [span]
        return span

    @property
    def first_ns(self) -> int:
        """When the first pose began."""
        return min(a for spans in self.spans.values() for a, _ in spans)

    @property
    def last_ns(self) -> int:
        """When the last pose ends."""
        return max(b for spans in self.spans.values() for _, b in spans)

    def look(self, raw: Samples) -> dict[str, dict[str, object]]:
        """What is known of each pose so far: seconds recorded, whether held still."""
        return {pose.value: _look(pose, raw, spans) for pose, spans in self.spans.items()}

    def finish(self, raw: Samples) -> tuple[Calibration, CalibrationRecord]:
        """The calibration. Raises InputError when a pose has too few samples."""
        if not self.spans:
            raise InputError("no pose was recorded: begin with standing upright")
        for pose, spans in self.spans.items():
            wanted = sum(b - a for a, b in spans) / SECOND_NS
            got = float(str(_look(pose, raw, spans)["seconds"]))
            if got < ENOUGH * wanted:
                raise InputError(
                    f"{pose.value}: only {got:.0f} of {wanted:.0f} seconds arrived; "
                    "check the sensor's link and record this pose again"
                )
        if self.base is not None:
            if Pose.STANDING not in self.spans:
                raise InputError("standing is missing: stand upright for ten seconds")
            means = {p: m for p, s in self.spans.items() if (m := mean_of(raw, s)) is not None}
            made = again(self.base, means)
        else:
            axes = Axes.parse(self.axes) if self.axes else None
            made = calibrate(raw, self.placement, axes, self.spans)
        return made, record_of(made, from_ns=self.first_ns, kind="poses")


def _look(pose: Pose, raw: Samples, spans: list[tuple[int, int]]) -> dict[str, object]:
    rows = np.zeros(len(raw), np.bool_)
    for a, b in spans:
        lo, hi = np.searchsorted(raw.t_ns, [a, b])
        rows[lo:hi] = True
    seconds = 0.0
    move_mg = 0.0
    if rows.sum() > 2:
        t = raw.t_ns[rows]
        seconds = float(np.minimum(np.diff(t), SECOND_NS // 2).sum()) / SECOND_NS
        size = np.linalg.norm(raw.acc_g[rows].astype(np.float64), axis=1)
        move_mg = float(np.abs(size - size.mean()).mean() * 1000)
    still = pose in MOVING or move_mg <= STILL_MG
    return {"seconds": round(seconds, 1), "move_mg": round(move_mg, 1), "still": still}
