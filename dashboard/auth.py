# SPDX-License-Identifier: Apache-2.0
"""Signing in: plain HTML routes, an HttpOnly cookie, and a guard before every page and socket.

No script is needed, so password managers work. On loopback a single user needs no account; as soon
as anybody has a password, or the service is open to the network, the guard asks for a sign-in.
The cookie's secret is looked up on every request: signing out and closing an account act at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.signin_page import first_page, login_page
from tracker.accounts import Accounts
from tracker.diary import Person
from tracker.errors import AccessDenied, BackstayError, TooManyTries
from tracker.report.i18n import Language, language
from tracker.settings import is_loopback

COOKIE = "backstay"
COOKIE_DAYS = 90
# What answers before anybody signed in: the sign-in itself and whether the service is alive.
# `/local` asks for a token of its own (`local_api.py`).
OPEN_PATHS = ("/auth/", "/health", "/_stcore/health", "/local")
MAX_FORM_BYTES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorman:
    """What the guard needs: the accounts, and whether the network can reach the service.

    `setup_code` must be typed to make the first account when the service is open to the network:
    it stands on the operator's own screen, so nobody else can become the owner first.
    """

    accounts: Callable[[], Accounts | None]
    open_to_network: bool = False
    setup_code: str = ""
    zone: str = "Europe/Berlin"
    provider: str = ""  # name of the identity provider on the sign-in page; "" without one
    public_url: str = ""  # of a reverse proxy, which may speak HTTP to us; "" without one
    wearer: Callable[[], str | None] = lambda: None  # the single user's series before accounts

    def person_of(self, cookies: Mapping[str, str]) -> Person | None:
        """Who the cookie belongs to at this moment."""
        accounts = self.accounts()
        return accounts.who(cookies.get(COOKIE)) if accounts is not None else None

    @property
    def https(self) -> bool:
        """Whether people come by HTTPS although it may not look like it from here."""
        return self.public_url.startswith("https://")

    def must_sign_in(self) -> bool:
        """Whether pages are shut without a sign-in."""
        if self.open_to_network:
            return True
        accounts = self.accounts()
        return accounts is not None and accounts.needed()


class RequireSignIn:
    """ASGI guard before pages, sockets, static files and downloads."""

    def __init__(self, app: ASGIApp, doorman: Doorman) -> None:
        self._app = app
        self._doorman = doorman

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through who may; send a browser to the sign-in, refuse everything else."""
        if scope["type"] not in ("http", "websocket") or self._may(scope):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "sign in first"})
            return
        request = Request(scope)
        if not self._doorman.must_sign_in():
            answer: Response = Response(
                "Refused: open Backstay at the address it printed.", 403, media_type="text/plain"
            )
        elif request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            target = quote(scope["path"], safe="/")
            answer = RedirectResponse(f"/auth/login?next={target}", 303)
        else:
            answer = Response("Sign in first.", 401, media_type="text/plain")
        await answer(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        path = scope["path"]
        if scope["type"] == "websocket" and not self._from_here(scope):
            return False
        if any(path == p or (p.endswith("/") and path.startswith(p)) for p in OPEN_PATHS):
            return True
        if not self._doorman.must_sign_in():
            # A name that somebody points at 127.0.0.1 must not open a page without an account.
            return _names_this_machine(_header(scope, b"host"))
        return self._doorman.person_of(cookies_of(scope)) is not None

    def _from_here(self, scope: Scope) -> bool:
        """Whether a socket is opened by our own page. Streamlit would ask the internet."""
        origin = urlsplit(_header(scope, b"origin"))
        known = (_header(scope, b"host"), urlsplit(self._doorman.public_url).netloc)
        return not origin.netloc or origin.netloc in known


def _header(scope: Scope, wanted: bytes) -> str:
    found = (value for name, value in scope.get("headers", ()) if name == wanted)
    return next(found, b"").decode("latin-1")


def _names_this_machine(host: str) -> bool:
    """Whether a Host header is an address or `localhost`: nobody can point these elsewhere."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return bool(name) and (is_loopback(name) or bool(ip_address(name)))
    except ValueError:
        return False


def cookies_of(scope: Scope) -> dict[str, str]:
    """Cookies of a request or a websocket's handshake; broken ones are none."""
    found: dict[str, str] = {}
    for name, value in scope.get("headers", ()):
        if name == b"cookie":
            jar = SimpleCookie()
            try:
                jar.load(value.decode("latin-1"))
            except CookieError:
                continue
            found.update({key: morsel.value for key, morsel in jar.items()})
    return found


def routes(doorman: Doorman) -> list[Route]:
    """The sign-in routes."""
    desk = _Desk(doorman)
    return [
        Route("/auth/login", desk.login, methods=["GET", "POST"]),
        Route("/auth/first", desk.first, methods=["GET", "POST"]),
        Route("/auth/logout", desk.logout, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _Desk:
    """The handlers of the sign-in routes."""

    doorman: Doorman

    async def login(self, request: Request) -> Response:
        """Show the form; on a right name and password set the cookie and go on."""
        lang = reader_language(request)
        accounts = self.doorman.accounts()
        if accounts is None or not accounts.needed():
            return RedirectResponse("/auth/first" if self.doorman.open_to_network else "/", 303)
        target = own_path(request.query_params.get("next", "/"))
        if request.method == "GET":
            return self._page(lang, target)
        form = await _form(request)
        if form is None:
            return self._page(lang, target, lang.t("signin.refused"), 403)
        try:
            secret = accounts.sign_in(
                form.get("name", ""),
                form.get("password", ""),
                address=_address(request),
                device=request.headers.get("user-agent", ""),
            )
        except TooManyTries:
            return self._page(lang, target, lang.t("signin.wait"), 429)
        except AccessDenied:
            return self._page(lang, target, lang.t("signin.wrong"), 401)
        return signed_in(request, target, secret, https=self.doorman.https)

    async def first(self, request: Request) -> Response:
        """Show the form of the first account; make it and sign its owner in."""
        lang = reader_language(request)
        accounts = self.doorman.accounts()
        if accounts is None or accounts.needed():
            return RedirectResponse("/auth/login", 303)
        if request.method == "GET":
            return self._first(lang)
        form = await _form(request)
        if form is None:
            return self._first(lang, lang.t("signin.refused"), 403)
        try:
            accounts.check_setup_code(
                form.get("code", ""), self.doorman.setup_code, address=_address(request)
            )
            person = accounts.add_owner(
                form.get("name", ""),
                form.get("password", ""),
                language=lang.code,
                zone=self.doorman.zone,
                wearer=self.doorman.wearer(),
            )
        except BackstayError as error:
            return self._first(lang, *_why_not(lang, error))
        secret = accounts.open_session(person)
        return signed_in(request, "/", secret, https=self.doorman.https)

    async def logout(self, request: Request) -> Response:
        """End the sign-in behind the cookie."""
        if not _same_origin(request):
            return Response("Refused: this request comes from another site.", 403)
        accounts = self.doorman.accounts()
        secret = request.cookies.get(COOKIE)
        if accounts is not None and secret:
            accounts.sign_out(secret)
        answer = RedirectResponse("/auth/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    def _page(self, lang: Language, target: str, problem: str = "", status: int = 200) -> Response:
        return login_page(lang, target, problem, status, provider=self.doorman.provider)

    def _first(self, lang: Language, problem: str = "", status: int = 200) -> Response:
        return first_page(lang, problem, status, code=bool(self.doorman.setup_code))


def _why_not(lang: Language, error: BackstayError) -> tuple[str, int]:
    if isinstance(error, TooManyTries):
        return lang.t("signin.wait"), 429
    if isinstance(error, AccessDenied):
        return lang.t("signin.wrong_code"), 401
    return str(error), 400


def signed_in(request: Request, target: str, secret: str, *, https: bool = False) -> Response:
    """The answer to a sign-in that held: the cookie, and on to the page that was asked for."""
    answer = RedirectResponse(target, 303)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=COOKIE_DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=https or request.url.scheme == "https",
    )
    return answer


async def _form(request: Request) -> dict[str, str] | None:
    """Fields of a small form of our own page; None when it comes from another site or is huge."""
    if not _same_origin(request):
        return None
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


def _same_origin(request: Request) -> bool:
    """Browsers send Origin with every POST; a missing or foreign one is not our page."""
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")


def own_path(text: str) -> str:
    """A path of this host; anything that a browser could read as another host becomes `/`."""
    ours = text.startswith("/") and not text.startswith(("//", "/\\")) and "\n" not in text
    return text if ours else "/"


def reader_language(request: Request) -> Language:
    """The browser's own language: nobody is signed in yet."""
    return language(request.headers.get("accept-language", "en"))
