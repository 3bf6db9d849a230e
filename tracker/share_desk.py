# SPDX-License-Identifier: Apache-2.0
"""Bundles in the therapist's house: taken in, listed, deleted, and swept away at expiry.

A bundle's wearer gets a pseudonym `s-...` of their own, a person without a sign-in, and an ordinary
grant that ends with the bundle. Series go through the collector where one runs. What was taken in
is remembered by the bundle's id alone, so that a deleted one cannot come back by its file.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from tracker.access import MAX_GRANT_DAYS
from tracker.clock import Clock
from tracker.diary import AuditLine, Kind, Person, Role
from tracker.errors import AccessDenied, InputError, StoreBusy
from tracker.model import EPOCH_COLUMNS
from tracker.settings import Settings
from tracker.share import DAY_NS, PREFIX, Bundle, Place, calibration_of, unpack
from tracker.share_seal import envelope, unseal
from tracker.store.base import Batch
from tracker.store.records import Records
from tracker.store.sqlite import SqliteStore, open_store

SETTING = "shared_bundles"
_TURN = threading.Lock()  # one import or sweep of this process at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One bundle that was taken in. `gone_ns`: when it was deleted."""

    id: str
    local: str
    viewer: str
    made_ns: int
    expires_ns: int
    taken_ns: int
    gone_ns: int | None = None


class _Series(Protocol):
    def put(self, local: str, place: Place) -> None:
        """Write the series of one placement."""

    def zone(self, local: str, name: str) -> None:
        """Set the time zone of the days."""

    def erase(self, local: str) -> None:
        """Delete everything of one wearer."""

    def wearers(self) -> set[str]:
        """Pseudonyms with series."""


class _Direct:
    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def put(self, local: str, place: Place) -> None:
        self._store.write(
            Batch(
                wearer=local,
                placement=place.placement,
                epochs=place.epochs,
                transitions=place.transitions,
                sets=place.sets,
                gaps=place.gaps,
            )
        )
        for record in calibration_of(place):
            self._store.put_calibration(local, place.placement, record)
        self._store.refresh()

    def zone(self, local: str, name: str) -> None:
        self._store.put_wearer_setting(local, "zone", name)

    def erase(self, local: str) -> None:
        self._store.erase(local)

    def wearers(self) -> set[str]:
        return {w for w, _ in self._store.wearers()}


class _ThroughCollector:
    """The collector owns the file: hand over day by day, as a request is bounded."""

    def __init__(self, settings: Settings) -> None:
        from tracker.collect.control import ControlClient
        from tracker.store.sqlite import open_reader

        self._client = ControlClient(settings.data, timeout_s=600.0)
        self._reader = open_reader(settings)

    def put(self, local: str, place: Place) -> None:
        epochs = place.epochs
        days = sorted({int(t) // DAY_NS for t in epochs.start_ns})
        for number, day in enumerate(days or [0]):
            low, high = day * DAY_NS, (day + 1) * DAY_NS
            part = epochs[(epochs.start_ns >= low) & (epochs.start_ns < high)]
            columns: dict[str, Any] = {c: getattr(part, c).tolist() for c in EPOCH_COLUMNS}
            self._client.call(
                "replace_epochs",
                wearer=local,
                placement=str(place.placement),
                from_ns=low,
                to_ns=high,
                epochs={**columns, "algo": epochs.algo},
                transitions=[asdict(t) for t in place.transitions if low <= t.at_ns < high],
                sets=[
                    {**asdict(s), "exercise": s.exercise.label}
                    for s in place.sets
                    if low <= s.start_ns < high
                ],
                gaps=[asdict(g) for g in place.gaps] if not number else [],
                calibrated_ns=place.calibrated_ns if not number else None,
            )

    def zone(self, local: str, name: str) -> None:
        self._client.call("put", wearer=local, key="zone", value=name)

    def erase(self, local: str) -> None:
        self._client.call("erase", wearer=local)

    def wearers(self) -> set[str]:
        return {w for w, _ in self._reader.wearers()}


@contextmanager
def _series(settings: Settings, clock: Clock) -> Iterator[_Series]:
    try:
        store = open_store(settings, clock)
    except StoreBusy:
        yield _ThroughCollector(settings)
        return
    try:
        yield _Direct(store)
    finally:
        store.close()


def take_in(
    settings: Settings, clock: Clock, records: Records, therapist: Person, data: bytes, code: str
) -> Taken:
    """Open a bundle and put its wearer on the therapist's list; all of it or nothing visible.

    A newer bundle of the same wearer replaces the older one. Raises InputError for an expired,
    older, deleted or foreign file, AccessDenied for a wrong code or a person who is no therapist.
    """
    if Role.THERAPIST not in therapist.roles or not therapist.active:
        raise AccessDenied("Only a therapist's account can take in a bundle.")
    now_ns = clock.now_ns()
    if envelope(data).expires_ns <= now_ns:
        raise InputError("This bundle has expired: ask for a new one.")
    bundle = unpack(unseal(data, code))
    if bundle.expires_ns <= now_ns:
        raise InputError("This bundle has expired: ask for a new one.")
    with _TURN:
        for old in taken(records):
            if old.id == bundle.id and old.gone_ns is not None:
                raise InputError("This bundle was deleted here before: ask for a new one.")
            if old.local == bundle.local and old.gone_ns is None and old.made_ns > bundle.made_ns:
                raise InputError("A newer bundle of this person is here already.")
        with _series(settings, clock) as series:
            _forget(records, series, bundle.local)
            series.zone(bundle.local, bundle.zone)
            for place in bundle.places:
                series.put(bundle.local, place)
        return _keep(records, therapist, bundle, now_ns)


def _keep(records: Records, therapist: Person, bundle: Bundle, now_ns: int) -> Taken:
    local = bundle.local
    expires_ns = min(bundle.expires_ns, now_ns + MAX_GRANT_DAYS * DAY_NS)
    made = Taken(
        id=bundle.id,
        local=local,
        viewer=therapist.id,
        made_ns=bundle.made_ns,
        expires_ns=expires_ns,
        taken_ns=now_ns,
    )
    # Noted first: what follows is swept away at expiry even if this process ends in between.
    others = [t for t in taken(records) if t.local != local or t.gone_ns is not None]
    _note(records, [*others, made])
    records.put_person(
        Person(
            id=f"p-{local}",
            name=bundle.alias,
            roles=frozenset({Role.WEARER}),
            wearer=local,
            language=bundle.language,
            zone=bundle.zone,
            active=False,  # nobody signs in as a bundle
        )
    )
    for entry in bundle.entries:
        records.put_entry(
            local,
            Kind(entry["kind"]),
            dict(entry["body"]),
            at_ns=entry["at_ns"],
            day=entry["day"],
            author=f"p-{local}",
        )
    records.put_grant(local, therapist.id, bundle.scopes, expires_ns=expires_ns)
    _audit(records, therapist.id, local, ",".join(sorted(bundle.scopes)), "import", now_ns)
    return made


def taken(records: Records) -> Sequence[Taken]:
    """Every bundle that was ever taken in, oldest first."""
    held = records.setting(SETTING, [])
    rows = held if isinstance(held, list) else []
    return [Taken(**row) for row in rows if isinstance(row, Mapping)]


def delete(
    settings: Settings, clock: Clock, records: Records, bundle_id: str, viewer: str = "operator"
) -> None:
    """Delete one bundle now."""
    with _TURN:
        found = [t for t in taken(records) if t.id == bundle_id and t.gone_ns is None]
        if not found:
            raise InputError(f"there is no bundle {bundle_id!r} here: look at `share --list`")
        _drop(settings, clock, records, found, viewer)


def sweep(settings: Settings, clock: Clock, records: Records) -> int:
    """Delete what has expired, and series that a broken-off import left behind; how many."""
    with _TURN:
        now_ns = clock.now_ns()
        held = [t for t in taken(records) if t.gone_ns is None]
        over = [t for t in held if t.expires_ns <= now_ns]
        if over:
            _drop(settings, clock, records, over, "expiry")
        known = {t.local for t in held} - {t.local for t in over}
        return len(over) + _sweep_orphans(settings, clock, records, known)


def _sweep_orphans(settings: Settings, clock: Clock, records: Records, known: set[str]) -> int:
    from tracker.store.sqlite import open_reader

    reader = open_reader(settings)
    try:
        orphans = {w for w, _ in reader.wearers() if w.startswith(PREFIX)} - known
    finally:
        reader.close()
    if orphans:
        with _series(settings, clock) as series:
            for local in orphans:
                _forget(records, series, local)
    return len(orphans)


def _drop(
    settings: Settings, clock: Clock, records: Records, over: Sequence[Taken], viewer: str
) -> None:
    now_ns = clock.now_ns()
    with _series(settings, clock) as series:
        for one in over:
            _audit(records, viewer, one.local, "everything", "erase", now_ns)
            _forget(records, series, one.local)
    gone = {t.id for t in over}
    _note(
        records,
        [Taken(**{**asdict(t), "gone_ns": now_ns}) if t.id in gone else t for t in taken(records)],
    )


def _forget(records: Records, series: _Series, local: str) -> None:
    records.erase_wearer(local)
    if local in series.wearers():
        series.erase(local)


def _note(records: Records, rows: Sequence[Taken]) -> None:
    records.put_setting(SETTING, [asdict(t) for t in rows])


def _audit(
    records: Records, viewer: str, wearer: str, scope: str, action: str, now_ns: int
) -> None:
    records.audit(
        AuditLine(
            at_ns=now_ns, viewer=viewer, wearer=wearer, scope=scope, action=action, allowed=True
        )
    )


def therapist_of(records: Records, name: str = "") -> Person:
    """The therapist of this name; without a name the only one there is."""
    known = [p for p in records.people(active_only=True) if Role.THERAPIST in p.roles]
    if name:
        known = [p for p in known if p.name.casefold() == name.casefold()]
    if len(known) == 1:
        return known[0]
    if not known:
        raise InputError(
            f"there is no therapist {name!r} here: make one with `backstay user add NAME --role "
            "therapist`"
            if name
            else "there is no therapist's account here: `backstay user add NAME --role therapist`"
        )
    names = ", ".join(p.name for p in known)
    raise InputError(f"say for whom the bundle is, with --for NAME: {names}")
