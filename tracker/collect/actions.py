# SPDX-License-Identifier: Apache-2.0
"""What others may ask of a running collector: the methods behind its local door.

Each method takes JSON values and returns JSON values; errors are the tracker's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from firmware_protocol.registry import Decoder
from tracker.collect import health, wire
from tracker.collect.calibration_desk import CalibrationDesk
from tracker.collect.control import Method
from tracker.collect.data_desk import DataDesk
from tracker.collect.hub import Hub
from tracker.collect.phone_door import PhoneDoor
from tracker.collect.scan import scan
from tracker.errors import InputError, UsageError
from tracker.settings import Settings
from tracker.store.base import SensorConfig
from tracker.store.codec import live_json


class Actions:
    """The methods, by name, for :class:`tracker.collect.control.ControlServer`."""

    def __init__(
        self, hub: Hub, phones: PhoneDoor, settings: Settings, extra: Sequence[Decoder] = ()
    ) -> None:
        self._hub, self._phones, self._extra = hub, phones, extra
        self._calibration = CalibrationDesk(hub)
        self._data = DataDesk(hub, phones, settings)

    def methods(self) -> Mapping[str, Method]:
        """Name -> coroutine function."""
        return {
            "ping": self.ping,
            "status": self.status,
            "scan": self.scan,
            "sensors": self.sensors,
            "add_sensor": self.add_sensor,
            "remove_sensor": self.remove_sensor,
            "assign": self.assign,
            "connect": self.connect,
            "disconnect": self.disconnect,
            "live": self.live,
            "phones": self.phones,
            "pair_phone": self.pair_phone,
            "revoke_phone": self.revoke_phone,
            **self._calibration.methods(),
            **self._data.methods(),
        }

    # -- looking ------------------------------------------------------------------------------

    async def ping(self) -> str:
        """Alive."""
        return "pong"

    async def status(self) -> dict[str, object]:
        """Health, and every served sensor."""
        return {
            **health.health(self._hub),
            "list": [health.sensor_status(self._hub, s) for s in self._hub.sensors.values()],
            "phone_port": self._phones.port,
        }

    async def scan(self, seconds: float = 5.0) -> list[dict[str, object]]:
        """Sensors in reach; see :func:`tracker.collect.wire.found_json`."""
        if not 1 <= seconds <= 30:
            raise UsageError("a scan takes 1 to 30 seconds")
        found = await scan(self._hub.clock, seconds=seconds, extra=self._extra, air=self._hub.air)
        served = {s.config.address.upper(): s for s in self._hub.sensors.values()}
        lines = []
        for one in found:
            line = wire.found_json(one)
            known = served.get(one.advert.address.upper())
            if known is not None:
                line["wearer"] = known.config.wearer
                line["battery_pct"] = known.intake.battery_pct
            lines.append(line)
        return lines

    async def sensors(self) -> list[dict[str, object]]:
        """The configured sensors."""
        return [wire.config_json(c) for c in self._hub.store.sensors()]

    async def live(self, wearer: str, placement: str) -> object:
        """The live row as JSON text, or None."""
        live = self._hub.store.live(wearer, wire.placement_of(placement))
        return None if live is None else live_json(live)

    # -- sensors ------------------------------------------------------------------------------

    async def add_sensor(
        self,
        address: str,
        wearer: str,
        placement: str,
        decoder: str = "",
        name: str = "",
        options: Mapping[str, object] | None = None,
        take_over: bool = False,
    ) -> dict[str, object]:
        """Configure a sensor and serve it from now on.

        One that somebody else wears is refused, unless it is taken over: what it measured until
        now stays theirs, what it measures from now on is the new wearer's.
        """
        other = next((c for c in self._hub.store.sensors() if c.address == address), None)
        if other is not None and other.wearer != wearer:
            if not take_over:
                raise InputError(
                    "this sensor is set up for somebody else here: take it over, then what it "
                    "measures from now on counts for you"
                )
            decoder, name = decoder or other.decoder, name or other.name
        config = SensorConfig(
            address=wire.text_of(address, "address"),
            wearer=wire.text_of(wearer, "wearer"),
            placement=wire.placement_of(placement),
            decoder=decoder,
            name=str(name)[:60],
            added_ns=self._hub.clock.now_ns(),
            options=dict(options or {}),
        )
        await self._hub.add(config)
        await self._hub.at_rest(lambda: self._hub.store.put_sensor(config))
        return wire.config_json(config)

    async def remove_sensor(self, address: str) -> None:
        """Forget a sensor; what it measured stays."""
        await self._hub.remove(address)
        await self._hub.at_rest(lambda: self._hub.store.remove_sensor(address))

    async def assign(
        self, address: str, wearer: str, placement: str, name: str | None = None
    ) -> dict[str, object]:
        """Give a sensor to another wearer or place; the resume belongs to the old one."""
        old = self._known(address)
        options = {k: v for k, v in old.options.items() if k != "resume"}
        return await self.add_sensor(
            address,
            wearer,
            placement,
            old.decoder,
            old.name if name is None else name,
            options,
            take_over=True,
        )

    async def connect(self, address: str) -> None:
        """Serve a configured sensor."""
        config = replace(self._known(address), enabled=True)
        await self._hub.add(config)
        await self._hub.at_rest(lambda: self._hub.store.put_sensor(config))

    async def disconnect(self, address: str) -> None:
        """Let go of a configured sensor until `connect`."""
        config = replace(self._known(address), enabled=False)
        await self._hub.remove(address)
        await self._hub.at_rest(lambda: self._hub.store.put_sensor(config))

    def _known(self, address: str) -> SensorConfig:
        for config in self._hub.store.sensors():
            if config.address == address:
                return config
        raise InputError(f"no sensor {address} is configured: add it first")

    # -- phones -------------------------------------------------------------------------------

    async def phones(self) -> list[dict[str, object]]:
        """Registered phones, without tokens."""
        return self._phones.phones()

    async def pair_phone(self, name: str, wearer: str, placement: str) -> dict[str, object]:
        """Register a phone; the answer holds its token, which is told once."""
        wire.placement_of(placement)
        return await self._phones.pair(name, wire.text_of(wearer, "wearer"), placement)

    async def revoke_phone(self, device_id: str) -> None:
        """From now on its token opens nothing."""
        await self._phones.revoke(device_id)
