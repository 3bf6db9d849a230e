# SPDX-License-Identifier: Apache-2.0
"""A small OpenID provider as a process of its own: discovery, keys, authorize, token.

Written after OpenID Connect Core 1.0 and RFC 7636; it refuses what a strict provider refuses (an
unregistered way back, a code used twice, a wrong verifier or secret). `POST /play` chooses who is
signed in and which fault the next answers have.

    python oidc_provider.py PORT WAY_BACK
"""

import base64
import hashlib
import secrets
import sys
import time
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "backstay-client", "a secret of the client"


class Provider:
    """State of one provider."""

    def __init__(self, issuer: str, way_back: str) -> None:
        self.issuer, self.way_back = issuer, way_back
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.codes: dict[str, dict[str, str]] = {}
        self.person: dict[str, Any] = {"sub": "anna-1"}
        self.fault = ""

    async def play(self, request: Request) -> Response:
        """Who signs in next, and what goes wrong."""
        told = await request.json()
        self.person, self.fault = told["person"], told.get("fault", "")
        if self.fault == "new key":
            self.key, self.fault = RSAKey.generate_key(2048, {"kid": "second"}), ""
        return JSONResponse({})

    async def discovery(self, request: Request) -> Response:
        """The provider's description."""
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }
        )

    async def keys(self, request: Request) -> Response:
        """Public keys."""
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        """Signs the chosen person in without asking."""
        asked = dict(request.query_params)
        if asked.get("client_id") != CLIENT or asked.get("redirect_uri") != self.way_back:
            return JSONResponse({"error": "unregistered client or way back"}, 400)
        if asked.get("code_challenge_method") != "S256" or not asked.get("nonce"):
            return JSONResponse({"error": "PKCE and a nonce are needed"}, 400)
        if self.fault == "person says no":
            answer = {"error": "access_denied"}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            answer = {"code": code}
        answer["state"] = asked["state"]
        return RedirectResponse(f"{self.way_back}?{urlencode(answer)}", 303)

    async def token(self, request: Request) -> Response:
        """A code, once, against a signed token."""
        form = {str(k): str(v) for k, v in (await request.form()).items()}
        begun = self.codes.pop(form.get("code", ""), None)
        given = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if begun is None or request.headers.get("authorization") != f"Basic {given}":
            return JSONResponse({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != begun["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        body = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer"}
        if self.fault != "no token":
            body["id_token"] = self._signed(begun["nonce"])
        return JSONResponse(body)

    def _signed(self, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce,
            **self.person,
        }  # fmt: skip
        changed = {
            "wrong nonce": {"nonce": "another"},
            "wrong audience": {"aud": "somebody else's client", "azp": CLIENT},
            "wrong issuer": {"iss": "https://elsewhere.example"},
            "expired": {"iat": now - 7200, "exp": now - 3600},
        }
        claims |= changed.get(self.fault, {})
        key = RSAKey.generate_key(2048, {"kid": "first"}) if self.fault == "forged" else self.key
        token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, key)
        if self.fault == "unsigned":
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
            token = f"{head}.{token.split('.')[1]}."
        return token


def app(issuer: str, way_back: str) -> Starlette:
    """The provider as an application."""
    own = Provider(issuer, way_back)
    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", own.discovery),
            Route("/keys", own.keys),
            Route("/authorize", own.authorize),
            Route("/token", own.token, methods=["POST"]),
            Route("/play", own.play, methods=["POST"]),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(
        app(f"http://127.0.0.1:{sys.argv[1]}", sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
    )
