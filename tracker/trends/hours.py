# SPDX-License-Identifier: Apache-2.0
"""Half hours of the wearer's local clock, and the work window laid over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tracker.model import SECOND_NS
from tracker.units import from_ns

HALF_HOURS = 48
_QUARTER_NS = 900 * SECOND_NS  # every zone's offset is a multiple of 15 min since 1972


def half_hour_of(t_ns: NDArray[np.int64], zone: ZoneInfo | None) -> NDArray[np.int64]:
    """Index 0..47 of the local half hour of each moment; UTC without a zone.

    On the day of 25 hours the repeated hour falls into the same two half hours.
    """
    quarters, inverse = np.unique(t_ns // _QUARTER_NS, return_inverse=True)
    table = np.empty(quarters.size, np.int64)
    for i, quarter in enumerate(quarters.tolist()):
        local = from_ns(quarter * _QUARTER_NS, zone)
        table[i] = 2 * local.hour + local.minute // 30
    return table[inverse]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkWindow:
    """The wearer's work hours: local start and end, and the weekdays (Monday is 0)."""

    start: time = time(9)
    end: time = time(17)
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})

    @property
    def hours(self) -> float:
        """Length in hours; a window over midnight is counted through midnight."""
        return float(self.shares().sum() / 2)

    def includes(self, day: date) -> bool:
        """Whether the day is a work day."""
        return day.weekday() in self.weekdays

    def shares(self) -> NDArray[np.float64]:
        """(48,) share of each half hour that lies in the window."""
        begin = self.start.hour * 2 + self.start.minute / 30
        stop = self.end.hour * 2 + self.end.minute / 30
        spans = [(begin, stop)] if begin < stop else [(begin, HALF_HOURS), (0, stop)]
        cells = np.arange(HALF_HOURS)
        out = np.zeros(HALF_HOURS)
        for low, high in spans:
            out += np.clip(np.minimum(cells + 1, high) - np.maximum(cells, low), 0, 1)
        return out

    def total(self, half_hours: Sequence[float]) -> float:
        """Sum over the window; a half hour that is only partly inside counts pro rata."""
        return float(np.dot(self.shares(), np.asarray(half_hours, np.float64)))


def valid_workday(worn_half_hours_s: Sequence[float], window: WorkWindow) -> bool:
    """Worn for at least 80 % of the work window and at least 4 h of it."""
    worn_s = window.total(worn_half_hours_s)
    return worn_s >= max(0.8 * window.hours, 4) * 3600 - 1e-6  # rounding of pro-rata sums
