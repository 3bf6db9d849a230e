# SPDX-License-Identifier: Apache-2.0
"""What others may change in the series of a running collector, and the set being done now."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker.collect import training, wire
from tracker.collect.control import Method
from tracker.collect.hub import Hub
from tracker.collect.phone_door import PhoneDoor
from tracker.collect.setups import check_setting
from tracker.corrections import corrected, corrections
from tracker.model import EPOCH_NS
from tracker.rights.backup import make_backup
from tracker.settings import Settings
from tracker.store.base import Batch, CalibrationRecord


class DataDesk:
    """The methods, by name."""

    def __init__(self, hub: Hub, phones: PhoneDoor, settings: Settings) -> None:
        self._hub, self._phones, self._settings = hub, phones, settings

    def methods(self) -> Mapping[str, Method]:
        """Name -> coroutine function."""
        return {
            "erase": self.erase,
            "backup": self.backup,
            "resend": self.resend,
            "put": self.put,
            "replace_epochs": self.replace_epochs,
            "correct": self.correct,
            "confirm_set": self.confirm_set,
            "live_set": self.live_set,
        }

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
