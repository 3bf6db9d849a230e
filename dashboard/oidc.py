# SPDX-License-Identifier: Apache-2.0
"""Signing in through an identity provider: OpenID Connect, authorization code with PKCE.

Authlib speaks the protocol (discovery, PKCE, the token's signature, issuer, audience, nonce and
times); this module keeps what a sign-in under way must remember on the server, under a cookie of
its own that is used once, and asks `tracker.linked` whose account the answer belongs to.
"""

import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboard.auth import Doorman, own_path, reader_language, signed_in
from dashboard.signin_page import login_page
from tracker.clock import SYSTEM_CLOCK, Clock
from tracker.errors import AccessDenied, ServiceError, UsageError
from tracker.linked import sign_in_linked
from tracker.model import SECOND_NS
from tracker.settings import Settings, is_loopback

if TYPE_CHECKING:
    from authlib.integrations.starlette_client import StarletteOAuth2App

COOKIE = "backstay_oidc"
BACK = "/auth/oidc/back"
PENDING_NS = 10 * 60 * SECOND_NS
MOST_PENDING = 1000
TIMEOUT_S = 10.0
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Pending:
    """Sign-ins under way by the secret of their cookie; each can be taken out once."""

    clock: Clock = SYSTEM_CLOCK
    _kept: "OrderedDict[str, tuple[int, str, dict[str, Any]]]" = field(default_factory=OrderedDict)

    def put(self, target: str, memory: dict[str, Any]) -> str:
        """Remember one; its secret. The oldest are forgotten when very many were begun."""
        secret = secrets.token_urlsafe(32)
        self._kept[secret] = (self.clock.now_ns() + PENDING_NS, target, memory)
        while len(self._kept) > MOST_PENDING:
            self._kept.popitem(last=False)
        return secret

    def take(self, secret: str | None) -> tuple[str, dict[str, Any]] | None:
        """Target and memory; None for what was never begun, is over or was taken before."""
        until_ns, target, memory = self._kept.pop(secret or "", (0, "", {}))
        return (target, memory) if self.clock.now_ns() < until_ns else None


def routes(settings: Settings, doorman: Doorman) -> list[Route]:
    """The two routes; none where no provider is configured.

    Raises UsageError for settings that do not fit together, ServiceError without the extra.
    """
    if not settings.oidc_issuer:
        return []
    desk = _Desk(settings=settings, doorman=doorman, provider=_provider(settings))
    return [
        Route("/auth/oidc", desk.begin, methods=["GET"]),
        Route(BACK, desk.back, methods=["GET"]),
    ]


def _provider(settings: Settings) -> "StarletteOAuth2App":
    """Authlib's client of the configured provider; nothing is asked yet."""
    _check(settings)
    try:
        from authlib.integrations.starlette_client import OAuth
    except ImportError as error:
        raise ServiceError(
            "BACKSTAY_OIDC_ISSUER is set, but its packages are missing: install backstay[oidc]"
        ) from error
    return OAuth().register(
        "backstay",
        client_id=settings.oidc_client,
        client_secret=settings.oidc_secret or None,
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email",
            "code_challenge_method": "S256",
            "timeout": TIMEOUT_S,
        },
    )


def _with_memory(request: Request, memory: dict[str, Any]) -> Request:
    """The request with `memory` where Authlib keeps state, nonce and verifier.

    In a scope of its own: Streamlit's session, a cookie in the browser, stays out of it.
    """
    return Request({**request.scope, "session": memory}, request.receive)


def _faults() -> tuple[type[Exception], ...]:
    """What a provider that is away, broken or dishonest makes the libraries raise."""
    import httpx2
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError

    libraries = (AuthlibBaseError, JoseError, httpx2.HTTPError, httpx2.InvalidURL)
    return (*libraries, ServiceError, RuntimeError, ValueError, KeyError, TypeError)


def _check(settings: Settings) -> None:
    for name in ("oidc_client", "public_url"):
        if not getattr(settings, name):
            raise UsageError(f"BACKSTAY_OIDC_ISSUER is set: set BACKSTAY_{name.upper()}, too")
    for name in ("oidc_issuer", "public_url"):
        address = urlsplit(getattr(settings, name))
        local = is_loopback(address.hostname or "?")
        if address.scheme != "https" and not (address.scheme == "http" and local):
            raise UsageError(f"BACKSTAY_{name.upper()} must begin with https://")


@dataclass(slots=True, kw_only=True)
class _Desk:
    """The handlers."""

    settings: Settings
    doorman: Doorman
    provider: "StarletteOAuth2App"
    pending: Pending = field(default_factory=Pending)
    faults: tuple[type[Exception], ...] = field(default_factory=_faults)

    async def begin(self, request: Request) -> Response:
        """Send the browser to the provider."""
        accounts = self.doorman.accounts()
        target = own_path(request.query_params.get("next", "/"))
        if accounts is None or not accounts.needed():
            return self._refuse(request, target, "provider_nobody", 403)
        memory: dict[str, Any] = {}
        try:
            await self._know_provider()
            back = self.settings.public_url.rstrip("/") + BACK
            answer: Response = await self.provider.authorize_redirect(
                _with_memory(request, memory), back
            )
        except self.faults as error:
            return self._failed(request, target, error)
        answer.set_cookie(
            COOKIE,
            self.pending.put(target, memory),
            max_age=PENDING_NS // SECOND_NS,
            path="/auth/oidc",
            httponly=True,
            samesite="lax",
            secure=self.doorman.https or request.url.scheme == "https",
        )
        return answer

    async def back(self, request: Request) -> Response:
        """Take the provider's answer: once, in the browser that began, for a linked account."""
        begun = self.pending.take(request.cookies.get(COOKIE))
        accounts = self.doorman.accounts()
        if begun is None or accounts is None:
            return self._refuse(request, "/", "provider_over", 403)
        target, memory = begun
        try:
            metadata = await self._know_provider()
            token = await self.provider.authorize_access_token(
                _with_memory(request, memory),
                claims_options={
                    "iss": {"essential": True, "value": metadata["issuer"]},
                    "aud": {"essential": True, "value": self.settings.oidc_client},
                },
            )
            told = token["userinfo"]
        except self.faults as error:
            return self._failed(request, target, error)
        email = str(told.get("email") or "") if told.get("email_verified") is True else ""
        subject = str(told["sub"])
        device = request.headers.get("user-agent", "")
        issuer = self.settings.oidc_issuer
        try:
            secret = sign_in_linked(accounts, issuer, subject, email=email, device=device)
        except AccessDenied:
            _LOG.warning("oidc: signed in at the provider, linked to no open account here")
            return self._refuse(request, target, "provider_unknown", 403, subject=subject)
        answer = signed_in(request, target, secret, https=self.doorman.https)
        answer.delete_cookie(COOKIE, path="/auth/oidc", httponly=True, samesite="lax")
        return answer

    async def _know_provider(self) -> dict[str, Any]:
        """The provider's description; refused when it speaks for somebody else.

        Only signatures that a provider alone can make are accepted, whatever it lists.
        """
        metadata: dict[str, Any] = await self.provider.load_server_metadata()
        if str(metadata.get("issuer")).rstrip("/") != self.settings.oidc_issuer.rstrip("/"):
            self.provider.server_metadata.clear()
            raise ServiceError("the provider's own address is another one than the configured")
        listed = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [
            name for name in listed if name[:2] in ("RS", "PS", "ES", "Ed")
        ]
        return metadata

    def _failed(self, request: Request, target: str, error: Exception) -> Response:
        # The kind alone: texts of these errors may hold what the provider knows of the person.
        _LOG.warning("oidc: refused", extra={"kind": type(error).__name__})
        return self._refuse(request, target, "provider_failed", 502)

    def _refuse(
        self, request: Request, target: str, key: str, status: int, **values: str
    ) -> Response:
        lang = reader_language(request)
        name = self.doorman.provider
        words = lang.t(f"signin.{key}", name=name, **values)
        answer = login_page(lang, target, words, status, provider=name)
        answer.delete_cookie(COOKIE, path="/auth/oidc", httponly=True, samesite="lax")
        return answer
