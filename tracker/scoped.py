# SPDX-License-Identifier: Apache-2.0
"""What somebody with a grant sees of a wearer: each scope's part, the rest as "cannot tell".

Pure functions. The same ones cut what a therapist's page shows and what a bundle carries, so both
ways to a therapist show the same. What is not shared becomes unknown, never zero time: the total
of a day stays whole and no number invites a guess.

* `sitting`: time in each state, sits and their lengths
* `posture`: angles, slouching, posture changes (without it slouching is plain sitting)
* `training`: exercise time, sets, sessions (without it exercise time is unknown)
* `tension`, `pain`, `screening`, `notes`: fields of the evening entry; `massage`: massages
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache

import numpy as np

from tracker.diary import Entry, Kind
from tracker.model import Epochs, Exercise, State, Trunk
from tracker.trends.summary import NO_DATA, DaySummary

SERIES_SCOPES = frozenset({"sitting", "posture", "training"})
# The scope of a whole diary record; an evening entry holds several and is cut field by field.
KIND_SCOPE: Mapping[Kind, str] = {
    Kind.EVENING: "tension",
    Kind.MASSAGE: "massage",
    Kind.TRAINING: "training",
    Kind.SCREENING: "screening",
    Kind.START: "screening",
    Kind.DISCUSSED: "screening",
    Kind.CORRECTION: "posture",
    Kind.EXPERIMENT: "massage",
    Kind.NOTE: "notes",
    Kind.PLAN: "training",
    Kind.SESSION: "training",
    Kind.VISIT: "training",
    Kind.PROMPT: "sitting",
}
_EVENING = {
    "day": "",
    "late": "",
    "tension": "tension",
    "stress": "tension",
    "unusual_load": "tension",
    "pain": "pain",
    "painkiller": "pain",
    "illness": "screening",
    "note": "notes",
}
_TRAINING = frozenset({"core_sessions", "core_min", "core_reps", "longest_hold_s"})
_ALWAYS = frozenset(
    {"start_ns", "end_ns", "seconds", "half_hours", "tilt_hist_s", "bout_hist_min"}
    | {"worn_s", "seen_s", "waking_s"}
)
_POSTURE = frozenset(
    {"slouch_s", "slump_seen_s", "slouch_share", "slouch_events", "longest_still_min"}
    | {"shifts", "shifts_per_h", "fidgets_per_h", "flexion_deg_min"}
    | {"flexion_deg_min_per_sitting_h", "bends", "variability_sd_deg", "variability_entropy"}
    | {f"{what}{deg}_s" for what in ("sit", "up") for deg in (20, 30, 60, 90)}
    | {"tilt_p10_deg", "tilt_p50_deg", "tilt_p90_deg", "tilt_sd_deg"}
)
_SITTING = frozenset(f.name for f in fields(DaySummary)) - _ALWAYS - _POSTURE - _TRAINING
_ZERO = frozenset(f.name for f in fields(DaySummary) if f.default == 0.0) | {"sit_s"}
_HALVES = {"sit": "sitting", "slouch": "posture", "shifts": "posture"}


def summary_for(day: DaySummary, scopes: frozenset[str]) -> DaySummary:
    """A day as a viewer with these scopes sees it; how long it was worn is always seen."""
    if scopes >= SERIES_SCOPES:
        return day
    halves = {
        name: values if _HALVES.get(name, "") in {"", *scopes} else (0.0,) * len(values)
        for name, values in day.half_hours.items()
    }
    return replace(
        day,
        **_blank(scopes),  # type: ignore[arg-type]  # names of its own fields
        seconds=_seconds(day.seconds, scopes),
        half_hours=halves,
        tilt_hist_s=day.tilt_hist_s if "posture" in scopes else (0.0,) * len(day.tilt_hist_s),
        bout_hist_min=day.bout_hist_min if "sitting" in scopes else (0.0,) * len(day.bout_hist_min),
    )


@lru_cache(maxsize=64)  # a list of patients asks the same thousands of times
def _blank(scopes: frozenset[str]) -> dict[str, float | None]:
    """What is put in the place of numbers that these scopes do not show."""
    parts = ((_SITTING, "sitting"), (_POSTURE, "posture"), (_TRAINING, "training"))
    hidden = [n for names, scope in parts if scope not in scopes for n in names]
    return {n: 0.0 if n in _ZERO else None for n in hidden}


@lru_cache(maxsize=64)
def _labels(scopes: frozenset[str]) -> dict[str, str]:
    """Under which name each state's time is shown."""
    return {s.label: State(_state(s, scopes)).label for s in State} | {NO_DATA: NO_DATA}


def _seconds(seconds: Mapping[str, int], scopes: frozenset[str]) -> dict[str, int]:
    labels, out = _labels(scopes), dict[str, int]()
    for name, value in seconds.items():
        out[labels[name]] = out.get(labels[name], 0) + value
    return out


def _state(state: int, scopes: frozenset[str]) -> int:
    if state in (State.NOT_WORN, State.UNKNOWN):
        return state
    if state == State.EXERCISE:
        return state if "training" in scopes else State.UNKNOWN
    if "sitting" not in scopes:
        return State.UNKNOWN
    return State.SITTING if state == State.SLOUCHING and "posture" not in scopes else state


def epochs_for(epochs: Epochs, scopes: frozenset[str]) -> Epochs:
    """Epochs as a viewer with these scopes sees them."""
    if scopes >= SERIES_SCOPES:
        return epochs
    table = np.array([_state(s, scopes) for s in State], np.uint8)
    state = table[epochs.state]
    n = len(epochs)
    nothing = np.full(n, np.nan, np.float32)
    posture, training = "posture" in scopes, "training" in scopes
    return replace(
        epochs,
        state=state,
        confidence=np.where(state == State.UNKNOWN, 0, epochs.confidence).astype(np.float32),
        trunk=epochs.trunk if posture else np.full(n, Trunk.UNKNOWN, np.uint8),
        slouch=epochs.slouch if posture else np.zeros(n, np.uint8),
        tilt_deg=epochs.tilt_deg if posture else nothing,
        side_deg=epochs.side_deg if posture else nothing,
        slump_pct=epochs.slump_pct if posture else nothing,
        move_mg=epochs.move_mg if scopes & {"sitting", "posture"} else np.zeros(n, np.float32),
        exercise=epochs.exercise if training else np.full(n, Exercise.NONE, np.uint8),
    )


def entry_for(entry: Entry, scopes: frozenset[str]) -> Entry | None:
    """A diary record as a viewer with these scopes sees it; None where nothing of it is shared."""
    if entry.kind is not Kind.EVENING:
        return entry if KIND_SCOPE[entry.kind] in scopes else None
    if not scopes & {"tension", "pain"}:
        return None
    body = {k: v for k, v in entry.body.items() if _EVENING.get(k) in {"", *scopes}}
    return replace(entry, body=body)
