# SPDX-License-Identifier: Apache-2.0
"""A wearer's rights: share, see who looked, take along, erase."""

from collections.abc import Iterable, Sequence

from dashboard.data.gate import accounts, gate
from dashboard.data.sources import Sources, records, writable
from tracker.accounts import Accounts
from tracker.diary import AuditLine, Grant, Person
from tracker.share_make import PAST_D, Made, sealed


def grants(src: Sources, viewer: Person, wearer: str) -> Sequence[Grant]:
    """Everybody who may see something of this wearer now, and what."""
    gate(src).may_change(viewer, wearer, "settings")
    kept = records(src)
    return () if kept is None else kept.grants(wearer=wearer, active_only=True)


def invite(
    src: Sources, viewer: Person, wearer: str, scopes: Iterable[str], *, days: int, confirmed: bool
) -> str:
    """A code that one therapist can use once."""
    gate(src).may_change(viewer, wearer, "settings")
    kept = writable(src)
    if kept.person(viewer.id) is None:
        kept.put_person(viewer)
    held = accounts(src) or Accounts(kept, src.clock)
    return held.invite(viewer, scopes, days=days, confirmed=confirmed)


def revoke(src: Sources, viewer: Person, wearer: str, grant_id: int) -> None:
    """End a grant at once."""
    gate(src).may_change(viewer, wearer, "settings")
    held = accounts(src) or Accounts(writable(src), src.clock)
    held.revoke(viewer, grant_id)


def make_share(
    src: Sources, viewer: Person, wearer: str, scopes: Iterable[str], *, days: int, confirmed: bool
) -> Made:
    """An encrypted file for a therapist whose Backstay runs elsewhere, and its one-time code."""
    door = gate(src)
    door.may_change(viewer, wearer, "settings")
    made = sealed(
        src.local, records(src), src.settings.data, src.clock.now_ns(), wearer, scopes, days=days,
        past=PAST_D, alias=viewer.name, confirmed=confirmed, zone=viewer.zone or src.zone_name,
    )  # fmt: skip
    door.note(viewer, wearer, ",".join(sorted(made.scopes)), "share", allowed=True)
    return made


def who_looked(src: Sources, viewer: Person, wearer: str) -> Sequence[AuditLine]:
    """Every look of somebody else at this wearer's data, newest first."""
    gate(src).may_change(viewer, wearer, "settings")
    kept = records(src)
    lines = () if kept is None else kept.audit_lines(wearer)
    return [line for line in reversed(lines) if line.viewer != viewer.id]


def erase_diary(src: Sources, viewer: Person, wearer: str) -> int:
    """Erase the person and diary of this wearer; series are erased by the collector."""
    gate(src).may_change(viewer, wearer, "everything")
    return writable(src).erase_wearer(wearer)


def name_of(src: Sources, person_id: str) -> str:
    """The name behind an id, for lists of one's own."""
    kept = records(src)
    person = kept.person(person_id) if kept else None
    return person.name if person and person.name else person_id
