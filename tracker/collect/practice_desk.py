# SPDX-License-Identifier: Apache-2.0
"""The practice's side: home collectors hand in finished hours, each with the token of one wearer.

`POST /practice/hours` beside the phone door: HTTPS, a token per wearer (kept as a hash, revocable),
size and rate limits of the door. A request is gzip'ed JSON; an hour replaces what was there, so
sending it again changes nothing, and the answer 200 means that it is on the disk. A token names
its wearer: whatever a body says, it can write to no other.
"""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracker.clock import Clock
from tracker.collect.devices import Device, Devices
from tracker.collect.http_guard import Guard, Limits, Refused
from tracker.collect.hub import Hub
from tracker.collect.wire import epochs_from_json, gap_of, placement_of, set_of, transition_of
from tracker.errors import BackstayError, InputError, StoreError
from tracker.model import SECOND_NS, Placement, State
from tracker.store.base import Batch, CalibrationRecord
from tracker.store.codec import live_from_json
from tracker.store.sqlite import SqliteStore

FORMAT = "backstay-hours-1"
FILE = "homes.json"
HOUR_NS = 3600 * SECOND_NS
MOST_HOURS = 24
_MOST_PLAIN = 16_000_000
_AHEAD_NS = HOUR_NS  # clocks of two houses differ


class Homes:
    """Tokens of home collectors; read again when the command changed the file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = -1
        self._known = Devices(folder, FILE)

    def of_token(self, token: str) -> Device | None:
        """The home whose token this is."""
        path = self._folder / FILE
        mark = path.stat().st_mtime_ns if path.exists() else 0
        if mark != self._mark:
            self._known, self._mark = Devices(self._folder, FILE), mark
        return self._known.of_token(token) if token else None


def routes(hub: Hub, clock: Clock, folder: Path) -> list[Route]:
    """The route of the practice, for the phone door's application."""
    homes = Homes(folder)
    guard = Guard(devices=homes, clock=clock, limits=Limits(body_bytes=4_000_000, per_s=5.0))

    async def hours(request: Request) -> Response:
        home = guard.admit(request, clock.monotonic_s() / clock.speed)
        if isinstance(home, Refused):
            return _no(home.status, home.reason, home.text)
        body = await guard.body(request)
        if isinstance(body, Refused):
            return _no(body.status, body.reason, body.text)
        try:
            parcel = read_parcel(body, clock.now_ns())
            await hub.at_rest(lambda: keep(hub.store, home.wearer, parcel))
        except StoreError as error:
            return _no(503, "store", str(error))
        except BackstayError as error:
            return _no(422, "bad_body", f"Not usable: {error}")
        return JSONResponse({"ok": True, "hours": len(parcel["hours"])})

    return [Route("/practice/hours", hours, methods=["POST"])]


def read_parcel(body: bytes, now_ns: int) -> Mapping[str, Any]:
    """Checked hours and what goes with them. InputError or UsageError for anything else."""
    try:
        opened = zlib.decompressobj(wbits=31)
        plain = opened.decompress(body, _MOST_PLAIN)
        if opened.unconsumed_tail or not opened.eof:
            raise InputError("the body is larger than it may be, or cut off")
        said = json.loads(plain)
        if said["format"] != FORMAT or not isinstance(said["hours"], list):
            raise InputError("this collector speaks another version: update both sides")
        if len(said["hours"]) > MOST_HOURS:
            raise InputError(f"at most {MOST_HOURS} hours at once")
        hours = [_hour(one, now_ns) for one in said["hours"]]
        live = [
            (placement_of(str(p)), live_from_json(json.dumps(row)))
            for p, row in dict(said.get("live") or {}).items()
        ]
        calibrated = {
            placement_of(str(p)): int(t) for p, t in dict(said.get("calibrated_ns") or {}).items()
        }
    except (zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"this is no parcel of hours ({error})") from error
    zone = said.get("zone")
    return {
        "hours": hours,
        "live": live,
        "calibrated_ns": calibrated,
        "zone": str(zone)[:60] if zone else "",
    }


def _hour(one: Mapping[str, Any], now_ns: int) -> tuple[Placement, int, dict[str, Any]]:
    place, start_ns = placement_of(str(one["placement"])), int(one["hour_ns"])
    end_ns = start_ns + HOUR_NS
    if start_ns % HOUR_NS or not 0 < start_ns <= now_ns + _AHEAD_NS:
        raise InputError("an hour begins at a full hour that is not in the future")
    epochs = epochs_from_json(one["epochs"])
    inside = (epochs.start_ns >= start_ns) & (epochs.start_ns < end_ns)
    if not bool(inside.all()) or bool(np.any(epochs.state > max(State))):
        raise InputError("an epoch lies outside its hour or has an unknown state")
    content = {
        "epochs": epochs,
        "transitions": [transition_of(t) for t in one["transitions"]],
        "sets": [set_of(s) for s in one["sets"]],
        "gaps": [gap_of(g) for g in one["gaps"]],
    }
    return place, start_ns, content


def keep(store: SqliteStore, wearer: str, parcel: Mapping[str, Any]) -> None:
    """Write a parcel; each hour replaces what was there."""
    zone = parcel["zone"]
    if zone and store.wearer_settings(wearer).get("zone") != zone:
        store.put_wearer_setting(wearer, "zone", zone)
    batches = [
        Batch(
            wearer=wearer,
            placement=place,
            replace_from_ns=start_ns,
            replace_to_ns=start_ns + HOUR_NS,
            **content,
        )
        for place, start_ns, content in parcel["hours"]
    ]
    batches += [Batch(wearer=wearer, placement=p, live=row) for p, row in parcel["live"]]
    store.write_many(batches)
    for place, from_ns in parcel["calibrated_ns"].items():
        record = CalibrationRecord(from_ns=from_ns, kind="home", body={})
        if not any(c.from_ns == from_ns for c in store.calibrations(wearer, place)):
            store.put_calibration(wearer, place, record)


def _no(status: int, reason: str, text: str) -> Response:
    return JSONResponse({"ok": False, "reason": reason, "text": text}, status)
