# SPDX-License-Identifier: Apache-2.0
"""What others may ask of a running collector: the methods behind its local door.

Each method takes JSON values and returns JSON values; errors are the tracker's own.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from firmware_protocol.registry import Decoder
from tracker.collect import health, training, wire
from tracker.collect.control import Method
from tracker.collect.guide import Guide
from tracker.collect.hub import Hub
from tracker.collect.phone_door import PhoneDoor
from tracker.collect.scan import scan
from tracker.collect.setups import check_setting
from tracker.corrections import corrected, corrections
from tracker.errors import InputError, UsageError
from tracker.model import (
    EPOCH_NS,
    SECOND_NS,
    Placement,
    Samples,
)
from tracker.rights.backup import make_backup
from tracker.settings import Settings
from tracker.store.base import Batch, CalibrationRecord, SensorConfig
from tracker.store.codec import live_json


class Actions:
    """The methods, by name, for :class:`tracker.collect.control.ControlServer`."""

    def __init__(
        self, hub: Hub, phones: PhoneDoor, settings: Settings, extra: Sequence[Decoder] = ()
    ) -> None:
        self._hub, self._phones, self._extra = hub, phones, extra
        self._settings = settings
        self._guides: dict[tuple[str, Placement], Guide] = {}

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
            "calibrate": self.calibrate,
            "live": self.live,
            "erase": self.erase,
            "backup": self.backup,
            "resend": self.resend,
            "put": self.put,
            "replace_epochs": self.replace_epochs,
            "correct": self.correct,
            "confirm_set": self.confirm_set,
            "live_set": self.live_set,
            "phones": self.phones,
            "pair_phone": self.pair_phone,
            "revoke_phone": self.revoke_phone,
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
    ) -> dict[str, object]:
        """Configure a sensor and serve it from now on."""
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
            address, wearer, placement, old.decoder, old.name if name is None else name, options
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

    # -- calibration --------------------------------------------------------------------------

    async def calibrate(
        self,
        wearer: str,
        placement: str,
        action: str,
        pose: str = "",
        seconds: float = 10.0,
        axes: str = "",
    ) -> dict[str, object]:
        """Guided calibration: `begin`, then `pose` by `pose`, `look`, and `finish` or `cancel`.

        `pose` answers when it ends (`until_ns`); `finish` waits until the last samples are
        stored, stores the calibration and says what it found.
        """
        place = wire.placement_of(placement)
        key = (wearer, place)
        hub = self._hub
        if action == "begin":
            sensor = hub.series(wearer, place)
            if sensor is None:
                raise InputError(f"{wearer} wears no sensor at {place}: add one first")
            known = str(sensor.config.options.get("axes", ""))
            self._guides[key] = Guide(wearer=wearer, placement=place, axes=axes or known)
            return {"begun": True}
        guide = self._guides.get(key)
        if guide is None:
            raise UsageError("no calibration was begun here")
        if action == "pose":
            span = guide.pose(pose, hub.clock.now_ns(), seconds)
            return {"from_ns": span[0], "until_ns": span[1]}
        if action == "cancel":
            del self._guides[key]
            return {"cancelled": True}
        if action == "look":
            return {"poses": guide.look(await self._raw_of(guide)) if guide.spans else {}}
        if action != "finish":
            raise UsageError("calibrate knows begin, pose, look, finish and cancel")
        if guide.spans:
            await self._wait_for(guide.last_ns)
        raw = await self._raw_of(guide)
        made, record = guide.finish(raw)
        await hub.at_rest(lambda: hub.store.put_calibration(wearer, place, record))
        await hub.reload(wearer)
        del self._guides[key]
        return {"calibration": record.body, "poses": guide.look(raw), "warnings": made.warnings}

    async def _raw_of(self, guide: Guide) -> Samples:
        if not guide.spans:
            return Samples.empty()
        store = self._hub.store
        return await self._hub.at_rest(
            lambda: store.raw(guide.wearer, guide.placement, guide.first_ns, guide.last_ns)
        )

    async def _wait_for(self, until_ns: int) -> None:
        """Until samples of that time must be on the disk."""
        clock = self._hub.clock
        left_s = (until_ns - clock.now_ns()) / SECOND_NS + 2.5
        if left_s > 65:
            raise UsageError("the last pose is not over yet")
        if left_s > 0:
            await clock.sleep(left_s)
        await self._hub.tick()

    # -- data ---------------------------------------------------------------------------------

    async def put(self, wearer: str, key: str, value: object = None) -> None:
        """A wearer's setting (thresholds, zone, ...); None removes it."""
        check_setting(wire.text_of(key, "key"), value)
        await self._hub.at_rest(lambda: self._hub.store.put_wearer_setting(wearer, key, value))
        await self._hub.reload(wearer)

    async def erase(self, wearer: str) -> dict[str, int]:
        """Delete everything of one wearer: sensors, phones, series, settings."""
        mine = [a for a, s in self._hub.sensors.items() if s.config.wearer == wearer]
        for address in mine:
            await self._hub.remove(address)
        phones = self._phones.devices.forget(wearer)
        self._hub.keeper.forget(wearer)
        rows = await self._hub.at_rest(lambda: self._hub.store.erase(wearer))
        return {"rows": rows, "sensors": len(mine), "phones": phones}

    async def backup(self, into: str = "") -> dict[str, object]:
        """A checked backup of all data in a new folder, while everything runs on."""
        made = await asyncio.to_thread(
            make_backup,
            self._settings,
            self._hub.clock.now_ns(),
            Path(into) if into else None,
        )
        return {"folder": str(made.folder), "files": made.files}

    async def resend(self) -> int:
        """Queue every stored hour for InfluxDB again; how many."""
        return await self._hub.at_rest(self._hub.store.mark_all_dirty)

    async def replace_epochs(
        self,
        wearer: str,
        placement: str,
        from_ns: int,
        to_ns: int,
        epochs: Mapping[str, Any],
        transitions: Sequence[Mapping[str, Any]] = (),
        sets: Sequence[Mapping[str, Any]] = (),
        gaps: Sequence[Mapping[str, Any]] = (),
        calibrated_ns: int | None = None,
    ) -> int:
        """Hand-over of a re-analysed or received span: it replaces what was there.

        `gaps` and the day of the calibration come with series that were measured elsewhere. The
        number of epochs.
        """
        table = wire.epochs_from_json(epochs)
        place = wire.placement_of(placement)
        batch = Batch(
            wearer=wearer,
            placement=place,
            epochs=table,
            transitions=[wire.transition_of(t) for t in transitions],
            sets=[wire.set_of(s) for s in sets],
            gaps=[wire.gap_of(g) for g in gaps],
            replace_from_ns=int(from_ns),
            replace_to_ns=int(to_ns),
        )

        def work() -> None:
            self._hub.store.write(batch)
            if calibrated_ns is not None:
                told = CalibrationRecord(from_ns=int(calibrated_ns), kind="shared", body={})
                self._hub.store.put_calibration(wearer, place, told)

        await self._hub.at_rest(work)
        return len(table)

    async def correct(
        self, wearer: str, placement: str, start_ns: int, end_ns: int, state: str
    ) -> int:
        """The wearer's own word for a stretch: its epochs get that state; how many changed.

        The word is kept (setting `corrections`), so that a re-analysis can lay it over again.
        """
        label, place = wire.state_of(state), wire.placement_of(placement)
        store = self._hub.store
        first = int(start_ns) // EPOCH_NS * EPOCH_NS

        def work() -> int:
            table = store.epochs(wearer, place, first, int(end_ns))
            kept = store.wearer_settings(wearer).get("corrections", [])
            entry = {"placement": str(place), "start_ns": first, "end_ns": int(end_ns)}
            entries = [*(kept if isinstance(kept, list) else []), {**entry, "state": label.label}]
            store.put_wearer_setting(wearer, "corrections", entries[-1000:])
            told = corrections(store.wearer_settings(wearer), place)
            if len(table):
                store.write(Batch(wearer=wearer, placement=place, epochs=corrected(table, told)))
            return len(table)

        changed = await self._hub.at_rest(work)
        await self._hub.reload(wearer)
        return changed

    async def live_set(self, wearer: str, exercise: str, ago_s: float) -> dict[str, object]:
        """Repetitions and seconds held of a guided set that began `ago_s` seconds ago."""
        return await training.live_set(self._hub, wearer, exercise, ago_s)

    async def confirm_set(
        self,
        wearer: str,
        placement: str,
        start_ns: int,
        end_ns: int,
        exercise: str,
        reps: int,
        hold_s: float = 0.0,
    ) -> None:
        """A set as the person says it was; it stays over every re-analysis."""
        said = wire.set_of(
            {
                "start_ns": start_ns,
                "end_ns": end_ns,
                "exercise": exercise,
                "reps": reps,
                "hold_s": hold_s,
                "confidence": "high",
                "source": "user",
            }
        )
        batch = Batch(wearer=wearer, placement=wire.placement_of(placement), sets=[said])
        await self._hub.at_rest(lambda: self._hub.store.write(batch))

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
