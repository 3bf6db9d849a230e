# SPDX-License-Identifier: Apache-2.0
"""From where a series must be analysed again, because samples came late or a calibration did.

The note is in the store *before* the samples are, so that it outlives a crash at any moment. One
thread marks, another one analyses.
"""

import hashlib
import logging
import threading

from tracker.errors import StoreError
from tracker.model import SECOND_NS, Placement
from tracker.store.sqlite import SqliteStore

log = logging.getLogger("backstay.analysis")

QUIET_NS = 2 * SECOND_NS  # late samples have come to an end
LATE_MAX_NS = 30 * SECOND_NS  # or the first of them has waited long enough


class Late:
    """The note of one series; safe to share between threads."""

    def __init__(self, store: SqliteStore, wearer: str, placement: Placement) -> None:
        self._store = store
        # A note of the store outlives an erasure, so it must not name the wearer.
        name = hashlib.sha256(f"{wearer}:{placement}".encode()).hexdigest()
        self._key = f"rework:{name[:16]}"
        self._guard = threading.Lock()
        self._from_ns: int | None = None
        self._doing_ns: int | None = None
        self._since_ns = self._last_ns = 0
        self._to_ns = 0

    @property
    def from_ns(self) -> int | None:
        """From where to analyse again; None where nothing came late."""
        return self._from_ns

    def restore(self) -> None:
        """Take up what an earlier process noted."""
        if marked := self._store.meta(self._key):
            self._from_ns = int(marked)

    @property
    def to_ns(self) -> int:
        """The newest sample that came late to this process, whether or not it was analysed."""
        return self._to_ns

    def mark(self, from_ns: int, now_ns: int = 0, to_ns: int = 0) -> None:
        """Remember, over a crash too, from where to analyse again; `to_ns` is the newest sample."""
        with self._guard:
            self._last_ns, self._to_ns = now_ns, max(self._to_ns, to_ns)
            if self._from_ns is None:
                self._since_ns = now_ns
            elif from_ns >= self._from_ns:
                return
            self._from_ns = from_ns
            self._note(from_ns if self._doing_ns is None else min(from_ns, self._doing_ns))

    def due(self, now_ns: int) -> bool:
        """Whether what came late is complete enough to be analysed."""
        if self._from_ns is None:
            return False
        quiet = now_ns - self._last_ns > QUIET_NS
        return quiet or now_ns - self._since_ns > LATE_MAX_NS

    def begin(self) -> int | None:
        """Analyse from here now; what is marked from now on is another turn."""
        with self._guard:
            if self._from_ns is not None:  # what was begun and not written is begun again
                known = self._from_ns if self._doing_ns is None else self._doing_ns
                self._doing_ns, self._from_ns = min(known, self._from_ns), None
                return self._doing_ns
            return None

    def done(self) -> None:
        """The new results are on the disk."""
        with self._guard:
            if self._doing_ns is not None:
                self._doing_ns = None
                self._note(self._from_ns)

    def _note(self, from_ns: int | None) -> None:
        try:
            self._store.put_meta(self._key, "" if from_ns is None else str(from_ns))
        except StoreError as error:
            log.warning("cannot note what came late", extra={"error": str(error)})
