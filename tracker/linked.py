# SPDX-License-Identifier: Apache-2.0
"""Accounts linked to an identity provider (OpenID Connect): who a verified answer belongs to.

The owner links an existing account, by the provider's own id of the person (`sub`) or by an e-mail
address. An address counts only while the provider calls it verified, and only until the first
sign-in: from then on the id is kept and the address forgotten, so that an address which passes on
to somebody else opens nothing. No account and no role is ever made from an answer.
"""

from tracker.accounts import Accounts
from tracker.diary import Person
from tracker.errors import AccessDenied, InputError

SUBJECT = "oidc"  # kinds of credential, both "ISSUER VALUE"
EMAIL = "oidc-email"


def link(
    accounts: Accounts, person: Person, issuer: str, *, subject: str = "", email: str = ""
) -> None:
    """Let the provider's person in as `person`; an earlier link of this account ends.

    Raises InputError where neither or both are given, or another account has the link.
    """
    if bool(subject.strip()) == bool(email.strip()):
        raise InputError("say who it is at the provider: either --subject or --email")
    if not issuer:
        raise InputError("no identity provider is configured: set BACKSTAY_OIDC_ISSUER")
    if email and "@" not in email:
        raise InputError(f"{email!r} is no e-mail address")
    kind, value = (SUBJECT, subject.strip()) if subject.strip() else (EMAIL, _same(email))
    value = f"{issuer} {value}"
    held = accounts.records.person_with(kind, value)
    if held is not None and held.id != person.id:
        raise InputError(f"the account of {held.name} has this link already")
    unlink(accounts, person)
    accounts.records.put_credential(person.id, kind, value)


def unlink(accounts: Accounts, person: Person) -> None:
    """End the link; every sign-in of the person ends."""
    for kind in (SUBJECT, EMAIL):
        accounts.records.put_credential(person.id, kind, None)
    accounts.records.end_sessions(person.id)


def is_linked(accounts: Accounts, person: Person) -> bool:
    """Whether the person comes in through a provider."""
    return any(accounts.records.credential(person.id, kind) for kind in (SUBJECT, EMAIL))


def sign_in_linked(
    accounts: Accounts, issuer: str, subject: str, *, email: str = "", device: str = ""
) -> str:
    """A secret for the cookie of the person whom the provider has verified.

    `email`: only an address that the provider calls verified. Raises AccessDenied for somebody who
    is linked to no open account.
    """
    records = accounts.records
    known = f"{issuer} {subject}"
    person = records.person_with(SUBJECT, known)
    if person is None and email:
        person = records.person_with(EMAIL, f"{issuer} {_same(email)}")
        if person is not None and person.active:
            records.put_credential(person.id, SUBJECT, known)
            records.put_credential(person.id, EMAIL, None)
    if person is None or not person.active:
        raise AccessDenied("This person has no account here: ask whoever operates this service.")
    return accounts.open_session(person, device=device, by_provider=True)


def _same(email: str) -> str:
    return email.strip().casefold()
