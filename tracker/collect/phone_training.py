# SPDX-License-Identifier: Apache-2.0
"""Guided training of the phone page: the plan from the dashboard, the live count from the hub.

`GET /phone/training` and `GET /phone/training/live` with the phone's token. What was trained comes
back through the diary's route (`phone_diary.py`). 503 means "away": the phone goes on by its clock.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracker.clock import Clock
from tracker.collect.devices import Devices
from tracker.collect.http_guard import Guard, Limits, Refused
from tracker.collect.hub import Hub
from tracker.collect.training import live_set
from tracker.dashboard_door import DashboardClient
from tracker.errors import BackstayError, ServiceError, UsageError
from tracker.settings import Settings


def routes(hub: Hub, devices: Devices, clock: Clock, settings: Settings) -> list[Route]:
    """The two routes, for the phone door's application."""
    guard = Guard(devices=devices, clock=clock, limits=Limits(body_bytes=4000, per_s=3.0))
    client = DashboardClient(settings, timeout_s=15.0)

    async def plan(request: Request) -> Response:
        device = guard.admit(request, clock.monotonic_s() / clock.speed)
        if isinstance(device, Refused):
            return _no(device)
        lang = "de" if request.query_params.get("lang") == "de" else "en"
        try:
            found = await asyncio.to_thread(
                client.call, "phone_training", wearer=device.wearer, lang=lang
            )
        except ServiceError as error:
            return _no(Refused(503, "away", str(error)))
        except BackstayError as error:
            return _no(Refused(403, "denied", str(error)))
        return JSONResponse({"ok": True, "result": found})

    async def live(request: Request) -> Response:
        device = guard.admit(request, clock.monotonic_s() / clock.speed)
        if isinstance(device, Refused):
            return _no(device)
        asked = request.query_params
        try:
            ago_s = float(asked.get("ago_s", ""))
            found = await live_set(hub, device.wearer, asked.get("exercise", ""), ago_s)
        except (ValueError, UsageError):
            return _no(guard.refuse(422, "bad_question", "This set is not known here."))
        return JSONResponse({"ok": True, "result": found})

    return [
        Route("/phone/training", plan, methods=["GET"]),
        Route("/phone/training/live", live, methods=["GET"]),
    ]


def _no(refused: Refused) -> Response:
    body = {"ok": False, "reason": refused.reason, "text": refused.text}
    return JSONResponse(body, refused.status)
