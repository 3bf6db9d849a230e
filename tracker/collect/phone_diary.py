# SPDX-License-Identifier: Apache-2.0
"""Diary taps of the phone page, handed to the dashboard, which alone writes the diary.

`GET /phone/today` and `POST /phone/diary` beside the batches: same token, same limits. 503 means
"keep it and try again" (the dashboard is away), 422 "this one cannot be kept".
"""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracker.clock import Clock
from tracker.collect.devices import Devices
from tracker.collect.http_guard import Guard, Limits, Refused
from tracker.dashboard_door import DashboardClient
from tracker.errors import BackstayError, InputError, ServiceError, UsageError
from tracker.settings import Settings


def routes(devices: Devices, clock: Clock, settings: Settings) -> list[Route]:
    """The two routes, for the phone door's application."""
    guard = Guard(devices=devices, clock=clock, limits=Limits(body_bytes=4000, per_s=2.0))
    client = DashboardClient(settings, timeout_s=15.0)

    async def today(request: Request) -> Response:
        device = guard.admit(request, clock.monotonic_s() / clock.speed)
        if isinstance(device, Refused):
            return _no(device)
        lang = "de" if request.headers.get("accept-language", "").startswith("de") else "en"
        return await _ask(client, "phone_today", wearer=device.wearer, lang=lang)

    async def diary(request: Request) -> Response:
        device = guard.admit(request, clock.monotonic_s() / clock.speed)
        if isinstance(device, Refused):
            return _no(device)
        body = await guard.body(request)
        if isinstance(body, Refused):
            return _no(body)
        try:
            said = json.loads(body)
            entry = {"kind": str(said["kind"]), "body": dict(said["body"])}
        except (ValueError, KeyError, TypeError, RecursionError):
            return _no(guard.refuse(422, "bad_body", "This entry is not understood."))
        return await _ask(client, "phone_entry", wearer=device.wearer, **entry)

    return [
        Route("/phone/today", today, methods=["GET"]),
        Route("/phone/diary", diary, methods=["POST"]),
    ]


async def _ask(client: DashboardClient, method: str, **params: Any) -> Response:
    try:
        found = await asyncio.to_thread(client.call, method, **params)
    except ServiceError as error:
        return _no(Refused(503, "away", str(error)))
    except (InputError, UsageError) as error:
        return _no(Refused(422, "refused", str(error)))
    except BackstayError as error:
        return _no(Refused(403, "denied", str(error)))
    return JSONResponse({"ok": True, "result": found})


def _no(refused: Refused) -> Response:
    body = {"ok": False, "reason": refused.reason, "text": refused.text}
    return JSONResponse(body, refused.status)
