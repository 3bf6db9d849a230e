# SPDX-License-Identifier: Apache-2.0
"""A browser before our sign-in page and a running provider, for the tests of OpenID Connect."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard import auth, oidc
from tests.fakes.oidc_provider import CLIENT, SECRET
from tracker.accounts import Accounts
from tracker.settings import Settings

HERE = "https://practice.example"


@contextmanager
def provider() -> Iterator[str]:
    """A provider in a process of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(__file__).resolve().with_name("oidc_provider.py")
    child = subprocess.Popen([sys.executable, str(program), str(port), HERE + oidc.BACK])
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert child.poll() is None
            try:
                found = httpx.get(f"{url}/.well-known/openid-configuration").json()
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                assert found["issuer"] == url
                break
        yield url
    finally:
        child.terminate()
        child.wait(30)


class Visitor:
    """A browser: keeps cookies of the service, follows the provider's redirects when told to."""

    def __init__(self, issuer: str, accounts: Accounts, **changed: str) -> None:
        settings = Settings(
            data=Path("unused"), public_url=HERE, oidc_issuer=issuer, oidc_client=CLIENT,
            oidc_secret=SECRET, oidc_name="Klinik",
        )  # fmt: skip
        doorman = auth.Doorman(
            accounts=lambda: accounts, open_to_network=True, public_url=HERE, provider="Klinik"
        )

        async def page(request: Request) -> Response:
            person = doorman.person_of(request.cookies)
            return PlainTextResponse(person.name if person else "nobody")

        self.app = Starlette(
            routes=[
                *auth.routes(doorman), *oidc.routes(settings, doorman), Route("/today", page)
            ],
            middleware=[
                Middleware(SessionMiddleware, secret_key="Streamlit has one, too"),
                Middleware(auth.RequireSignIn, doorman=doorman),
            ],
        )  # fmt: skip
        self.cookies = httpx.Cookies()

    def get(self, path: str) -> httpx.Response:
        """One request to the service."""

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url=HERE, cookies=self.cookies
            ) as client:
                headers = {"accept": "text/html", "accept-language": "de"}
                answer = await client.get(path, headers=headers)
                self.cookies = client.cookies
                return answer

        return asyncio.run(go())

    def to_provider(self, target: str = "/today") -> str:
        """Begins; the path on which the provider sends the browser back."""
        begun = self.get(f"/auth/oidc?next={target}")
        assert begun.status_code == 302, begun.text
        answer = httpx.get(begun.headers["location"])
        assert answer.status_code == 303, answer.text
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    def sign_in(self) -> httpx.Response:
        """The whole way."""
        return self.get(self.to_provider())
