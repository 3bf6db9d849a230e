# SPDX-License-Identifier: Apache-2.0
"""The sign-in door: what opens, what stays shut, and what another site cannot make a browser do."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dashboard.auth import COOKIE, Doorman, RequireSignIn, routes
from dashboard.data import doorman as doorman_of
from tracker.accounts import Accounts
from tracker.diary import Role
from tracker.settings import Settings
from tracker.store.records import open_records

GOOD = "drei blaue segel"
HERE = "https://here"


class Browser:
    """A client that keeps cookies and sends Origin with posts, as browsers do."""

    def __init__(self, app: Starlette, base_url: str = HERE) -> None:
        self._app, self.cookies = app, httpx.Cookies()
        self.base_url = base_url

    def get(self, path: str, accept: str = "text/html") -> httpx.Response:
        """Open a page."""
        return self._do("GET", path, headers={"accept": accept})

    def post(self, path: str, origin: str | None = HERE, **data: str) -> httpx.Response:
        """Send a form."""
        headers = {} if origin is None else {"origin": origin}
        return self._do("POST", path, data=data, headers=headers)

    def _do(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url=self.base_url, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(go())


def _app(doorman: Doorman) -> Starlette:
    async def page(request: Request) -> Response:
        return PlainTextResponse("the page")

    async def live(socket: WebSocket) -> None:
        await socket.accept()

    inner = [Route(p, page) for p in ("/", "/today", "/media/x", "/health", "/_stcore/health")]
    return Starlette(
        routes=[*routes(doorman), *inner, WebSocketRoute("/_stcore/stream", live)],
        middleware=[Middleware(RequireSignIn, doorman=doorman)],
    )


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    """Accounts on a real database."""
    records = open_records(Settings(data=tmp_path))
    yield Accounts(records, hasher=PasswordHasher.from_parameters(CHEAPEST))
    records.close()


@pytest.fixture
def browser(accounts: Accounts) -> Browser:
    """A browser before a service with one account."""
    accounts.add("Anna", GOOD, [Role.WEARER])
    return Browser(_app(Doorman(accounts=lambda: accounts)))


def _sign_in(browser: Browser, path: str = "/auth/login") -> httpx.Response:
    return browser.post(path, name="Anna", password=GOOD)


def test_pages_are_shut_until_signed_in(browser: Browser) -> None:
    """A page leads to the sign-in and back; files are 401; health answers."""
    shut = browser.get("/today")
    assert (shut.status_code, shut.headers["location"]) == (303, "/auth/login?next=/today")
    assert browser.get("/media/x", accept="*/*").status_code == 401
    assert browser.get("/health").status_code == 200
    assert browser.get("/_stcore/health").status_code == 200
    opened = _sign_in(browser, "/auth/login?next=/today")
    assert (opened.status_code, opened.headers["location"]) == (303, "/today")
    assert browser.get("/today").text == "the page"
    assert browser.get("/media/x", accept="*/*").status_code == 200


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    """HttpOnly, SameSite and, under https, Secure."""
    cookie = _sign_in(browser).headers["set-cookie"].lower()
    for word in ("httponly", "samesite=lax", "secure", "path=/"):
        assert word in cookie


def test_a_forged_cookie_opens_nothing(browser: Browser) -> None:
    """A made-up value, and a broken cookie header, are nobody."""
    browser.cookies.set(COOKIE, "made-up", domain="here")
    assert browser.get("/today").status_code == 303


async def _socket(app: Starlette, cookie: str, origin: str = "") -> str:
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    headers = [(b"cookie", f"{COOKIE}={cookie}".encode()), (b"host", b"here")]
    headers += [(b"origin", origin.encode())] if origin else []
    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers}
    scope |= {"query_string": b"", "subprotocols": [], "raw_path": b"", "scheme": "wss"}
    await app(scope, receive, send)
    return sent[0]


@pytest.mark.parametrize("cookie", ["", "made-up", '"; drop'])
def test_sockets_without_a_sign_in_are_closed(browser: Browser, cookie: str) -> None:
    """The live channel is refused before it is accepted."""
    assert asyncio.run(_socket(browser._app, cookie)) == "websocket.close"


def test_signing_out_acts_at_once(browser: Browser) -> None:
    """After signing out the old cookie is nobody, even when a copy of it comes back."""
    _sign_in(browser)
    copy = browser.cookies[COOKIE]
    assert browser.post("/auth/logout").status_code == 303
    browser.cookies = httpx.Cookies()
    browser.cookies.set(COOKIE, copy, domain="here")
    assert browser.get("/today").status_code == 303


@pytest.mark.parametrize("origin", [None, "https://elsewhere", "null", "https://here.elsewhere"])
@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout"])
def test_posts_from_another_site_are_refused(
    browser: Browser, origin: str | None, path: str
) -> None:
    """403, no cookie is set and the present sign-in goes on."""
    _sign_in(browser)
    answer = browser.post(path, origin, name="Anna", password=GOOD)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert browser.get("/today").status_code == 200


@pytest.mark.parametrize("target", ["//elsewhere", "/\\elsewhere", "https://elsewhere", "x"])
def test_the_way_back_leads_to_this_host_only(browser: Browser, target: str) -> None:
    """`next` cannot send the freshly signed-in browser to another site."""
    assert _sign_in(browser, f"/auth/login?next={target}").headers["location"] == "/"


@pytest.mark.parametrize(("lang", "words"), [("de", "stimmt nicht"), ("en", "not right")])
def test_wrong_password_is_said_in_the_readers_language(
    browser: Browser, lang: str, words: str
) -> None:
    """401, the sentence, and the name is not echoed."""
    answer = browser._do(
        "POST", "/auth/login", data={"name": "<b>Anna", "password": "nope"},
        headers={"origin": HERE, "accept-language": lang},
    )  # fmt: skip
    assert answer.status_code == 401
    assert words in answer.text
    assert "<b>" not in answer.text


def test_too_many_tries_answer_429(browser: Browser) -> None:
    """The ninth attempt waits."""
    codes = [browser.post("/auth/login", name="x", password="y").status_code for _ in range(9)]
    assert codes == [401] * 8 + [429]


def test_a_huge_form_is_refused(browser: Browser) -> None:
    """A form of a megabyte is not read."""
    assert browser.post("/auth/login", name="x" * 1_000_000, password="y").status_code == 403


def test_single_user_on_loopback_needs_no_account(accounts: Accounts) -> None:
    """Without any account pages are open and the sign-in leads home."""
    browser = Browser(_app(Doorman(accounts=lambda: accounts)), "http://127.0.0.1:8501")
    assert browser.get("/today").text == "the page"
    assert browser.get("/auth/login").headers["location"] == "/"


def test_first_account_in_the_network_needs_the_code_on_the_operators_screen(
    accounts: Accounts,
) -> None:
    """Nobody else in the network can become the owner first."""
    doorman = Doorman(accounts=lambda: accounts, open_to_network=True, setup_code="ABCD-1234")
    browser = Browser(_app(doorman))
    assert browser.get("/today").status_code == 303
    assert browser.get("/auth/login").headers["location"] == "/auth/first"
    wrong = browser.post("/auth/first", code="0000-0000", name="Eve", password=GOOD)
    assert wrong.status_code == 401
    assert not accounts.needed()
    assert browser.post("/auth/first", code="abcd-1234", name="A", password="no").status_code == 400
    made = browser.post("/auth/first", code="abcd-1234", name="Anna", password=GOOD)
    assert made.status_code == 303
    assert browser.get("/today").text == "the page"
    assert (
        browser.post("/auth/first", code="abcd-1234", name="Eve", password=GOOD).status_code == 303
    )
    assert [p.name for p in accounts.records.people()] == ["Anna"]


def test_guessing_the_setup_code_is_throttled(accounts: Accounts) -> None:
    """The ninth wrong code waits, and then the right one waits, too."""
    doorman = Doorman(accounts=lambda: accounts, open_to_network=True, setup_code="ABCD-1234")
    browser = Browser(_app(doorman))
    form = {"code": "0000-0000", "name": "Eve", "password": GOOD}
    codes = [browser.post("/auth/first", **form).status_code for _ in range(9)]
    assert codes == [401] * 8 + [429]
    assert browser.post("/auth/first", **{**form, "code": "ABCD-1234"}).status_code == 429
    assert not accounts.needed()


@pytest.mark.parametrize("name", ["rebound.example", "127.0.0.1.example", "", "a:b:c"])
def test_a_name_pointed_at_this_machine_opens_nothing(accounts: Accounts, name: str) -> None:
    """Another site's name that resolves to 127.0.0.1 is refused where no account is needed."""
    browser = Browser(_app(Doorman(accounts=lambda: accounts)), "http://localhost:8501")
    assert browser.get("/today").text == "the page"
    answer = browser._do("GET", "/today", headers={"host": name, "accept": "text/html"})
    assert answer.status_code == 403
    assert "the page" not in answer.text


@pytest.mark.parametrize(
    ("origin", "sent"),
    [
        ("https://here", "websocket.accept"),
        ("https://practice.example", "websocket.accept"),
        ("https://elsewhere", "websocket.close"),
        ("https://here.elsewhere", "websocket.close"),
    ],
)
def test_a_socket_opened_by_another_site_is_closed(
    accounts: Accounts, origin: str, sent: str
) -> None:
    """Our own page and that of the reverse proxy may; a foreign page may not, signed in or not."""
    accounts.add("Anna", GOOD, [Role.WEARER])
    doorman = Doorman(accounts=lambda: accounts, public_url="https://practice.example")
    browser = Browser(_app(doorman))
    _sign_in(browser)
    assert asyncio.run(_socket(browser._app, browser.cookies[COOKIE], origin)) == sent


def test_behind_a_proxy_with_https_the_cookie_is_secure(accounts: Accounts) -> None:
    """The proxy speaks HTTP to us; the browser must still send the cookie over HTTPS only."""
    accounts.add("Anna", GOOD, [Role.WEARER])
    doorman = Doorman(accounts=lambda: accounts, public_url="https://practice.example")
    browser = Browser(_app(doorman), "http://practice.example")
    answer = browser.post("/auth/login", "http://practice.example", name="Anna", password=GOOD)
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("changed", "is_open"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"lan": "on"}, True),
        ({"host": "0.0.0.0"}, True),
        ({"host": "practice-server"}, True),
        ({"public_url": "https://practice.example"}, True),
    ],
)
def test_whatever_others_can_reach_asks_for_a_sign_in(
    tmp_path: Path, changed: dict[str, Any], is_open: bool
) -> None:
    """Loopback alone is a single user's; every other way in needs an account."""
    settings = Settings(data=tmp_path, **changed)
    assert settings.open_to_network is is_open
    assert doorman_of(settings).must_sign_in() is is_open
