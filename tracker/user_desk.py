# SPDX-License-Identifier: Apache-2.0
"""What `backstay user` does to accounts: on the file itself, or in the dashboard that owns it.

Each method takes and gives plain JSON values, as the dashboard's local door does. Whoever can reach
either owns the data folder, so nobody is asked for a sign-in here.
"""

import inspect
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from tracker.accounts import PASSWORD, Accounts, new_password
from tracker.clock import Clock
from tracker.diary import Person, Role
from tracker.errors import InputError, StoreBusy, UsageError
from tracker.linked import is_linked, link, unlink
from tracker.settings import Settings
from tracker.share import PREFIX
from tracker.store.records import Records, open_records

METHODS = ("add", "passwd", "link", "unlink", "close", "reopen", "list")


@dataclass(frozen=True, slots=True)
class UserDesk:
    """The accounts of one installation."""

    settings: Settings
    records: Records
    clock: Clock

    def add(
        self, name: str, password: str | None, roles: Sequence[str], language: str, zone: str,
        subject: str = "", email: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """A new account; the first one operates and keeps the series that was measured before.

        Without a password it needs a link to the identity provider. Nothing is made when a part of
        it is refused.
        """
        held = self._accounts
        chosen = [_role(r) for r in roles]
        first = not held.needed()
        if password is None and (first or not (subject or email)):
            raise InputError(
                "the first account needs a password"
                if first
                else "an account without a password needs --subject or --email"
            )
        own = _series_before_accounts(self.settings)
        if first and own is not None and Role.WEARER not in chosen:
            raise InputError(
                "somebody's data are here without an account, and with the first account everybody "
                "has to sign in: make theirs first (`backstay user add NAME`)"
            )
        if first and own is not None and password is not None:
            person = held.add_owner(name, password, language=language, zone=zone, wearer=own)
        else:
            chosen += [Role.OPERATOR] * first  # somebody has to manage the accounts
            person = held.add(name, password, chosen, language=language, zone=zone)
        if subject or email:
            try:
                link(held, person, self.settings.oidc_issuer, subject=subject, email=email)
            except InputError:
                self.records.remove_person(person.id)
                raise
        return _told(person)

    def passwd(self, name: str, password: str | None) -> dict[str, Any]:
        """A new password, made here where none is given; every sign-in of the account ends."""
        person = self._named(name)
        made = new_password() if password is None else password
        self._accounts.set_password(person, made)
        return {**_told(person), "password": made if password is None else None}

    def link(self, name: str, subject: str, email: str) -> dict[str, Any]:
        """Let a person of the identity provider in."""
        person = self._named(name)
        link(self._accounts, person, self.settings.oidc_issuer, subject=subject, email=email)
        return _told(person)

    def unlink(self, name: str) -> dict[str, Any]:
        """End that; refused where it would leave no way in at all."""
        person = self._named(name)
        if self.records.credential(person.id, PASSWORD) is None:
            raise InputError(f"{name} has no password: give one first (`backstay user passwd`)")
        unlink(self._accounts, person)
        return _told(person)

    def close(self, name: str) -> dict[str, Any]:
        """Close an account: every sign-in ends now, the data stay until they are erased."""
        person = self._named(name)
        self.records.put_person(replace(person, active=False))
        self.records.end_sessions(person.id)
        return _told(person)

    def reopen(self, name: str) -> dict[str, Any]:
        """Open a closed account again."""
        person = self._named(name)
        self.records.put_person(replace(person, active=True))
        return _told(person)

    def list(self) -> Sequence[dict[str, Any]]:
        """Every account, by name."""
        held = self._accounts
        return [
            {
                **_told(p),
                "password": self.records.credential(p.id, PASSWORD) is not None,
                "linked": is_linked(held, p),
            }
            for p in self._people()
        ]

    @property
    def _accounts(self) -> Accounts:
        return Accounts(self.records, self.clock)

    def _people(self) -> Sequence[Person]:
        # A person of a file that was taken in is no account.
        return [p for p in self.records.people() if not (p.wearer or "").startswith(PREFIX)]

    def _named(self, name: str) -> Person:
        wanted = " ".join(name.split()).casefold()
        for person in self._people():
            if person.name.casefold() == wanted:
                return person
        raise InputError(f"there is no account {name!r}: look at `backstay user list`")


def ask(settings: Settings, clock: Clock, method: str, **params: object) -> Any:
    """One method, through the running dashboard where it owns the accounts."""
    from tracker.dashboard_door import DashboardClient

    try:
        records = open_records(settings, clock)
    except StoreBusy:
        return DashboardClient(settings).call(f"user_{method}", **params)
    with closing(records):
        return answer(UserDesk(settings, records, clock), method, params)


def answer(desk: UserDesk, method: str, params: dict[str, Any]) -> Any:
    """The named method's result. UsageError for parameters that it does not take."""
    call = getattr(desk, method)
    try:
        inspect.signature(call).bind(**params)
    except TypeError as error:
        raise UsageError(f"this request is not understood ({error})") from error
    return call(**params)


def _told(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "roles": sorted(person.roles),
        "wearer": person.wearer,
        "language": person.language,
        "active": person.active,
    }


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no role: wearer, therapist or operator") from error


def _series_before_accounts(settings: Settings) -> str | None:
    """The pseudonym of a single user's series; None where nothing was measured here."""
    from tracker.store.sqlite import open_reader

    with closing(open_reader(settings)) as reader:
        return next((w for w, _ in reader.wearers() if not w.startswith(PREFIX)), None)
