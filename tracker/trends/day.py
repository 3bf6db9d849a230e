# SPDX-License-Identifier: Apache-2.0
"""One span of epochs in numbers: every metric of `docs/metrics.md` for one day.

Only worn and classified time stands in denominators.
"""

from collections.abc import Sequence
from dataclasses import fields
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tracker.model import (
    EPOCH_NS,
    EPOCH_S,
    SECOND_NS,
    Epochs,
    ExerciseSet,
    State,
    Transition,
    TransitionKind,
)
from tracker.trends import motion
from tracker.trends.bouts import BoutParams, SitBout, bouts_of_runs, breaks, minutes_of
from tracker.trends.fragmentation import fragmentation
from tracker.trends.hours import HALF_HOURS, half_hour_of
from tracker.trends.runs import Runs, state_runs, within
from tracker.trends.summary import BOUT_EDGES_MIN, HIST_EDGES_DEG, NO_DATA, DaySummary
from tracker.trends.training import core_sessions
from tracker.trends.variability import variability

SLEEP_LYING_S = 3600.0  # lying at least this long at a stretch is not waking time (ours)
ACTIVE_MOVE_MG = 50.0  # movement above which walking or exercise is an active minute (ours)
BANDS_DEG = (20, 30, 60, 90)  # T_TRUNK_BANDS_DEG, ActiPASS
BEND_DEG = 60.0
PROLONGED_MIN = (20, 30, 60, 120, 240)  # activPAL, ActiPASS; 120 and 240 for the bands of charts


def summarise(
    epochs: Epochs,
    transitions: Sequence[Transition] | None = None,
    sets: Sequence[ExerciseSet] = (),
    *,
    start_ns: int,
    end_ns: int,
    zone: ZoneInfo | None = None,
    params: BoutParams | None = None,
) -> DaySummary:
    """Metrics of the epochs, transitions and sets in [start_ns, end_ns).

    `zone` places the half hours (UTC without one); `transitions=None` means they were not looked
    for. A span without epochs gives a summary in which everything is `no_data`.
    """
    part = within(epochs, start_ns, end_ns)
    rule = params or BoutParams()
    runs = state_runs(part, start_ns, end_ns)
    bouts = bouts_of_runs(runs, rule)
    sit = motion.seated(part)
    seen = (part.state != State.UNKNOWN) & (part.state != State.NOT_WORN)
    seen_s = EPOCH_S * int(seen.sum())
    sit_s = EPOCH_S * int(sit.sum())
    shifts = motion.shift_epochs(part)
    rises = _rises(transitions, start_ns, end_ns)
    here = [s for s in sets if start_ns <= s.start_ns < end_ns]
    sessions = core_sessions(here)
    values: dict[str, float | None] = {
        "worn_s": EPOCH_S * int((part.worn == 1).sum()),
        "seen_s": seen_s,
        "waking_s": seen_s - _sleep_s(runs),
        "sit_s": sit_s,
        "rises": rises,
        "rises_per_worn_h": 3600 * rises / seen_s if rises is not None and seen_s else None,
        "active_min": _active_s(part) / 60,
        "core_sessions": len(sessions),
        "core_min": sum(s.work_s for s in sessions) / 60,
        "core_reps": sum(s.reps for s in here),
        "longest_hold_s": max((s.hold_s for s in here), default=0.0),
        **_of_bouts(bouts, breaks(runs, rule), start_ns),
        **_of_angles(part, sit, shifts),
        **_of_slouch(part, sit),
    }
    return DaySummary(
        start_ns=start_ns,
        end_ns=end_ns,
        seconds=_seconds(runs),
        half_hours=_half_hours(part, sit, seen, shifts, zone),
        tilt_hist_s=_histogram(part, sit),
        bout_hist_min=_bout_histogram(bouts),
        **values,  # type: ignore[arg-type]  # names and optional floats as declared above
    )


def _seconds(runs: Runs) -> dict[str, int]:
    lengths = runs.seconds
    out = {s.label: round(lengths[(runs.state == s) & runs.measured].sum()) for s in State}
    out[NO_DATA] = round(lengths[~runs.measured].sum())
    return out


def _sleep_s(runs: Runs) -> float:
    lying = (runs.state == State.LYING) & (runs.seconds >= SLEEP_LYING_S)
    return float(runs.seconds[lying].sum())


def _active_s(part: Epochs) -> float:
    moving = (part.state == State.WALKING) | (part.state == State.EXERCISE)
    return float(EPOCH_S * np.count_nonzero(moving & (part.move_mg >= ACTIVE_MOVE_MG)))


def _rises(transitions: Sequence[Transition] | None, start_ns: int, end_ns: int) -> int | None:
    if transitions is None:
        return None
    kind = TransitionKind.SIT_TO_STAND
    return sum(1 for t in transitions if t.kind == kind and start_ns <= t.at_ns < end_ns)


def _of_bouts(bouts: Sequence[SitBout], n_breaks: int, start_ns: int) -> dict[str, float | None]:
    every = minutes_of(bouts, include_censored=True)
    closed = fragmentation(minutes_of(bouts))
    longest = int(every.argmax()) if every.size else None
    out: dict[str, float | None] = {
        "bouts": every.size,
        "bouts_censored": every.size - closed.n,
        "breaks": n_breaks,
        "longest_sit_min": None if longest is None else float(every[longest]),
        "longest_sit_at_s": None
        if longest is None
        else (bouts[longest].start_ns - start_ns) / SECOND_NS,
        "w50_min": closed.w50_min,
        "w50_hill_min": closed.w50_hill_min,
        "alpha": closed.alpha,
        "alpha_skdh": closed.alpha_skdh,
        "x05_min": closed.x05_min,
        "w05_share": closed.w05_share,
        "gini": closed.gini,
        "transition_per_min": closed.transition_per_min,
        "breaks_per_sitting_h": 60 * n_breaks / float(every.sum()) if every.size else None,
    }
    for limit in PROLONGED_MIN:
        long = every[every >= limit - 1e-9]
        out[f"prolonged{limit}_n"] = long.size
        out[f"prolonged{limit}_min"] = float(long.sum())
    return out


def _of_angles(
    part: Epochs, sit: NDArray[np.bool_], shifts: NDArray[np.intp]
) -> dict[str, float | None]:
    tilt = part.tilt_deg.astype(np.float64)
    known = ~np.isnan(tilt)
    if not (known & sit).any():
        return {}
    upright = (part.state == State.STANDING) | (part.state == State.WALKING)
    moving = known & (upright | sit)
    seated = tilt[known & sit]
    flexion = float(np.maximum(tilt[moving] - 20.0, 0).sum() * EPOCH_S / 60)
    seated_flexion = float(np.maximum(seated - 20.0, 0).sum() * EPOCH_S / 60)
    p10, p50, p90 = np.percentile(seated, [10, 50, 90])
    with np.errstate(invalid="ignore"):
        bent = (tilt > BEND_DEG) & moving
    hours = EPOCH_S * seated.size / 3600
    varied = variability(part)
    out: dict[str, float | None] = {
        "shifts": shifts.size,
        "shifts_per_h": shifts.size / hours,
        "fidgets_per_h": motion.fidgets(part) / hours,
        "longest_still_min": motion.longest_still_s(part, shifts) / 60,
        "flexion_deg_min": flexion,
        "flexion_deg_min_per_sitting_h": seated_flexion / hours,
        "bends": int(np.count_nonzero(bent & ~np.concatenate([[False], bent[:-1]]))),
        "tilt_p10_deg": float(p10),
        "tilt_p50_deg": float(p50),
        "tilt_p90_deg": float(p90),
        "tilt_sd_deg": float(seated.std()),
        "variability_sd_deg": varied.sd_deg,
        "variability_entropy": varied.sample_entropy,
    }
    for limit in BANDS_DEG:
        out[f"sit{limit}_s"] = float(EPOCH_S * np.count_nonzero(seated >= limit))
        out[f"up{limit}_s"] = float(EPOCH_S * np.count_nonzero(tilt[known & upright] >= limit))
    return out


def _of_slouch(part: Epochs, sit: NDArray[np.bool_]) -> dict[str, float | None]:
    """Slouch numbers, only where the place and the poses allow a percentage."""
    known_s = float(EPOCH_S * np.count_nonzero(sit & ~np.isnan(part.slump_pct)))
    if not known_s:
        return {}
    slouch_s = float(EPOCH_S * np.count_nonzero(part.state == State.SLOUCHING))
    return {
        "slouch_s": slouch_s,
        "slump_seen_s": known_s,
        "slouch_share": min(slouch_s / known_s, 1.0),
        "slouch_events": len(motion.slouch_events(part)),
    }


def _half_hours(
    part: Epochs,
    sit: NDArray[np.bool_],
    seen: NDArray[np.bool_],
    shifts: NDArray[np.intp],
    zone: ZoneInfo | None,
) -> dict[str, tuple[float, ...]]:
    at = half_hour_of(part.start_ns, zone)

    def count(mask: NDArray[np.bool_]) -> tuple[float, ...]:
        return tuple((float(EPOCH_S) * np.bincount(at[mask], minlength=HALF_HOURS)).tolist())

    return {
        "sit": count(sit),
        "worn": count(part.worn == 1),
        "seen": count(seen),
        "slouch": count(part.state == State.SLOUCHING),
        "shifts": tuple(np.bincount(at[shifts], minlength=HALF_HOURS).astype(float).tolist()),
    }


def _histogram(part: Epochs, sit: NDArray[np.bool_]) -> tuple[float, ...]:
    tilt = part.tilt_deg[sit & ~np.isnan(part.tilt_deg)]
    counts, _ = np.histogram(tilt, HIST_EDGES_DEG)
    return tuple((EPOCH_S * counts).astype(float).tolist())


def _bout_histogram(bouts: Sequence[SitBout]) -> tuple[float, ...]:
    every = minutes_of(bouts)
    counts, _ = np.histogram(every, BOUT_EDGES_MIN, weights=every)
    return tuple(counts.astype(float).tolist())


def summary_json(
    epochs: Epochs,
    transitions: Sequence[Transition] | None = None,
    sets: Sequence[ExerciseSet] = (),
    *,
    start_ns: int,
    end_ns: int,
    zone: ZoneInfo | None = None,
) -> dict[str, object]:
    """What `backstay analyze --summary` writes: minutes per state, bouts, transitions, metrics.

    The span is widened to whole epochs, so minutes per state are the epochs' own: a recording that
    begins or ends inside an epoch loses nothing of it.
    """
    start_ns -= start_ns % EPOCH_NS
    end_ns += -end_ns % EPOCH_NS
    day = summarise(epochs, transitions, sets, start_ns=start_ns, end_ns=end_ns, zone=zone)
    bouts = bouts_of_runs(state_runs(epochs, start_ns, end_ns))
    skip = {"seconds", "half_hours", "tilt_hist_s", "bout_hist_min", "start_ns", "end_ns"}
    metrics = {f.name: _rounded(getattr(day, f.name)) for f in fields(day) if f.name not in skip}
    kinds = {k.value: 0 for k in TransitionKind}
    for one in transitions or ():
        kinds[one.kind.value] += 1
    return {
        "start_s": start_ns / SECOND_NS,
        "end_s": end_ns / SECOND_NS,
        "minutes": {label: round(s / 60, 3) for label, s in day.seconds.items()},
        "bouts": [
            {
                "start_s": b.start_ns / SECOND_NS,
                "end_s": b.end_ns / SECOND_NS,
                "minutes": round(b.minutes, 3),
                "slouch_minutes": round(b.slouch_s / 60, 3),
                "censored": b.censored,
            }
            for b in bouts
        ],
        "transitions": kinds if transitions is not None else None,
        "metrics": metrics,
        "valid_day": day.valid_day,
        "algo": epochs.algo,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 5)
