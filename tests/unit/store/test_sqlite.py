# SPDX-License-Identifier: Apache-2.0
"""The embedded store: exact values, one writer, nothing twice, nothing half."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.series import T0, make_epochs, make_samples, same
from tracker.clock import Clock
from tracker.errors import NewerStore, StoreBusy, StoreDamaged, UsageError
from tracker.model import (
    EPOCH_NS,
    SECOND_NS,
    Exercise,
    ExerciseSet,
    Gap,
    GapReason,
    Live,
    Placement,
    State,
)
from tracker.settings import Settings
from tracker.store.base import Batch, CalibrationRecord, SensorConfig
from tracker.store.lock import is_locked
from tracker.store.records import open_records
from tracker.store.sqlite import SqliteStore, open_reader, open_store

W, P = "w-1", Placement.UPPER_BACK
PRAGMAS = ("journal_mode", "synchronous", "fullfsync", "secure_delete")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh data folder."""
    return Settings(data=tmp_path / "data", zone="Europe/Berlin")


@pytest.fixture
def store(settings: Settings):
    """An open store."""
    opened = open_store(settings)
    yield opened
    opened.close()


def test_every_commit_is_synced_to_the_disk(store: SqliteStore, settings: Settings) -> None:
    """Power loss: both files write ahead with synchronous=FULL (2), so a commit waits for fsync.

    Also after a write without a sync of its own.
    """
    records = open_records(settings)
    store.write_many([Batch(wearer=W, placement=P, epochs=make_epochs(T0, 3))], sync=False)
    with store._reading() as series, records.engine.reading() as people:
        for db in (series, people):
            found = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS]
            assert found == ["wal", 2, 1, 1]
    records.close()


def test_epochs_come_back_to_the_last_digit(store: SqliteStore) -> None:
    """Every column, every code and NaN is equal after a round trip."""
    epochs = make_epochs(T0, 2000)
    store.write(Batch(wearer=W, placement=P, epochs=epochs))
    back = store.epochs(W, P, T0, T0 + 10**15)
    assert back.equals(epochs)
    assert back.algo == epochs.algo


def test_raw_by_the_second_is_packed_by_the_minute_and_bit_equal(store: SqliteStore) -> None:
    """200 one-second writes come back as written, and old minutes are one packed block each."""
    whole = make_samples(T0 + 17 * SECOND_NS, 200 * 50)
    for i in range(200):
        store.write(Batch(wearer=W, placement=P, raw=whole[i * 50 : (i + 1) * 50]))
    assert same(store.raw(W, P, 0, 2**62), whole)
    a, b = 1234, 7777
    cut = store.raw(W, P, int(whole.t_ns[a]), int(whole.t_ns[b]))
    assert same(cut, whole[a:b])
    with store._reading() as db:
        packed, opened = db.execute("SELECT sum(packed), sum(1 - packed) FROM raw").fetchone()
    assert packed == 3
    assert opened == 200 - 43 - 120
    assert store.raw_spans(W, P) == [(int(whole.t_ns[0]), int(whole.t_ns[-1]))]


def test_raw_is_never_stored_twice(store: SqliteStore) -> None:
    """Repeated, overlapping and interleaved writes leave each time once."""
    whole = make_samples(T0, 10_000, gyro=False)
    for part in (whole[0:4000], whole[2000:6000], whole[0:4000], whole[5000:], whole):
        store.write(Batch(wearer=W, placement=P, raw=part))
    assert same(store.raw(W, P, 0, 2**62), whole)
    with store._reading() as db:
        assert db.execute("SELECT sum(n) FROM raw").fetchone() == (10_000,)


def test_chain_state_says_how_far_it_reaches(store: SqliteStore) -> None:
    """The state is kept with the time of the last sample it has seen; later raw can be replayed."""
    raw = make_samples(T0, 100)
    store.write(Batch(wearer=W, placement=P, raw=raw[:60], chain_state=b"after 60"))
    store.write(Batch(wearer=W, placement=P, raw=raw[60:]))
    state = store.chain_state(W, P)
    assert state == (int(raw.t_ns[59]), b"after 60")
    assert same(store.raw(W, P, state[0] + 1, 2**62), raw[60:])
    assert store.chain_state("nobody", P) is None
    told = Batch(wearer=W, placement=P, chain_state=b"after 80", chain_through_ns=int(raw.t_ns[79]))
    store.write_many([told], sync=False)
    assert store.chain_state(W, P) == (int(raw.t_ns[79]), b"after 80")
    with store._reading() as db:  # the next write is synced again
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_second_writer_is_refused_and_readers_are_not(
    store: SqliteStore, settings: Settings
) -> None:
    """One file has one writing process; the sentence says so; the lock goes with its owner."""
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 3)))
    with pytest.raises(StoreBusy, match="in use by another Backstay process"):
        open_store(settings)
    reader = open_reader(settings)
    assert len(reader.epochs(W, P, 0, 2**62)) == 3
    assert is_locked(settings.epochs_db)
    store.close()
    assert not is_locked(settings.epochs_db)
    open_store(settings).close()
    reader.close()


def test_reader_before_the_first_start_is_empty_and_then_finds_the_file(settings: Settings) -> None:
    """A dashboard that starts before the collector shows nothing, then the data."""
    reader = open_reader(settings)
    assert list(reader.wearers()) == []
    assert reader.live(W, P) is None
    assert len(reader.raw(W, P, 0, 2**62)) == 0
    store = open_store(settings)
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 3)))
    assert list(reader.wearers()) == [(W, P)]
    reader.close()
    store.close()


def test_a_batch_is_all_or_nothing(store: SqliteStore) -> None:
    """A batch whose last part cannot be stored leaves nothing of its first parts."""
    bad = Live(
        at_ns=1, state=State.LYING, since_ns=1, confidence=1, provisional=False, tilt_deg=0,
        side_deg=0, slump_pct=0, link=object(),  # type: ignore[arg-type]  # cannot be JSON
    )  # fmt: skip
    with pytest.raises(TypeError):
        store.write(
            Batch(
                wearer=W, placement=P, raw=make_samples(T0, 50), epochs=make_epochs(T0, 3), live=bad
            )
        )
    assert len(store.epochs(W, P, 0, 2**62)) == 0
    assert len(store.raw(W, P, 0, 2**62)) == 0


def test_live_row_round_trip_with_missing_values(store: SqliteStore) -> None:
    """NaN and None come back as they were; the trace too."""
    live = Live(
        at_ns=T0, state=State.SITTING, since_ns=T0 - 5, confidence=0.93, provisional=True,
        tilt_deg=12.3, side_deg=math.nan, slump_pct=math.nan, link="streaming",
        trace=(1.0, math.nan, 2.5),
    )  # fmt: skip
    store.write(Batch(wearer=W, placement=P, live=live))
    back = store.live(W, P)
    assert back is not None
    assert repr(back) == repr(live)


def test_reanalysis_replaces_but_keeps_what_a_person_said(store: SqliteStore) -> None:
    """Epochs and sensor sets of the span are replaced; a set confirmed by a person stays."""
    told = ExerciseSet(
        start_ns=T0, end_ns=T0 + EPOCH_NS, exercise=Exercise.PLANK, reps=0, hold_s=5.0,
        confidence="high", source="user",
    )  # fmt: skip
    seen = replace(told, source="sensor", exercise=Exercise.SQUAT, reps=3)
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 100), sets=[told]))
    fresh = make_epochs(T0, 60, seed=2)
    store.write(
        Batch(
            wearer=W,
            placement=P,
            epochs=fresh,
            sets=[seen],
            replace_from_ns=T0,
            replace_to_ns=T0 + 100 * EPOCH_NS,
        )
    )
    assert store.epochs(W, P, 0, 2**62).equals(fresh)
    assert list(store.sets(W, P, 0, 2**62)) == [told]


def test_sensors_calibrations_and_settings(store: SqliteStore) -> None:
    """Small tables round trip, replace and remove."""
    sensor = SensorConfig(address="AA:BB", wearer=W, placement=P, options={"axes": "x=up"})
    store.put_sensor(sensor)
    store.put_sensor(replace(sensor, name="tag"))
    assert list(store.sensors()) == [replace(sensor, name="tag")]
    store.remove_sensor("AA:BB")
    assert list(store.sensors()) == []
    record = CalibrationRecord(from_ns=T0, kind="mounting", body={"r": [[1.0, 0.5], [2, 3]]})
    store.put_calibration(W, P, record)
    assert list(store.calibrations(W, P)) == [record]
    store.put_wearer_setting(W, "slouch", {"over": 60})
    store.put_wearer_setting(W, "zone", "America/New_York")
    assert dict(store.wearer_settings(W)) == {"slouch": {"over": 60}, "zone": "America/New_York"}
    with pytest.raises(UsageError, match="not a time zone"):
        store.put_wearer_setting(W, "zone", "Mars/Base")


@pytest.mark.parametrize(
    ("first_utc_s", "hours"),
    [(1_774_738_800, 23), (1_792_879_200, 25), (1_795_474_800, 24)],
    ids=["spring 2026-03-29", "autumn 2026-10-25", "plain 2026-11-24"],
)
def test_days_have_the_length_of_the_wearers_day(
    store: SqliteStore, first_utc_s: int, hours: int
) -> None:
    """A fully recorded local day has 23, 24 or 25 hours of states; neighbours get the rest."""
    start = (first_utc_s - 7200) * SECOND_NS
    n = (hours + 4) * 720
    store.write(
        Batch(
            wearer=W,
            placement=P,
            epochs=make_epochs(start, n),
            replace_from_ns=start,
            replace_to_ns=start + n * EPOCH_NS,
        )
    )
    rows = store.days(W, P, "2026-01-01", "2026-12-31")
    assert [sum(r.seconds.values()) // 3600 for r in rows] == [2, hours, 2]
    assert rows[1].start_ns == first_utc_s * SECOND_NS
    assert sum(sum(h.seconds.values()) for h in store.hours(W, P, 0, 2**62)) == n * 5


def test_a_new_zone_moves_the_days(store: SqliteStore) -> None:
    """After a change of zone the rollups follow the new midnight."""
    start = 1_795_474_800 * SECOND_NS  # 2026-11-24 00:00 in Berlin
    store.write(
        Batch(
            wearer=W,
            placement=P,
            epochs=make_epochs(start, 17_280),
            replace_from_ns=start,
            replace_to_ns=start + 1,
        )
    )
    assert [r.day for r in store.days(W, P, "2026-01-01", "2026-12-31")] == ["2026-11-24"]
    store.put_wearer_setting(W, "zone", "America/New_York")
    rows = store.days(W, P, "2026-01-01", "2026-12-31")
    assert [(r.day, sum(r.seconds.values()) / 3600) for r in rows] == [
        ("2026-11-23", 6.0),
        ("2026-11-24", 18.0),
    ]


def test_live_appends_refresh_the_day_within_a_minute(
    store: SqliteStore, settings: Settings
) -> None:
    """Epoch by epoch the stored rollup is never more than a minute of data behind."""
    epochs = make_epochs(T0, 100)
    reader = open_reader(settings)
    for i in range(100):
        store.write(Batch(wearer=W, placement=P, epochs=epochs[i : i + 1]))
        (row,) = reader.days(W, P, "2026-11-24", "2026-11-24")
        assert 0 <= (i + 1) * 5 - sum(row.seconds.values()) <= 60
    reader.close()


def test_retention_drops_old_raw_and_keeps_epochs(settings: Settings) -> None:
    """Raw older than the setting goes; epochs and rollups stay; late days are safe."""
    clock = Clock(start_ns=T0 + 40 * 86_400 * SECOND_NS, origin_ns=0, speed=1e-12)
    store = open_store(settings, clock)
    old, new = make_samples(T0, 500), make_samples(T0 + 30 * 86_400 * SECOND_NS, 500)
    store.write(Batch(wearer=W, placement=P, raw=old, epochs=make_epochs(T0, 2)))
    store.write(Batch(wearer=W, placement=P, raw=new))
    store.housekeep(raw_days=30)
    assert same(store.raw(W, P, 0, 2**62), new)
    assert len(store.epochs(W, P, 0, 2**62)) == 2
    store.close()


def test_dirty_hours_are_acknowledged_only_unchanged(settings: Settings) -> None:
    """An hour that changed while it was sent stays in the queue."""
    store = open_store(replace(settings, influx_url="http://127.0.0.1:1"))
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 1000)))
    first = store.dirty()
    assert [d.hour_ns for d in first] == [T0, T0 + 3600 * SECOND_NS]
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 1)))
    store.clear_dirty(first)
    assert [d.hour_ns for d in store.dirty()] == [T0]
    assert store.backlog()[0] == 1
    store.clear_dirty(store.dirty())
    assert store.backlog() == (0, None)
    store.close()


def test_erase_leaves_no_row_and_no_byte(store: SqliteStore, settings: Settings) -> None:
    """After an erasure the wearer's id is nowhere in the files, others stay; twice is 0."""
    secret = "w-pseudonym-7f3a"
    for wearer in (secret, W):
        store.write(
            Batch(
                wearer=wearer,
                placement=P,
                raw=make_samples(T0, 5000),
                epochs=make_epochs(T0, 900),
                gaps=[Gap(start_ns=1, end_ns=2, reason=GapReason.LINK_LOST)],
                chain_state=b"x",
            )
        )
        store.put_wearer_setting(wearer, "zone", "Europe/Berlin")
    block = store.raw(secret, P, 0, 2**62).acc_g[:50].tobytes()
    assert store.erase(secret) > 900
    assert store.erase(secret) == 0
    for file in settings.data.iterdir():
        data = file.read_bytes()
        assert secret.encode() not in data
        assert block not in data
    assert len(store.epochs(W, P, 0, 2**62)) == 900
    assert list(store.wearers()) == [(W, P)]


def test_newer_and_damaged_files_are_refused_with_a_sentence(settings: Settings) -> None:
    """A file of a newer version, and one that is no database, say what to do."""
    store = open_store(settings)
    with store._writing() as db:
        db.execute("INSERT INTO migration VALUES (99, 'future')")
    store.close()
    for opener in (open_store, lambda s: open_reader(s).wearers()):
        with pytest.raises(NewerStore, match="newer Backstay"):
            opener(settings)
    settings.epochs_db.write_bytes(b"not a database at all, just text" * 200)
    for opener in (open_store, lambda s: open_reader(s).wearers()):
        with pytest.raises(StoreDamaged, match="backstay restore"):
            opener(settings)


def test_integrity_finds_a_damaged_block(store: SqliteStore) -> None:
    """One flipped byte in a raw block is found and named."""
    store.write(Batch(wearer=W, placement=P, raw=make_samples(T0, 100)))
    assert list(store.integrity()) == []
    with store._writing() as db:
        (data,) = db.execute("SELECT data FROM raw").fetchone()
        broken = bytes([*data[:40], data[40] ^ 1, *data[41:]])
        db.execute("UPDATE raw SET data = ?", (broken,))
    (sentence,) = store.integrity()
    assert "raw block 1" in sentence


def test_files_are_for_the_owner_alone(store: SqliteStore, settings: Settings) -> None:
    """Health data are not readable by other users of the machine."""
    assert settings.epochs_db.stat().st_mode & 0o077 == 0
    assert settings.data.stat().st_mode & 0o077 == 0
