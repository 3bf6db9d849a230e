# SPDX-License-Identifier: Apache-2.0
"""The dashboard process: `python -m dashboard.serve`.

One Starlette application: Streamlit's own routes, our `/health`, and security headers on every
answer. The content policy names this host alone, so a page that asked for anything elsewhere
would be stopped by the browser, too.
"""

import argparse
import socket
import sys
import tomllib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from dashboard import auth, data, oidc, reports, tidy, warm
from dashboard.local_api import LocalApi
from tracker.clock import Clock
from tracker.errors import ServiceError
from tracker.launch import setup_code
from tracker.settings import Settings, read_settings

HERE = Path(__file__).resolve().parent

# Vega compiles expressions with `Function`, Streamlit injects styles: both need the unsafe words.
# Nothing may be loaded from, sent to or framed by another host.
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Not "no-referrer": with it browsers send "Origin: null" with our own sign-in form, too.
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class SecurityHeaders:
    """ASGI middleware: the headers above on every HTTP answer."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to the start of its answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


async def health(_: Request) -> JSONResponse:
    """Alive; needs no login and says nothing about anybody."""
    return JSONResponse({"status": "ok"})


async def to_today(_: Request) -> RedirectResponse:
    """The first page under its own name, for bookmarks."""
    return RedirectResponse("/")


def server_options(settings: Settings, port: int) -> dict[str, Any]:
    """Streamlit options: those of `.streamlit/config.toml`, then host and port."""
    options = _flat(tomllib.loads((HERE / ".streamlit" / "config.toml").read_text("utf-8")))
    options["server.address"] = settings.host
    options["server.port"] = port
    if settings.public_url:
        # Else Streamlit asks a service on the internet for this machine's own address.
        options["browser.serverAddress"] = urlsplit(settings.public_url).hostname
    if settings.lan == "on":
        from tracker.collect.certificate import ensure_certificate

        certificate = ensure_certificate(settings.data / "certificate", Clock().now_ns())
        options["server.sslCertFile"] = str(certificate.cert)
        options["server.sslKeyFile"] = str(certificate.key)
    return options


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping):
            flat.update(_flat(value, name))
        else:
            flat[name] = value
    return flat


def free_port(host: str) -> int:
    """A port of this host that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            raise ServiceError(
                f"The dashboard cannot listen on {host}: {error.strerror}. "
                "Set BACKSTAY_HOST to an address of this machine."
            ) from error
        return int(probe.getsockname()[1])


def build(settings: Settings, local: LocalApi | None = None) -> st.App:
    """The application without a server, for tests and other launchers."""
    doorman = data.doorman(settings)
    local = local or LocalApi(settings)
    return st.App(
        HERE / "app.py",
        # Streamlit knows its first page as "/" only.
        routes=[
            Route("/health", health),
            Route("/today", to_today),
            *auth.routes(doorman),
            *oidc.routes(settings, doorman),
            *reports.routes(),
            *local.routes(),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(auth.RequireSignIn, doorman=doorman)],
    )


def url_of(settings: Settings, port: int) -> str:
    """The address to open in a browser."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    scheme = "https" if settings.lan == "on" else "http"
    return f"{scheme}://{host}:{port}"


def serve(settings: Settings) -> None:
    """Run the dashboard until it is stopped; the first line printed is its address."""
    port = settings.port or free_port(settings.host)
    if settings.open_to_network and not settings.setup_code:
        settings = replace(settings, setup_code=setup_code())
        held = data.doorman(settings).accounts()
        if held is None or not held.needed():
            said = f"Setup code for the first account: {settings.setup_code}"
            print(said, file=sys.stderr, flush=True)  # noqa: T201 - for the operator's screen alone
    local = LocalApi(settings)
    app = build(settings, local)
    local.open(url_of(settings, port))
    stop = tidy.start(settings)
    warm.start(settings, stop)
    print(url_of(settings, port), flush=True)  # noqa: T201 - the launcher reads this line
    try:
        app.run(config=server_options(settings, port))
    finally:
        stop.set()
        local.close()


def main() -> None:
    """Command line of the process."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.serve", description=__doc__)
    parser.add_argument("--port", type=int, help="port; 0 picks a free one (BACKSTAY_PORT)")
    parser.add_argument("--host", help="address to listen on (BACKSTAY_HOST)")
    given = parser.parse_args()
    serve(read_settings(port=given.port, host=given.host))


if __name__ == "__main__":
    main()
