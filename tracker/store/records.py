# SPDX-License-Identifier: Apache-2.0
"""People, sign-ins, diary, sharing and audit: `app.db`, or PostgreSQL by URL.

The store keeps and finds; who may do what is decided by `tracker.access` and its callers (the 48 h
rule of diary edits too). Every change is one transaction that is durable when the call returns.
"""

import functools
from typing import Any

from tracker.clock import SYSTEM_CLOCK, Clock
from tracker.settings import Settings
from tracker.store import audit_spool
from tracker.store.migrations import migrate
from tracker.store.records_audit import Audit
from tracker.store.records_diary import Diary
from tracker.store.records_people import People
from tracker.store.records_schema import RECORDS_STEPS
from tracker.store.records_sharing import Sharing
from tracker.store.sql import Engine, PostgresEngine, SqliteEngine


class Records(People, Diary, Sharing, Audit):
    """Everything that is about persons and not about samples. Safe to share between threads."""

    def upgrade(self) -> int:
        """Bring the schema up to date; the number of steps run."""
        identity = self.engine.identity
        steps = [_bound(step, identity) for step in RECORDS_STEPS]
        return migrate(self.engine.migrating, steps, self.engine.name)

    def erase_wearer(self, wearer: str) -> int:
        """Delete the person behind a wearer with everything about them; the number of rows.

        Audit lines stay as lines, without names: that somebody looked remains, whom it was about
        does not. Idempotent.
        """
        person = self.person_of(wearer)
        count = 0
        with self.engine.transaction() as db:
            for table in ("entry", "entry_id", "access_grant", "invitation"):
                count += db.execute(f"DELETE FROM {table} WHERE wearer = ?", (wearer,)).rowcount  # noqa: S608
            db.execute(
                "UPDATE audit SET wearer = 'erased', detail = '' WHERE wearer = ?", (wearer,)
            )
            if person is not None:
                key = (person.id,)
                for table in ("credential", "sign_in"):
                    count += db.execute(f"DELETE FROM {table} WHERE person = ?", key).rowcount  # noqa: S608
                count += db.execute("DELETE FROM access_grant WHERE viewer = ?", key).rowcount
                db.execute("UPDATE invitation SET used_by = 'erased' WHERE used_by = ?", key)
                db.execute("UPDATE audit SET viewer = 'erased' WHERE viewer = ?", key)
                db.execute("UPDATE entry SET author = 'erased' WHERE author = ?", key)
                count += db.execute("DELETE FROM person WHERE id = ?", key).rowcount
        if isinstance(self.engine, SqliteEngine):
            self.engine.checkpoint()
        return count


def open_records(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Records:
    """The writing store of people and diary: `app.db`, or PostgreSQL where a URL is set.

    StoreBusy where another process writes `app.db` (PostgreSQL takes many writers).
    """
    engine: Engine
    if settings.records_url:
        engine = PostgresEngine(settings.records_url)
    else:
        engine = SqliteEngine(settings.app_db, write=True, steps=RECORDS_STEPS)
    records = Records(engine, clock)
    try:
        records.upgrade()
        audit_spool.take_in(settings, records.audit, records.erase_wearer)
    except BaseException:
        records.close()
        raise
    return records


def open_records_reader(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Records | None:
    """Reads of people and diary while the dashboard writes; None where there is no file yet."""
    if settings.records_url:
        return open_records(settings, clock)
    if not settings.app_db.exists():
        return None
    return Records(SqliteEngine(settings.app_db, write=False, steps=RECORDS_STEPS), clock)


def _bound(step: Any, identity: str) -> Any:
    bound = functools.partial(step, identity=identity)
    bound.__name__ = step.__name__  # type: ignore[attr-defined]  # the ledger names the step
    return bound
