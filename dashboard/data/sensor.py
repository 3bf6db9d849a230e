# SPDX-License-Identifier: Apache-2.0
"""Sensors: what the collector sees, serves and calibrates. Pages ask it through its local door."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.data.gate import gate
from dashboard.data.sources import NOBODY, Sources
from tracker.collect.control import ControlClient
from tracker.collect.names import own_names
from tracker.diary import Person
from tracker.errors import ServiceError
from tracker.model import Placement, State

SCAN_S = 5.0
POSE_S = 10.0
LONGER_S = {"walking": 12.0, "bend": 6.0}  # twenty steps; down and up again once


def collector_runs(src: Sources) -> bool:
    """Whether a collector answers for this data folder."""
    return ControlClient(src.collector_folder, timeout_s=2.0).running()


def own_wearer(src: Sources, viewer: Person) -> str:
    """Whose sensors are configured here: while the demo is shown, the person before it."""
    return NOBODY if src.home is not None else viewer.wearer or NOBODY


def sensor_states(src: Sources, viewer: Person, wearer: str) -> Sequence[Mapping[str, Any]]:
    """Every served sensor of this wearer, as the collector describes it."""
    gate(src).may_see(viewer, wearer, "settings")
    mine = own_wearer(src, viewer)
    found = ControlClient(src.collector_folder, timeout_s=3.0).call("status")["list"]
    return [one for one in found if one.get("wearer") == mine]


def scan(src: Sources, viewer: Person, wearer: str) -> Sequence[Mapping[str, Any]]:
    """Sensors in reach, those that a decoder fits first."""
    gate(src).may_change(viewer, wearer, "settings")
    client = ControlClient(src.collector_folder, timeout_s=SCAN_S + 15)
    found: list[Mapping[str, Any]] = client.call("scan", seconds=SCAN_S)
    return sorted(found, key=lambda one: (-int(one["score"]), -(one["rssi_dbm"] or -999)))


def add_sensor(
    src: Sources,
    viewer: Person,
    wearer: str,
    address: str,
    placement: Placement,
    name: str,
    *,
    take_over: bool = False,
) -> None:
    """Serve a sensor from now on. `take_over`: somebody else here wore it until now."""
    gate(src).may_change(viewer, wearer, "settings")
    more = {"take_over": True} if take_over else {}
    ControlClient(src.collector_folder).call(
        "add_sensor",
        address=address,
        wearer=own_wearer(src, viewer),
        placement=str(placement),
        name=name,
        **more,
    )


def remove_sensor(src: Sources, viewer: Person, wearer: str, address: str) -> None:
    """Forget a sensor; what it measured stays."""
    gate(src).may_change(viewer, wearer, "settings")
    ControlClient(src.collector_folder).call("remove_sensor", address=address)


def pair_phone(
    src: Sources, viewer: Person, wearer: str, name: str, placement: Placement
) -> Mapping[str, Any]:
    """Register a phone; `url` is the address to open on it, told once.

    The token rides behind the `#`, so it reaches no log; `sha256` is the certificate's print.
    """
    gate(src).may_change(viewer, wearer, "settings")
    made: dict[str, Any] = ControlClient(src.collector_folder).call(
        "pair_phone", name=name, wearer=own_wearer(src, viewer), placement=str(placement)
    )
    known = [n for n in own_names() if not n.startswith(("127.", "::1", "localhost"))]
    host = next((n for n in known if n[0].isdigit()), known[0] if known else "localhost")
    return {**made, "url": f"https://{host}:{made['port']}/phone#token={made['token']}"}


def calibrate(
    src: Sources,
    viewer: Person,
    wearer: str,
    placement: Placement,
    action: str,
    pose: str = "",
    *,
    short: bool = False,
) -> Mapping[str, Any]:
    """One step of the guided calibration: begin (or `short`), pose, look, finish, cancel, skip."""
    gate(src).may_change(viewer, wearer, "settings")
    said: Mapping[str, Any] = ControlClient(src.collector_folder, timeout_s=90).call(
        "calibrate",
        wearer=own_wearer(src, viewer),
        placement=str(placement),
        action=action,
        pose=pose,
        seconds=LONGER_S.get(pose, POSE_S),
        **({"short": True} if short else {}),
    )
    return said


def correct(
    src: Sources, viewer: Person, wearer: str, placement: Placement, start_ns: int, end_ns: int,
    state: State,
) -> bool:  # fmt: skip
    """Lay the wearer's own word over the time line; False where no collector runs (kept anyway)."""
    gate(src).may_change(viewer, wearer, "posture")
    try:
        ControlClient(src.settings.data).call(
            "correct",
            wearer=wearer,
            placement=str(placement),
            start_ns=start_ns,
            end_ns=end_ns,
            state=state.label,
        )
    except ServiceError:
        return False
    return True
