# SPDX-License-Identifier: Apache-2.0
"""The phone door inside the collector: the HTTPS server, and phones as sensors of the hub.

Optional: without `backstay[http]` the collector runs without a door and says so once.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import uvicorn

from tracker.clock import Clock
from tracker.collect.certificate import Certificate, ensure_certificate
from tracker.collect.devices import Device, Devices
from tracker.collect.http import Door, build
from tracker.collect.http_guard import Guard
from tracker.collect.hub import Hub
from tracker.collect.inbox import Inbox
from tracker.collect.phone_source import PhoneSource
from tracker.errors import ServiceError
from tracker.settings import Settings
from tracker.store.base import SensorConfig

DECODER = "phone"


def address_of(device: Device) -> str:
    """The hub's name of a phone."""
    return f"phone:{device.id}"


def config_of(device: Device) -> SensorConfig:
    """A phone as a sensor of the hub."""
    return SensorConfig(
        address=address_of(device),
        wearer=device.wearer,
        placement=device.placement,
        name=device.name,
        decoder=DECODER,
        added_ns=device.made_ns,
    )


@dataclass(slots=True)
class PhoneDoor:
    """Serves phones until cancelled. `devices` is shared with the control API that pairs them."""

    hub: Hub
    settings: Settings
    clock: Clock
    devices: Devices
    metrics: Callable[[], str]
    health: Callable[[], Mapping[str, object]]
    certificate: Certificate | None = None
    guard: Guard = field(init=False)
    phones: PhoneSource = field(init=False)

    def __post_init__(self) -> None:
        self.guard = Guard(devices=self.devices, clock=self.clock)
        self.phones = PhoneSource(inbox_of=self._inbox)

    def plan(self) -> None:
        """Let the hub serve every registered phone from its start."""
        for device in self.devices.all():
            if device.revoked_ns is None:
                self.hub.plan(config_of(device))

    async def pair(self, device: Device) -> None:
        """Serve a phone that was registered just now."""
        await self.hub.add(config_of(device))

    async def serve(self) -> None:
        """Run the server; ends when it is cancelled. Raises ServiceError where it cannot start."""
        self.certificate = ensure_certificate(
            self.settings.data / "certificate", self.clock.now_ns()
        )
        host = "0.0.0.0" if self.settings.lan == "on" else self.settings.host  # noqa: S104 - asked for by --lan
        config = uvicorn.Config(
            build(
                Door(
                    clock=self.clock,
                    guard=self.guard,
                    phones=self.phones,
                    live=self._live,
                    metrics=self.metrics,
                    health=self.health,
                )
            ),
            host=host,
            port=self.settings.http_port,
            ssl_certfile=self.certificate.cert,
            ssl_keyfile=self.certificate.key,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=30,
            limit_concurrency=200,
            server_header=False,
        )
        server = _Server(config)
        serving = asyncio.ensure_future(server.serve())
        try:
            await asyncio.shield(serving)
        except SystemExit as error:  # uvicorn's way of saying that the port is taken
            raise ServiceError(
                f"port {self.settings.http_port} of {host} is taken: set BACKSTAY_HTTP_PORT to "
                "another one"
            ) from error
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise

    def _inbox(self, device: Device) -> Inbox | None:
        return self.hub.inbox_of(address_of(device))

    def _live(self, device: Device) -> Mapping[str, object]:
        row = self.hub.store.live(device.wearer, device.placement)
        if row is None:
            return {}
        return {
            "state": row.state.label,
            "since_ns": row.since_ns,
            "link": row.link,
            "provisional": row.provisional,
        }


class _Server(uvicorn.Server):
    """A server that leaves signals to the collector."""

    def install_signal_handlers(self) -> None:
        """Do nothing: the collector stops everything in its own order."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # narrower
        """Do nothing: newer versions install their handlers here."""
        return nullcontext()
