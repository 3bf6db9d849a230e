# SPDX-License-Identifier: Apache-2.0
"""Accounts, sharing and the gate: who gets in, who sees what, and that it ends when it ends."""

from dataclasses import replace

import pytest

from tests.unit.access.conftest import Hand
from tracker.access import Gate
from tracker.accounts import DAY_NS, HOUR_NS, PASSWORD, Accounts
from tracker.diary import Person, Role
from tracker.errors import AccessDenied, InputError, TooManyTries

GOOD = "drei blaue segel"


def _wearer(accounts: Accounts, name: str = "Anna") -> Person:
    return accounts.add(name, GOOD, [Role.WEARER])


def _therapist(accounts: Accounts, name: str = "Ben") -> Person:
    return accounts.add(name, GOOD, [Role.THERAPIST])


def test_sign_in_and_out(accounts: Accounts) -> None:
    """The right password opens; the cookie's secret is worth nothing after signing out."""
    anna = _wearer(accounts)
    secret = accounts.sign_in("  anna ", GOOD, address="a")
    assert accounts.who(secret) == anna
    accounts.sign_out(secret)
    assert accounts.who(secret) is None


@pytest.mark.parametrize("secret", [None, "", "x", "x" * 5000, "\x00", "' OR 1=1 --"])
def test_forged_cookies_open_nothing(accounts: Accounts, secret: str | None) -> None:
    """Anything that was not handed out is nobody."""
    _wearer(accounts)
    assert accounts.who(secret) is None


def test_the_stored_row_cannot_open_the_door(accounts: Accounts) -> None:
    """Neither the session's id nor the password hash in the database works as a secret."""
    anna = _wearer(accounts)
    accounts.sign_in("Anna", GOOD, address="a")
    (session,) = accounts.records.sessions(anna.id)
    assert accounts.who(session.id) is None
    stored = accounts.records.credential(anna.id, PASSWORD)
    assert stored is not None
    assert stored.startswith("$argon2id$")
    with pytest.raises(AccessDenied):
        accounts.sign_in("Anna", stored, address="a")


def test_unknown_name_and_wrong_password_are_the_same(accounts: Accounts) -> None:
    """Same words for both, so that nobody learns which names exist."""
    _wearer(accounts)
    with pytest.raises(AccessDenied) as wrong:
        accounts.sign_in("Anna", "nope nope nope", address="a")
    with pytest.raises(AccessDenied) as unknown:
        accounts.sign_in("Nobody", "nope nope nope", address="b")
    assert str(wrong.value) == str(unknown.value)


def test_unknown_names_cost_a_verification_too(accounts: Accounts) -> None:
    """A hash is verified for unknown names as well: time tells nothing."""
    asked = []
    inner = accounts.hasher

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            asked.append(password)
            return inner.verify(stored, password)

        def hash(self, password: str) -> str:
            return inner.hash(password)

    accounts.hasher = Counting()  # type: ignore[assignment]
    with pytest.raises(AccessDenied):
        accounts.sign_in("Nobody", "nope nope nope", address="b")
    assert len(asked) == 1


@pytest.mark.parametrize("by", ["name", "address"])
def test_guessing_is_throttled(accounts: Accounts, hand: Hand, by: str) -> None:
    """After eight failures of a name or an address even the right password waits; time heals it."""
    _wearer(accounts)
    for n in range(8):
        with pytest.raises(AccessDenied):
            accounts.sign_in(
                "Anna" if by == "name" else f"x{n}",
                "nope nope nope",
                address=f"a{n}" if by == "name" else "a",
            )
    with pytest.raises(TooManyTries):
        accounts.sign_in("Anna", GOOD, address="other" if by == "name" else "a")
    hand.now += 16 * 60 * 10**9
    assert accounts.sign_in("Anna", GOOD, address="a")


def test_sessions_end_by_idleness_and_by_age(accounts: Accounts, hand: Hand) -> None:
    """A week without a look ends a sign-in; regular looks keep it for at most 90 days."""
    _wearer(accounts)
    secret = accounts.sign_in("Anna", GOOD, address="a")
    for _ in range(14):
        hand.now += 6 * DAY_NS
        assert accounts.who(secret)
    hand.now += 7 * DAY_NS
    assert accounts.who(secret) is None
    other = accounts.sign_in("Anna", GOOD, address="a")
    hand.now += 8 * DAY_NS
    assert accounts.who(other) is None


def test_closing_and_new_passwords_act_at_once(accounts: Accounts) -> None:
    """A closed account's cookie is nobody; a new password ends every sign-in."""
    anna = _wearer(accounts)
    secret = accounts.sign_in("Anna", GOOD, address="a")
    accounts.change_password(anna, GOOD, "vier gelbe boote")
    assert accounts.who(secret) is None
    again = accounts.sign_in("Anna", "vier gelbe boote", address="a")
    accounts.records.put_person(replace(anna, active=False))
    assert accounts.who(again) is None
    with pytest.raises(AccessDenied):
        accounts.sign_in("Anna", "vier gelbe boote", address="a")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "", "x" * 2000])
def test_weak_passwords_are_refused_with_a_hint(accounts: Accounts, password: str) -> None:
    """Too short, too long or too easy: one sentence, and no account appears."""
    with pytest.raises(InputError):
        accounts.add("Anna", password, [Role.WEARER])
    assert not accounts.records.people()


def test_names_are_unique_whatever_their_case(accounts: Accounts) -> None:
    """A second account that reads the same is refused."""
    _wearer(accounts)
    with pytest.raises(InputError, match="already an account"):
        accounts.add(" ANNA ", GOOD, [Role.THERAPIST])


def test_first_account_takes_over_the_single_users_data(accounts: Accounts) -> None:
    """Who used Backstay without an account keeps the series; a second owner is refused."""
    accounts.records.put_person(
        Person(id="owner", name="", roles=frozenset({Role.WEARER}), wearer="w-old")
    )
    owner = accounts.add_owner("Anna", GOOD, language="de", zone="Europe/Berlin")
    assert owner.wearer == "w-old"
    assert Role.OPERATOR in owner.roles
    with pytest.raises(AccessDenied):
        accounts.add_owner("Ben", GOOD, language="de", zone="Europe/Berlin")


def test_only_the_operator_recovers_accounts(accounts: Accounts) -> None:
    """The owner gives a new password; a therapist or wearer cannot."""
    owner = accounts.add_owner("Chef", GOOD, language="de", zone="Europe/Berlin")
    anna, ben = _wearer(accounts), _therapist(accounts)
    for somebody in (anna, ben):
        with pytest.raises(AccessDenied):
            accounts.recover(somebody, owner.id)
    password = accounts.recover(owner, anna.id)
    assert accounts.sign_in("Anna", password, address="a")


def test_sharing_begins_by_code_and_ends_at_once(accounts: Accounts, hand: Hand) -> None:
    """One code makes one grant of exactly its scopes; revoking and expiry shut the door."""
    anna, ben = _wearer(accounts), _therapist(accounts)
    gate = Gate(accounts.records, hand)  # type: ignore[arg-type]
    assert anna.wearer is not None
    code = accounts.invite(anna, ["sitting", "training"], days=30)
    grant = accounts.accept(ben, code.lower())
    gate.may_see(ben, anna.wearer, "sitting")
    with pytest.raises(AccessDenied):
        gate.may_see(ben, anna.wearer, "tension")
    with pytest.raises(InputError):
        accounts.accept(ben, code)
    assert gate.patients(ben) == (anna.wearer,)
    accounts.revoke(anna, grant.id)
    with pytest.raises(AccessDenied):
        gate.may_see(ben, anna.wearer, "sitting")
    accounts.accept(ben, accounts.invite(anna, ["sitting"], days=2))
    gate.may_see(ben, anna.wearer, "sitting")
    hand.now += 2 * DAY_NS + HOUR_NS
    with pytest.raises(AccessDenied):
        gate.may_see(ben, anna.wearer, "sitting")
    assert gate.patients(ben) == ()


def test_sharing_is_the_wearers_alone(accounts: Accounts) -> None:
    """A therapist cannot invite, a wearer cannot accept, nobody ends another's sharing."""
    anna, ben = _wearer(accounts), _therapist(accounts)
    other = _wearer(accounts, "Cleo")
    code = accounts.invite(anna, ["sitting"], days=1)
    with pytest.raises(AccessDenied):
        accounts.invite(ben, ["sitting"], days=1)
    with pytest.raises(AccessDenied):
        accounts.accept(other, code)
    grant = accounts.accept(ben, code)
    for somebody in (ben, other):
        with pytest.raises(AccessDenied):
            accounts.revoke(somebody, grant.id)


@pytest.mark.parametrize(
    ("scopes", "days"),
    [([], 5), (["live"], 5), (["salary"], 5), (["sitting"], 0), (["sitting"], 181)],
)
def test_bad_invitations_are_refused(accounts: Accounts, scopes: list[str], days: int) -> None:
    """Nothing, one's own things, unknown scopes and too long a time cannot be shared."""
    with pytest.raises(InputError):
        accounts.invite(_wearer(accounts), scopes, days=days)


def test_screening_and_notes_need_their_own_yes(accounts: Accounts) -> None:
    """They are never shared by a mere default."""
    anna = _wearer(accounts)
    with pytest.raises(InputError, match="confirmation of their own"):
        accounts.invite(anna, ["sitting", "screening"], days=5)
    assert accounts.invite(anna, ["sitting", "screening"], days=5, confirmed=True)


def test_guessing_codes_is_throttled(accounts: Accounts) -> None:
    """Eight wrong codes, then even a right one waits."""
    anna, ben = _wearer(accounts), _therapist(accounts)
    code = accounts.invite(anna, ["sitting"], days=5)
    for _ in range(8):
        with pytest.raises(InputError):
            accounts.accept(ben, "AAAAAA-BBBBBB-CCCCCC")
    with pytest.raises(TooManyTries):
        accounts.accept(ben, code)
