# SPDX-License-Identifier: Apache-2.0
"""The prompts of one collector put together: people, policy, channels, and who may ask."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tracker.clock import Clock
from tracker.collect import wire
from tracker.collect.control import Method
from tracker.collect.devices import Devices
from tracker.collect.hub import Hub
from tracker.collect.prompt_address import Address
from tracker.collect.prompt_desktop import Desktop
from tracker.collect.prompt_people import People
from tracker.collect.prompt_sensor import SensorPulse
from tracker.collect.prompter import Prompter
from tracker.settings import Settings

if TYPE_CHECKING:
    from starlette.routing import Route


class PromptsHere:
    """The task, the routes for the phone page, and the methods of the local door."""

    def __init__(self, prompter: Prompter, people: People, clock: Clock) -> None:
        self.prompter, self._people, self._clock = prompter, people, clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self.prompter.run(), name="prompts")

    async def stop(self) -> None:
        """Stop looking and let go of channels and files."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._people.close()

    def routes(self, devices: Devices) -> "Sequence[Route]":
        """Routes for the phone door."""
        from tracker.collect.prompt_phone import routes

        return routes(devices, self._clock, self.prompter, self._people)

    def methods(self) -> Mapping[str, Method]:
        """Name -> coroutine function."""
        return {"prompt_rest": self.rest, "prompt_try": self.attempt}

    async def rest(self, wearer: str, minutes: float | None = None) -> dict[str, object]:
        """Quiet for so many minutes, or until tomorrow."""
        until_ns = await self.prompter.rest(wire.text_of(wearer, "wearer"), minutes)
        return {"until_ns": until_ns}

    async def attempt(self, wearer: str) -> dict[str, object]:
        """Say an example on the chosen channels."""
        return await self.prompter.attempt(wire.text_of(wearer, "wearer"))


def prompts_of(hub: Hub, settings: Settings, clock: Clock) -> PromptsHere:
    """With every channel there is."""
    people = People(settings, clock)

    async def asked(wearer: str, minutes: float | None) -> object:
        return await prompter.rest(wearer, minutes)

    prompter = Prompter(hub, people, (Desktop(asked), SensorPulse(hub), Address()))
    return PromptsHere(prompter, people, clock)
