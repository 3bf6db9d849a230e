# SPDX-License-Identifier: Apache-2.0
"""Who comes in, and the operator's desk: accounts are made and closed, no health data is seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dashboard.data.gate import accounts, gate
from dashboard.data.people import owner
from dashboard.data.sources import Sources, own_sources, sources
from tracker.accounts import PASSWORD, Accounts
from tracker.diary import Person, Role
from tracker.errors import AccessDenied, InputError
from tracker.share import PREFIX

# Somebody whose sign-in does not hold (any more): no role, so nothing opens.
NOBODY_IN = Person(id="nobody", name="", roles=frozenset(), language="", active=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account as the operator sees it: no pseudonym, no data, no settings."""

    id: str
    name: str
    roles: tuple[Role, ...]
    language: str
    active: bool
    password: bool


def enter(secret: str | None) -> tuple[Sources, Person]:
    """Sources and person behind a cookie at this moment; `NOBODY_IN` where it does not hold.

    Without accounts, on loopback, there is a single user. While the demo stands in for a wearer
    who has no sensor yet, the person is the demo's wearer.
    """
    own, shown = own_sources(), sources()
    held = accounts(own)
    if not own.settings.open_to_network and (held is None or not held.needed()):
        return shown, owner(shown)
    person = held.who(secret) if held is not None else None
    if person is None:
        return own, NOBODY_IN
    if shown.home is not None and _only_wears(person):
        demo = owner(shown)
        roles = demo.roles | person.roles
        return shown, replace(demo, roles=roles, language=person.language, zone=person.zone)
    return own, person


def _only_wears(person: Person) -> bool:
    return Role.WEARER in person.roles and Role.THERAPIST not in person.roles


def sign_out(src: Sources, secret: str | None) -> None:
    """End the sign-in behind a cookie."""
    held = accounts(src)
    if held is not None and secret:
        held.sign_out(secret)


def people(src: Sources, viewer: Person) -> Sequence[Account]:
    """Every account, by name."""
    kept = _operator(src, viewer).records
    return [
        Account(
            id=p.id,
            name=p.name,
            roles=tuple(sorted(p.roles)),
            language=p.language,
            active=p.active,
            password=kept.credential(p.id, PASSWORD) is not None,
        )
        for p in kept.people()
        if not (p.wearer or "").startswith(PREFIX)  # somebody's patient from a file, no account
    ]


def add_account(
    src: Sources, viewer: Person, name: str, password: str, roles: Iterable[Role], *,
    language: str, zone: str,
) -> Account:  # fmt: skip
    """A new account."""
    held = _operator(src, viewer)
    made = held.add(name, password, roles, language=language, zone=zone)
    return next(a for a in people(src, viewer) if a.id == made.id)


def close_account(src: Sources, viewer: Person, person_id: str) -> None:
    """Close an account: every sign-in ends now; the data stay until their wearer erases them."""
    held = _operator(src, viewer)
    if person_id == viewer.id:
        raise InputError("You cannot close your own account.")
    held.records.put_person(replace(_of(held, person_id), active=False))
    held.records.end_sessions(person_id)


def open_account(src: Sources, viewer: Person, person_id: str) -> None:
    """Open a closed account again."""
    held = _operator(src, viewer)
    held.records.put_person(replace(_of(held, person_id), active=True))


def new_password(src: Sources, viewer: Person, person_id: str) -> str:
    """A new password, shown once, for somebody who lost theirs."""
    return _operator(src, viewer).recover(viewer, person_id)


def change_password(src: Sources, viewer: Person, old: str, new: str) -> None:
    """The person's own change; every sign-in of theirs ends."""
    held = accounts(src)
    if held is None or not viewer.active:
        raise AccessDenied("Only somebody with an account can change its password.")
    held.change_password(viewer, old, new)


def signed_in(secret: str | None) -> Person | None:
    """The account behind a cookie, also while the demo is shown to it; None without one."""
    held = accounts(own_sources())
    return held.who(secret) if held is not None else None


def _operator(src: Sources, viewer: Person) -> Accounts:
    held = accounts(src)
    if held is None or not viewer.active or Role.OPERATOR not in viewer.roles:
        gate(src).note(viewer, "-", "accounts", "operate", allowed=False)
        raise AccessDenied("Only the operator manages accounts.")
    return held


def _of(held: Accounts, person_id: str) -> Person:
    person = held.records.person(person_id)
    if person is None:
        raise InputError("There is no such account any more.")
    return person
