# SPDX-License-Identifier: Apache-2.0
"""Signing in: plain HTML routes, an HttpOnly cookie, and a guard before every page and socket.

No script is needed, so password managers work. On loopback a single user needs no account; as soon
as anybody has a password, or the service is open to the network, the guard asks for a sign-in.
The cookie's secret is looked up on every request: signing out and closing an account act at once.
"""

import hmac
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tracker.accounts import Accounts
from tracker.diary import Person
from tracker.errors import AccessDenied, BackstayError, TooManyTries
from tracker.report.i18n import Language, language

COOKIE = "backstay"
COOKIE_DAYS = 90
# What answers before anybody signed in: the sign-in itself and whether the service is alive.
# `/local` asks for a token of its own (`local_api.py`).
OPEN_PATHS = ("/auth/", "/health", "/_stcore/health", "/local")
MAX_FORM_BYTES = 10_000
_PAGE = Template((Path(__file__).resolve().parent / "signin.html").read_text("utf-8"))


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
    wearer: Callable[[], str | None] = lambda: None  # the single user's series before accounts

    def person_of(self, cookies: Mapping[str, str]) -> Person | None:
        """Who the cookie belongs to at this moment."""
        accounts = self.accounts()
        return accounts.who(cookies.get(COOKIE)) if accounts is not None else None

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
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            target = quote(scope["path"], safe="/")
            answer: Response = RedirectResponse(f"/auth/login?next={target}", 303)
        else:
            answer = Response("Sign in first.", 401, media_type="text/plain")
        await answer(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        path = scope["path"]
        if any(path == p or (p.endswith("/") and path.startswith(p)) for p in OPEN_PATHS):
            return True
        if not self._doorman.must_sign_in():
            return True
        return self._doorman.person_of(cookies_of(scope)) is not None


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
        lang = _language(request)
        accounts = self.doorman.accounts()
        if accounts is None or not accounts.needed():
            return RedirectResponse("/auth/first" if self.doorman.open_to_network else "/", 303)
        target = _own_path(request.query_params.get("next", "/"))
        if request.method == "GET":
            return _login_page(lang, target)
        form = await _form(request)
        if form is None:
            return _login_page(lang, target, lang.t("signin.refused"), 403)
        try:
            secret = accounts.sign_in(
                form.get("name", ""),
                form.get("password", ""),
                address=request.client.host if request.client else "?",
                device=request.headers.get("user-agent", ""),
            )
        except TooManyTries:
            return _login_page(lang, target, lang.t("signin.wait"), 429)
        except AccessDenied:
            return _login_page(lang, target, lang.t("signin.wrong"), 401)
        return _signed_in(request, target, secret)

    async def first(self, request: Request) -> Response:
        """Show the form of the first account; make it and sign its owner in."""
        lang = _language(request)
        accounts = self.doorman.accounts()
        if accounts is None or accounts.needed():
            return RedirectResponse("/auth/login", 303)
        if request.method == "GET":
            return _first_page(lang, self.doorman)
        form = await _form(request)
        if form is None:
            return _first_page(lang, self.doorman, lang.t("signin.refused"), 403)
        if not self._code_fits(form.get("code", "")):
            return _first_page(lang, self.doorman, lang.t("signin.wrong_code"), 401)
        try:
            person = accounts.add_owner(
                form.get("name", ""),
                form.get("password", ""),
                language=lang.code,
                zone=self.doorman.zone,
                wearer=self.doorman.wearer(),
            )
        except BackstayError as error:
            return _first_page(lang, self.doorman, str(error), 400)
        return _signed_in(request, "/", accounts.open_session(person))

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

    def _code_fits(self, code: str) -> bool:
        wanted = self.doorman.setup_code
        return not wanted or hmac.compare_digest(code.strip().upper().encode(), wanted.encode())


def _signed_in(request: Request, target: str, secret: str) -> Response:
    answer = RedirectResponse(target, 303)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=COOKIE_DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
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


def _same_origin(request: Request) -> bool:
    """Browsers send Origin with every POST; a missing or foreign one is not our page."""
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")


def _own_path(text: str) -> str:
    """A path of this host; anything that a browser could read as another host becomes `/`."""
    ours = text.startswith("/") and not text.startswith(("//", "/\\")) and "\n" not in text
    return text if ours else "/"


def _language(request: Request) -> Language:
    return language(request.headers.get("accept-language", "en"))


def _field(lang: Language, name: str, kind: str, complete: str) -> str:
    label = html.escape(lang.t(f"signin.{name}"))
    return (
        f'<label for="{name}">{label}</label>'
        f'<input id="{name}" name="{name}" type="{kind}" autocomplete="{complete}" required>'
    )


def _render(
    lang: Language, key: str, action: str, fields: str, problem: str, status: int
) -> HTMLResponse:
    note = f'<p class="problem" role="alert">{html.escape(problem)}</p>' if problem else ""
    return HTMLResponse(
        _PAGE.substitute(
            lang=lang.code,
            title=html.escape(lang.t(f"signin.{key}_title")),
            lead=html.escape(lang.t(f"signin.{key}_lead")),
            button=html.escape(lang.t(f"signin.{key}_button")),
            foot=html.escape(lang.t(f"signin.{key}_foot")),
            action=html.escape(action),
            fields=fields,
            problem=note,
        ),
        status,
        {"cache-control": "no-store"},
    )


def _login_page(lang: Language, target: str, problem: str = "", status: int = 200) -> HTMLResponse:
    fields = _field(lang, "name", "text", "username")
    fields += _field(lang, "password", "password", "current-password")
    action = f"/auth/login?next={quote(target, safe='/')}"
    return _render(lang, "login", action, fields, problem, status)


def _first_page(
    lang: Language, doorman: Doorman, problem: str = "", status: int = 200
) -> HTMLResponse:
    fields = _field(lang, "code", "text", "one-time-code") if doorman.setup_code else ""
    fields += _field(lang, "name", "text", "username")
    fields += _field(lang, "password", "password", "new-password")
    return _render(lang, "first", "/auth/first", fields, problem, status)
