# SPDX-License-Identifier: Apache-2.0
"""How long a sensor's battery lasts, from what it told since it was charged.

No data sheet is trusted: cells age and rates differ. The outlook is a straight line through the
first and the newest level since the level last rose; it needs an hour and two percent.
"""

from dataclasses import dataclass, field

from tracker.model import SECOND_NS

HOUR_NS = 3600 * SECOND_NS
LEAST_NS = HOUR_NS
LEAST_PCT = 2
EMPTY_PCT = 3  # many sensors switch off before zero
KEPT = 400


@dataclass(slots=True)
class Battery:
    """Levels of one sensor, (at_ns, percent), oldest first, since it was charged."""

    levels: list[tuple[int, int]] = field(default_factory=list)

    def hear(self, at_ns: int, pct: int | None) -> None:
        """Take a level in; a rise of more than a flicker begins anew."""
        if pct is None or (self.levels and pct == self.levels[-1][1]):
            return
        if self.levels and pct > self.levels[-1][1] + 1:
            self.levels.clear()
        self.levels.append((at_ns, pct))
        if len(self.levels) > KEPT:
            del self.levels[1]  # the first one carries the slope

    def left_h(self, now_ns: int) -> float | None:
        """Hours until it is empty at the pace so far; None while that cannot be told."""
        if len(self.levels) < 2:
            return None
        (t0, p0), (t1, p1) = self.levels[0], self.levels[-1]
        if t1 - t0 < LEAST_NS or p0 - p1 < LEAST_PCT:
            return None
        per_ns = (p0 - p1) / (t1 - t0)
        return max(0.0, ((p1 - EMPTY_PCT) / per_ns - (now_ns - t1)) / HOUR_NS)
