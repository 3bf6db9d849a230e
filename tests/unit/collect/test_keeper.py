# SPDX-License-Identifier: Apache-2.0
"""A disk that refuses: data wait, come through in order, and what is given up is a gap."""

from collections.abc import Sequence

import numpy as np

from tracker.collect.keeper import Keeper
from tracker.errors import StoreError, StoreFull
from tracker.model import SECOND_NS, GapReason, Live, Placement, Samples, State
from tracker.store.base import Batch


class Disk:
    """A store that can be full."""

    def __init__(self) -> None:
        self.full = False
        self.poison: Batch | None = None
        self.written: list[Batch] = []

    def write_many(self, batches: Sequence[Batch], *, sync: bool = True) -> None:
        """All or nothing."""
        if self.full:
            raise StoreFull("no space")
        if any(b is self.poison for b in batches):
            raise StoreError("this can never be stored")
        self.written += batches


def second(i: int, n: int = 50) -> Batch:
    """One second of raw samples."""
    t = i * SECOND_NS + np.arange(n, dtype=np.int64) * (SECOND_NS // n)
    raw = Samples(t_ns=t, acc_g=np.zeros((n, 3), np.float32))
    return Batch(wearer="w1", placement=Placement.CHEST, raw=raw)


def test_everything_comes_through_when_the_disk_is_free_again() -> None:
    """Ten refused seconds are written in order with the eleventh; nothing twice."""
    disk = Disk()
    keeper = Keeper(disk)
    assert keeper.write([second(0)])
    disk.full = True
    for i in range(1, 11):
        assert not keeper.write([second(i)])
    assert "no space" in keeper.error
    assert keeper.waiting == 500
    disk.full = False
    assert keeper.write([second(11)])
    starts = [int(b.raw.t_ns[0]) // SECOND_NS for b in disk.written if b.raw is not None]
    assert starts == list(range(12))
    assert (keeper.error, keeper.waiting, keeper.given_up) == ("", 0, 0)


def test_what_does_not_fit_becomes_one_gap() -> None:
    """Memory is bounded: the oldest seconds go, one gap names them, the newest stay."""
    disk = Disk()
    keeper = Keeper(disk, limit=500)
    disk.full = True
    for i in range(30):
        keeper.write([second(i)])
    assert keeper.waiting <= 500
    disk.full = False
    keeper.write([])
    gaps = [g for b in disk.written for g in b.gaps]
    kept = [int(b.raw.t_ns[0]) // SECOND_NS for b in disk.written if b.raw is not None]
    assert kept == list(range(20, 30))
    assert [g.reason for g in gaps] == [GapReason.STORE_FULL]
    assert (gaps[0].start_ns, gaps[0].end_ns // SECOND_NS) == (0, 19)
    assert keeper.given_up == 1000


def test_live_rows_do_not_pile_up() -> None:
    """An hour of refused live rows leaves the newest one waiting."""
    disk = Disk()
    keeper = Keeper(disk)
    disk.full = True
    for i in range(3600):
        live = Live(
            at_ns=i, state=State.SITTING, since_ns=0, confidence=1.0, provisional=False,
            tilt_deg=0.0, side_deg=0.0, slump_pct=0.0, link="streaming",
        )  # fmt: skip
        keeper.write([Batch(wearer="w1", placement=Placement.CHEST, live=live)])
    disk.full = False
    keeper.write([])
    assert [b.live.at_ns for b in disk.written if b.live is not None] == [3599]


def test_one_batch_that_can_never_be_stored_does_not_block_the_rest() -> None:
    """It is left out and named as a gap; what came before and after it is written."""
    disk = Disk()
    keeper = Keeper(disk)
    batches = [second(i) for i in range(5)]
    disk.poison = batches[2]
    assert keeper.write(batches)
    kept = {int(b.raw.t_ns[0]) // SECOND_NS for b in disk.written if b.raw is not None}
    assert kept == {0, 1, 3, 4}
    assert [g.reason for b in disk.written for g in b.gaps] == [GapReason.BAD_DATA]
    assert (keeper.given_up, keeper.waiting) == (50, 0)
