# SPDX-License-Identifier: Apache-2.0
"""The diary: every version of every entry stays, deletions too."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from tracker.diary import Entry, Kind
from tracker.errors import InputError
from tracker.store.records_base import RecordsBase

_ENTRY = "id, version, wearer, kind, at_ns, day, body, author, written_ns, replaced_ns"


class Diary(RecordsBase):
    """Entries of wearers, with their history."""

    def put_entry(
        self,
        wearer: str,
        kind: Kind,
        body: dict[str, object],
        *,
        at_ns: int,
        day: str,
        author: str,
    ) -> Entry:
        """Write a new diary record; `body` holds JSON values."""
        with self.engine.transaction() as db:
            (key,) = db.execute(
                "INSERT INTO entry_id (wearer) VALUES (?) RETURNING id", (wearer,)
            ).fetchone()
            entry = Entry(
                id=int(key),
                wearer=wearer,
                kind=Kind(kind),
                at_ns=at_ns,
                day=day,
                body=body,
                author=author,
                written_ns=self._clock.now_ns(),
            )
            _insert_entry(db, entry)
        return entry

    def edit_entry(
        self,
        entry_id: int,
        body: dict[str, object],
        *,
        author: str,
        at_ns: int | None = None,
        day: str | None = None,
        expected_version: int | None = None,
    ) -> Entry:
        """Write a new version; the earlier ones stay in the history.

        InputError where the entry is gone, or where `expected_version` is no longer current.
        """
        with self.engine.transaction() as db:
            old = _current(db, entry_id, expected_version)
            now = self._clock.now_ns()
            _replace(db, old, now)
            new = replace(
                old,
                body=body,
                author=author,
                written_ns=now,
                version=old.version + 1,
                at_ns=old.at_ns if at_ns is None else at_ns,
                day=old.day if day is None else day,
            )
            _insert_entry(db, new)
        return new

    def delete_entry(self, entry_id: int, *, author: str) -> None:
        """Delete an entry; the history keeps that it was there, and who deleted it.

        The last version of a deleted entry has an empty body and both times set.
        """
        with self.engine.transaction() as db:
            old = _current(db, entry_id, None)
            now = self._clock.now_ns()
            _replace(db, old, now)
            mark = replace(
                old, body={}, author=author, written_ns=now, version=old.version + 1,
                replaced_ns=now,
            )  # fmt: skip
            _insert_entry(db, mark)

    def entry(self, entry_id: int) -> Entry | None:
        """The current version of an entry; None where it does not exist or was deleted."""
        rows = self._rows(
            f"SELECT {_ENTRY} FROM entry WHERE id = ? AND replaced_ns IS NULL",  # noqa: S608
            (entry_id,),
        )
        return _entry(rows[0]) if rows else None

    def entries(
        self,
        wearer: str,
        kinds: Iterable[Kind] = (),
        first: str = "0000-01-01",
        last: str = "9999-12-31",
        *,
        history: bool = False,
    ) -> Sequence[Entry]:
        """Entries of the local days `first` to `last` (both included), by time.

        No kinds means all; `history` adds earlier versions and deleted entries.
        """
        wanted = [str(k) for k in kinds]
        where = "wearer = ? AND day >= ? AND day <= ?"
        if wanted:
            where += f" AND kind IN ({', '.join('?' * len(wanted))})"
        if not history:
            where += " AND replaced_ns IS NULL"
        rows = self._rows(
            f"SELECT {_ENTRY} FROM entry WHERE {where} ORDER BY at_ns, id, version",  # noqa: S608
            (wearer, first, last, *wanted),
        )
        return [_entry(row) for row in rows]

    def entry_marks(self) -> dict[str, tuple[int, int]]:
        """How many versions of entries each wearer has and when the last one was written (ns).

        Another mark: something was told, changed or taken back.
        """
        rows = self._rows("SELECT wearer, count(*), max(written_ns) FROM entry GROUP BY wearer", ())
        return {wearer: (int(n), int(newest)) for wearer, n, newest in rows}


def _insert_entry(db: Any, entry: Entry) -> None:
    db.execute(
        f"INSERT INTO entry ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            entry.id,
            entry.version,
            entry.wearer,
            str(entry.kind),
            entry.at_ns,
            entry.day,
            json.dumps(entry.body, ensure_ascii=False),
            entry.author,
            entry.written_ns,
            entry.replaced_ns,
        ),
    )


def _replace(db: Any, old: Entry, now_ns: int) -> None:
    changed = db.execute(
        "UPDATE entry SET replaced_ns = ? WHERE id = ? AND version = ? AND replaced_ns IS NULL",
        (now_ns, old.id, old.version),
    ).rowcount
    if changed != 1:
        raise InputError("this entry was changed meanwhile: open it again, then change it")


def _current(db: Any, entry_id: int, expected: int | None) -> Entry:
    row = db.execute(
        f"SELECT {_ENTRY} FROM entry WHERE id = ? AND replaced_ns IS NULL",  # noqa: S608
        (entry_id,),
    ).fetchone()
    if row is None:
        raise InputError("this entry does not exist any more")
    entry = _entry(row)
    if expected is not None and entry.version != expected:
        raise InputError("this entry was changed meanwhile: open it again, then change it")
    return entry


def _entry(row: Sequence[Any]) -> Entry:
    i, version, wearer, kind, at_ns, day, body, author, written_ns, replaced_ns = row
    return Entry(
        id=i,
        wearer=wearer,
        kind=Kind(kind),
        at_ns=at_ns,
        day=day,
        body=json.loads(body),
        author=author,
        written_ns=written_ns,
        version=version,
        replaced_ns=replaced_ns,
    )
