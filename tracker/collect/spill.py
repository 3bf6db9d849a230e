# SPDX-License-Identifier: Apache-2.0
"""Samples that wait for their rotation, kept over a crash.

Some belts send acceleration and rotation apart, up to a second and a half from each other. What
waits for its other half is not a raw sample yet, but it was received: it is written down until it
is. After a crash it becomes a raw sample with as much rotation as was known.
"""

import base64
import hashlib
import logging

from tracker.errors import StoreDamaged, StoreError
from tracker.model import Placement, Samples
from tracker.store.codec import pack_samples, unpack_samples
from tracker.store.sqlite import SqliteStore

log = logging.getLogger("backstay.recorder")


class Spill:
    """The note of one series; written only while something waits."""

    def __init__(self, store: SqliteStore, wearer: str, placement: Placement) -> None:
        name = hashlib.sha256(f"{wearer}:{placement}".encode()).hexdigest()
        self._store, self._key = store, f"waiting:{name[:16]}"
        self._newest_ns: int | None = None

    def restore(self) -> Samples | None:
        """What the last process left, once."""
        kept = self._store.meta(self._key)
        if not kept:
            return None
        self._newest_ns = 0
        try:
            return unpack_samples(base64.b64decode(kept))
        except (StoreDamaged, ValueError) as error:
            log.warning("samples left by a crash cannot be read", extra={"error": str(error)})
            return None

    def keep(self, waiting: Samples | None) -> bool:
        """Write down what waits now, in place of what was; whether it is written."""
        newest = int(waiting.t_ns[-1]) if waiting is not None and len(waiting) else None
        if newest == self._newest_ns:
            return True
        text = ""
        if waiting is not None and newest is not None:
            text = base64.b64encode(pack_samples(waiting, compress=False)).decode()
        try:
            self._store.put_meta(self._key, text)
        except StoreError as error:
            log.warning("what waits cannot be kept", extra={"error": str(error)})
            return False
        self._newest_ns = newest
        return True
