# SPDX-License-Identifier: Apache-2.0
"""Guided calibration behind the collector's local door: begin, pose by pose, finish, or skip."""

from collections.abc import Mapping
from dataclasses import asdict

from tracker.collect import wire
from tracker.collect.control import Method
from tracker.collect.fit_checks import look_over
from tracker.collect.guide import Guide
from tracker.collect.hub import Hub
from tracker.collect.setups import calibration_of
from tracker.collect.wearing import TODAY, key_of
from tracker.errors import InputError, UsageError
from tracker.model import SECOND_NS, Placement, Samples
from tracker.signal.calibrate import Calibration


class CalibrationDesk:
    """The methods, by name."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._guides: dict[tuple[str, Placement], Guide] = {}

    def methods(self) -> Mapping[str, Method]:
        """Name -> coroutine function."""
        return {"calibrate": self.calibrate}

    async def calibrate(
        self,
        wearer: str,
        placement: str,
        action: str,
        pose: str = "",
        seconds: float = 10.0,
        axes: str = "",
        short: bool = False,
    ) -> dict[str, object]:
        """Guided calibration: `begin`, then `pose` by `pose`, `look`, and `finish` or `cancel`.

        `short` begins the thirty-second version for a day on which the sensor sits differently;
        `skip` says that it is not wanted today.

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
            self._guides[key] = Guide(
                wearer=wearer,
                placement=place,
                axes=axes or known,
                base=self._newest(wearer, place) if short else None,
            )
            return {"begun": True}
        if action == "skip":
            await self._told(wearer, place, "skipped")
            return {"skipped": True}
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
            raise UsageError("calibrate knows begin, pose, look, finish, cancel and skip")
        if guide.spans:
            await self._wait_for(guide.last_ns)
        raw = await self._raw_of(guide)
        made, record = guide.finish(raw)
        before = self._newest(wearer, place)
        found = look_over(raw, guide.spans, place, before=before, axes=guide.axes)
        await hub.at_rest(lambda: hub.store.put_calibration(wearer, place, record))
        await self._told(wearer, place, "done")
        await hub.reload(wearer)
        del self._guides[key]
        return {
            "calibration": record.body,
            "poses": guide.look(raw),
            "warnings": made.warnings,
            "checks": [asdict(check) for check in found],
        }

    def _newest(self, wearer: str, place: Placement) -> Calibration | None:
        """The newest calibration of a series that can be read, today's mounting included."""
        known = [r for r in self._hub.store.calibrations(wearer, place) if r.body]
        known = [r for r in known if r.kind in ("poses", TODAY)]
        try:
            return calibration_of(max(known, key=lambda r: r.from_ns)) if known else None
        except InputError:
            return None

    async def _told(self, wearer: str, place: Placement, what: str) -> None:
        """The wearer answered the question of how the sensor sits today."""
        store = self._hub.store

        def work() -> None:
            kept = store.wearer_settings(wearer).get(key_of(place))
            if isinstance(kept, dict):
                told = {**kept, "asks": False, what: True}
                store.put_wearer_setting(wearer, key_of(place), told)

        await self._hub.at_rest(work)

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
