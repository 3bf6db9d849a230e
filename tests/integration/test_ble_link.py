# SPDX-License-Identifier: Apache-2.0
"""The supervisor over unmodified Bleak and a fake BlueZ: what an eight-hour stream must survive.

One test per point of the list; time runs ten times as fast. Each reads the counter of a plain
sensor, so a lost or doubled value is a number.
"""

import asyncio
import itertools
import logging

import pytest

from tests.fakes.bluez import FakeBluez, Sensor
from tests.fakes.bus import Bus
from tests.fakes.link_bench import ADDRESS, Bench
from tests.fakes.plain import DATA, PLAIN, PlainSensor
from tracker.clock import Clock
from tracker.collect.ble import Link
from tracker.collect.scan import Air
from tracker.model import GapReason


def no_doubles(counts: list[int]) -> bool:
    """Whether every value arrived once and in order."""
    return all(b > a for a, b in itertools.pairwise(counts))


async def test_connect_configure_stream(bench: Bench) -> None:
    """Scan, match, subscribe before the start write, battery and signal read, data flow."""
    await bench.more(20)
    assert no_doubles(bench.counts)
    calls = bench.bluez.calls
    assert calls.index("StartNotify") < calls.index("WriteValue")
    streaming = next(n for n in bench.news if n.link == "streaming")
    assert (streaming.battery_pct, streaming.rssi_dbm) == (87, -60)


async def test_sigterm_leaves_nothing_behind(bench: Bench) -> None:
    """A cancelled supervisor stops the sensor, disconnects and frees its bus connection."""
    await bench.stop()
    assert not bench.sensor.connected
    assert not bench.device.running
    assert not any(bench.sensor.registrations.values())


async def test_link_loss_reconnects_without_doubles(bench: Bench) -> None:
    """Point 1: after three supervision timeouts every value still comes once."""
    for _ in range(3):
        bench.bluez.lose_link(ADDRESS)
        await bench.more(8)
    assert no_doubles(bench.counts)
    assert bench.sensor.connects == 4
    assert max(len(c) for c in bench.sensor.registrations.values()) == 1
    assert bench.words.count("lost") == 3


async def test_sloppy_client_shows_that_the_fake_is_honest(
    bluez: FakeBluez, clock: Clock, bus: Bus
) -> None:
    """Point 1, the disease itself: without disconnecting the old client each value comes twice.

    If this fails, the fake has lost the behaviour that the supervisor's rule exists for.
    """
    from bleak import BleakClient, BleakScanner

    device = PlainSensor()
    bluez.add(Sensor(ADDRESS, device))
    device.running = True
    old = []
    got: list[bytes] = []
    for _ in range(2):
        found = await BleakScanner.find_device_by_address(ADDRESS, timeout=3)
        assert found is not None
        client = BleakClient(found)
        await client.connect()
        got.clear()
        await client.start_notify(DATA, lambda _, data: got.append(bytes(data)))
        old.append(client)
        assert await bluez.notify(ADDRESS, DATA, b"once") == len(old)
        await asyncio.sleep(0.05)
        if len(old) == 1:
            bluez.lose_link(ADDRESS)
            await asyncio.sleep(0.05)
    assert got == [b"once", b"once"]
    for client in old:
        await client.disconnect()


async def test_bluetoothd_killed_and_restarted(bench: Bench) -> None:
    """Point 3: nobody is told that bluetoothd died; the age of the data ends the connection."""
    await bench.bluez.crash()
    await bench.until(lambda: "lost" in bench.words)
    assert any("silent" in n.why for n in bench.news)
    await bench.until(lambda: any(n.reason is GapReason.ADAPTER_OFF for n in bench.news))
    await bench.bluez.start()
    await bench.more(5)
    assert no_doubles(bench.counts)


async def test_bluetoothd_restarted_politely(bench: Bench) -> None:
    """Point 3: a systemctl restart closes links first; the supervisor is back by itself."""
    await bench.bluez.terminate()
    await asyncio.sleep(0.1)
    await bench.bluez.start()
    await bench.more(5)
    assert no_doubles(bench.counts)


async def test_silent_stall_is_ended_by_the_watchdog(bench: Bench) -> None:
    """Point 3: connected and silent for 2.5 s means reconnect; the link itself never broke."""
    bench.sensor.silent = True
    await bench.until(lambda: "lost" in bench.words)
    assert "silent" in next(n for n in bench.news if n.link == "lost").why
    bench.sensor.silent = False
    await bench.more(5)
    assert bench.sensor.connects >= 2


async def test_dbus_death(bench: Bench, bus: Bus) -> None:
    """Point 3: the bus itself dies and comes back; Bleak 3.1 calls back, the stream goes on."""
    bus.kill()
    await bench.until(lambda: "lost" in bench.words)
    await bench.bluez.crash()
    bus.start()
    await bench.bluez.start()
    await bench.more(5)
    assert no_doubles(bench.counts)


async def test_zombie_link_is_taken_over(bluez: FakeBluez, clock: Clock) -> None:
    """Point 4: a link that outlived a crashed collector is not advertised; it is asked for."""
    made = Bench(bluez, clock, ADDRESS, Air(clock))
    made.sensor.exists = made.sensor.connected = True
    bluez._export(made.sensor)
    made.start()
    await made.more(3)
    assert made.sensor.connects == 0  # no Connect call was needed
    assert "StartDiscovery" not in bluez.calls
    await made.stop()


async def test_scan_that_does_not_stop(bench: Bench) -> None:
    """Point 5: StopDiscovery answers InProgress; the scan ends anyway and the link comes back."""
    bench.bluez.stop_discovery_busy = 3
    bench.bluez.lose_link(ADDRESS)
    await bench.more(5)
    assert no_doubles(bench.counts)


@pytest.mark.parametrize("text", ["le-connection-abort-by-local", "br-connection-canceled"])
async def test_connect_errors_are_retried(bench: Bench, text: str) -> None:
    """Point 6: aborts (with their false Connected) and errors are tried again with a pause."""
    bench.sensor.connect_errors = [text] * 3
    bench.bluez.lose_link(ADDRESS)
    await bench.more(5)
    assert bench.sensor.connect_errors == []
    assert no_doubles(bench.counts)


async def test_services_never_resolved(bench: Bench) -> None:
    """Point 6: services that are never resolved end the try after its own time, not never."""
    bench.sensor.resolve = False
    bench.bluez.lose_link(ADDRESS)
    await bench.until(lambda: bench.sensor.connects == 2)
    await bench.until(lambda: bench.words.count("lost") >= 2)
    bench.sensor.resolve = True
    await bench.more(5)
    assert no_doubles(bench.counts)


async def test_out_of_range_and_back(bench: Bench) -> None:
    """Point 6: a device that left blocks nobody for 30 s, is told apart, and comes back."""
    bench.sensor.rssi_dbm = -91
    bench.bluez.lose_link(ADDRESS)
    await bench.more(3)  # seen once more, faintly
    bench.sensor.in_range = False
    bench.bluez.lose_link(ADDRESS)
    await bench.until(lambda: "out_of_reach" in bench.words)
    bench.sensor.in_range = True
    await bench.more(5)
    assert no_doubles(bench.counts)
    assert "sensor_off" not in bench.words


async def test_sensor_off_is_not_out_of_reach(bench: Bench) -> None:
    """A strong sensor of somebody who sat still and then vanished was switched off or ran empty."""
    bench.sensor.in_range = False
    bench.bluez.lose_link(ADDRESS)
    await bench.until(lambda: "sensor_off" in bench.words)
    assert "out_of_reach" not in bench.words


async def test_reading_the_data_characteristic_is_never_done(bench: Bench) -> None:
    """Point 8: a read of the notifying characteristic would come twice; only battery is read."""
    await bench.more(10)
    assert bench.bluez.calls.count("ReadValue") == 1


async def test_handles_moved_by_a_firmware_update(bench: Bench) -> None:
    """Point 10: characteristics are found by UUID, whatever their handles are now."""
    bench.sensor.handle_shift = 40
    bench.bluez.lose_link(ADDRESS)
    await bench.more(5)
    assert no_doubles(bench.counts)


async def test_remembered_services_that_do_not_fit(bench: Bench) -> None:
    """Point 10, last resort: the system remembers old services; it is made to forget the device."""
    bench.sensor.stale_cache = True
    bench.bluez.lose_link(ADDRESS)
    await bench.more(5)
    assert "RemoveDevice" in bench.bluez.calls


async def test_a_deaf_sensor_is_left_and_tried_again(bench: Bench) -> None:
    """Point 11: a sensor that takes the start write and never answers ends the try by its time."""
    bench.device.deaf = True
    bench.bluez.lose_link(ADDRESS)
    await bench.until(lambda: any("no answer" in n.why for n in bench.news))
    bench.device.deaf = False
    await bench.more(5)


async def test_adapter_off_and_on(bench: Bench) -> None:
    """Point 12: Bluetooth off is said as such, and the stream is back after it is on."""
    bench.bluez.power(on=False)
    await bench.until(lambda: any("switched off" in n.why for n in bench.news))
    bench.bluez.power(on=True)
    await bench.more(5)
    assert no_doubles(bench.counts)


async def test_adapter_unplugged_and_back(bench: Bench) -> None:
    """Point 12: the USB adapter is pulled and put in again."""
    bench.bluez.unplug()
    await bench.until(lambda: any("plug one in" in n.why for n in bench.news))
    bench.bluez.plug()
    await bench.more(5)
    assert no_doubles(bench.counts)


async def test_several_sensors_share_the_air(bluez: FakeBluez, clock: Clock) -> None:
    """Point 7: four sensors, one of them absent; the others connect and none is given doubles."""
    air = Air(clock)
    made = [Bench(bluez, clock, f"C0:00:00:00:00:0{i}", air) for i in range(4)]
    made[3].sensor.in_range = False
    for one in made:
        one.start()
    for one in made[:3]:
        await one.more(5)
    for one in made[:3]:
        bluez.lose_link(one.sensor.address)
    for one in made[:3]:
        await one.more(5)
        assert no_doubles(one.counts)
    for one in made:
        await one.stop()


async def test_every_decision_is_logged_with_the_address(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """An operator can read from the log what the supervisor did to which sensor and why."""
    with caplog.at_level(logging.INFO, logger="backstay.radio"):
        bench.bluez.lose_link(ADDRESS)
        await bench.more(3)
    said = [r for r in caplog.records if r.name == "backstay.radio"]
    assert {"pause before the next try", "connecting"} <= {r.getMessage() for r in said}
    assert all(vars(r)["sensor"] == ADDRESS for r in said)


async def test_services_decide_never_the_name(bluez: FakeBluez, clock: Clock) -> None:
    """A sensor that is named like another maker's and advertises no service is still itself."""
    made = Bench(bluez, clock, ADDRESS, Air(clock))
    made.device.name, made.device.services = "Polar H10 0000ABCD", ()
    made.link = Link(address=ADDRESS, inbox=made.inbox, air=Air(clock), clock=clock, extra=[PLAIN])
    made.start()
    await made.more(3)
    assert made.link.decoder is PLAIN
    await made.stop()


async def test_a_wrong_decoder_is_named_and_not_forced(bluez: FakeBluez, clock: Clock) -> None:
    """Configured for another kind of sensor: the sentence says what to do, nothing is stored."""
    from firmware_protocol.registry import decoders

    made = Bench(bluez, clock, ADDRESS, Air(clock))
    made.link = Link(
        address=ADDRESS, inbox=made.inbox, air=Air(clock), clock=clock, decoder=decoders()["polar"]
    )
    made.start()
    await made.until(lambda: any("its services do not fit" in n.why for n in made.news))
    assert made.counts == []
    await made.stop()
