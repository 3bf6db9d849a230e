# SPDX-License-Identifier: Apache-2.0
"""One sensor that a collector serves, and how addresses tell ways in apart."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from firmware_protocol.registry import Resume
from tracker.collect.analyst import Analyst
from tracker.collect.battery import Battery
from tracker.collect.ble import Link
from tracker.collect.inbox import Inbox, StepTaker
from tracker.collect.intake import Intake
from tracker.collect.series import Series
from tracker.collect.wearing import Wearing
from tracker.store.base import SensorConfig

log = logging.getLogger("backstay.hub")

Source = Callable[["Sensor"], Awaitable[None]]


@dataclass(slots=True)
class Sensor:
    """One sensor that is being served. A source puts `Arrival`s into `inbox`."""

    config: SensorConfig
    intake: Intake
    series: Series
    link: Link | None = None
    taker: StepTaker | None = None
    tasks: tuple[asyncio.Task[None], ...] = ()
    faults: int = 0
    battery: Battery = field(default_factory=Battery)
    wearing: Wearing | None = None

    @property
    def inbox(self) -> Inbox:
        """The sensor's queue."""
        return self.intake.inbox

    @property
    def analyst(self) -> Analyst:
        """The chain of its series."""
        return self.series.analyst


def has_prefix(address: str) -> bool:
    """Whether an address is no radio address: `phone:...`, `demo:...`, `replay:...`.

    Bluetooth addresses have colons too (`C0:00:...`), identifiers of macOS have none.
    """
    head, colon, _ = address.partition(":")
    return bool(colon) and len(head) > 2


def resume_of(value: object) -> Resume | None:
    """A resume from its JSON; None where there is none or it cannot be read."""
    if not isinstance(value, dict):
        return None
    try:
        missing = tuple((int(a), int(b)) for a, b in value.get("missing", ()))
        return Resume(
            decoder=str(value["decoder"]),
            boot=int(value["boot"]),
            next_index=int(value["next_index"]),
            missing=missing,
        )
    except (KeyError, TypeError, ValueError):
        log.warning("the stored place to resume from cannot be read")
        return None
