# SPDX-License-Identifier: Apache-2.0
"""One local day on a minute grid: the tidy table behind ribbon, actogram and heat map.

Each minute holds the state that most of its epochs had. A minute with less than 30 s of epochs was
not measured; it is `UNKNOWN`, hatched, and counted nowhere.
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_S, SECOND_NS, Epochs, State
from tracker.trends.motion import shift_epochs
from tracker.trends.tables import day_state
from tracker.units import day_bounds_ns, from_ns

MINUTE_NS = 60 * SECOND_NS
_LEAST_EPOCHS = 30 // EPOCH_S
_SIT = (State.SITTING, State.SLOUCHING)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayMinutes:
    """States of one local day, one entry per minute of elapsed time.

    state     (n,) uint8, codes of :class:`State`; n = 1380, 1440 or 1500
    measured  (n,) bool
    slump_pct (n,) float32, median of the minute; NaN where unknown
    tilt_deg  (n,) float32, median of the minute; NaN where unknown
    sit_min   (n,) float32, length of the sitting bout that the minute is part of, by the rule of
              the metrics (`tracker.trends.bouts`); 0 outside of bouts
    confidence (n,) float32, mean of the minute; NaN where not measured
    shifts    (n,) uint8, posture shifts in the minute, by the rule of the metrics
    start_ns  start of the day
    """

    day: date
    start_ns: int
    tz: ZoneInfo
    state: NDArray[np.uint8]
    measured: NDArray[np.bool_]
    slump_pct: NDArray[np.float32]
    tilt_deg: NDArray[np.float32]
    sit_min: NDArray[np.float32]
    confidence: NDArray[np.float32]
    shifts: NDArray[np.uint8]

    def wall_min(self, minute: int) -> float:
        """Minutes on the wearer's clock at the start of an elapsed minute."""
        moment = from_ns(self.start_ns + minute * MINUTE_NS, self.tz)
        if moment.date() != self.day:
            return 1440.0
        return moment.hour * 60.0 + moment.minute

    @property
    def worn(self) -> NDArray[np.bool_]:
        """Minutes that were measured with the sensor on the body."""
        return np.asarray(self.measured & (self.state != State.NOT_WORN))


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteRun:
    """A stretch of one state; from and to in wall-clock minutes, `minutes` as elapsed."""

    from_min: float
    to_min: float
    minutes: float
    state: State
    measured: bool
    sit_min: float  # length of the sitting bout around it, 0 when it is no sitting
    confidence: float  # mean; NaN where nothing was measured


def day_minutes(epochs: Epochs, day: date, tz: ZoneInfo) -> DayMinutes:
    """Put the epochs of one local day on the minute grid."""
    start_ns, end_ns = day_bounds_ns(day, tz)
    n = (end_ns - start_ns) // MINUTE_NS
    inside = (epochs.start_ns >= start_ns) & (epochs.start_ns < end_ns)
    minute = ((epochs.start_ns[inside] - start_ns) // MINUTE_NS).astype(np.intp)
    counts = np.zeros((n, len(State)), np.int32)
    np.add.at(counts, (minute, epochs.state[inside]), 1)
    measured = counts.sum(axis=1) >= _LEAST_EPOCHS
    state = np.where(measured, counts.argmax(axis=1), State.UNKNOWN).astype(np.uint8)
    shifted = shift_epochs(epochs)
    shift_ns = epochs.start_ns[shifted]
    shift_ns = shift_ns[(shift_ns >= start_ns) & (shift_ns < end_ns)]
    shifts = np.bincount((shift_ns - start_ns) // MINUTE_NS, minlength=n)
    sure = np.bincount(minute, epochs.confidence[inside], minlength=n)
    seen = counts.sum(axis=1)
    return DayMinutes(
        day=day,
        start_ns=start_ns,
        tz=tz,
        state=state,
        measured=measured,
        slump_pct=_median(minute, epochs.slump_pct[inside], n),
        tilt_deg=_median(minute, epochs.tilt_deg[inside], n),
        sit_min=_bout_lengths(epochs, minute, inside, start_ns, end_ns),
        confidence=np.where(measured, sure / np.maximum(seen, 1), np.nan).astype(np.float32),
        shifts=shifts.astype(np.uint8),
    )


def _bout_lengths(
    epochs: Epochs, minute: NDArray[np.intp], inside: NDArray[np.bool_], start_ns: int, end_ns: int
) -> NDArray[np.float32]:
    """The bout of each minute, so that colours and W50 rest on the same bouts; the longer of two.

    A break of 30 s ends a bout although its minute is mostly sitting; 20 s do not.
    """
    out = np.zeros((end_ns - start_ns) // MINUTE_NS, np.float32)
    table = day_state(epochs, start_ns=start_ns, end_ns=end_ns)
    row = np.searchsorted(table.start_ns, epochs.start_ns[inside], side="right") - 1
    np.maximum.at(out, minute, table.bout_min[row].astype(np.float32))
    return out


def _median(minute: NDArray[np.intp], values: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """Median per minute of what is known; one sort for the whole day."""
    out = np.full(n, np.nan, np.float32)
    known = ~np.isnan(values)
    if not known.any():
        return out
    minute, values = minute[known], values[known]
    order = np.lexsort((values, minute))
    minute, values = minute[order], values[order]
    which, first, count = np.unique(minute, return_index=True, return_counts=True)
    low, high = first + (count - 1) // 2, first + count // 2
    out[which] = (values[low] + values[high]) / 2
    return out


def runs(day: DayMinutes, *, step_min: int = 1) -> list[MinuteRun]:
    """Stretches of equal state, in order; `step_min` coarsens a busy day.

    Two sitting bouts that a short break parts are two stretches.
    """
    state = np.where(day.measured, day.state, 100).astype(np.uint8)
    sit_len = day.sit_min
    if step_min > 1:
        state = _coarse(state, step_min)
        starts = np.arange(0, len(sit_len), step_min)
        sit_len = np.repeat(np.maximum.reduceat(sit_len, starts), step_min)[: len(state)]
    sit_len = np.where(np.isin(state, _SIT), sit_len, 0.0)
    edges = np.flatnonzero((np.diff(state) != 0) | (np.diff(sit_len) != 0)) + 1
    bounds = [0, *edges.tolist(), len(state)]
    return [
        MinuteRun(
            from_min=day.wall_min(a),
            to_min=day.wall_min(b),
            minutes=float(b - a),
            state=State.UNKNOWN if state[a] == 100 else State(int(state[a])),
            measured=bool(state[a] != 100),
            sit_min=float(sit_len[a]),
            confidence=_mean(day.confidence[a:b]),
        )
        for a, b in pairwise(bounds)
    ]


def _mean(values: NDArray[np.float32]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _coarse(state: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    out = state.copy()
    for a in range(0, len(state), step):
        part = state[a : a + step]
        out[a : a + step] = np.bincount(part).argmax()
    return out


def worn_window(day: DayMinutes, *, least_h: int = 8) -> tuple[float, float]:
    """Whole hours on the wall clock around what was worn, at least `least_h` long."""
    worn = np.flatnonzero(day.worn)
    if worn.size == 0:
        return 8 * 60.0, 18 * 60.0
    first = day.wall_min(int(worn[0])) // 60
    last = -(-day.wall_min(int(worn[-1]) + 1) // 60)
    while last - first < least_h:
        first, last = max(0, first - 1), min(24, last + 1)
    return first * 60.0, last * 60.0
