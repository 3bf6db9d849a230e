# SPDX-License-Identifier: Apache-2.0
"""The demo wearer: weeks of history up to this minute, in a data folder of their own.

Everything is simulated from a fixed seed and made anew at every start, so it always ends "now".
Nothing of it touches the folder of real data.
"""

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from tracker.clock import Clock
from tracker.diary import Evening, Kind, Person, Role
from tracker.model import SECOND_NS, Placement
from tracker.settings import Settings, zone
from tracker.simulation.history import History, history
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import SqliteStore, open_store
from tracker.units import local_date

WEARER = "demo"
PLACEMENT = Placement.UPPER_BACK
WEEKS = 8
SEED = 20261124
MARK = "DEMO"  # a file of this name marks a folder as the demo's


def demo_settings(settings: Settings) -> Settings:
    """The same settings on the demo's own folder, without any outside store."""
    return replace(settings, data=settings.data / "demo", influx_url="", records_url="")


def prepare(settings: Settings, clock: Clock) -> None:
    """Make the demo's folder anew, with history up to now. `settings` are the demo's own."""
    _empty(settings.data)
    now_ns = clock.now_ns()
    tz = ZoneInfo(str(zone(settings.zone)))
    weeks = history(
        np.random.default_rng(SEED),
        WEEKS * 7,
        tz,
        last_day=local_date(now_ns, tz),
        until_ns=now_ns - now_ns % (5 * SECOND_NS),
    )
    store = open_store(settings, clock)
    try:
        _write_series(store, weeks)
    finally:
        store.close()
    _write_diary(settings, clock, weeks, tz)


def _empty(folder: Path) -> None:
    """Remove an earlier demo; a folder that is not marked as one is left alone."""
    if (folder / MARK).is_file():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("Simulated data, made anew at every start. Safe to delete.\n")


def _write_series(store: SqliteStore, weeks: History) -> None:
    # One batch, so that each day's rollup is worked out once.
    store.write(
        Batch(
            wearer=WEARER,
            placement=PLACEMENT,
            epochs=weeks.epochs,
            transitions=weeks.transitions,
            sets=weeks.sets,
            gaps=weeks.gaps,
        )
    )
    store.refresh()


def _write_diary(settings: Settings, clock: Clock, weeks: History, tz: ZoneInfo) -> None:
    records = open_records(settings, clock)
    try:
        records.put_person(
            Person(
                id="owner",
                name="Demo",
                roles=frozenset({Role.WEARER}),
                wearer=WEARER,
                language=settings.language,
                zone=str(tz),
            )
        )

        def put(kind: Kind, item: object, at_ns: int, day: str) -> None:
            body = {k: v for k, v in asdict(item).items() if v is not None}  # type: ignore[call-overload]  # diary records are dataclasses
            records.put_entry(WEARER, kind, body, at_ns=at_ns, day=day, author="owner")

        today = str(local_date(clock.now_ns(), tz))
        evenings = [*weeks.evenings]
        if all(evening.day != today for evening in evenings):
            # The page asks before it shows numbers; a demo shows something useful at once.
            evenings.append(Evening(day=today, tension=3))
        for evening in evenings:
            at_ns = min(_evening_ns(evening.day, tz), clock.now_ns())
            put(Kind.EVENING, evening, at_ns, evening.day)
        # Somebody who went through the safety list and whom nothing on it concerns.
        records.put_entry(
            WEARER,
            Kind.SCREENING,
            {"mode": "static", "none_applies": True, "answers": {}},
            at_ns=clock.now_ns() - 3 * 86_400 * SECOND_NS,
            day=str(local_date(clock.now_ns() - 3 * 86_400 * SECOND_NS, tz)),
            author="owner",
        )
        for massage in weeks.massages:
            put(Kind.MASSAGE, massage, massage.at_ns, str(local_date(massage.at_ns, tz)))
        for training in weeks.trainings:
            put(Kind.TRAINING, training, training.at_ns, str(local_date(training.at_ns, tz)))
    finally:
        records.close()


def _evening_ns(day: str, tz: ZoneInfo) -> int:
    from datetime import date, time

    from tracker.units import local_ns

    return local_ns(date.fromisoformat(day), time(20, 30), tz)
