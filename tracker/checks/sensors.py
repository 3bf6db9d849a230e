# SPDX-License-Identifier: Apache-2.0
"""Sensors: whether one is configured, and sends."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tracker.checks import Finding, Surroundings, fault, good, note
from tracker.collect.health import BATTERY_LOW_PCT, STALE_S
from tracker.collect.hub import has_prefix
from tracker.collect.scan import scan
from tracker.errors import SensorError, StoreError
from tracker.store.base import SensorConfig
from tracker.store.sqlite import open_reader

NAME = "sensors"


def check(here: Surroundings) -> Iterable[Finding]:
    """One finding per configured sensor."""
    if here.collector is not None:
        served = list(here.collector.get("list", ()))
        yield from (judge_served(s) for s in served)
        if not served:
            yield nothing_configured()
        return
    try:
        configured = configured_sensors(here)
    except StoreError:  # the check of the stores says why
        return
    if not configured:
        yield nothing_configured()
        return
    radio = [s for s in configured if not has_prefix(s.address)]
    for sensor in configured:
        if sensor not in radio:
            yield note(
                NAME,
                f"{_named(sensor)} sends by itself; the collector that receives it does not run.",
                "Start it with `backstay up`.",
            )
    if radio:
        yield from _heard(here, radio)


def configured_sensors(here: Surroundings) -> list[SensorConfig]:
    """Enabled sensors of the store. Raises StoreError where it cannot be read."""
    reader = open_reader(here.settings)
    try:
        return [s for s in reader.sensors() if s.enabled]
    finally:
        reader.close()


def nothing_configured() -> Finding:
    """The finding of a first day."""
    return fault(
        NAME,
        "No sensor is configured.",
        "Switch the sensor on and add it on the page Sensor, or run `backstay scan` and then "
        "`backstay collect --sensor ADDRESS --wearer me`.",
    )


def judge_served(status: Mapping[str, Any]) -> Finding:
    """What a running collector says of one sensor (see `tracker.collect.health`)."""
    who = str(status.get("name") or status["address"])
    age_s, battery = status.get("age_s"), status.get("battery_pct")
    if status["link"] != "streaming" or age_s is None or age_s > STALE_S:
        since = "yet" if age_s is None else f"for {age_s:.0f} s"
        return fault(
            NAME,
            f"{who} has sent nothing {since} ({status.get('why') or status['link']}).",
            "Switch the sensor on, charge it, bring it within 5 m, and close any phone app that "
            "is connected to it.",
        )
    if battery is not None and battery <= BATTERY_LOW_PCT:
        return note(NAME, f"{who} sends; its battery is at {battery} %.", "Charge it tonight.")
    return good(NAME, f"{who} sends.")


def judge_heard(sensor: SensorConfig, addresses: Sequence[str]) -> Finding:
    """Whether a configured sensor was heard in a scan."""
    if sensor.address.upper() in {a.upper() for a in addresses}:
        return good(NAME, f"{_named(sensor)} is in reach.")
    return fault(
        NAME,
        f"{_named(sensor)} is not in reach.",
        "Switch it on, charge it, bring it within 5 m, and close any phone app that is connected "
        "to it: a connected sensor cannot be seen.",
    )


def _heard(here: Surroundings, sensors: Sequence[SensorConfig]) -> Iterable[Finding]:
    try:
        found = asyncio.run(scan(here.clock, seconds=here.scan_s))
    except SensorError:
        yield note(NAME, "Without Bluetooth nobody can look for sensors.", "See `radio`.")
        return
    addresses = [f.advert.address for f in found]
    yield from (judge_heard(s, addresses) for s in sensors)


def _named(sensor: SensorConfig) -> str:
    return f"{sensor.name} ({sensor.address})" if sensor.name else sensor.address
