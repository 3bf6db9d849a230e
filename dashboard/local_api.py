# SPDX-License-Identifier: Apache-2.0
"""The dashboard's own door for commands of this machine: `app.db` has one writing process.

Address and token lie in `DATA/dashboard.json` (mode 0600) while the dashboard runs, so whoever may
read the data may ask, and nobody else. `POST /local` takes `{"method": ..., "params": {...}}`;
answers look like those of the collector's door (`tracker.collect.control`).
"""

import hmac
import inspect
import json
import os
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dashboard import data, phone_session
from tracker.dashboard_door import FILE
from tracker.errors import AccessDenied, BackstayError, InputError, UsageError
from tracker.settings import Settings
from tracker.share_desk import delete, sweep, take_in, taken, therapist_of
from tracker.user_desk import METHODS, UserDesk, answer

_MOST_BYTES = 100_000
Method = Callable[..., object]


class LocalApi:
    """The methods, the token, and the file that tells where they are."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = secrets.token_urlsafe(32)
        self._path = settings.data / FILE

    def open(self, url: str) -> None:
        """Write where the door is; readable by the owner alone."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = self._path.with_suffix(".part")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"url": url, "token": self._token, "pid": os.getpid()}, file)
        beside.replace(self._path)

    def close(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)

    def routes(self) -> list[Route]:
        """The route of the door."""
        return [Route("/local", self._ask, methods=["POST"])]

    async def _ask(self, request: Request) -> JSONResponse:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(token.strip().encode(), self._token.encode())
        if kind.lower() != "bearer" or not right:
            return _no(AccessDenied("this token does not open the dashboard"), 401)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                return _no(UsageError("this request is too large"), 413)
        try:
            return JSONResponse({"ok": True, "result": await run_in_threadpool(self._answer, body)})
        except BackstayError as error:
            return _no(error, 400)

    def _answer(self, body: bytes) -> object:
        try:
            asked = json.loads(body)
            method, params = str(asked["method"]), dict(asked.get("params") or {})
            call = self._methods()[method]
            inspect.signature(call).bind(**params)
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"this request is not understood ({error})") from error
        return call(**params)

    def _methods(self) -> Mapping[str, Method]:
        return {
            "erase_records": self._erase_records,
            "share_import": self._share_import,
            "share_list": self._share_list,
            "share_delete": self._share_delete,
            "phone_today": self._phone_today,
            "phone_entry": self._phone_entry,
            "phone_training": self._phone_training,
            **{f"user_{name}": partial(self._user, name) for name in METHODS},
        }

    def _user(self, method: str, /, **params: Any) -> object:
        src = data.sources_of(self._settings)
        desk = UserDesk(self._settings, data.writable(src), src.clock)
        return answer(desk, method, params)

    def _erase_records(self, wearer: str) -> int:
        return data.writable(data.sources_of(self._settings)).erase_wearer(wearer)

    def _share_import(self, file: str, code: str, therapist: str = "") -> dict[str, Any]:
        src = data.sources_of(self._settings)
        records = data.writable(src)
        person = therapist_of(records, therapist)
        content = read_bundle(Path(file))
        made = take_in(self._settings, src.clock, records, person, content, code)
        return {"id": made.id, "expires_ns": made.expires_ns, "therapist": person.name}

    def _share_list(self) -> list[dict[str, Any]]:
        src = data.sources_of(self._settings)
        records = data.writable(src)
        sweep(self._settings, src.clock, records)
        return [
            {"id": t.id, "expires_ns": t.expires_ns, "viewer": t.viewer}
            for t in taken(records)
            if t.gone_ns is None
        ]

    def _phone_today(self, wearer: str, lang: str = "en") -> object:
        return data.phone_today(data.sources_of(self._settings), wearer, lang)

    def _phone_training(self, wearer: str, lang: str = "en") -> object:
        return phone_session.plan(data.sources_of(self._settings), wearer, lang)

    def _phone_entry(self, wearer: str, kind: str, body: Mapping[str, Any]) -> None:
        data.phone_entry(data.sources_of(self._settings), wearer, kind, body)

    def _share_delete(self, bundle: str) -> None:
        src = data.sources_of(self._settings)
        delete(self._settings, src.clock, data.writable(src), bundle)


def read_bundle(path: Path) -> bytes:
    """The file's bytes, or one sentence."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _no(error: BackstayError, status: int) -> JSONResponse:
    body = {"ok": False, "kind": type(error).__name__, "error": str(error)}
    return JSONResponse(body, status)
