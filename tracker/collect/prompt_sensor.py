# SPDX-License-Identifier: Apache-2.0
"""Prompts as a short vibration of the sensor itself, where its decoder knows how.

The radio's own supervisor carries the steps out. A pulse of 0.4 s shakes one or two samples blocks
of an epoch that is over already when the next decision is made; a silent tone does not vibrate.
"""

from firmware_protocol.registry import Haptic
from tracker.collect.hub import Hub
from tracker.collect.prompt_people import Prompted
from tracker.prompt_words import Notice

PULSE_MS = 400


class SensorPulse:
    """The channel."""

    name = "sensor"

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def tell(self, to: Prompted, notice: Notice) -> str:
        """Queue the pulse; "" or why not."""
        if notice.silent:
            return ""
        for sensor in self._hub.sensors.values():
            session = sensor.intake.session
            if sensor.config.wearer != to.wearer or sensor.taker is None:
                continue
            if isinstance(session, Haptic):
                sensor.taker.todo(session, list(session.vibrate(PULSE_MS)))
                return ""
        return "no_motor"

    async def quiet(self) -> bool:
        """A sensor never asks for quiet."""
        return False

    async def close(self) -> None:
        """Nothing is held."""
