# SPDX-License-Identifier: Apache-2.0
"""Phones that may deliver: one token per device, kept as a hash, revocable.

The file belongs to the collector (`devices.json`, mode 0600, written beside and renamed). A token
is shown once, in the QR code; what is kept cannot be turned back into it.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tracker.errors import InputError, StoreError
from tracker.model import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One phone: whose movement it carries and where it is worn."""

    id: str
    name: str
    wearer: str
    placement: Placement
    token_sha256: str
    made_ns: int
    revoked_ns: int | None = None


class Devices:
    """The register of phones in a data folder."""

    def __init__(self, folder: Path, file: str = "devices.json") -> None:
        self._path = folder / file
        self._known = {d.id: d for d in _read(self._path)}

    def all(self) -> Sequence[Device]:
        """Every device, revoked ones too."""
        return tuple(self._known.values())

    def add(
        self, *, name: str, wearer: str, placement: Placement, now_ns: int
    ) -> tuple[Device, str]:
        """A new device and its token, which is not kept and cannot be asked for again."""
        if not 0 < len(name.strip()) <= 60:
            raise InputError("a phone needs a name of 1 to 60 characters")
        token = secrets.token_urlsafe(32)
        device = Device(
            id=secrets.token_hex(4),
            name=name.strip(),
            wearer=wearer,
            placement=placement,
            token_sha256=_hash(token),
            made_ns=now_ns,
        )
        self._keep({**self._known, device.id: device})
        return device, token

    def revoke(self, device_id: str, now_ns: int) -> None:
        """From now on its token opens nothing; revoking twice changes nothing."""
        device = self._known.get(device_id)
        if device is None:
            raise InputError(f"there is no phone {device_id!r}: look at the list of sensors")
        if device.revoked_ns is None:
            self._keep({**self._known, device_id: replace(device, revoked_ns=now_ns)})

    def forget(self, wearer: str) -> int:
        """Remove every device of one wearer (erasure); how many there were."""
        rest = {i: d for i, d in self._known.items() if d.wearer != wearer}
        gone = len(self._known) - len(rest)
        if gone:
            self._keep(rest)
        return gone

    def of_token(self, token: str) -> Device | None:
        """The device of a token; every known hash is compared, so time tells nothing."""
        wanted = _hash(token)
        found = None
        for device in self._known.values():
            if hmac.compare_digest(device.token_sha256, wanted) and device.revoked_ns is None:
                found = device
        return found

    def _keep(self, known: dict[str, Device]) -> None:
        beside = self._path.with_suffix(".part")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump([asdict(d) for d in known.values()], file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be written ({error.strerror})") from error
        self._known = known


def _read(path: Path) -> Sequence[Device]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [Device(**(row | {"placement": Placement(row["placement"])})) for row in rows]
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"{path}: not readable as the register of phones ({error}); restore it from a backup "
            "or remove it and pair the phones again"
        ) from error


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
