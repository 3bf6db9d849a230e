# SPDX-License-Identifier: Apache-2.0
"""Opens what a command works on: the files while no service runs, else through the service."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict

from tracker.clock import Clock
from tracker.diary import AuditLine
from tracker.errors import ServiceError, StoreBusy, StoreError, UsageError
from tracker.model import EPOCH_COLUMNS
from tracker.rights.erase import Erases, Forgets
from tracker.settings import Settings
from tracker.store import audit_spool
from tracker.store.base import Batch
from tracker.store.records import Records, open_records, open_records_reader
from tracker.store.sqlite import SqliteStore, open_store


@contextmanager
def records_reader(settings: Settings, clock: Clock) -> Iterator[Records | None]:
    """People and diary for reading; None where there are none yet."""
    records = open_records_reader(settings, clock)
    try:
        yield records
    finally:
        if records is not None:
            records.close()


@contextmanager
def records_writer(settings: Settings, clock: Clock) -> Iterator[Records | None]:
    """People and diary for writing; None while the dashboard owns them."""
    records: Records | None = None
    with suppress(StoreBusy):
        records = open_records(settings, clock)
    try:
        yield records
    finally:
        if records is not None:
            records.close()


class _ThroughDashboard:
    def __init__(self, settings: Settings) -> None:
        from tracker.dashboard_door import DashboardClient

        self._settings = settings
        self._client = DashboardClient(settings, timeout_s=60.0)

    def erase_wearer(self, wearer: str) -> int | None:
        """Let the dashboard that owns `app.db` erase; where it does not answer, at its next start.

        Repeating an erasure that the dashboard did although its answer was lost changes nothing.
        """
        try:
            return int(self._client.call("erase_records", wearer=wearer))
        except (ServiceError, UsageError):
            audit_spool.put_erasure(self._settings, wearer)
            return None

    def audit(self, line: AuditLine) -> None:
        """The dashboard takes it in when it opens `app.db` next."""
        audit_spool.put(self._settings, line)


@contextmanager
def records_eraser(settings: Settings, clock: Clock) -> Iterator[Forgets]:
    """What erases people and diary: the file itself, or the dashboard that owns it."""
    with records_writer(settings, clock) as records:
        yield records if records is not None else _ThroughDashboard(settings)


def audit(
    settings: Settings, clock: Clock, wearer: str, *, action: str, allowed: bool = True
) -> None:
    """Write a line of the audit for the operator's command, now or when the dashboard opens."""
    line = AuditLine(
        at_ns=clock.now_ns(),
        viewer="operator (command line)",
        wearer=wearer,
        scope="everything",
        action=action,
        allowed=allowed,
    )
    with suppress(StoreBusy):
        records = open_records(settings, clock)
        try:
            records.audit(line)
        finally:
            records.close()
        return
    audit_spool.put(settings, line)


class _ThroughCollector:
    def __init__(self, settings: Settings) -> None:
        from tracker.collect.control import ControlClient

        self._client = ControlClient(settings.data, timeout_s=600.0)

    def erase(self, wearer: str) -> int:
        """Let the collector that owns the file erase."""
        return int(self._client.call("erase", wearer=wearer)["rows"])

    def write(self, batch: Batch) -> None:
        """Hand a re-analysed span over to the collector."""
        if batch.epochs is None or batch.replace_from_ns is None:
            raise StoreError("only a re-analysed span can be handed over to a running collector")
        epochs = {c: getattr(batch.epochs, c).tolist() for c in EPOCH_COLUMNS}
        self._client.call(
            "replace_epochs",
            wearer=batch.wearer,
            placement=str(batch.placement),
            from_ns=batch.replace_from_ns,
            to_ns=batch.replace_to_ns,
            epochs={**epochs, "algo": batch.epochs.algo},
            transitions=[asdict(t) for t in batch.transitions],
            sets=[{**asdict(s), "exercise": s.exercise.label} for s in batch.sets],
        )


@contextmanager
def series_writer(settings: Settings, clock: Clock) -> "Iterator[SqliteStore | _ThroughCollector]":
    """What changes series: the file itself, or the collector that owns it."""
    try:
        store = open_store(settings, clock)
    except StoreBusy:
        yield _ThroughCollector(settings)
        return
    try:
        yield store
    finally:
        store.close()


def forget_in_influx(settings: Settings, series: Erases) -> bool:
    """Delete queued wearers in InfluxDB now; False where that has to wait for the collector."""
    if not isinstance(series, SqliteStore):
        return False  # the collector's own sink does it
    from tracker.store.influx_sink import forget_erased
    from tracker.store.influx_target import InfluxTarget

    try:
        with closing(InfluxTarget(settings)) as target:
            forget_erased(series, target)
    except StoreError:  # away, refused, or `backstay[influx]` is not here: it stays queued
        return False
    return True
