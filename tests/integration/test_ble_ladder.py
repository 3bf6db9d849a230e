# SPDX-License-Identifier: Apache-2.0
"""The last rungs: a scan that hears nobody, the adapter switched off and on, values by a socket."""

import logging

import pytest

from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.link_bench import ADDRESS, Bench
from tests.fakes.plain import PlainSensor
from tracker.clock import Clock
from tracker.collect.ladder import DEAF_SCANS, Ladder
from tracker.collect.link_care import LinkParams, open_sockets
from tracker.collect.scan import Air

QUICK = LinkParams(scan_s=1.0, pause_max_s=1.0)


async def test_a_stuck_scan_is_cured_by_a_power_cycle(bluez: FakeBluez, clock: Clock) -> None:
    """Scans begin, say nothing, and hear nobody (bluez #807): off and on once, and it streams."""
    bluez.scan_stuck = True
    bench = Bench(bluez, clock, ADDRESS, Air(clock), QUICK)
    bench.start()
    await bench.more(3, seconds=120)
    await bench.stop()
    assert bluez.calls.count("Set") == 2
    assert bluez.powered


async def test_an_adapter_with_somebodys_link_is_left_alone(
    bluez: FakeBluez, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Headphones of another program are connected through it: no power cycle, a word instead."""
    other = bluez.add(Sensor("C0:00:00:00:00:99", PlainSensor()))
    other.exists = other.connected = True
    bluez.scan_stuck = True
    air = Air(clock)
    bench = Bench(bluez, clock, ADDRESS, air, QUICK)
    with caplog.at_level(logging.INFO, "backstay.radio"):
        bench.start()
        await bench.until(lambda: bool(air.trouble), seconds=120)
        await bench.until(lambda: any("pull the adapter" in n.why for n in bench.news))
        await bench.stop()
    assert "Set" not in bluez.calls
    assert other.connected


async def test_one_cycle_a_silence_and_then_words() -> None:
    """A house without any device in the air is no fault: once off and on, and no more."""
    cycles = 0

    async def cycle() -> bool:
        nonlocal cycles
        cycles += 1
        return True

    ladder = Ladder(cycle=cycle, errors=(OSError,))
    for _ in range(5 * DEAF_SCANS):
        await ladder.heard(False)
    assert cycles == 1
    assert "pull the adapter out" in ladder.trouble
    await ladder.heard(True)
    assert ladder.trouble == ""

    async def fails() -> bool:
        raise OSError("no bus")

    ladder = Ladder(cycle=fails, errors=(OSError,))
    for _ in range(2 * DEAF_SCANS):
        await ladder.heard(False)
    assert ladder.trouble


async def test_values_by_a_socket_of_their_own(bluez: FakeBluez, clock: Clock) -> None:
    """AcquireNotify as a setting: the same stream, over a link loss too, and no socket is left."""
    before = open_sockets()
    bench = Bench(bluez, clock, ADDRESS, Air(clock), LinkParams(acquire_notify=True))
    bench.start()
    await bench.more(5)
    assert "AcquireNotify" in bluez.calls
    assert "StartNotify" not in bluez.calls
    during = open_sockets()
    for _ in range(3):
        bluez.lose_link(ADDRESS)
        await bench.more(5)
    after = open_sockets()
    await bench.stop()
    assert len(set(bench.counts)) == len(bench.counts)
    assert before is not None
    assert during is not None
    assert after is not None
    assert after <= during
