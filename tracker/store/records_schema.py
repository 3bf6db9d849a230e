# SPDX-License-Identifier: Apache-2.0
"""The schema of people, diary, grants and audit, step by step; the same on both engines."""

from collections.abc import Callable, Sequence

from tracker.store.migrations import Executor


def first_schema(db: Executor, identity: str) -> None:
    """People, sign-ins, diary with its history, sharing, audit, settings."""
    for statement in (
        """CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT NOT NULL, roles TEXT NOT NULL,
            wearer TEXT UNIQUE, language TEXT NOT NULL, zone TEXT NOT NULL,
            settings TEXT NOT NULL, active BIGINT NOT NULL)""",
        # Password hashes, TOTP seeds, OIDC subjects: one row per person and kind.
        """CREATE TABLE credential (person TEXT NOT NULL, kind TEXT NOT NULL,
            value TEXT NOT NULL, PRIMARY KEY (person, kind))""",
        """CREATE TABLE sign_in (id TEXT PRIMARY KEY, person TEXT NOT NULL,
            made_ns BIGINT NOT NULL, seen_ns BIGINT NOT NULL, expires_ns BIGINT NOT NULL,
            ended_ns BIGINT, device TEXT NOT NULL)""",
        f"CREATE TABLE entry_id (id {identity}, wearer TEXT NOT NULL)",
        # Every version stays; the current one has no replaced_ns.
        """CREATE TABLE entry (id BIGINT NOT NULL, version BIGINT NOT NULL, wearer TEXT NOT NULL,
            kind TEXT NOT NULL, at_ns BIGINT NOT NULL, day TEXT NOT NULL, body TEXT NOT NULL,
            author TEXT NOT NULL, written_ns BIGINT NOT NULL, replaced_ns BIGINT,
            PRIMARY KEY (id, version))""",
        "CREATE INDEX entry_of_day ON entry (wearer, day, kind)",
        f"""CREATE TABLE access_grant (id {identity}, wearer TEXT NOT NULL, viewer TEXT NOT NULL,
            scopes TEXT NOT NULL, made_ns BIGINT NOT NULL, expires_ns BIGINT NOT NULL,
            revoked_ns BIGINT)""",
        "CREATE INDEX grant_of ON access_grant (wearer, viewer)",
        """CREATE TABLE invitation (id TEXT PRIMARY KEY, wearer TEXT NOT NULL,
            scopes TEXT NOT NULL, made_ns BIGINT NOT NULL, expires_ns BIGINT NOT NULL,
            grant_days BIGINT NOT NULL, used_ns BIGINT, used_by TEXT)""",
        f"""CREATE TABLE audit (id {identity}, at_ns BIGINT NOT NULL, viewer TEXT NOT NULL,
            wearer TEXT NOT NULL, scope TEXT NOT NULL, action TEXT NOT NULL,
            allowed BIGINT NOT NULL, detail TEXT NOT NULL)""",
        "CREATE INDEX audit_of ON audit (wearer, at_ns)",
        "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ):
        db.execute(statement)


RECORDS_STEPS: Sequence[Callable[[Executor, str], None]] = (first_schema,)
