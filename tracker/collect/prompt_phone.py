# SPDX-License-Identifier: Apache-2.0
"""Prompts on the phone page: `GET /phone/prompt` and `POST /phone/quiet`, the phone's token.

The page reads the same log as every other channel; what it shows was decided once.
"""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracker.clock import Clock
from tracker.collect.devices import Devices
from tracker.collect.http_guard import Guard, Limits, Refused
from tracker.collect.prompt_people import People
from tracker.collect.prompter import Prompter
from tracker.errors import BackstayError
from tracker.prompt_log import newest
from tracker.prompt_words import notice


def routes(devices: Devices, clock: Clock, prompter: Prompter, people: People) -> list[Route]:
    """The two routes, for the phone door's application."""
    guard = Guard(devices=devices, clock=clock, limits=Limits(body_bytes=200, per_s=2.0))

    async def prompt(request: Request) -> Response:
        device = guard.admit(request, clock.monotonic_s() / clock.speed)
        if isinstance(device, Refused):
            return _no(device)

        try:
            found = await asyncio.to_thread(shown, device.wearer, prompter, people)
            return JSONResponse({"ok": True, "result": found})
        except BackstayError as error:
            return _no(Refused(503, "away", str(error)))

    async def quiet(request: Request) -> Response:
        device = guard.admit(request, clock.monotonic_s() / clock.speed)
        if isinstance(device, Refused):
            return _no(device)
        body = await guard.body(request)
        if isinstance(body, Refused):
            return _no(body)
        try:
            minutes = json.loads(body)["minutes"]
            until_ns = await prompter.rest(
                device.wearer, None if minutes is None else float(minutes)
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            return _no(guard.refuse(422, "bad_body", "This is not understood."))
        except BackstayError as error:
            return _no(Refused(422, "refused", str(error)))
        return JSONResponse({"ok": True, "result": {"until_ns": str(until_ns)}})

    return [
        Route("/phone/prompt", prompt, methods=["GET"]),
        Route("/phone/quiet", quiet, methods=["POST"]),
    ]


def shown(wearer: str, prompter: Prompter, people: People) -> dict[str, object] | None:
    """What the phone page of a wearer shows now, in their language."""
    one = people.of(wearer)
    if one is None or "phone" not in one.choice.channels:
        return None
    told = newest(prompter.log_of(wearer), prompter.clock.now_ns(), "phone")
    if told is None:
        return None
    said = notice(one.lang, told.prompt)
    return {
        "at_ns": str(told.prompt.at_ns),  # larger than a number of JavaScript
        "text": said.text,
        "done": said.done,
        "silent": said.silent,
        "buttons": [{"minutes": m, "label": label} for m, label in said.buttons],
    }


def _no(refused: Refused) -> Response:
    body = {"ok": False, "reason": refused.reason, "text": refused.text}
    return JSONResponse(body, refused.status)
