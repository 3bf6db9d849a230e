# SPDX-License-Identifier: Apache-2.0
"""People, sign-ins, diary, sharing and audit: `app.db`, or PostgreSQL by URL.

The store keeps and finds; who may do what is decided by `tracker.access` and its callers (the 48 h
rule of diary edits too). Every change is one transaction that is durable when the call returns.
"""

import functools
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

from tracker.clock import SYSTEM_CLOCK, Clock
from tracker.diary import AuditLine, Entry, Grant, Invitation, Kind, Person, Role, SignIn
from tracker.errors import InputError
from tracker.settings import Settings
from tracker.store import audit_spool
from tracker.store.migrations import migrate
from tracker.store.records_schema import RECORDS_STEPS
from tracker.store.sql import Engine, PostgresEngine, SqliteEngine

_ENTRY = "id, version, wearer, kind, at_ns, day, body, author, written_ns, replaced_ns"
_GRANT = "id, wearer, viewer, scopes, made_ns, expires_ns, revoked_ns"
FOREVER = 1 << 62


class Records:
    """Everything that is about persons and not about samples. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Clock = SYSTEM_CLOCK) -> None:
        self.engine = engine
        self._clock = clock

    def upgrade(self) -> int:
        """Bring the schema up to date; the number of steps run."""
        identity = self.engine.identity
        steps = [_bound(step, identity) for step in RECORDS_STEPS]
        return migrate(self.engine.migrating, steps, self.engine.name)

    def close(self) -> None:
        """Release the database."""
        self.engine.close()

    # People ------------------------------------------------------------------------------------

    def put_person(self, person: Person) -> None:
        """Add a person or change one (by id)."""
        with self.engine.transaction() as db:
            db.execute(
                "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "name = excluded.name, roles = excluded.roles, wearer = excluded.wearer, "
                "language = excluded.language, zone = excluded.zone, "
                "settings = excluded.settings, active = excluded.active",
                (
                    person.id,
                    person.name,
                    _joined(person.roles),
                    person.wearer,
                    person.language,
                    person.zone,
                    json.dumps(person.settings),
                    int(person.active),
                ),
            )

    def person(self, person_id: str) -> Person | None:
        """The person with this id."""
        return next(iter(self._people("WHERE id = ?", (person_id,))), None)

    def person_of(self, wearer: str) -> Person | None:
        """The person behind a wearer's pseudonym."""
        return next(iter(self._people("WHERE wearer = ?", (wearer,))), None)

    def people(self, *, active_only: bool = False) -> Sequence[Person]:
        """Everybody, by name."""
        return self._people("WHERE active = 1" if active_only else "", ())

    def remove_person(self, person_id: str) -> None:
        """Forget a person, their credentials and sign-ins (not their diary: `erase_wearer`)."""
        with self.engine.transaction() as db:
            for table in ("credential", "sign_in"):
                db.execute(f"DELETE FROM {table} WHERE person = ?", (person_id,))  # noqa: S608
            db.execute("DELETE FROM person WHERE id = ?", (person_id,))

    def _people(self, where: str, values: tuple[object, ...]) -> Sequence[Person]:
        rows = self._rows(
            "SELECT id, name, roles, wearer, language, zone, settings, active FROM person "  # noqa: S608
            f"{where} ORDER BY name, id",
            values,
        )
        return [
            Person(
                id=i,
                name=n,
                roles=frozenset(Role(r) for r in roles.split(",") if r),
                wearer=w,
                language=lang,
                zone=z,
                settings=json.loads(s),
                active=bool(a),
            )
            for i, n, roles, w, lang, z, s, a in rows
        ]

    def put_credential(self, person_id: str, kind: str, value: str | None) -> None:
        """Keep a password hash, TOTP seed or OIDC subject; None removes it."""
        with self.engine.transaction() as db:
            db.execute("DELETE FROM credential WHERE person = ? AND kind = ?", (person_id, kind))
            if value is not None:
                db.execute("INSERT INTO credential VALUES (?, ?, ?)", (person_id, kind, value))

    def credential(self, person_id: str, kind: str) -> str | None:
        """What `put_credential` kept."""
        rows = self._rows(
            "SELECT value FROM credential WHERE person = ? AND kind = ?", (person_id, kind)
        )
        return rows[0][0] if rows else None

    def person_with(self, kind: str, value: str) -> Person | None:
        """The person with this credential, for example an OIDC subject."""
        rows = self._rows(
            "SELECT person FROM credential WHERE kind = ? AND value = ?", (kind, value)
        )
        return self.person(rows[0][0]) if rows else None

    # Sign-ins ----------------------------------------------------------------------------------

    def put_session(self, session: SignIn) -> None:
        """Keep a sign-in, or move its `seen_ns` and `expires_ns` on. An ended one stays ended."""
        with self.engine.transaction() as db:
            db.execute(
                "INSERT INTO sign_in VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "seen_ns = excluded.seen_ns, expires_ns = excluded.expires_ns",
                (
                    session.id,
                    session.person,
                    session.made_ns,
                    session.seen_ns,
                    session.expires_ns,
                    session.ended_ns,
                    session.device,
                ),
            )

    def session(self, session_id: str) -> SignIn | None:
        """A sign-in that holds now: neither ended nor expired."""
        now = self._clock.now_ns()
        found = self._sessions("id = ? AND ended_ns IS NULL AND expires_ns > ?", (session_id, now))
        return found[0] if found else None

    def sessions(self, person_id: str) -> Sequence[SignIn]:
        """Every sign-in of a person, newest first."""
        return self._sessions("person = ?", (person_id,))

    def end_session(self, session_id: str) -> None:
        """End one sign-in."""
        self._end_sessions("id = ?", session_id)

    def end_sessions(self, person_id: str) -> None:
        """End every sign-in of a person (new password, account closed)."""
        self._end_sessions("person = ?", person_id)

    def _end_sessions(self, where: str, value: str) -> None:
        with self.engine.transaction() as db:
            db.execute(
                f"UPDATE sign_in SET ended_ns = ? WHERE {where} AND ended_ns IS NULL",  # noqa: S608
                (self._clock.now_ns(), value),
            )

    def _sessions(self, where: str, values: tuple[object, ...]) -> Sequence[SignIn]:
        rows = self._rows(
            "SELECT id, person, made_ns, seen_ns, expires_ns, ended_ns, device FROM sign_in "  # noqa: S608
            f"WHERE {where} ORDER BY made_ns DESC, id",
            values,
        )
        return [
            SignIn(id=i, person=p, made_ns=m, seen_ns=s, expires_ns=x, ended_ns=e, device=d)
            for i, p, m, s, x, e, d in rows
        ]

    # Diary -------------------------------------------------------------------------------------

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

    # Sharing -----------------------------------------------------------------------------------

    def put_grant(
        self, wearer: str, viewer: str, scopes: Iterable[str], *, expires_ns: int
    ) -> Grant:
        """Let a viewer (person id) see scopes of a wearer until `expires_ns`."""
        kept = frozenset(scopes)
        with self.engine.transaction() as db:
            now = self._clock.now_ns()
            (key,) = db.execute(
                "INSERT INTO access_grant (wearer, viewer, scopes, made_ns, expires_ns) "
                "VALUES (?, ?, ?, ?, ?) RETURNING id",
                (wearer, viewer, _joined(kept), now, expires_ns),
            ).fetchone()
        return Grant(
            id=int(key), wearer=wearer, viewer=viewer, scopes=kept, made_ns=now,
            expires_ns=expires_ns,
        )  # fmt: skip

    def revoke(self, grant_id: int) -> None:
        """End a grant now; ending it again changes nothing."""
        with self.engine.transaction() as db:
            db.execute(
                "UPDATE access_grant SET revoked_ns = ? WHERE id = ? AND revoked_ns IS NULL",
                (self._clock.now_ns(), grant_id),
            )

    def grants(
        self,
        wearer: str | None = None,
        viewer: str | None = None,
        *,
        active_only: bool = False,
    ) -> Sequence[Grant]:
        """Grants of a wearer, to a viewer, or both; `active_only`: those that hold now."""
        wheres, values = ["1 = 1"], list[object]()
        for column, value in (("wearer", wearer), ("viewer", viewer)):
            if value is not None:
                wheres.append(f"{column} = ?")
                values.append(value)
        if active_only:
            wheres.append("revoked_ns IS NULL AND expires_ns > ?")
            values.append(self._clock.now_ns())
        rows = self._rows(
            f"SELECT {_GRANT} FROM access_grant WHERE {' AND '.join(wheres)} ORDER BY id",  # noqa: S608
            tuple(values),
        )
        return [
            Grant(
                id=i, wearer=w, viewer=v, scopes=_scopes(s), made_ns=m, expires_ns=x, revoked_ns=r
            )
            for i, w, v, s, m, x, r in rows
        ]

    def put_invitation(self, invitation: Invitation) -> None:
        """Keep an invitation (its id is the hash of the code)."""
        with self.engine.transaction() as db:
            db.execute(
                "INSERT INTO invitation VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    invitation.id,
                    invitation.wearer,
                    _joined(invitation.scopes),
                    invitation.made_ns,
                    invitation.expires_ns,
                    invitation.grant_days,
                    invitation.used_ns,
                    invitation.used_by,
                ),
            )

    def invitations(self, wearer: str) -> Sequence[Invitation]:
        """Invitations of a wearer, oldest first."""
        return self._invitations("wearer = ?", wearer)

    def invitation(self, invitation_id: str) -> Invitation | None:
        """An invitation that can still be used."""
        now = self._clock.now_ns()
        found = self._invitations("id = ?", invitation_id)
        return (
            found[0] if found and found[0].used_ns is None and found[0].expires_ns > now else None
        )

    def use_invitation(self, invitation_id: str, viewer: str) -> Grant | None:
        """Turn an invitation into a grant, once; None where it is used, expired or unknown."""
        with self.engine.transaction() as db:
            now = self._clock.now_ns()
            used = db.execute(
                "UPDATE invitation SET used_ns = ?, used_by = ? "
                "WHERE id = ? AND used_ns IS NULL AND expires_ns > ?",
                (now, viewer, invitation_id, now),
            ).rowcount
            if not used:
                return None
            wearer, scopes, grant_days = db.execute(
                "SELECT wearer, scopes, grant_days FROM invitation WHERE id = ?", (invitation_id,)
            ).fetchone()
            expires_ns = now + grant_days * 86_400 * 10**9
            (key,) = db.execute(
                "INSERT INTO access_grant (wearer, viewer, scopes, made_ns, expires_ns) "
                "VALUES (?, ?, ?, ?, ?) RETURNING id",
                (wearer, viewer, scopes, now, expires_ns),
            ).fetchone()
        return Grant(
            id=int(key), wearer=wearer, viewer=viewer, scopes=_scopes(scopes), made_ns=now,
            expires_ns=expires_ns,
        )  # fmt: skip

    def _invitations(self, where: str, value: str) -> Sequence[Invitation]:
        rows = self._rows(
            "SELECT id, wearer, scopes, made_ns, expires_ns, grant_days, used_ns, used_by "  # noqa: S608
            f"FROM invitation WHERE {where} ORDER BY made_ns, id",
            (value,),
        )
        return [
            Invitation(
                id=i, wearer=w, scopes=_scopes(s), made_ns=m, expires_ns=x, grant_days=g,
                used_ns=u, used_by=b,
            )
            for i, w, s, m, x, g, u, b in rows
        ]  # fmt: skip

    # Audit and settings ------------------------------------------------------------------------

    def audit(self, line: AuditLine) -> None:
        """Append a line; lines are never changed (an erasure takes the names out of them)."""
        self.audit_all((line,))

    def audit_all(self, lines: Iterable[AuditLine]) -> None:
        """Append lines in one transaction."""
        rows = [
            (a.at_ns, a.viewer, a.wearer, a.scope, a.action, int(a.allowed), a.detail)
            for a in lines
        ]
        if not rows:
            return
        with self.engine.transaction() as db:
            for row in rows:
                db.execute(
                    "INSERT INTO audit (at_ns, viewer, wearer, scope, action, allowed, detail) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    row,
                )

    def audit_lines(
        self, wearer: str | None = None, *, first_ns: int = 0, last_ns: int = FOREVER
    ) -> Sequence[AuditLine]:
        """Lines about a wearer (or all), oldest first."""
        who, values = ("", ()) if wearer is None else (" AND wearer = ?", (wearer,))
        rows = self._rows(
            "SELECT at_ns, viewer, wearer, scope, action, allowed, detail FROM audit "  # noqa: S608
            f"WHERE at_ns >= ? AND at_ns < ?{who} ORDER BY at_ns, id",
            (first_ns, last_ns, *values),
        )
        return [
            AuditLine(at_ns=t, viewer=v, wearer=w, scope=s, action=a, allowed=bool(ok), detail=d)
            for t, v, w, s, a, ok, d in rows
        ]

    def put_setting(self, name: str, value: object) -> None:
        """Keep a setting of the service (JSON value); None removes it."""
        with self.engine.transaction() as db:
            db.execute("DELETE FROM setting WHERE name = ?", (name,))
            if value is not None:
                db.execute("INSERT INTO setting VALUES (?, ?)", (name, json.dumps(value)))

    def setting(self, name: str, default: object = None) -> object:
        """What `put_setting` kept."""
        rows = self._rows("SELECT value FROM setting WHERE name = ?", (name,))
        return cast("object", json.loads(rows[0][0])) if rows else default

    # Rights ------------------------------------------------------------------------------------

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

    def _rows(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self.engine.reading() as db:
            return list(db.execute(statement, values).fetchall())


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


def _joined(words: Iterable[str]) -> str:
    return ",".join(sorted(words))


def _scopes(text: str) -> frozenset[str]:
    return frozenset(s for s in text.split(",") if s)


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
