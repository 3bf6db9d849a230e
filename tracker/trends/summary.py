# SPDX-License-Identifier: Apache-2.0
"""What one day is in numbers, and as the flat floats that a store keeps.

`None` means "cannot tell" and is never 0: without a slouch angle there is no slouch share, without
a search for transitions no count of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from tracker.model import SECOND_NS
from tracker.trends.hours import HALF_HOURS

NO_DATA = "no_data"  # time of the span without any epoch
VALID_DAY_S = 10 * 3600
HIST_EDGES_DEG = np.arange(-90, 95, 5)
BOUT_EDGES_MIN = (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 120, 150, 180, 240, 1440)
HALF_HOUR_NAMES = ("sit", "worn", "seen", "slouch", "shifts")


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySummary:
    """Metrics of one span. Times in the unit of the name; `None` where it cannot be told.

    `seconds` holds each state's label and `no_data`, adding up to the span. `half_hours` holds 48
    values per name ("sit", "worn", "seen", "slouch" in seconds, "shifts" as counts) by local time
    of day; `tilt_hist_s` seconds of sitting per 5 deg; `bout_hist_min` minutes of sitting in bouts
    per length class of `BOUT_EDGES_MIN`.
    """

    start_ns: int
    end_ns: int
    seconds: Mapping[str, int]
    half_hours: Mapping[str, tuple[float, ...]]
    tilt_hist_s: tuple[float, ...]
    bout_hist_min: tuple[float, ...]
    worn_s: float
    seen_s: float
    waking_s: float
    sit_s: float
    slouch_s: float | None = None
    slump_seen_s: float | None = None  # sitting with a known percentage: what the share divides by
    slouch_share: float | None = None
    slouch_events: float | None = None
    longest_sit_min: float | None = None
    longest_sit_at_s: float | None = None  # after start_ns
    longest_still_min: float | None = None
    bouts: float = 0.0
    bouts_censored: float = 0.0
    breaks: float = 0.0
    w50_min: float | None = None
    w50_hill_min: float | None = None
    alpha: float | None = None
    alpha_skdh: float | None = None
    x05_min: float | None = None
    w05_share: float | None = None
    gini: float | None = None
    breaks_per_sitting_h: float | None = None
    transition_per_min: float | None = None
    prolonged20_n: float = 0.0
    prolonged20_min: float = 0.0
    prolonged30_n: float = 0.0
    prolonged30_min: float = 0.0
    prolonged60_n: float = 0.0
    prolonged60_min: float = 0.0
    prolonged120_n: float = 0.0
    prolonged120_min: float = 0.0
    prolonged240_n: float = 0.0
    prolonged240_min: float = 0.0
    rises: float | None = None
    rises_per_worn_h: float | None = None
    shifts: float | None = None
    shifts_per_h: float | None = None
    fidgets_per_h: float | None = None
    flexion_deg_min: float | None = None
    flexion_deg_min_per_sitting_h: float | None = None
    sit20_s: float | None = None
    sit30_s: float | None = None
    sit60_s: float | None = None
    sit90_s: float | None = None
    up20_s: float | None = None
    up30_s: float | None = None
    up60_s: float | None = None
    up90_s: float | None = None
    bends: float | None = None
    tilt_p10_deg: float | None = None
    tilt_p50_deg: float | None = None
    tilt_p90_deg: float | None = None
    tilt_sd_deg: float | None = None
    variability_sd_deg: float | None = None
    variability_entropy: float | None = None
    active_min: float = 0.0
    core_sessions: float = 0.0
    core_min: float = 0.0
    core_reps: float = 0.0
    longest_hold_s: float = 0.0

    @property
    def valid_day(self) -> bool:
        """Worn awake for at least 10 h."""
        return self.waking_s >= VALID_DAY_S

    @property
    def sedentary_index(self) -> float | None:
        """Share of the recognised waking time that was sat, 0..1; None when there is none."""
        return self.sit_s / self.waking_s if self.waking_s > 0 else None

    def to_values(self) -> dict[str, float]:
        """Flat floats for `DayRow.values`; what cannot be told has no key."""
        out = {
            f.name: float(value)
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), int | float)
            and f.name not in ("start_ns", "end_ns")
        }
        out["span_s"] = (self.end_ns - self.start_ns) / SECOND_NS
        for name, values in self.half_hours.items():
            out |= {f"hh_{name}_{i:02d}": float(v) for i, v in enumerate(values) if v}
        out |= {f"tilt_{i:02d}": float(v) for i, v in enumerate(self.tilt_hist_s) if v}
        return out | {f"bout_{i:02d}": float(v) for i, v in enumerate(self.bout_hist_min) if v}

    @classmethod
    def from_values(
        cls, start_ns: int, seconds: Mapping[str, int], values: Mapping[str, float]
    ) -> "DaySummary":
        """The summary of a stored row; the inverse of `to_values`. Unknown keys are ignored."""
        scalars = {
            f.name: values[f.name]
            for f in fields(cls)
            if f.name in values and f.name not in ("start_ns", "end_ns")
        }
        for name in ("worn_s", "seen_s", "waking_s", "sit_s"):
            scalars.setdefault(name, 0.0)
        halves = {
            name: tuple(values.get(f"hh_{name}_{i:02d}", 0.0) for i in range(HALF_HOURS))
            for name in HALF_HOUR_NAMES
        }
        span_s = values.get("span_s", 0.0)
        held = {k: v for k, v in seconds.items() if k != NO_DATA}
        held[NO_DATA] = max(round(span_s) - sum(held.values()), 0)
        return cls(
            start_ns=start_ns,
            end_ns=start_ns + round(span_s * SECOND_NS),
            seconds=held,
            half_hours=halves,
            tilt_hist_s=_series(values, "tilt", len(HIST_EDGES_DEG) - 1),
            bout_hist_min=_series(values, "bout", len(BOUT_EDGES_MIN) - 1),
            **scalars,
        )


def _series(values: Mapping[str, float], name: str, n: int) -> tuple[float, ...]:
    return tuple(values.get(f"{name}_{i:02d}", 0.0) for i in range(n))
