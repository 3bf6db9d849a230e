# SPDX-License-Identifier: Apache-2.0
"""Writes batches, and keeps them in memory while the disk is full or away.

Recording and analysis write through it, each from its own thread.

Bounded: when too much waits, the oldest raw samples are given up and a gap says so. Nothing that
the store refused is forgotten silently, and the collector never ends because of it.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tracker.errors import StoreBusy, StoreError, StoreFull
from tracker.model import Gap, GapReason, Samples
from tracker.store.base import Batch

log = logging.getLogger("backstay.keeper")

WAITING_SAMPLES = 1_500_000  # about 50 MB, eight hours of one sensor at 50 Hz
AT_ONCE = 200  # batches of one transaction while catching up


class Writes(Protocol):
    """The writing side of the embedded store."""

    def write_many(self, batches: Sequence[Batch], *, sync: bool = True) -> None:
        """Store all batches or none; `sync`: on the disk when it returns."""


@dataclass(slots=True)
class Keeper:
    """`write` never raises StoreError; `error` says what is wrong, "" when all is written."""

    store: Writes
    limit: int = WAITING_SAMPLES
    error: str = ""
    given_up: int = 0  # samples
    _waiting: deque[Batch] = field(default_factory=deque)
    _samples: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def waiting(self) -> int:
        """Samples that are not on the disk yet."""
        return self._samples

    def write(self, batches: Sequence[Batch], *, sync: bool = True) -> bool:
        """Write what waits and what is new, in order; whether all of it is stored.

        Without `sync` (results that follow from raw samples) a power loss may undo it.
        """
        with self._turn:
            return self._write(batches, sync=sync)

    def _write(self, batches: Sequence[Batch], *, sync: bool) -> bool:
        sync = sync or bool(self._waiting)
        for batch in batches:
            self._waiting.append(batch)
            self._samples += _samples(batch)
        while self._waiting:
            some = [self._waiting[i] for i in range(min(AT_ONCE, len(self._waiting)))]
            try:
                self.store.write_many(some, sync=sync)
            except StoreError as error:
                if len(some) > 1 and self._one_by_one(some):
                    continue
                self._refused(str(error))
                return False
            for batch in some:
                self._waiting.popleft()
                self._samples -= _samples(batch)
        if self.error:
            log.warning("the store takes data again", extra={"given_up_samples": self.given_up})
            self.error = ""
        return True

    def _one_by_one(self, some: Sequence[Batch]) -> bool:
        """Leave out a batch that can never be stored, so that it does not hold up the others.

        False where the disk is at fault: full, away, or nothing at all is taken. Batches that
        are written again by the next try change nothing.
        """
        refused: list[tuple[Batch, StoreError]] = []
        for batch in some:
            try:
                self.store.write_many([batch])
            except (StoreFull, StoreBusy):
                return False
            except StoreError as error:
                refused.append((batch, error))
        if len(refused) == len(some):
            return False
        for batch in some:
            self._waiting.popleft()
            self._samples -= _samples(batch)
        for batch, why in refused:
            log.error("a batch cannot be stored and is left out", extra={"error": str(why)})
            self.given_up += _samples(batch)
            if batch.raw is not None and len(batch.raw):
                gap = _gap(batch.raw, GapReason.BAD_DATA)
                left = Batch(wearer=batch.wearer, placement=batch.placement, gaps=(gap,))
                self._waiting.append(left)
        return True

    def forget(self, wearer: str) -> None:
        """Drop what waits of one wearer (erasure)."""
        with self._turn:
            self._waiting = deque(b for b in self._waiting if b.wearer != wearer)
            self._samples = sum(_samples(b) for b in self._waiting)

    def _refused(self, sentence: str) -> None:
        if not self.error:
            log.error("the store refuses data; they wait in memory", extra={"error": sentence})
        self.error = sentence
        while self._samples > self.limit and (lost := self._oldest_raw()) is not None:
            batch = self._waiting[lost]
            assert batch.raw is not None  # noqa: S101 - what _oldest_raw looks for
            gap = _gap(batch.raw, GapReason.STORE_FULL)
            self._samples -= len(batch.raw)
            self.given_up += len(batch.raw)
            # Its epochs go too: what is stored must follow from the samples that are stored.
            self._waiting[lost] = Batch(
                wearer=batch.wearer, placement=batch.placement, gaps=(*batch.gaps, gap)
            )
            self._join_gaps(lost)
        self._drop_old_live()

    def _oldest_raw(self) -> int | None:
        for i, batch in enumerate(self._waiting):
            if batch.raw is not None and len(batch.raw):
                return i
        return None

    def _join_gaps(self, at: int) -> None:
        """One growing gap instead of one a second."""
        now = self._waiting[at]
        for i in range(at - 1, max(-1, at - 50), -1):
            before = self._waiting[i]
            if (before.wearer, before.placement) != (now.wearer, now.placement):
                continue
            if before.raw is not None or len(before.gaps) != 1 or len(now.gaps) != 1:
                return
            old, new = before.gaps[0], now.gaps[0]
            if old.reason is not GapReason.STORE_FULL:
                return
            joined = Gap(start_ns=old.start_ns, end_ns=new.end_ns, reason=old.reason)
            self._waiting[at] = Batch(wearer=now.wearer, placement=now.placement, gaps=(joined,))
            del self._waiting[i]
            return

    def _drop_old_live(self) -> None:
        """Live rows that wait are worth nothing once a newer one of the series waits."""
        seen: set[tuple[str, str]] = set()
        kept: deque[Batch] = deque()
        for batch in reversed(self._waiting):
            key = (batch.wearer, str(batch.placement))
            only_live = batch.live is not None and not (
                batch.raw or batch.gaps or batch.epochs or batch.sets or batch.transitions
            )
            if only_live and key in seen:
                continue
            if batch.live is not None:
                seen.add(key)
            kept.appendleft(batch)
        self._waiting = kept


def _gap(raw: Samples, reason: GapReason) -> Gap:
    return Gap(start_ns=int(raw.t_ns[0]), end_ns=int(raw.t_ns[-1]) + 1, reason=reason)


def _samples(batch: Batch) -> int:
    return 0 if batch.raw is None else len(batch.raw)
