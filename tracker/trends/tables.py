# SPDX-License-Identifier: Apache-2.0
"""The one family of tidy tables behind every chart, on the page and on paper.

`day_state` (runs), `angle_1min`, `bouts`, `events` and `daily`; a chart and its twin in the PDF
read the same rows, so they cannot differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tracker.model import EPOCH_NS, EPOCH_S, SECOND_NS, Epochs, State, Transition
from tracker.trends import motion
from tracker.trends.bouts import SitBout, bouts_of_runs
from tracker.trends.fragmentation import accumulation
from tracker.trends.runs import state_runs, within
from tracker.trends.summary import BOUT_EDGES_MIN, DaySummary

MINUTE_NS = 60 * SECOND_NS
PER_MINUTE = 60 // EPOCH_S
EVA_ANGLES_DEG = (-90.0, 0.0, 10.0, 20.0, 30.0, 60.0, 90.1)
EVA_SECONDS = (0.0, 10.0, 30.0, 60.0, 180.0, 600.0, np.inf)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayState:
    """Runs that tile the span. `bout_min` is the length of the sitting bout around a run, else 0.

    start_ns, end_ns int64; state uint8; confidence, bout_min float64; measured bool
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    state: NDArray[np.uint8]
    confidence: NDArray[np.float64]
    measured: NDArray[np.bool_]
    bout_min: NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.start_ns.shape[0])


def day_state(epochs: Epochs, *, start_ns: int, end_ns: int) -> DayState:
    """One row per run of equal state; time without data is a row that was not measured."""
    runs = state_runs(epochs, start_ns, end_ns)
    bouts = bouts_of_runs(runs)
    bout_min = np.zeros(len(runs))
    sits = (runs.state == State.SITTING) | (runs.state == State.SLOUCHING)
    if bouts:
        begins = np.array([b.start_ns for b in bouts])
        ends = np.array([b.end_ns for b in bouts])
        which = np.searchsorted(begins, runs.start_ns, side="right") - 1
        inside = sits & (which >= 0) & (runs.end_ns <= ends[which])
        bout_min[inside] = np.array([b.minutes for b in bouts])[which[inside]]
    return DayState(
        start_ns=runs.start_ns,
        end_ns=runs.end_ns,
        state=runs.state,
        confidence=runs.confidence,
        measured=runs.measured,
        bout_min=bout_min,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AngleMinutes:
    """One row per minute that has epochs.

    t_ns int64, start of the minute; p10, p50, p90 of the forward angle (deg) and slump_p10,
    slump_p50, slump_p90 (percent), NaN where unknown; shifts: posture shifts while sitting
    """

    t_ns: NDArray[np.int64]
    p10: NDArray[np.float64]
    p50: NDArray[np.float64]
    p90: NDArray[np.float64]
    slump_p10: NDArray[np.float64]
    slump_p50: NDArray[np.float64]
    slump_p90: NDArray[np.float64]
    shifts: NDArray[np.int64]


def angle_1min(epochs: Epochs, *, start_ns: int, end_ns: int) -> AngleMinutes:
    """Percentiles of angle and slump per minute of UTC, and posture shifts."""
    part = within(epochs, start_ns, end_ns)
    minutes, row = np.unique(part.start_ns // MINUTE_NS, return_inverse=True)
    column = (part.start_ns % MINUTE_NS) // EPOCH_NS
    shifts = np.bincount(row[motion.shift_epochs(part)], minlength=minutes.size)

    def grid(values: NDArray[np.float32]) -> NDArray[np.float64]:
        out = np.full((minutes.size, PER_MINUTE), np.nan)
        out[row, column] = values
        return out

    tilt, slump = grid(part.tilt_deg), grid(part.slump_pct)
    p10, p50, p90 = (_row_quantile(tilt, q) for q in (0.1, 0.5, 0.9))
    s10, s50, s90 = (_row_quantile(slump, q) for q in (0.1, 0.5, 0.9))
    return AngleMinutes(
        t_ns=minutes * MINUTE_NS,
        p10=p10,
        p50=p50,
        p90=p90,
        slump_p10=s10,
        slump_p50=s50,
        slump_p90=s90,
        shifts=shifts,
    )


def _row_quantile(grid: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    """Linear quantile of each row without its NaN (numpy's nanquantile is 50 times slower)."""
    ordered = np.sort(grid, axis=1)  # NaN last
    n = np.count_nonzero(~np.isnan(ordered), axis=1)
    place = q * np.maximum(n - 1, 0)
    low = np.floor(place).astype(np.intp)
    high = np.ceil(place).astype(np.intp)
    rows = np.arange(grid.shape[0])
    a, b = ordered[rows, low], ordered[rows, high]
    return np.asarray(a + (b - a) * (place - low))


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A moment: `kind` is a transition kind, "slouch", "shift", "massage", "training", ..."""

    t_ns: int
    kind: str
    value: float | None
    text: str = ""


def events(
    epochs: Epochs,
    transitions: Sequence[Transition] = (),
    diary: Sequence[Event] = (),
    *,
    start_ns: int,
    end_ns: int,
) -> tuple[Event, ...]:
    """Transitions, slouch events (value: seconds), shifts and diary events, in order of time."""
    part = within(epochs, start_ns, end_ns)
    found = [Event(t_ns=t.at_ns, kind=t.kind.value, value=t.confidence) for t in transitions]
    found += [
        Event(t_ns=s.start_ns, kind="slouch", value=s.seconds) for s in motion.slouch_events(part)
    ]
    at = part.start_ns[motion.shift_epochs(part)]
    found += [Event(t_ns=t, kind="shift", value=None) for t in at.tolist()]
    found += diary
    inside = [e for e in found if start_ns <= e.t_ns < end_ns]
    return tuple(sorted(inside, key=lambda e: (e.t_ns, e.kind)))


_ARRAYS = {"seconds", "half_hours", "tilt_hist_s", "bout_hist_min"}


def daily(days: Mapping[date, DaySummary]) -> list[dict[str, float | str | bool | None]]:
    """One row per day, oldest first: date, validity, seconds per state, every scalar metric."""
    rows: list[dict[str, float | str | bool | None]] = []
    for day in sorted(days):
        summary = days[day]
        row: dict[str, float | str | bool | None] = {
            "date": day.isoformat(),
            "valid_day": summary.valid_day,
        }
        row |= {f"{label}_s": s for label, s in summary.seconds.items()}
        row |= {f.name: getattr(summary, f.name) for f in fields(summary) if f.name not in _ARRAYS}
        rows.append(row)
    return rows


def accumulation_curve(
    bouts: Sequence[SitBout],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bout lengths (min) and the share of sitting time in bouts up to them; closed bouts only."""
    return accumulation([b.minutes for b in bouts if not b.censored])


def accumulation_of_days(
    days: Sequence[DaySummary],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same from stored days, on the edges of their length classes (baseline curve)."""
    held = np.sum([d.bout_hist_min for d in days], axis=0) if days else np.zeros(0)
    total = float(held.sum())
    if total <= 0:
        return np.empty(0), np.empty(0)
    return np.asarray(BOUT_EDGES_MIN[1:], np.float64), np.cumsum(held) / total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposureVariation:
    """EVA: minutes of sitting by angle band (rows) and by unbroken time in the band (columns)."""

    minutes: NDArray[np.float64]
    angle_edges_deg: tuple[float, ...]
    duration_edges_s: tuple[float, ...]
    sd: float | None
    entropy: float | None


def exposure_variation(epochs: Epochs, *, start_ns: int, end_ns: int) -> ExposureVariation:
    """Exposure variation of the forward angle while sitting; SD of the cells and their entropy."""
    part = within(epochs, start_ns, end_ns)
    known = motion.seated(part) & ~np.isnan(part.tilt_deg)
    shape = (len(EVA_ANGLES_DEG) - 1, len(EVA_SECONDS) - 1)
    cells = np.zeros(shape)
    band = np.where(known, np.digitize(part.tilt_deg, EVA_ANGLES_DEG) - 1, -1)
    if known.any():
        cut = (np.diff(band) != 0) | (np.diff(part.start_ns) != EPOCH_NS)
        first = np.concatenate([[0], np.flatnonzero(cut) + 1])
        seconds = EPOCH_S * np.diff(np.concatenate([first, [len(part)]]))
        which = band[first]
        duration = np.digitize(seconds, EVA_SECONDS) - 1
        fits = (which >= 0) & (which < shape[0])
        np.add.at(cells, (which[fits], duration[fits]), seconds[fits] / 60)
    share = cells / cells.sum() if cells.sum() > 0 else None
    entropy = None
    if share is not None:
        filled = share[share > 0]
        entropy = float(-(filled * np.log2(filled)).sum())
    return ExposureVariation(
        minutes=cells,
        angle_edges_deg=EVA_ANGLES_DEG,
        duration_edges_s=EVA_SECONDS,
        sd=None if share is None else float(share.std()),
        entropy=entropy,
    )
