# SPDX-License-Identifier: Apache-2.0
"""The embedded store against a dictionary: any order of writes gives the same contents.

Writes, corrections, re-analyses, repeats, erasures and restarts in random order; after each step
epochs, events, raw samples and every rollup follow from what a plain dictionary holds.
"""

import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.series import make_epochs, make_samples
from tracker.model import EPOCH_NS, SECOND_NS, Placement, State, Transition, TransitionKind
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.sqlite import SqliteStore, open_store
from tracker.units import from_ns

P = Placement.CHEST
BASE = 1_792_875_600 * SECOND_NS  # an hour before 2026-10-25 in Berlin, a day of 25 h
ALL = (0, 2**62)
# Around two midnights, close enough together that steps often meet.
PLACES = st.one_of(st.integers(0, 2_000), st.integers(17_000, 18_500))

Steps = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "replace", "raw", "event", "erase", "reopen", "sent"]),
        st.integers(0, 1),  # wearer
        PLACES,  # where
        st.integers(0, 1500),  # how long
        st.integers(0, 5),  # seed
    ),
    max_size=12,
)


@dataclass
class Model:
    """What has to be stored, as plain as it gets."""

    epochs: dict[tuple[str, int], int] = field(default_factory=dict)  # start -> state
    raw: dict[str, set[int]] = field(default_factory=lambda: {"w-0": set(), "w-1": set()})
    events: set[tuple[str, int]] = field(default_factory=set)


def apply(store: SqliteStore, model: Model, step: tuple[str, int, int, int, int]) -> None:
    """One step on both."""
    kind, who, where, length, seed = step
    wearer, start = f"w-{who}", BASE + where * EPOCH_NS
    epochs = make_epochs(start, length, seed)
    rows = dict(zip(epochs.start_ns.tolist(), epochs.state.tolist(), strict=True))
    end = start + length * EPOCH_NS
    if kind in ("write", "replace"):
        batch = Batch(wearer=wearer, placement=P, epochs=epochs)
        if kind == "replace":
            cut = start - 300 * EPOCH_NS
            batch = replace(batch, replace_from_ns=cut, replace_to_ns=end)
            model.epochs = {
                (w, t): s for (w, t), s in model.epochs.items()
                if not (w == wearer and cut <= t < end)
            }  # fmt: skip
            model.events = {e for e in model.events if not (e[0] == wearer and cut <= e[1] < end)}
        store.write(batch)
        model.epochs |= {(wearer, t): s for t, s in rows.items()}
    elif kind == "raw":
        samples = make_samples(start, length, seed)
        store.write(Batch(wearer=wearer, placement=P, raw=samples))
        model.raw[wearer] |= set(samples.t_ns.tolist())
    elif kind == "event":
        item = Transition(at_ns=start, kind=TransitionKind.SIT_TO_STAND, confidence=0.5)
        store.write(Batch(wearer=wearer, placement=P, transitions=[item]))
        model.events.add((wearer, start))
    elif kind == "erase":
        store.erase(wearer)
        model.epochs = {k: s for k, s in model.epochs.items() if k[0] != wearer}
        model.events = {e for e in model.events if e[0] != wearer}
        model.raw[wearer] = set()
    elif kind == "sent":
        store.clear_dirty(store.dirty(3))


def check(store: SqliteStore, model: Model) -> None:
    """Everything follows from the dictionary."""
    for wearer in ("w-0", "w-1"):
        mine = {t: s for (w, t), s in model.epochs.items() if w == wearer}
        epochs = store.epochs(wearer, P, *ALL)
        assert dict(zip(epochs.start_ns.tolist(), epochs.state.tolist(), strict=True)) == mine
        assert store.raw(wearer, P, *ALL).t_ns.tolist() == sorted(model.raw[wearer])
        found = {(wearer, t.at_ns) for t in store.transitions(wearer, P, *ALL)}
        assert found == {e for e in model.events if e[0] == wearer}
        hours = Counter((t // (3600 * SECOND_NS), s) for t, s in mine.items())
        rolled = {
            (row.start_ns // (3600 * SECOND_NS), int(State.of(label))): seconds // 5
            for row in store.hours(wearer, P, *ALL)
            for label, seconds in row.seconds.items()
            if seconds
        }
        assert rolled == dict(hours)
        tz = store.zone_of(wearer)
        days = Counter((from_ns(t, tz).date().isoformat(), s) for t, s in mine.items())
        store.refresh()
        rows = store.days(wearer, P, "2026-01-01", "2026-12-31")
        assert {
            (r.day, int(State.of(label))): seconds // 5
            for r in rows for label, seconds in r.seconds.items() if seconds
        } == dict(days)  # fmt: skip
        kept = {t for d in store.dirty() for m, t, _ in store.gone(d) if m == "epoch"
                and d.wearer == wearer}  # fmt: skip
        assert not kept & set(mine), "something present is told to be forgotten"


@settings(max_examples=25)
@given(steps=Steps)
def test_any_order_of_steps_gives_the_dictionarys_contents(
    steps: list[tuple[str, int, int, int, int]],
) -> None:
    """Nothing is lost, doubled or torn, and no rollup is stale, whatever came in which order."""
    with tempfile.TemporaryDirectory() as name:
        place = Settings(data=Path(name), zone="Europe/Berlin", influx_url="http://127.0.0.1:1")
        model = Model()
        store = open_store(place)
        try:
            for step in steps:
                if step[0] == "reopen":
                    store.close()
                    store = open_store(place)
                apply(store, model, step)
            check(store, model)
            assert list(store.integrity()) == []
        finally:
            store.close()


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
@settings(max_examples=20)
def test_raw_comes_back_however_it_was_cut(seed: int, parts: int) -> None:
    """Any cutting, order and repetition of a recording is stored as the recording."""
    rng = np.random.default_rng(seed)
    whole = make_samples(BASE + int(rng.integers(0, 60)) * SECOND_NS, 5000, seed % 1000)
    cuts = [0, *sorted(rng.integers(1, 5000, parts - 1).tolist()), 5000]
    pieces = [whole[a:b] for a, b in pairwise(cuts) if a < b]
    order = [*rng.permutation(len(pieces)).tolist(), 0]
    with (
        tempfile.TemporaryDirectory() as name,
        closing(open_store(Settings(data=Path(name)))) as store,
    ):
        for i in order:
            store.write(Batch(wearer="w", placement=P, raw=pieces[i]))
        back = store.raw("w", P, *ALL)
        assert np.array_equal(back.t_ns, whole.t_ns)
        assert np.array_equal(back.acc_g, whole.acc_g)
        assert sum(len(store.raw("w", P, a, b + 1)) for a, b in store.raw_spans("w", P)) == 5000
