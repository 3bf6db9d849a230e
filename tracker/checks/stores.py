# SPDX-License-Identifier: Apache-2.0
"""The databases: whether this version can read them and they are undamaged."""

from collections.abc import Iterable
from pathlib import Path

from tracker.checks import Finding, Surroundings, fault, good, note
from tracker.errors import NewerStore, StoreDamaged, StoreError
from tracker.settings import Settings
from tracker.store.connect import connect_reader, sentences
from tracker.store.records import open_records_reader
from tracker.store.sqlite import open_reader

NAME = "stores"


def check(here: Surroundings) -> Iterable[Finding]:
    """One finding per database."""
    settings = here.settings
    yield _series(settings)
    yield _people(settings)


def _series(settings: Settings) -> Finding:
    path = settings.epochs_db
    if not path.exists():
        return good(NAME, f"{path.name} is not there yet; the first start makes it.")
    reader = open_reader(settings)
    try:
        return judge(path.name, None, reader.integrity())
    except StoreError as error:
        return judge(path.name, error, ())
    finally:
        reader.close()


def _people(settings: Settings) -> Finding:
    path = settings.app_db
    name = "the practice's PostgreSQL" if settings.records_url else path.name
    if not settings.records_url and not path.exists():
        return good(NAME, f"{name} is not there yet; the first start makes it.")
    try:
        damage = () if settings.records_url else _integrity(path)
        records = open_records_reader(settings)
        if records is not None:
            try:
                records.people()
            finally:
                records.close()
    except StoreError as error:
        return judge(name, error, ())
    return judge(name, None, damage)


def _integrity(path: Path) -> list[str]:
    db = connect_reader(path)
    try:
        with sentences(path):
            rows = db.execute("PRAGMA integrity_check").fetchall()
    finally:
        db.close()
    return [str(text) for (text,) in rows if text != "ok"]


def judge(name: str, error: StoreError | None, damage: Iterable[str]) -> Finding:
    """What opening said (None: it opened) and what the integrity check found."""
    found = list(damage)
    if isinstance(error, NewerStore):
        return fault(
            NAME,
            f"{name} was written by a newer Backstay.",
            "Install the newer version again, or restore a backup made by this one with "
            "`backstay restore`.",
        )
    if isinstance(error, StoreDamaged) or found:
        what = found[0] if found else str(error)
        return fault(
            NAME,
            f"{name} is damaged ({what}).",
            "Stop the service and run `backstay restore` with your newest backup.",
        )
    if error is not None and "older version" in str(error):
        return note(NAME, f"{name} is of an older version.", "Start the service once.")
    if error is not None:
        return fault(NAME, f"{name} cannot be used: {error}.", "Check its owner and its rights.")
    return good(NAME, f"{name} is undamaged.")
