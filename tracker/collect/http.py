# SPDX-License-Identifier: Apache-2.0
"""The phone door: the collector's own small HTTPS app, on a port of its own.

Routes::

    GET  /phone             our page (opened by QR code; the token rides behind the #)
    GET  /phone/state       what the page shows: state, since when, link          [token]
    POST /phone/batch       numbered batches of our page                          [token]
    POST /in/sensor-logger  Sensor Logger's HTTP push                             [token]
    GET  /health, /metrics  for the operator; no personal data

An answer 200 means: in the collector's queue, written within a second. Every other answer says
why in one word (`reason`) and one sentence (`text`); the phone keeps the batch and tries again.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from firmware_protocol.errors import ProtocolError
from tracker.clock import Clock
from tracker.collect.devices import Device
from tracker.collect.http_guard import Guard, Refused
from tracker.collect.phone_source import PhoneSource
from tracker.report.i18n import language, texts

Handler = Callable[[Request], Awaitable[Response]]

# The page is one document, one script, one style sheet of this host and nothing else.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"accelerometer=(self), gyroscope=(self), screen-wake-lock=(self)"),
    (b"cache-control", b"no-store"),
)
_FILES = {
    "page.js": "text/javascript",
    "diary.js": "text/javascript",
    "prompt.js": "text/javascript",
    "tempo.js": "text/javascript",
    "training.js": "text/javascript",
    "logger.js": "text/javascript",
    "page.css": "text/css",
    "icon.svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What the door needs from the collector.

    `live` gives what the page shows of a device (state label, since_ns, link), `metrics` the text
    for Prometheus, `health` a dictionary whose "status" is "ok" or "failing".
    """

    clock: Clock
    guard: Guard
    phones: PhoneSource
    live: Callable[[Device], Mapping[str, object]]
    metrics: Callable[[], str]
    health: Callable[[], Mapping[str, object]]


class _Headers:
    """ASGI middleware: the headers above on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and add headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def build(door: Door, more: Sequence[Route] = ()) -> Starlette:
    """The application; `more` are routes of other parts behind the same door."""
    routes = [
        Route("/", _to_page),
        Route("/phone", _page),
        Route("/phone/sensor-logger", _logger, methods=["GET"]),
        Route("/phone/{file}", _file, methods=["GET"]),
        Route("/phone/state", _for_device(door, _state(door)), methods=["GET"]),
        Route("/phone/batch", _for_device(door, _batch(door, "page")), methods=["POST"]),
        Route(
            "/in/sensor-logger",
            _for_device(door, _batch(door, "sensor-logger")),
            methods=["POST"],
        ),
        Route("/health", _health(door)),
        Route("/metrics", _metrics(door)),
        *more,
    ]
    # Fixed paths before the one with a parameter.
    routes.sort(key=lambda r: "{" in r.path)
    return Starlette(routes=routes, middleware=[Middleware(_Headers)])


def _answer(refused: Refused) -> Response:
    headers = {"retry-after": str(refused.retry_s)} if refused.retry_s else {}
    body = {"ok": False, "reason": refused.reason, "text": refused.text}
    return JSONResponse(body, refused.status, headers)


def _for_device(door: Door, handler: Callable[[Request, Device], Awaitable[Response]]) -> Handler:
    async def guarded(request: Request) -> Response:
        device = door.guard.admit(request, door.clock.monotonic_s() / door.clock.speed)
        if isinstance(device, Refused):
            return _answer(device)
        return await handler(request, device)

    return guarded


def _batch(door: Door, format_name: str) -> Callable[[Request, Device], Awaitable[Response]]:
    async def take(request: Request, device: Device) -> Response:
        body = await door.guard.body(request)
        if isinstance(body, Refused):
            return _answer(body)
        try:
            verdict = door.phones.deliver(device, format_name, body, door.clock.now_ns())
        except ProtocolError as error:
            return _answer(door.guard.refuse(422, "bad_body", f"Not usable: {error}."))
        if verdict == "not_served":
            text = "Another sensor has this place at the moment: look at the page Sensor."
            return _answer(door.guard.refuse(409, "not_served", text))
        return JSONResponse({"ok": True, "verdict": verdict, **door.live(device)})

    return take


def _state(door: Door) -> Callable[[Request, Device], Awaitable[Response]]:
    async def show(request: Request, device: Device) -> Response:
        return JSONResponse({"ok": True, **door.live(device)})

    return show


def _health(door: Door) -> Handler:
    async def health(request: Request) -> Response:
        report = dict(door.health())
        return JSONResponse(report, 200 if report.get("status") == "ok" else 503)

    return health


def _metrics(door: Door) -> Handler:
    async def metrics(request: Request) -> Response:
        refused = (
            "# HELP backstay_http_refused_total Requests that the door refused, by reason\n"
            "# TYPE backstay_http_refused_total counter\n"
        )
        refused += "".join(
            f'backstay_http_refused_total{{reason="{reason}"}} {count}\n'
            for reason, count in sorted(door.guard.refused.items())
        )
        return PlainTextResponse(
            door.metrics() + refused, media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return metrics


async def _to_page(request: Request) -> Response:
    return Response(status_code=307, headers={"location": "/phone"})


async def _page(request: Request) -> Response:
    wanted = request.query_params.get("lang") or request.headers.get("accept-language", "en")
    code = language(wanted).code
    words = {k.removeprefix("phone."): v for k, v in texts(code).items() if k.startswith("phone.")}
    words |= {k: v for k, v in texts(code).items() if k.startswith("common.state.")}
    html = _asset("page.html").replace("{{lang}}", code)
    for key, value in words.items():
        html = html.replace("{{" + key + "}}", _escape(value))
    html = html.replace("{{words}}", _escape(json.dumps(words, ensure_ascii=False)))
    return Response(html, media_type="text/html; charset=utf-8")


async def _logger(request: Request) -> Response:
    """The settings for the app Sensor Logger, to be read and copied on the phone itself."""
    wanted = request.query_params.get("lang") or request.headers.get("accept-language", "en")
    code = language(wanted).code
    html = _asset("logger.html").replace("{{lang}}", code)
    for key, value in texts(code).items():
        if key.startswith("logger."):
            html = html.replace("{{" + key + "}}", _escape(value))
    return Response(html, media_type="text/html; charset=utf-8")


async def _file(request: Request) -> Response:
    name = request.path_params["file"]
    if name not in _FILES:
        return JSONResponse({"ok": False, "reason": "not_found", "text": "Not here."}, 404)
    body = _asset(name)
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
    return Response(body, media_type=f"{_FILES[name]}; charset=utf-8", headers={"etag": tag})


def _asset(name: str) -> str:
    return (resources.files("tracker.collect") / "page" / name).read_text(encoding="utf-8")


def _escape(text: str) -> str:
    for plain, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(plain, safe)
    return text
