# SPDX-License-Identifier: Apache-2.0
"""Reads of the small tables of `epochs.db`: sensors, settings, what waits for InfluxDB."""

import json
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from tracker.model import SECOND_NS, Placement
from tracker.settings import zone
from tracker.store.base import CalibrationRecord, DirtyHour, SensorConfig
from tracker.store.sqlite_open import ReadConnection


class SmallTables(ReadConnection):
    """What the collector and the sink need beside the series."""

    def sensors(self) -> Sequence[SensorConfig]:
        """The sensors that the collector serves, by address."""
        with self._reading() as db:
            rows = db.execute("SELECT * FROM sensor ORDER BY address").fetchall()
        return [
            SensorConfig(
                address=a,
                wearer=w,
                placement=Placement(p),
                name=n,
                decoder=d,
                enabled=bool(e),
                added_ns=t,
                options=json.loads(o),
            )
            for a, w, p, n, d, e, t, o in rows
        ]

    def calibrations(self, wearer: str, placement: Placement) -> Sequence[CalibrationRecord]:
        """Calibrations in time order; each holds until the next of its kind."""
        rows = self._span(
            "SELECT from_ns, kind, body FROM calibration WHERE series = ? ORDER BY from_ns, kind",
            (wearer, placement),
        )
        return [CalibrationRecord(from_ns=t, kind=k, body=json.loads(b)) for t, k, b in rows]

    def wearer_settings(self, wearer: str) -> Mapping[str, object]:
        """Settings of one wearer that the collector needs (`zone`, thresholds, ...)."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT key, value FROM wearer_setting WHERE wearer = ?", (wearer,)
            ).fetchall()
        return {k: json.loads(v) for k, v in rows}

    def zone_of(self, wearer: str) -> ZoneInfo:
        """The wearer's time zone: their setting `zone`, else the service's."""
        return zone(str(self.wearer_settings(wearer).get("zone") or self._zone))

    def dirty(self, limit: int = 1 << 31) -> Sequence[DirtyHour]:
        """Hours that InfluxDB has not got yet, oldest change first."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT s.wearer, s.placement, d.hour_s, d.version, d.from_ns FROM dirty d "
                "JOIN series s ON s.id = d.series ORDER BY d.since_ns, d.hour_s LIMIT ?",
                (limit,),
            ).fetchall()
        return [
            DirtyHour(wearer=w, placement=Placement(p), hour_ns=h * SECOND_NS, version=v, from_ns=f)
            for w, p, h, v, f in rows
        ]

    def gone(self, hour: DirtyHour) -> Sequence[tuple[str, int, str]]:
        """Measurement, time and tag of what a re-analysis took out of an hour."""
        return self._span(
            "SELECT measurement, t_ns, tag FROM gone WHERE series = ? AND hour_s = ? "
            "ORDER BY measurement, t_ns, tag",
            (hour.wearer, hour.placement, hour.hour_ns // SECOND_NS),
        )

    def erasing(self) -> Sequence[str]:
        """Wearers whose erasure InfluxDB has not confirmed yet."""
        with self._reading() as db:
            return [w for (w,) in db.execute("SELECT wearer FROM erasing ORDER BY wearer")]

    def dead_letters(self) -> Sequence[tuple[int, str, str, str]]:
        """Lines that InfluxDB refuses: time, wearer, line, reason."""
        with self._reading() as db:
            return db.execute(
                "SELECT at_ns, wearer, line, reason FROM dead_letter ORDER BY id"
            ).fetchall()

    def backlog(self) -> tuple[int, int | None]:
        """Number of hours that wait for InfluxDB, and since when the oldest does (ns)."""
        with self._reading() as db:
            n, oldest = db.execute("SELECT count(*), min(since_ns) FROM dirty").fetchone()
        return int(n), oldest

    def meta(self, key: str) -> str | None:
        """A note of the store itself."""
        with self._reading() as db:
            row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])
