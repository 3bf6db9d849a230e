# SPDX-License-Identifier: Apache-2.0
"""How the collector is: one dictionary for pages and one text for Prometheus. No personal data.

Sensors appear by address, wearers by their pseudonymous id.
"""

from collections.abc import Iterable

from tracker.collect.hub import Hub, Sensor
from tracker.collect.scan import bars
from tracker.collect.wearing import key_of
from tracker.model import SECOND_NS

STALE_S = 10.0
BATTERY_LOW_PCT = 20


def sensor_status(hub: Hub, sensor: Sensor) -> dict[str, object]:
    """Everything known of one served sensor."""
    intake = sensor.intake
    counters = intake.assembler.counters
    last = intake.last_frame_ns
    age_s = (hub.clock.now_ns() - last) / SECOND_NS if last else None
    return {
        "address": sensor.config.address,
        "name": sensor.config.name,
        "wearer": sensor.config.wearer,
        "placement": str(sensor.config.placement),
        "decoder": intake.decoder,
        "link": intake.link,
        "why": intake.why,
        "age_s": None if age_s is None else round(age_s, 1),
        "seen_ns": sensor.series.through_ns,
        "battery_pct": intake.battery_pct,
        "battery_left_h": sensor.battery.left_h(hub.clock.now_ns()),
        "rssi_dbm": intake.rssi_dbm,
        "bars": bars(intake.rssi_dbm),
        "samples": counters.samples,
        "lost": counters.lost - counters.recovered,
        "recovered": counters.recovered,
        "duplicates": counters.duplicates,
        "dropped_frames": intake.inbox.dropped,
        "bad_frames": dict(intake.errors),
        "first_bad": intake.first_bad,
        "reconnects": max(0, intake.connects - 1),
        "drift_ppm": round(intake.assembler.drift_ppm, 1),
        "loss_pct": round(intake.loss_pct, 2),
        "lag_s": round(sensor.series.lag_ns / SECOND_NS, 1),
        "overlapped": sensor.series.recorder.overlapped,
        "faults": sensor.faults,
        "warnings": list(sensor.series.analyst.warnings),
        "advice": list(advice(sensor, age_s)),
        **_fit(hub, sensor),
    }


def _fit(hub: Hub, sensor: Sensor) -> dict[str, object]:
    """How it sits: when a person calibrated it, and what today's walk showed."""
    config = sensor.config
    made = hub.store.calibrations(config.wearer, config.placement)
    return {
        "added_ns": config.added_ns,
        "calibrated_ns": max((c.from_ns for c in made if c.by_person), default=None),
        "worn": hub.store.wearer_settings(config.wearer).get(key_of(config.placement)),
        "slipped": any("while walking" in w for w in sensor.series.analyst.warnings),
    }


def advice(sensor: Sensor, age_s: float | None) -> Iterable[str]:
    """Words for what a person can do; the page has the sentences."""
    intake = sensor.intake
    if intake.battery_pct is not None and intake.battery_pct <= BATTERY_LOW_PCT:
        yield "battery_low"
    if intake.link == "sensor_off":
        yield "sensor_off"
    if intake.link == "out_of_reach":
        yield "out_of_reach"
    if age_s is None and intake.link != "streaming":
        yield "never_seen"
    if intake.assembler.counters.overlapped:
        yield "clock_went_back"
    if sensor.series.recorder.overlapped:
        yield "two_sensors_one_place"


def health(hub: Hub) -> dict[str, object]:
    """`status` is "ok" or "failing"; the rest says why."""
    failing = []
    if hub.keeper.error:
        failing.append(hub.keeper.error)
    return {
        "status": "failing" if failing else "ok",
        "why": failing,
        "sensors": len(hub.sensors),
        "streaming": sum(s.intake.link == "streaming" for s in hub.sensors.values()),
        "refused": dict(hub.refused),
        "waiting_samples": hub.keeper.waiting,
        "given_up_samples": hub.keeper.given_up,
        "started_ns": hub.started_ns,
        "now_ns": hub.clock.now_ns(),
    }


_SERIES = (
    ("backstay_data_age_seconds", "gauge", "Age of the newest frame", "age_s"),
    ("backstay_battery_percent", "gauge", "Battery of the sensor", "battery_pct"),
    ("backstay_rssi_dbm", "gauge", "Signal strength when last advertised", "rssi_dbm"),
    ("backstay_samples_total", "counter", "Samples received", "samples"),
    ("backstay_samples_lost", "gauge", "Samples missing for good, so far", "lost"),
    ("backstay_samples_recovered_total", "counter", "Samples that came late", "recovered"),
    ("backstay_duplicates_total", "counter", "Samples delivered again", "duplicates"),
    ("backstay_dropped_frames_total", "counter", "Frames a full queue dropped", "dropped_frames"),
    ("backstay_reconnects_total", "counter", "Connections after the first", "reconnects"),
    ("backstay_loss_percent", "gauge", "Samples lost in the last five minutes", "loss_pct"),
    ("backstay_analysis_lag_seconds", "gauge", "Recorded, but not analysed yet", "lag_s"),
    ("backstay_clock_drift_ppm", "gauge", "Drift of the sensor's clock", "drift_ppm"),
)


def metrics(hub: Hub) -> str:
    """Prometheus text format 0.0.4."""
    states = [sensor_status(hub, s) for s in hub.sensors.values()]
    lines: list[str] = []
    for name, kind, text, key in _SERIES:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [
            f'{name}{{sensor="{s["address"]}"}} {s[key]}' for s in states if s[key] is not None
        ]
    lines += ["# HELP backstay_link_up 1 while streaming", "# TYPE backstay_link_up gauge"]
    lines += [
        f'backstay_link_up{{sensor="{s["address"]}"}} {int(s["link"] == "streaming")}'
        for s in states
    ]
    lines += [
        "# HELP backstay_bad_frames_total Frames that could not be decoded",
        "# TYPE backstay_bad_frames_total counter",
    ]
    for sensor in hub.sensors.values():
        lines += [
            f'backstay_bad_frames_total{{sensor="{sensor.config.address}",error="{kind}"}} {n}'
            for kind, n in sorted(sensor.intake.errors.items())
        ]
    lines += [
        "# HELP backstay_store_waiting_samples Samples in memory because the store refuses",
        "# TYPE backstay_store_waiting_samples gauge",
        f"backstay_store_waiting_samples {hub.keeper.waiting}",
    ]
    return "\n".join(lines) + "\n"
