# SPDX-License-Identifier: Apache-2.0
"""Calibration: whether it was made for this sensor, and not too long ago.

A clip never sits twice at the same angle, so poses age. The limit of 30 days is our own choice; no
study of it was found. Recognition itself follows the mounting from day to day; the poses set what
"tall" and "slumped" mean for this wearer.
"""

from collections.abc import Iterable, Sequence

from tracker.checks import Finding, Surroundings, fault, good, note
from tracker.checks.sensors import configured_sensors
from tracker.errors import StoreError
from tracker.model import SECOND_NS
from tracker.store.base import CalibrationRecord, SensorConfig
from tracker.store.sqlite import open_reader

NAME = "calibration"
STALE_DAYS = 30
_DAY_NS = 86_400 * SECOND_NS
_CURE = "Calibrate on the page Sensor (two minutes: stand, walk, sit tall, sit relaxed, bend)."


def check(here: Surroundings) -> Iterable[Finding]:
    """One finding per configured sensor."""
    now_ns = here.clock.now_ns()
    try:
        sensors = configured_sensors(here)
        reader = open_reader(here.settings)
    except StoreError:  # the check of the stores says why
        return
    try:
        for sensor in sensors:
            yield judge(sensor, reader.calibrations(sensor.wearer, sensor.placement), now_ns)
    finally:
        reader.close()


def judge(sensor: SensorConfig, records: Sequence[CalibrationRecord], now_ns: int) -> Finding:
    """Age of the newest calibration by poses, and whether it is of this sensor."""
    who = sensor.name or sensor.address
    made = [r.from_ns for r in records if r.by_person]
    if not made:
        return note(NAME, f"{who} was never calibrated; default angles are used.", _CURE)
    days = (now_ns - max(made)) / _DAY_NS
    if max(made) < sensor.added_ns:
        return fault(NAME, f"{who} was added after the last calibration.", _CURE)
    if days > STALE_DAYS:
        return fault(NAME, f"The calibration of {who} is {days:.0f} days old.", _CURE)
    return good(NAME, f"The calibration of {who} is {days:.0f} days old.")
