# SPDX-License-Identifier: Apache-2.0
"""The audit and the settings of the service."""

import json
from collections.abc import Iterable, Sequence
from typing import cast

from tracker.diary import AuditLine
from tracker.store.records_base import FOREVER, RecordsBase


class Audit(RecordsBase):
    """Who looked at what; and what the operator set."""

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
