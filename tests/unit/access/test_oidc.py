# SPDX-License-Identifier: Apache-2.0
"""Signing in through an identity provider, against a real one in a process of its own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from dashboard import auth, oidc
from tests.fakes.oidc_visitor import HERE, Visitor, provider
from tests.unit.access.conftest import Hand
from tracker.accounts import HOUR_NS, Accounts
from tracker.diary import Role
from tracker.errors import AccessDenied, InputError, ServiceError, UsageError
from tracker.linked import is_linked, link, unlink
from tracker.settings import Settings
from tracker.store.records import open_records

GOOD = "drei blaue segel"
ANNA: dict[str, Any] = {"sub": "anna-1", "email": "Anna@Example.org", "email_verified": True}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that answers."""
    with provider() as url:
        yield url


@pytest.fixture
def play(issuer: str) -> Callable[..., None]:
    """Says who signs in at the provider and what goes wrong there."""

    def choose(person: dict[str, Any] | None = None, fault: str = "") -> None:
        told = {"person": ANNA if person is None else person, "fault": fault}
        httpx.post(f"{issuer}/play", json=told).raise_for_status()

    return choose


@pytest.fixture
def accounts(tmp_path: Path, hand: Hand) -> Iterator[Accounts]:
    """Anna, and Otto who operates."""
    records = open_records(Settings(data=tmp_path), hand)
    held = Accounts(records, hand, hasher=PasswordHasher.from_parameters(CHEAPEST))
    held.add("Otto", GOOD, [Role.OPERATOR])
    held.add("Anna", None, [Role.THERAPIST])
    yield held
    records.close()


@pytest.fixture
def visitor(issuer: str, accounts: Accounts, play: Callable[..., None]) -> Visitor:
    """A browser that was never here."""
    play()
    return Visitor(issuer, accounts)


def _link(accounts: Accounts, issuer: str, **how: str) -> None:
    anna = next(p for p in accounts.records.people() if p.name == "Anna")
    link(accounts, anna, issuer, **how)


def test_a_linked_person_signs_in(visitor: Visitor, issuer: str, accounts: Accounts) -> None:
    """The button stands on the sign-in page; afterwards the page knows Anna, with her own role."""
    _link(accounts, issuer, subject="anna-1")
    assert "Anmelden über Klinik" in visitor.get("/auth/login?next=/today").text
    done = visitor.sign_in()
    assert (done.status_code, done.headers["location"]) == (303, "/today")
    cookies = done.headers.get_list("set-cookie")
    assert not any(c.startswith("session=") for c in cookies), "state left the server"
    assert any("HttpOnly" in c and "Secure" in c and "SameSite=lax" in c for c in cookies)
    assert visitor.get("/today").text == "Anna"
    anna = next(p for p in accounts.records.people() if p.name == "Anna")
    assert anna.roles == {Role.THERAPIST}


@pytest.mark.parametrize(
    "fault",
    [
        "wrong nonce", "wrong audience", "wrong issuer", "expired", "forged", "unsigned",
        "no token", "person says no",
    ],
)  # fmt: skip
def test_a_bad_answer_opens_nothing(
    visitor: Visitor, issuer: str, accounts: Accounts, play: Callable[..., None], fault: str
) -> None:
    """Each is refused with the same sentence, and no sign-in exists afterwards."""
    _link(accounts, issuer, subject="anna-1")
    play(fault=fault)
    answer = visitor.sign_in()
    assert answer.status_code == 502
    assert "Klinik hat die Anmeldung nicht bestätigt" in answer.text
    assert visitor.get("/today").status_code == 303
    assert visitor.cookies.get(auth.COOKIE) is None


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "eve-1"},
        {"sub": "eve-1", "email": "anna@example.org", "email_verified": False},
        {"sub": "eve-1", "email": "anna@example.org"},
        {"sub": "eve-1", "email": "anna@example.org", "email_verified": "true"},
        {"sub": "eve-1", "email": "eve@example.org", "email_verified": True, "roles": "operator"},
    ],
)
def test_somebody_unknown_is_told_their_identifier_and_gets_no_account(
    visitor: Visitor, issuer: str, accounts: Accounts, play: Callable[..., None],
    person: dict[str, Any],
) -> None:  # fmt: skip
    """An address that the provider does not call verified counts for nothing."""
    _link(accounts, issuer, email="anna@example.org")
    before = accounts.records.people()
    play(person)
    answer = visitor.sign_in()
    assert answer.status_code == 403
    assert "eve-1" in answer.text
    assert visitor.get("/today").status_code == 303
    assert accounts.records.people() == before


def test_an_address_opens_once_and_then_the_id_counts(
    visitor: Visitor, issuer: str, accounts: Accounts, play: Callable[..., None]
) -> None:
    """Linked by e-mail, whatever its case; when the address passes on it opens nothing."""
    _link(accounts, issuer, email="anna@example.org")
    assert visitor.sign_in().status_code == 303
    assert visitor.get("/today").text == "Anna"
    play({**ANNA, "sub": "the next owner of the address"})
    other = Visitor(issuer, accounts)
    assert other.sign_in().status_code == 403
    play({"sub": "anna-1", "email": "new@example.org", "email_verified": True})
    assert visitor.sign_in().status_code == 303


def test_a_way_back_is_good_once_and_in_one_browser(
    visitor: Visitor, issuer: str, accounts: Accounts, hand: Hand
) -> None:
    """A replayed answer, one in another browser, with another state, or too late, is refused."""
    _link(accounts, issuer, subject="anna-1")
    back = visitor.to_provider()
    other = Visitor(issuer, accounts)
    other.cookies = httpx.Cookies()
    assert other.get(back).status_code == 403
    kept = httpx.Cookies(visitor.cookies)
    assert visitor.get(back).status_code == 303
    visitor.cookies = kept
    assert visitor.get(back).status_code == 403  # even with the first browser's own cookie
    changed = visitor.to_provider().replace("state=", "state=x")
    assert visitor.get(changed).status_code == 502


def test_pending_sign_ins_end_and_are_bounded(hand: Hand) -> None:
    """One that took longer than ten minutes is over; many begun ones push the oldest out."""
    pending = oidc.Pending(clock=hand)
    late = pending.put("/today", {})
    hand.now += oidc.PENDING_NS
    assert pending.take(late) is None
    first = pending.put("/today", {})
    kept = [pending.put("/", {}) for _ in range(oidc.MOST_PENDING)]
    assert pending.take(first) is None
    assert pending.take(kept[-1]) == ("/", {})
    assert pending.take(kept[-1]) is None
    assert pending.take(None) is None


def test_closing_and_unlinking_act_at_once_and_a_day_is_the_longest(
    visitor: Visitor, issuer: str, accounts: Accounts, hand: Hand
) -> None:
    """After twelve hours the provider is asked again; who left opens nothing with an old cookie."""
    _link(accounts, issuer, subject="anna-1")
    visitor.sign_in()
    assert visitor.get("/today").text == "Anna"
    hand.now += 13 * HOUR_NS
    assert visitor.get("/today").status_code == 303
    visitor.sign_in()
    anna = next(p for p in accounts.records.people() if p.name == "Anna")
    assert is_linked(accounts, anna)
    unlink(accounts, anna)
    assert visitor.get("/today").status_code == 303
    assert visitor.sign_in().status_code == 403


def test_a_new_key_of_the_provider_is_fetched(
    visitor: Visitor, issuer: str, accounts: Accounts, play: Callable[..., None]
) -> None:
    """Providers change their keys; the next sign-in holds without a restart."""
    _link(accounts, issuer, subject="anna-1")
    assert visitor.sign_in().status_code == 303
    play(fault="new key")
    assert visitor.sign_in().status_code == 303


def test_a_provider_that_is_away_is_a_sentence(
    accounts: Accounts, free_port: Callable[[], int]
) -> None:
    """Nobody answers: the page says so and the password form is still there."""
    answer = Visitor(f"http://127.0.0.1:{free_port()}", accounts).get("/auth/oidc")
    assert answer.status_code == 502
    assert 'name="password"' in answer.text


def test_a_provider_that_speaks_for_another_is_refused(issuer: str, accounts: Accounts) -> None:
    """The description must name the configured address."""
    answer = Visitor(issuer.replace("127.0.0.1", "localhost"), accounts).get("/auth/oidc")
    assert answer.status_code == 502


def test_links_are_the_owners_and_unique(issuer: str, accounts: Accounts) -> None:
    """Exactly one way to name the person, and no two accounts of one person."""
    _link(accounts, issuer, subject="anna-1")
    otto = next(p for p in accounts.records.people() if p.name == "Otto")
    with pytest.raises(InputError, match="Anna"):
        link(accounts, otto, issuer, subject="anna-1")
    for wrong in ({}, {"subject": "a", "email": "a@b"}, {"email": "no address"}):
        with pytest.raises(InputError):
            link(accounts, otto, issuer, **wrong)
    with pytest.raises(InputError, match="BACKSTAY_OIDC_ISSUER"):
        link(accounts, otto, "", subject="x")
    with pytest.raises(AccessDenied):
        accounts.sign_in("Anna", "", address="here")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"oidc_client": ""}, "BACKSTAY_OIDC_CLIENT"),
        ({"public_url": ""}, "BACKSTAY_PUBLIC_URL"),
        ({"oidc_issuer": "http://provider.example"}, "https://"),
        ({"public_url": "http://practice.example"}, "https://"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    accounts: Accounts, changed: dict[str, str], words: str
) -> None:
    """One sentence at the start instead of a sign-in that fails later."""
    values = {"oidc_issuer": "https://p.example", "oidc_client": "c", "public_url": HERE} | changed
    settings = Settings(data=Path("unused"), **values)  # type: ignore[arg-type]  # all of them texts
    with pytest.raises(UsageError, match=words):
        oidc.routes(settings, auth.Doorman(accounts=lambda: accounts))


def test_without_the_extra_one_sentence(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is there and the packages are not: what to install is said."""
    monkeypatch.setitem(sys.modules, "authlib.integrations.starlette_client", None)
    settings = Settings(
        data=Path("unused"), oidc_issuer="https://p.example", oidc_client="c", public_url=HERE
    )
    with pytest.raises(ServiceError, match=r"backstay\[oidc\]"):
        oidc.routes(settings, auth.Doorman(accounts=lambda: accounts))
