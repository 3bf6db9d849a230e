# SPDX-License-Identifier: Apache-2.0
"""The phone door inside the collector: served when `backstay[http]` is installed.

With `BACKSTAY_MQTT_URL` phones may publish to a broker as well (`backstay[mqtt]`).

Each registered phone is a sensor `phone:ID` of the hub. The register of phones belongs to the
collector, so pairing and revoking go through it (`control.py`).
"""

import asyncio
import contextlib
import importlib.util
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from tracker.clock import Clock
from tracker.collect import health
from tracker.collect.broker import Broker, broker_of
from tracker.collect.devices import Device, Devices
from tracker.collect.hub import Hub
from tracker.collect.inbox import Inbox
from tracker.collect.phone_source import PhoneSource
from tracker.errors import InputError
from tracker.model import Placement
from tracker.settings import Settings
from tracker.store.base import SensorConfig

if TYPE_CHECKING:
    from starlette.routing import Route

log = logging.getLogger("backstay.phone")

MQTT = "mqtt"  # under this name the health tells of the broker
# Routes of another part behind the same door, made once the packages of the door are known.
MoreRoutes = Callable[[Devices], "Sequence[Route]"]


def available() -> bool:
    """Whether the packages of the door are installed."""
    return all(importlib.util.find_spec(n) for n in ("starlette", "uvicorn", "cryptography"))


class PhoneDoor:
    """Pairs phones, takes what they send, serves `/health` and `/metrics`."""

    def __init__(
        self,
        hub: Hub,
        settings: Settings,
        clock: Clock,
        more: MoreRoutes = lambda _: (),
    ) -> None:
        self._hub, self._settings, self._clock = hub, settings, clock
        self._more = more
        self.devices = Devices(settings.data)
        self.source = PhoneSource(inbox_of=self._inbox_of)
        self._broker = broker_of(settings.mqtt_url) if settings.mqtt_url else None
        self.port = 0
        self.fingerprint = ""
        self._task: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._stop: asyncio.Event = asyncio.Event()

    async def start(self) -> None:
        """Serve every registered phone and open the door."""
        for device in self.devices.all():
            if device.revoked_ns is None:
                await self._serve_device(device)
        if available():
            self._task = asyncio.create_task(self._listen(), name="phone door")
        if self._broker is not None:
            self._following = asyncio.create_task(self._follow(self._broker), name="mqtt")

    async def stop(self) -> None:
        """Close the door."""
        self._stop.set()
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait({self._following})
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def pair(self, name: str, wearer: str, placement: str) -> dict[str, object]:
        """Register a phone; its token is told once."""
        place = Placement(placement)
        if (other := self._hub.series(wearer, place)) is not None:
            raise InputError(
                f"{wearer} already wears {other.config.address} at {place}: remove it first, or "
                "choose another placement"
            )
        device, token = self.devices.add(
            name=name, wearer=wearer, placement=place, now_ns=self._clock.now_ns()
        )
        await self._serve_device(device)
        return {"id": device.id, "token": token, "port": self.port, "sha256": self.fingerprint}

    async def revoke(self, device_id: str) -> None:
        """Its token opens nothing from now on."""
        self.devices.revoke(device_id, self._clock.now_ns())
        await self._hub.remove(f"phone:{device_id}")

    def phones(self) -> list[dict[str, object]]:
        """All phones without their tokens."""
        known = [asdict(d) for d in self.devices.all()]
        return [{k: v for k, v in d.items() if k != "token_sha256"} for d in known]

    async def _serve_device(self, device: Device) -> None:
        config = SensorConfig(
            address=f"phone:{device.id}",
            wearer=device.wearer,
            placement=device.placement,
            name=device.name,
            added_ns=device.made_ns,
        )
        try:
            await self._hub.add(config)
        except InputError as error:
            self._hub.refused[config.address] = str(error)

    def _inbox_of(self, device: Device) -> Inbox | None:
        return self._hub.inbox_of(f"phone:{device.id}")

    def _live(self, device: Device) -> Mapping[str, object]:
        live = self._hub.store.live(device.wearer, device.placement)
        if live is None:
            return {"state": "unknown", "since_ns": 0, "link": "connecting"}
        return {"state": live.state.label, "since_ns": live.since_ns, "link": live.link}

    async def _follow(self, broker: Broker) -> None:
        try:
            from tracker.collect.mqtt import follow_mqtt
        except ImportError as error:
            self._broker_says(f"a package is missing ({error}): install backstay[mqtt]")
            log.error("the broker cannot be followed", extra={"error": str(error)})  # noqa: TRY400
            return
        await follow_mqtt(broker, self.devices, self.source, self._clock, tell=self._broker_says)

    def _broker_says(self, why: str) -> None:
        self._hub.refused.pop(MQTT, None)
        if why:
            self._hub.refused[MQTT] = why

    async def _listen(self) -> None:
        import uvicorn

        from tracker.collect import phone_diary, phone_training, practice_desk
        from tracker.collect.certificate import ensure_certificate
        from tracker.collect.http import Door, build
        from tracker.collect.http_guard import Guard

        certificate = ensure_certificate(self._settings.data / "certificate", self._clock.now_ns())
        self.fingerprint = certificate.fingerprint_sha256
        door = Door(
            clock=self._clock,
            guard=Guard(devices=self.devices, clock=self._clock),
            phones=self.source,
            live=self._live,
            metrics=lambda: health.metrics(self._hub),
            health=lambda: health.health(self._hub),
        )
        host = "0.0.0.0" if self._settings.lan == "on" else "127.0.0.1"  # noqa: S104 - asked for

        class Server(uvicorn.Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield  # the collector handles signals itself

        server = Server(
            uvicorn.Config(
                build(
                    door,
                    (
                        *practice_desk.routes(self._hub, self._clock, self._settings.data),
                        *phone_diary.routes(self.devices, self._clock, self._settings),
                        *phone_training.routes(
                            self._hub, self.devices, self._clock, self._settings
                        ),
                        *self._more(self.devices),
                    ),
                ),
                host=host,
                port=self._settings.http_port,
                ssl_certfile=str(certificate.cert),
                ssl_keyfile=str(certificate.key),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=3,  # a phone that keeps its connection open
            )
        )
        try:
            serving = asyncio.create_task(server.serve())
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn's way
                await asyncio.sleep(0.05)
            if server.started:
                self.port = int(server.servers[0].sockets[0].getsockname()[1])
                log.info("the phone door is open", extra={"host": host, "port": self.port})
            await self._stop.wait()
            server.should_exit = True
            await serving
        except (OSError, SystemExit) as error:
            # uvicorn ends with SystemExit when the port is taken; sensors go on without phones.
            log.error("the phone door cannot open", extra={"error": str(error)})  # noqa: TRY400
