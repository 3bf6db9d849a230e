# SPDX-License-Identifier: Apache-2.0
"""Which samples of a reference device have come, which are missing, and what is asked for next."""

from firmware_protocol.decoders import _reference_wire as wire
from firmware_protocol.registry import Resume

BLOCK = 2000  # samples per REPLAY (PROTOCOL.md 7)
TRIES = 3
SILENCE_NS = 30 * 1_000_000_000
HALF = 1 << 15


class Account:
    """Keeps full indices from 16-bit ones, and the ranges (first, last) still missing.

    A range is dropped when the device says that it no longer has it, or after three tries in a
    row that brought nothing new.
    """

    def __init__(self) -> None:
        self.next: int | None = None
        self.missing: list[tuple[int, int]] = []
        self.live = False
        self.buffers = True
        self._asked: tuple[int, int] | None = None
        self._asked_ns = 0
        self._newest_ns = 0
        self._busy = False
        self._tries = 0
        self._wanted = 0
        self._replay_next: int | None = None

    def begin(self, status: wire.Status, old: Resume | None) -> None:
        """Take up where the previous connection ended, if the device ran on since."""
        self.next = status.next_index
        if old is None or old.boot != status.boot or old.next_index > status.next_index:
            return
        wanted = list(old.missing)
        if status.next_index > old.next_index:
            wanted.append((old.next_index, status.next_index - 1))
        kept = [(max(a, status.oldest_index), b) for a, b in wanted]
        self.missing = [(a, b) for a, b in kept if a <= b]

    def place_live(self, index16: int, n: int, received_ns: int, *, lost_there: bool) -> int:
        """The full index of a live frame's first sample."""
        self._newest_ns = received_ns
        index = _nearest(index16, index16 if self.next is None else self.next)
        self.next = index if self.next is None else self.next
        self._busy = False
        if self._asked and received_ns - self._asked_ns > SILENCE_NS:
            self.answered(wire.OK)  # the answer itself was lost
        if index > self.next and not lost_there and self.buffers:
            self.missing.append((self.next, index - 1))
        if index < self.next:
            self._got(index, index + n - 1)
        self.next = max(self.next, index + n)
        self.live = True
        return index

    def place_replayed(self, index16: int, n: int, received_ns: int) -> int:
        """The full index of a replayed frame's first sample."""
        near = self._replay_next if self._replay_next is not None else self.next
        index = _nearest(index16, index16 if near is None else near)
        self._replay_next = index + n
        self._newest_ns = self._asked_ns = received_ns
        self._got(index, index + n - 1)
        return index

    def ask(self) -> tuple[int, int] | None:
        """The next range to ask for, or None while there is nothing to do or one is under way.

        Nothing is asked before the first live frame: past time hangs on present time.
        """
        if not self.live or self._asked or self._busy or not self.missing:
            return None
        first, last = self.missing[0]
        last = min(last, first + BLOCK - 1)
        self._asked, self._replay_next, self._asked_ns = (first, last), first, self._newest_ns
        self._wanted = self._left(first, last)
        return first, last

    def answered(self, status: int) -> None:
        """A replay ended: what did not come is asked for again, or is gone."""
        if self._asked is None:
            return
        (first, last), self._asked = self._asked, None
        if status == wire.BUSY:
            self._busy = True  # again after the next live frame
            return
        left = self._left(first, last)
        self._tries = self._tries + 1 if left == self._wanted else 0
        if left and (status != wire.OK or self._tries >= TRIES):
            self._got(first, last)
            self._tries = 0

    def _left(self, first: int, last: int) -> int:
        """How many samples of a range are missing."""
        return sum(max(0, min(b, last) - max(a, first) + 1) for a, b in self.missing)

    def _got(self, first: int, last: int) -> None:
        rest: list[tuple[int, int]] = []
        for a, b in self.missing:
            rest += [(x, y) for x, y in ((a, min(b, first - 1)), (max(a, last + 1), b)) if x <= y]
        self.missing = rest


def _nearest(index16: int, near: int) -> int:
    """The index that ends in these 16 bits and is nearest to the expected one."""
    ahead = (index16 - near) % 65536
    index = near + (ahead if ahead <= HALF else ahead - 65536)
    return index + 65536 if index < 0 else index
