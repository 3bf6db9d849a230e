# SPDX-License-Identifier: Apache-2.0
"""Local accounts: passwords, sign-ins, invitations. No outside service, no e-mail.

argon2id hashes (renewed when the parameters move on), server-side sessions whose stored row cannot
open the door, throttling by account and by address, the same answer and time for unknown names.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tracker.access import ASK_FOR, MAX_GRANT_DAYS, SHARED_SCOPES
from tracker.clock import SYSTEM_CLOCK, Clock
from tracker.diary import Grant, Invitation, Person, Role, SignIn
from tracker.errors import AccessDenied, InputError, TooManyTries
from tracker.model import SECOND_NS
from tracker.store.records import Records

HOUR_NS = 3600 * SECOND_NS
DAY_NS = 24 * HOUR_NS
PASSWORD = "password"  # noqa: S105 - the name of a kind of credential
BY_PROVIDER = "p."  # begins the secret of a sign-in through a provider; the digest covers it
MIN_PASSWORD = 10  # NIST SP 800-63B asks for at least 8; length is worth more than rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long a sign-in holds and how fast it may be tried."""

    idle_ns: int = 7 * DAY_NS  # a wearer looks several times a day
    longest_ns: int = 90 * DAY_NS
    provider_ns: int = 12 * HOUR_NS  # then the provider is asked again whether the person is theirs
    touch_ns: int = 5 * 60 * SECOND_NS  # `seen_ns` is written at most so often
    tries: int = 8  # per account and per address ...
    tries_ns: int = 15 * 60 * SECOND_NS  # ... within so long
    invitation_ns: int = 7 * DAY_NS


@dataclass(slots=True)
class Accounts:
    """Accounts of one service, on its records."""

    records: Records
    clock: Clock = SYSTEM_CLOCK
    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    policy: Policy = field(default_factory=Policy)
    _tries: "OrderedDict[str, list[int]]" = field(default_factory=OrderedDict)
    _nobody: str = ""

    def needed(self) -> bool:
        """Whether somebody can sign in, so that pages ask for it."""
        return self.records.anybody_signs_in()

    def add(
        self, name: str, password: str | None, roles: Iterable[Role], *, language: str = "de",
        zone: str = "Europe/Berlin", wearer: str | None = None,
    ) -> Person:  # fmt: skip
        """A new account. A wearer gets a pseudonymous series id unless one is given.

        Without a password nobody can sign in to it until it is linked (`tracker.linked`).
        """
        name = " ".join(name.split())
        if not 0 < len(name) <= 80:
            raise InputError("an account needs a name of 1 to 80 characters")
        if self._named(name) is not None:
            raise InputError(f"there is already an account {name!r}: choose another name")
        if password is not None:
            _check_password(password, name)
        chosen = frozenset(roles)
        if Role.WEARER in chosen and wearer is None:
            wearer = f"w-{secrets.token_hex(4)}"
        person = Person(
            id=f"p-{secrets.token_hex(6)}",
            name=name,
            roles=chosen,
            wearer=wearer if Role.WEARER in chosen else None,
            language=language,
            zone=zone,
        )
        self.records.put_person(person)
        if password is not None:
            self.records.put_credential(person.id, PASSWORD, self.hasher.hash(password))
        return person

    def add_owner(
        self, name: str, password: str, *, language: str, zone: str, wearer: str | None = None
    ) -> Person:
        """The first account: wearer and operator. Refused once anybody has a password.

        The single user who had no account before keeps their data: the account becomes theirs.
        `wearer`: the series of a single user who never saved anything about themselves.
        """
        if self.needed():
            raise AccessDenied("The owner exists already: sign in, or ask them for an account.")
        alone = next((p for p in self.records.people() if p.wearer), None)
        wearer = alone.wearer if alone else wearer
        if alone is not None:
            self.records.remove_person(alone.id)
        roles = (Role.WEARER, Role.OPERATOR)
        return self.add(name, password, roles, language=language, zone=zone, wearer=wearer)

    def sign_in(self, name: str, password: str, *, address: str, device: str = "") -> str:
        """A secret for the cookie. Raises AccessDenied with one sentence for every failure."""
        now_ns = self.clock.now_ns()
        keys = (f"name {name.casefold().strip()}", f"address {address}")
        if any(self._count(key, now_ns) >= self.policy.tries for key in keys):
            raise TooManyTries("Too many attempts: wait a quarter of an hour.")
        # Verified for unknown names, so that an unknown name takes as long as a wrong password.
        self._nobody = self._nobody or self.hasher.hash(secrets.token_hex(16))
        person = self._named(name)
        stored = self.records.credential(person.id, PASSWORD) if person else None
        if not self._fits(stored or self._nobody, password) or not (
            person and stored and person.active
        ):
            for key in keys:
                self._tries.setdefault(key, []).append(now_ns)
            raise AccessDenied("Name or password is not right.")
        self._tries.pop(keys[0], None)
        if self.hasher.check_needs_rehash(stored):
            self.records.put_credential(person.id, PASSWORD, self.hasher.hash(password))
        return self.open_session(person, device=device)

    def open_session(self, person: Person, *, device: str = "", by_provider: bool = False) -> str:
        """A new sign-in of somebody whose identity is known (password, identity provider)."""
        secret = (BY_PROVIDER if by_provider else "") + secrets.token_urlsafe(32)
        now_ns = self.clock.now_ns()
        self.records.put_session(
            SignIn(
                id=_digest(secret),
                person=person.id,
                made_ns=now_ns,
                seen_ns=now_ns,
                expires_ns=now_ns + min(self.policy.idle_ns, self._longest_ns(secret)),
                device=device[:120],
            )
        )
        return secret

    def who(self, secret: str | None) -> Person | None:
        """The person behind a cookie at this moment; None when it holds no longer."""
        if not secret or len(secret) > 200:
            return None
        session = self.records.session(_digest(secret))
        if session is None:
            return None
        person = self.records.person(session.person)
        if person is None or not person.active:
            return None
        now_ns = self.clock.now_ns()
        if now_ns - session.seen_ns > self.policy.touch_ns:
            end_ns = min(now_ns + self.policy.idle_ns, session.made_ns + self._longest_ns(secret))
            self.records.put_session(replace(session, seen_ns=now_ns, expires_ns=end_ns))
        return person

    def _longest_ns(self, secret: str) -> int:
        by_provider = secret.startswith(BY_PROVIDER)
        return self.policy.provider_ns if by_provider else self.policy.longest_ns

    def sign_out(self, secret: str) -> None:
        """End the sign-in of a cookie."""
        self.records.end_session(_digest(secret))

    def set_password(self, person: Person, password: str) -> None:
        """A new password; every sign-in of the person ends."""
        _check_password(password, person.name)
        self.records.put_credential(person.id, PASSWORD, self.hasher.hash(password))
        self.records.end_sessions(person.id)

    def change_password(self, person: Person, old: str, new: str) -> None:
        """The person's own change: the old one is asked for."""
        if not self.is_right(person, old):
            raise AccessDenied("The present password is not right.")
        self.set_password(person, new)

    def is_right(self, person: Person, password: str) -> bool:
        """Whether this is the person's password; nobody is signed in by it."""
        return self._fits(self.records.credential(person.id, PASSWORD) or "", password)

    def recover(self, operator: Person, person_id: str) -> str:
        """A new password for somebody who lost theirs, shown once to the operator."""
        if Role.OPERATOR not in operator.roles or not operator.active:
            raise AccessDenied("Only the operator can give somebody a new password.")
        person = self.records.person(person_id)
        if person is None:
            raise InputError("There is no such account: look at `backstay user list`.")
        password = new_password()
        self.set_password(person, password)
        return password

    def check_setup_code(self, code: str, wanted: str, *, address: str) -> None:
        """Refuse a wrong setup code; guessing is throttled like passwords are.

        Raises AccessDenied, or TooManyTries after too many wrong ones from this address.
        """
        key, now_ns = f"setup {address}", self.clock.now_ns()
        if self._count(key, now_ns) >= self.policy.tries:
            raise TooManyTries("Too many attempts: wait a quarter of an hour.")
        if wanted and not hmac.compare_digest(code.strip().upper().encode(), wanted.encode()):
            self._tries.setdefault(key, []).append(now_ns)
            raise AccessDenied("The setup code is not right.")

    def invite(
        self, person: Person, scopes: Iterable[str], *, days: int, confirmed: bool = False
    ) -> str:
        """A code that one other person can turn into a grant; only the wearer makes one."""
        chosen = frozenset(scopes)
        if person.wearer is None:
            raise AccessDenied("Only a wearer can share their data.")
        if not chosen or not chosen <= SHARED_SCOPES:
            known = ", ".join(sorted(SHARED_SCOPES))
            raise InputError(f"Choose at least one of: {known}.")
        if chosen & ASK_FOR and not confirmed:
            raise InputError("Answers about illness and notes need a confirmation of their own.")
        if not 0 < days <= MAX_GRANT_DAYS:
            raise InputError(f"Sharing lasts 1 to {MAX_GRANT_DAYS} days.")
        code = "-".join(secrets.token_hex(3).upper() for _ in range(3))
        now_ns = self.clock.now_ns()
        self.records.put_invitation(
            Invitation(
                id=_digest(code),
                wearer=person.wearer,
                scopes=chosen,
                made_ns=now_ns,
                expires_ns=now_ns + self.policy.invitation_ns,
                grant_days=days,
            )
        )
        return code

    def accept(self, viewer: Person, code: str, *, address: str = "") -> Grant:
        """Turn a code into a grant, once. Guessing is throttled like passwords are."""
        if Role.THERAPIST not in viewer.roles or not viewer.active:
            raise AccessDenied("Only a therapist's account can accept an invitation.")
        key = f"code {viewer.id} {address}"
        now_ns = self.clock.now_ns()
        if self._count(key, now_ns) >= self.policy.tries:
            raise TooManyTries("Too many attempts: wait a quarter of an hour.")
        known = self.records.invitation(_digest(code.strip().upper()))
        if known is not None and known.wearer == viewer.wearer:
            raise InputError("This is your own invitation: give it to your therapist.")
        grant = self.records.use_invitation(_digest(code.strip().upper()), viewer.id)
        if grant is None:
            self._tries.setdefault(key, []).append(now_ns)
            raise InputError("This code is not valid (any more): ask for a new one.")
        return grant

    def revoke(self, person: Person, grant_id: int) -> None:
        """End a grant of one's own at once."""
        mine = {g.id for g in self.records.grants(wearer=person.wearer or "")}
        if person.wearer is None or grant_id not in mine:
            raise AccessDenied("You can only end sharing of your own.")
        self.records.revoke(grant_id)

    def _named(self, name: str) -> Person | None:
        wanted = " ".join(name.split()).casefold()
        return next((p for p in self.records.people() if p.name.casefold() == wanted), None)

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self.hasher.verify(stored, password[:1000])
        except (VerificationError, InvalidHashError):
            return False

    def _count(self, key: str, now_ns: int) -> int:
        recent = [t for t in self._tries.get(key, ()) if now_ns - t < self.policy.tries_ns]
        if recent:
            self._tries[key] = recent
            self._tries.move_to_end(key)
        else:
            self._tries.pop(key, None)
        while len(self._tries) > 5000:  # the oldest names and addresses are forgotten
            self._tries.popitem(last=False)
        return len(recent)


def new_password() -> str:
    """A password to be told once: 64 bits in four groups."""
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _check_password(password: str, name: str) -> None:
    if len(password) < MIN_PASSWORD:
        raise InputError(
            f"A password needs at least {MIN_PASSWORD} characters: three words do well."
        )
    if len(password) > 1000:
        raise InputError("A password has at most 1000 characters.")
    if password.casefold() in (name.casefold(), name.casefold() * 2) or len(set(password)) < 4:
        raise InputError("This password is too easy to guess: three words do well.")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
