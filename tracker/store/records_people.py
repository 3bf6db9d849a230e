# SPDX-License-Identifier: Apache-2.0
"""People, their credentials and sign-ins."""

import json
from collections.abc import Sequence

from tracker.diary import Person, Role, SignIn
from tracker.store.records_base import RecordsBase, joined


class People(RecordsBase):
    """Who there is, and who is signed in."""

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
                    joined(person.roles),
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

    def anybody_signs_in(self) -> bool:
        """Whether anybody has a credential at all."""
        return bool(self._rows("SELECT 1 FROM credential LIMIT 1", ()))

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
