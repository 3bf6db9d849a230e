# SPDX-License-Identifier: Apache-2.0
"""An erasure beside a real dashboard, which alone writes the diary: it is asked, and does it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from tests.fakes.series import T0, make_epochs
from tests.fakes.service import Service
from tracker.clock import Clock
from tracker.commands.erase import command
from tracker.dashboard_door import DashboardClient
from tracker.diary import Kind, Person, Role
from tracker.errors import BackstayError
from tracker.model import Placement
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_store

W, OTHER = "w-secret-4", "w-other"


def test_the_dashboard_erases_at_once(tmp_path: Path) -> None:
    """The receipt says done; no byte of the wearer is left while the dashboard still runs."""
    settings = Settings(data=tmp_path / "data", zone="UTC", port=0)
    store, records = open_store(settings), open_records(settings)
    for wearer in (W, OTHER):
        store.write(Batch(wearer=wearer, placement=Placement.WAIST, epochs=make_epochs(T0, 50)))
        person = Person(id=f"p-{wearer}", name="A", roles=frozenset({Role.WEARER}), wearer=wearer)
        records.put_person(person)
        records.put_entry(wearer, Kind.NOTE, {}, at_ns=T0, day="2026-11-24", author="a")
    store.close()
    records.close()
    door = DashboardClient(settings)

    def serves() -> bool:
        try:
            door.call("share_list")
        except BackstayError:
            return False
        return True

    dashboard = Service(["dashboard.serve"], settings, Clock(), serves)
    dashboard.start()
    try:
        done = CliRunner().invoke(command, [W, "--yes"], env=settings.environment())
        assert done.exit_code == 0, done.output
        receipt = json.loads(done.stdout)
        assert (receipt["records"], receipt["record_rows"] > 1) == ("done", True)
        for file in settings.data.rglob("*"):
            assert not file.is_file() or W.encode() not in file.read_bytes(), file
        with closing(sqlite3.connect(settings.app_db)) as db:
            assert db.execute("SELECT wearer FROM entry").fetchall() == [(OTHER,)]
        assert serves()
    finally:
        dashboard.kill()
