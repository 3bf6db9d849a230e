# SPDX-License-Identifier: Apache-2.0
"""Which calibration and which thresholds hold for a series at which time.

The newest calibration that began before a sample holds for it. Before any, the axes that were
given with the sensor; without those, what gravity and the sensor's face tell from its first
seconds (stored as `auto`, so that a re-analysis uses the same).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tracker.errors import InputError, UsageError
from tracker.model import Placement, Samples
from tracker.signal.calibrate import Axes, Calibration, calibrate
from tracker.signal.results import Setup
from tracker.signal.slouch import SlouchParams
from tracker.store.base import CalibrationRecord

ALWAYS_NS = -(1 << 62)
AUTO_S = 20
SLOUCH_KEYS = {
    "slouch_over_pct": ("over_pct", 20.0, 100.0),
    "slouch_end_pct": ("end_pct", 10.0, 90.0),
    "slouch_dwell_s": ("dwell_s", 10.0, 1800.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """A setup and the time from which it holds."""

    from_ns: int
    setup: Setup


def setups(
    placement: Placement,
    records: Sequence[CalibrationRecord],
    settings: Mapping[str, object],
    *,
    axes: str = "",
    research_models: bool = True,
) -> list[Since]:
    """All setups of a series in time order; empty while nothing is known of the mounting."""
    base = Setup(
        placement=placement, slouch=slouch_params(settings), research_models=research_models
    )
    found: list[Since] = []
    if axes:
        mounting = calibrate(Samples.empty(), placement, Axes.parse(axes))
        found.append(Since(from_ns=ALWAYS_NS, setup=replace(base, calibration=mounting)))
    for record in sorted(records, key=lambda r: r.from_ns):
        setup = replace(base, calibration=calibration_of(record))
        found.append(Since(from_ns=record.from_ns, setup=setup))
    return found


def calibration_of(record: CalibrationRecord) -> Calibration:
    """The stored calibration. Raises InputError where the record cannot be read."""
    try:
        return Calibration.from_json(json.dumps(record.body))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the calibration of {record.from_ns} cannot be read ({error}): calibrate again"
        ) from error


def record_of(calibration: Calibration, *, from_ns: int, kind: str) -> CalibrationRecord:
    """A calibration as it is stored. `kind` is "poses" (a person stood and sat) or "auto"."""
    return CalibrationRecord(
        from_ns=from_ns, kind=kind, body=dict(json.loads(calibration.to_json()))
    )


def slouch_params(settings: Mapping[str, object]) -> SlouchParams:
    """The threshold table with the wearer's own values in place of the defaults."""
    own = {
        field: float(value)
        for key, (field, _, _) in SLOUCH_KEYS.items()
        if isinstance(value := settings.get(key), int | float)
    }
    return replace(SlouchParams(), **own)


def check_setting(key: str, value: object) -> None:
    """Refuse a threshold outside its bounds. Other keys are free JSON."""
    if key not in SLOUCH_KEYS or value is None:
        return
    _, low, high = SLOUCH_KEYS[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{key} is a number from {low:g} to {high:g}, not {value!r}")


def at(known: Sequence[Since], t_ns: int) -> int | None:
    """Index of the setup that holds at a time; the first one also holds before its time."""
    if not known:
        return None
    holding = [i for i, since in enumerate(known) if since.from_ns <= t_ns]
    return holding[-1] if holding else 0
