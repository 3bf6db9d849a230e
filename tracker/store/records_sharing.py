# SPDX-License-Identifier: Apache-2.0
"""Grants and invitations: who may see what of whom, from when until when."""

from collections.abc import Iterable, Sequence

from tracker.diary import Grant, Invitation
from tracker.store.records_base import RecordsBase, joined, words_of

_GRANT = "id, wearer, viewer, scopes, made_ns, expires_ns, revoked_ns"


class Sharing(RecordsBase):
    """Permissions of wearers for viewers."""

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
                (wearer, viewer, joined(kept), now, expires_ns),
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
                id=i, wearer=w, viewer=v, scopes=words_of(s), made_ns=m, expires_ns=x, revoked_ns=r
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
                    joined(invitation.scopes),
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
            id=int(key), wearer=wearer, viewer=viewer, scopes=words_of(scopes), made_ns=now,
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
                id=i, wearer=w, scopes=words_of(s), made_ns=m, expires_ns=x, grant_days=g,
                used_ns=u, used_by=b,
            )
            for i, w, s, m, x, g, u, b in rows
        ]  # fmt: skip
