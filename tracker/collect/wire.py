# SPDX-License-Identifier: Apache-2.0
"""What travels through the collector's local door: values of ours to JSON and back.

Raises UsageError with the known words where a value cannot be used.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from tracker.collect.hub import has_prefix
from tracker.collect.scan import Found, bars
from tracker.errors import UsageError
from tracker.model import (
    EPOCH_COLUMNS,
    EPOCH_DTYPES,
    EPOCH_NS,
    Epochs,
    Exercise,
    ExerciseSet,
    Gap,
    GapReason,
    Placement,
    State,
    Transition,
    TransitionKind,
)
from tracker.store.base import SensorConfig


def found_json(found: Found) -> dict[str, object]:
    """One line of a scan for people and programs."""
    advert = found.advert
    return {
        "address": advert.address,
        "name": advert.name,
        "rssi_dbm": advert.rssi_dbm,
        "bars": bars(advert.rssi_dbm),
        "decoder": found.decoder.name if found.decoder else None,
        "title": found.decoder.title if found.decoder else None,
        "score": found.match.score if found.match else 0,
        "why": found.match.why if found.match else "no decoder fits what it advertises",
        "connected": found.connected,
        "battery_pct": found.battery_pct,
    }


def epochs_json(epochs: Epochs) -> dict[str, object]:
    """Epochs as `replace_epochs` takes them: lists by column (NaN is null) and `algo`."""
    columns: dict[str, object] = {"algo": epochs.algo}
    for column in EPOCH_COLUMNS:
        values = getattr(epochs, column).tolist()
        columns[column] = [None if v != v else v for v in values]  # noqa: PLR0124 - NaN
    return columns


def epochs_from_json(columns: Mapping[str, Any]) -> Epochs:
    """The inverse. Raises UsageError for tables that do not fit."""
    try:
        arrays: dict[str, Any] = {
            c: np.array([float("nan") if v is None else v for v in columns[c]], EPOCH_DTYPES[c])
            for c in EPOCH_COLUMNS
        }
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"epochs: a column is missing or no list of numbers ({error})") from error
    lengths = {len(a) for a in arrays.values()}
    starts = arrays["start_ns"]
    if len(lengths) != 1 or np.any(np.diff(starts) <= 0) or np.any(starts % EPOCH_NS):
        raise UsageError("epochs: columns of one length, sorted, starting at multiples of 5 s")
    return Epochs(**arrays, algo=str(columns.get("algo", "")))


def placement_of(name: str) -> Placement:
    """A placement by its name."""
    try:
        return Placement(name)
    except ValueError as error:
        known = ", ".join(p.value for p in Placement)
        raise UsageError(f"unknown placement {name!r}; known are {known}") from error


def state_of(name: str) -> State:
    """A state by its label."""
    try:
        return State[name.upper()]
    except KeyError as error:
        known = ", ".join(s.label for s in State)
        raise UsageError(f"unknown state {name!r}; known are {known}") from error


def text_of(value: str, what: str) -> str:
    """A text that is neither empty nor endless, without space around it."""
    if not 0 < len(str(value).strip()) <= 200:
        raise UsageError(f"{what} must be a text of 1 to 200 characters")
    return str(value).strip()


def transition_of(row: Mapping[str, Any]) -> Transition:
    """A transition from its JSON."""
    return Transition(
        at_ns=int(row["at_ns"]),
        kind=TransitionKind(row["kind"]),
        confidence=float(row["confidence"]),
    )


def gap_of(row: Mapping[str, Any]) -> Gap:
    """A gap from its JSON."""
    return Gap(
        start_ns=int(row["start_ns"]), end_ns=int(row["end_ns"]), reason=GapReason(row["reason"])
    )


def set_of(row: Mapping[str, Any]) -> ExerciseSet:
    """An exercise set from its JSON."""
    name = str(row["exercise"]).upper()
    if name not in Exercise.__members__:
        known = ", ".join(e.label for e in Exercise)
        raise UsageError(f"unknown exercise {row['exercise']!r}; known are {known}")
    return ExerciseSet(
        start_ns=int(row["start_ns"]),
        end_ns=int(row["end_ns"]),
        exercise=Exercise[name],
        reps=int(row["reps"]),
        hold_s=float(row.get("hold_s", 0.0)),
        confidence=str(row["confidence"]),
        source=str(row.get("source", "sensor")),
    )


def config_json(config: SensorConfig) -> dict[str, object]:
    """A sensor's configuration without what is the collector's own business."""
    body = asdict(config) | {"placement": str(config.placement)}
    options = body.get("options")
    if isinstance(options, dict):
        options.pop("resume", None)
    body["radio"] = not has_prefix(config.address)
    return body
