# SPDX-License-Identifier: Apache-2.0
"""The collector's local door: one JSON object a line over loopback TCP.

Port and token lie in `DATA/collector.json` (mode 0600), so whoever may read the data may ask. A
request is `{"token": ..., "method": ..., "params": {...}}`; the answer is `{"ok": true, "result":
...}` or `{"ok": false, "kind": "InputError", "error": "sentence"}`. Server for the collector, a
blocking client for dashboard and command line.
"""

import asyncio
import contextlib
import hmac
import json
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import tracker.errors as errors_module
from tracker.errors import BackstayError, ServiceError, UsageError

log = logging.getLogger("backstay.control")

FILE = "collector.json"
LINE_BYTES = 4 << 20  # a handed-over day of epochs is about 1.3 MB
CONNECTIONS = 32
IDLE_S = 60.0
Method = Callable[..., Awaitable[object]]


class ControlServer:
    """Listens on a free loopback port while the collector runs."""

    def __init__(self, folder: Path, methods: Mapping[str, Method]) -> None:
        self._path = folder / FILE
        self._methods = methods
        self._token = secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None
        self._open = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen, then write where. Raises ServiceError where the folder refuses."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LINE_BYTES)
        port = self._server.sockets[0].getsockname()[1]
        body = {"port": port, "token": self._token, "pid": os.getpid()}
        beside = self._path.with_suffix(".part")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(body, file)
            beside.replace(self._path)
        except OSError as error:
            self._server.close()
            raise ServiceError(f"{self._path}: cannot be written ({error.strerror})") from error

    async def stop(self) -> None:
        """Close every connection and remove the file."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        with contextlib.suppress(OSError):
            if json.loads(self._path.read_text(encoding="utf-8"))["token"] == self._token:
                self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._open += 1
        try:
            while self._open <= CONNECTIONS:
                answer, go_on = await self._one(reader)
                if answer is not None:
                    writer.write(json.dumps(answer, default=str).encode() + b"\n")
                    await writer.drain()
                if not go_on:
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader) -> tuple[dict[str, object] | None, bool]:
        """One request: the answer, and whether another may follow on this connection."""
        try:
            async with asyncio.timeout(IDLE_S):
                line = await reader.readline()
        except TimeoutError:
            return None, False
        except ValueError:
            return _refusal("UsageError", f"a request is at most {LINE_BYTES >> 20} MB"), False
        if not line:
            return None, False
        try:
            request = json.loads(line)
            token, method = str(request["token"]), str(request["method"])
            params = dict(request.get("params") or {})
        except (ValueError, KeyError, TypeError, RecursionError):
            return _refusal("UsageError", "a request is a JSON object with token and method"), False
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            log.warning("a request with a wrong token was refused")
            return _refusal("AccessDenied", "this token does not open the collector"), False
        return await self._answer(method, params), True

    async def _answer(self, method: str, params: dict[str, Any]) -> dict[str, object]:
        call = self._methods.get(method)
        if call is None:
            known = ", ".join(sorted(self._methods))
            return _refusal("UsageError", f"there is no {method!r}; known are {known}")
        try:
            return {"ok": True, "result": await call(**params)}
        except BackstayError as error:
            return _refusal(type(error).__name__, str(error))
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            log.warning("a request was refused", extra={"method": method, "error": repr(error)})
            return _refusal("UsageError", f"{method}: these parameters cannot be used ({error})")


def _refusal(kind: str, sentence: str) -> dict[str, object]:
    return {"ok": False, "kind": kind, "error": sentence}


class ControlClient:
    """Asks the collector of a data folder; one short connection per call.

    Raises ServiceError where no collector runs, and the collector's own errors as they are.
    """

    def __init__(self, folder: Path, timeout_s: float = 30.0) -> None:
        self._path = folder / FILE
        self._timeout_s = timeout_s

    def call(self, method: str, **params: object) -> Any:
        """The method's result."""
        try:
            where = json.loads(self._path.read_text(encoding="utf-8"))
            with socket.create_connection(
                ("127.0.0.1", int(where["port"])), timeout=self._timeout_s
            ) as link:
                request = {"token": where["token"], "method": method, "params": params}
                link.sendall(json.dumps(request, default=str).encode() + b"\n")
                with link.makefile("rb") as answers:
                    line = answers.readline()
            answer = json.loads(line)
        except (OSError, ValueError, KeyError) as error:
            raise ServiceError(
                "the collector does not answer: start it with `backstay up` or `backstay collect`"
            ) from error
        if answer.get("ok"):
            return answer.get("result")
        raise _error(str(answer.get("kind")), str(answer.get("error")))

    def running(self) -> bool:
        """Whether a collector answers here."""
        try:
            self.call("ping")
        except ServiceError:
            return False
        return True


def _error(kind: str, sentence: str) -> BackstayError:
    found = getattr(errors_module, kind, None)
    if isinstance(found, type) and issubclass(found, BackstayError):
        return found(sentence)
    return UsageError(sentence)
