# SPDX-License-Identifier: Apache-2.0
"""The collector as a real process: killed, asked, stopped, and started twice by mistake."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from firmware_protocol.registry import decoders
from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.collector import Collector, shifted, until
from tests.fakes.player import Player, resample
from tracker import chain
from tracker.clock import Clock
from tracker.collect.setups import setups
from tracker.errors import AccessDenied, InputError, ServiceError, UsageError
from tracker.model import GapReason, Placement, Samples
from tracker.settings import read_settings
from tracker.simulation.days import workday
from tracker.store.sqlite import SqliteReader, open_reader

ADDRESS = "C0:00:00:00:00:00"
PLACE = Placement.UPPER_BACK
FOR_EVER = 1 << 62
AXES = "x=forward,y=left,z=up"


@pytest.fixture
async def collector(tmp_path: Path, bluez: FakeBluez, clock: Clock) -> AsyncIterator[Collector]:
    """A collector that is not started yet; ended after the test whatever happens."""
    made = Collector(tmp_path / "data", clock)
    yield made
    if made.process is not None and made.process.returncode is None:
        await made.end(signal.SIGKILL)


@pytest.fixture
def reader(collector: Collector) -> SqliteReader:
    """Reads beside the collector."""
    return open_reader(read_settings(data=collector.data))


def raw_count(reader: SqliteReader, wearer: str = "w1") -> int:
    """Samples on the disk."""
    return len(reader.raw(wearer, PLACE, 0, FOR_EVER))


async def test_kill_9_in_mid_stream_loses_nothing_that_was_stored(
    bluez: FakeBluez, clock: Clock, collector: Collector, reader: SqliteReader
) -> None:
    """Killed and started again: it takes the zombie link over, and the epochs equal one batch.

    What arrived more than a second before the kill is on the disk; the sensor replays the rest.
    """
    device = decoders()["reference"].peripheral()
    sensor = bluez.add(Sensor(ADDRESS, device))
    await collector.start("--sensor", ADDRESS, "--wearer", "w1", "--axes", AXES, "--no-phones")
    await until(clock, lambda: device.streaming)
    motion = resample(workday(np.random.default_rng(3), hours=0.03).samples, 50.0)
    endless = Samples.concat([shifted(motion, i) for i in range(6)])  # however slow the restart
    player = Player(bluez, sensor, endless, clock, clock.now_ns())
    play = asyncio.ensure_future(player.run())
    await until(clock, lambda: raw_count(reader) > 600)
    await clock.sleep(4)
    sent = player.played
    await clock.sleep(3)  # three seconds of this clock are less than a second of the disk's
    await collector.end(signal.SIGKILL)
    kept = raw_count(reader)
    assert kept >= sent - 3 * 50
    assert sensor.connected  # the link outlives its process
    await collector.start()
    await until(clock, lambda: raw_count(reader) > kept + 100)
    await until(clock, lambda: raw_count(reader) > player.played - 200)  # REPLAY has filled it
    await clock.sleep(8)
    play.cancel()
    code, _, err = await collector.end()
    assert '"taken_over": true' in err  # the old link was asked for first
    assert code == 0
    raw = reader.raw("w1", PLACE, 0, FOR_EVER)
    setup = setups(PLACE, reader.calibrations("w1", PLACE), {}, axes=AXES)[-1].setup
    found = reader.epochs("w1", PLACE, 0, FOR_EVER)
    assert found.equals(chain.analyze(raw, setup).epochs)
    told_s = sum(sum(d.seconds.values()) for d in reader.days("w1", PLACE, "0", "9"))
    assert told_s == 5 * len(found), "the day's row lacks the end of the day"
    steps = np.diff(raw.t_ns)
    holes = [(int(raw.t_ns[i]), int(raw.t_ns[i + 1])) for i in np.flatnonzero(steps > 5e8)]
    gaps = reader.gaps("w1", PLACE, 0, int(raw.t_ns[-1]))  # the silence after it is one too
    assert [(g.start_ns, g.end_ns) for g in gaps] == holes  # every sample accounted for
    assert {g.reason for g in gaps} <= {GapReason.COLLECTOR_DOWN}


async def test_sigterm_lets_go_and_a_second_collector_is_refused(
    bluez: FakeBluez, clock: Clock, collector: Collector, reader: SqliteReader
) -> None:
    """Two collectors on one folder: the second says so and ends; SIGTERM ends the first cleanly."""
    device = decoders()["reference"].peripheral()
    sensor = bluez.add(Sensor(ADDRESS, device))
    await collector.start("--sensor", ADDRESS, "--wearer", "w1", "--no-phones")
    await until(clock, lambda: device.streaming)
    second = Collector(collector.data, clock)
    await second.spawn("collect")
    code, _, err = await second.end(signal.SIGCONT)
    assert code == 1
    assert "already runs" in err
    assert "Traceback" not in err
    code, _, err = await collector.end()
    assert code == 0
    assert "Traceback" not in err
    assert not sensor.connected
    assert not (collector.data / "collector.json").exists()
    with pytest.raises(ServiceError, match="backstay"):
        await collector.ask("ping")


async def test_the_local_door(bluez: FakeBluez, clock: Clock, collector: Collector) -> None:
    """Scan, add, status, settings, hand-over, correction, backup, erase: asked like a page does."""
    bluez.add(Sensor(ADDRESS, decoders()["reference"].peripheral()))
    await collector.start("--no-phones")
    assert (collector.data / "collector.json").stat().st_mode & 0o77 == 0
    (line,) = await collector.ask("scan", seconds=2)
    assert (line["address"], line["decoder"], line["bars"]) == (ADDRESS, "reference", 4)
    await collector.ask("add_sensor", address=ADDRESS, wearer="w1", placement="upper-back")
    with pytest.raises(InputError, match="already wears"):
        await collector.ask("add_sensor", address="C1:00", wearer="w1", placement="upper-back")
    with pytest.raises(UsageError, match="known are"):
        await collector.ask("add_sensor", address=ADDRESS, wearer="w1", placement="head")
    for _ in range(200):
        status = await collector.ask("status")
        if status["streaming"]:
            break
        await asyncio.sleep(0.05)
    assert status["list"][0]["battery_pct"] == 87
    (shown,) = json.loads(await _scan_command(collector))
    assert (shown["connected"], shown["wearer"]) == (True, "w1")

    with pytest.raises(UsageError, match="slouch_over_pct"):
        await collector.ask("put", wearer="w1", key="slouch_over_pct", value=500)
    await collector.ask("put", wearer="w1", key="slouch_over_pct", value=70)
    epochs = {
        "start_ns": [0, 5 * 10**9], "state": [3, 3], "confidence": [1, 1], "trunk": [1, 1],
        "slouch": [0, 0], "tilt_deg": [1.5, None], "side_deg": [0, 0], "slump_pct": [10, 20],
        "move_mg": [1, 1], "exercise": [0, 0], "worn": [1, 1], "valid": [1, 1], "algo": "again",
    }  # fmt: skip
    span = {"wearer": "w1", "placement": "upper-back", "from_ns": 0, "to_ns": 10**10}
    assert await collector.ask("replace_epochs", **span, epochs=epochs) == 2
    with pytest.raises(UsageError, match="multiples of 5 s"):
        await collector.ask("replace_epochs", **span, epochs={**epochs, "start_ns": [0, 3]})
    told = {"wearer": "w1", "placement": "upper-back", "start_ns": 0, "end_ns": 5 * 10**9}
    assert await collector.ask("correct", **told, state="standing") == 1
    await collector.ask("confirm_set", **told, exercise="squat", reps=8)
    reader = open_reader(read_settings(data=collector.data))
    assert reader.epochs("w1", PLACE, 0, 10**10).state.tolist() == [5, 3]
    assert reader.sets("w1", PLACE, 0, 10**10)[0].reps == 8
    made = await collector.ask("backup")
    copy = SqliteReader(Path(made["folder"]) / "epochs.db")
    assert copy.epochs("w1", PLACE, 0, 10**10).algo == "again"
    copy.close()
    assert (await collector.ask("erase", wearer="w1"))["sensors"] == 1
    assert reader.wearers() == []
    assert (await collector.ask("status"))["sensors"] == 0
    await collector.end()


async def test_the_local_door_is_closed_to_strangers(
    bluez: FakeBluez, clock: Clock, collector: Collector
) -> None:
    """No token, a wrong one, no JSON, a line without end: refused, and the door stays open."""
    await collector.start("--no-phones")
    where = json.loads((collector.data / "collector.json").read_text())

    async def raw(line: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", where["port"])
        writer.write(line)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    for bad in (b'{"method": "erase"}\n', b"GET / HTTP/1.1\r\n\r\n", b"[" * 100_000 + b"\n"):
        assert not json.loads(await raw(bad))["ok"]
    wrong = json.dumps({"token": "x" * 43, "method": "erase", "params": {"wearer": "w1"}})
    assert json.loads(await raw(wrong.encode() + b"\n"))["kind"] == "AccessDenied"
    with contextlib.suppress(ConnectionResetError):  # it may hang up before all of it was sent
        assert not json.loads(await raw(b"x" * (5 << 20)))["ok"]
    (collector.data / "collector.json").write_text(json.dumps({**where, "token": "no"}))
    with pytest.raises(AccessDenied):
        await collector.ask("ping")
    (collector.data / "collector.json").write_text(json.dumps(where))
    with pytest.raises(UsageError, match="known are"):
        await collector.ask("rm -rf")
    with pytest.raises(UsageError, match="cannot be used"):
        await collector.ask("erase", person="w1")
    assert await collector.ask("ping") == "pong"
    await collector.end()


async def test_guided_calibration(
    bluez: FakeBluez, clock: Clock, collector: Collector, reader: SqliteReader
) -> None:
    """Stand, sit tall, sit relaxed: the calibration is stored with its date and used at once."""
    device = decoders()["reference"].peripheral()
    sensor = bluez.add(Sensor(ADDRESS, device))
    await collector.start("--sensor", ADDRESS, "--wearer", "w1", "--no-phones")
    await until(clock, lambda: device.streaming)
    motion = resample(workday(np.random.default_rng(3), hours=0.03).samples, 50.0)
    player = Player(bluez, sensor, motion, clock, clock.now_ns())
    play = asyncio.ensure_future(player.run())
    series = {"wearer": "w1", "placement": "upper-back"}
    with pytest.raises(UsageError, match="no calibration was begun"):
        await collector.ask("calibrate", **series, action="finish")
    await collector.ask("calibrate", **series, action="begin")
    for pose in ("stand", "sit_tall", "sit_slumped"):
        span = await collector.ask("calibrate", **series, action="pose", pose=pose, seconds=5)
        await until(clock, lambda end=span["until_ns"]: clock.now_ns() > end)
    done = await collector.ask("calibrate", **series, action="finish")
    assert done["poses"]["standing"]["seconds"] > 4
    record = reader.calibrations("w1", PLACE)[-1]
    assert record.kind == "poses"
    assert record.body == done["calibration"]
    play.cancel()
    await collector.end()


async def _scan_command(collector: Collector) -> str:
    other = Collector(collector.data, collector.clock)
    await other.spawn("scan", "--seconds", "2", "--json")
    code, out, err = await other.end(signal.SIGCONT)
    assert code == 0, err
    return out
