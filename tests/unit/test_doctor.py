# SPDX-License-Identifier: Apache-2.0
"""`backstay doctor` finds each likely fault; each fault here is really there.

The faults of Bluetooth are caused in `tests/integration/test_doctor_radio.py`.
"""

import json
import os
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fakes.series import make_epochs
from tracker import doctor
from tracker.checks import Finding, Level, Surroundings, calibration, clock, disk, ports
from tracker.clock import Clock
from tracker.commands.doctor import command
from tracker.model import SECOND_NS, Gap, GapReason, Placement
from tracker.settings import Settings
from tracker.store.base import Batch, CalibrationRecord, SensorConfig
from tracker.store.records import open_records
from tracker.store.sqlite import open_store

PLACE = Placement.UPPER_BACK
NOW_NS = 1_795_420_800 * SECOND_NS  # 2026-11-23 08:00 UTC
DAY_NS = 86_400 * SECOND_NS
SENSOR = SensorConfig(address="phone:1", wearer="w", placement=PLACE, name="Phone")


@pytest.fixture
def here(tmp_path: Path) -> Surroundings:
    """A machine with an empty data folder on a Monday morning; ports 0 are not looked at."""
    settings = Settings(data=tmp_path, zone="UTC", port=0, http_port=0)
    now = Clock(start_ns=NOW_NS, origin_ns=Clock().now_ns())
    return Surroundings(settings=settings, clock=now)


def looked(here: Surroundings, name: str) -> list[Finding]:
    """What one check finds."""
    return list(doctor.examine(here, [name]))


def the_fault(here: Surroundings, name: str, word: str, remedy: str) -> Finding:
    """The one fault of a check, whose sentence and remedy hold these words."""
    (found,) = [f for f in looked(here, name) if f.level is Level.FAULT]
    assert word in found.sentence, found
    assert remedy in found.remedy, found
    return found


def all_well(here: Surroundings, name: str) -> bool:
    """Whether a check finds nothing to remedy."""
    return doctor.healthy(looked(here, name))


def test_no_sensor(here: Surroundings) -> None:
    """A fresh folder has no sensor; one that is configured is no longer missed."""
    the_fault(here, "sensors", "No sensor", "backstay scan")
    store = open_store(here.settings)
    store.put_sensor(SENSOR)
    store.close()
    assert all_well(here, "sensors")


@pytest.mark.parametrize(
    ("status", "level"),
    [
        ({"link": "streaming", "age_s": 0.2, "battery_pct": 80}, Level.OK),
        ({"link": "streaming", "age_s": 0.2, "battery_pct": 8}, Level.NOTE),
        ({"link": "streaming", "age_s": 90.0}, Level.FAULT),
        ({"link": "sensor_off", "age_s": None}, Level.FAULT),
    ],
)
def test_a_running_collector_is_believed(
    here: Surroundings, status: dict[str, object], level: Level
) -> None:
    """What the collector says of its sensor decides: sends, low battery, silent, never seen."""
    asked = replace(here, collector={"list": [{"address": "C0:01", "name": "", **status}]})
    (found,) = looked(asked, "sensors")
    assert found.level is level


def test_a_clock_that_was_never_set(here: Surroundings) -> None:
    """A board that starts in 1970 is told to fetch the time."""
    lost = replace(here, clock=Clock(start_ns=0, origin_ns=Clock().now_ns()))
    the_fault(lost, "clock", "not set: it says 1970-01-01", "set-ntp")
    assert all_well(here, "clock")


def test_a_clock_that_was_set_back(here: Surroundings) -> None:
    """Data from the future mean that the clock is wrong now."""
    store = open_store(here.settings)
    store.write(Batch(wearer="w", placement=PLACE, epochs=make_epochs(NOW_NS + DAY_NS, 3)))
    store.close()
    the_fault(here, "clock", "set back", "restart")


def test_a_clock_that_jumped(here: Surroundings) -> None:
    """A gap that the collector wrote because the clock jumped is told for a day."""
    hour = 3600 * SECOND_NS
    gap = Gap(start_ns=NOW_NS - 2 * hour, end_ns=NOW_NS - hour, reason=GapReason.CLOCK_JUMP)
    store = open_store(here.settings)
    store.write(Batch(wearer="w", placement=PLACE, gaps=[gap]))
    store.close()
    the_fault(here, "clock", "jumped 1 times", "automatic time")
    later = Clock(start_ns=NOW_NS + 2 * DAY_NS, origin_ns=Clock().now_ns())
    assert all_well(replace(here, clock=later), "clock")


def test_a_disk_that_is_nearly_full(here: Surroundings, tmp_path: Path) -> None:
    """A disk of 4 MB (mounted where that is allowed, else its figure given) is nearly full."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    crowded = replace(here, settings=replace(here.settings, data=small))
    if not mounted:
        crowded = replace(crowded, free_bytes=lambda _: 4 << 20)
    try:
        the_fault(crowded, "disk", "nearly full: 4 MB", "BACKSTAY_RAW_DAYS")
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(small)], check=True)
    assert disk.judge(500 << 20, small).level is Level.NOTE
    assert all_well(replace(here, free_bytes=lambda _: 9 << 30), "disk")


def test_a_folder_that_is_no_folder(here: Surroundings, tmp_path: Path) -> None:
    """A data folder that cannot be one (a file has its name) is a fault of rights."""
    (tmp_path / "file").write_text("x")
    wrong = replace(here.settings, data=tmp_path / "file" / "data")
    the_fault(replace(here, settings=wrong), "disk", "cannot be written", "BACKSTAY_DATA")


class _Influx(BaseHTTPRequestHandler):
    """Answers what `answers` says: (status of a read, status of a write)."""

    answers = (401, 401)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """A query."""
        self._answer(self.answers[0], b'{"results":[{}]}')

    def do_POST(self) -> None:
        """A write."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(self.answers[1], b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def influx(here: Surroundings) -> Iterator[Surroundings]:
    """A machine whose InfluxDB answers as a test wants."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Influx)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield replace(here, settings=replace(here.settings, influx_url=url, influx_token="secret"))
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_wrong_token(influx: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused reads and writes are the token's fault; one of the two is enough, both are good."""
    monkeypatch.setattr(_Influx, "answers", (401, 401))
    found = the_fault(influx, "influx", "refuses the token", "BACKSTAY_INFLUX_TOKEN")
    assert "secret" not in found.sentence + found.remedy
    for answers, words in (((401, 400), "written"), ((200, 401), "can be read."), ((200, 204), "")):
        monkeypatch.setattr(_Influx, "answers", answers)
        (found,) = looked(influx, "influx")
        assert found.level is Level.OK
        assert words in found.sentence


def test_a_missing_bucket(influx: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """404 is not the token: the bucket has to be made."""
    monkeypatch.setattr(_Influx, "answers", (404, 404))
    the_fault(influx, "influx", "no bucket or database posture", "backstay influx setup")


def test_influxdb_away(here: Surroundings, free_port: Callable[[], int]) -> None:
    """Nobody listens: said, with the comfort that nothing is lost."""
    away = replace(here.settings, influx_url=f"http://127.0.0.1:{free_port()}")
    the_fault(replace(here, settings=away), "influx", "does not answer", "keeps everything")


def test_a_real_influxdb_takes_the_question(
    here: Surroundings, influxd: str, tmp_path: Path
) -> None:
    """On a real server the question writes nothing; a wrong password is refused, a good one not."""
    from tests.fakes.influx_shim import Influxd, Shim

    server = Influxd(influxd, tmp_path / "influx", auth=True)
    server.start()
    shim = Shim(server)
    try:
        server.query("CREATE USER a WITH PASSWORD 'b' WITH ALL PRIVILEGES")
        known = replace(here.settings, influx_url=shim.url, influx_token="a:b")
        stranger = replace(known, influx_token="a:wrong")
        the_fault(replace(here, settings=stranger), "influx", "refuses the token", "user:password")
        the_fault(replace(here, settings=known), "influx", "no bucket or database", "influx setup")
        from tracker.store.influx_target import InfluxTarget

        target = InfluxTarget(known)
        target.statement("CREATE DATABASE posture")
        assert all_well(replace(here, settings=known), "influx")
        assert target.query("SHOW MEASUREMENTS", {}) == []
        target.close()
    finally:
        shim.close()
        server.kill()


def test_a_port_that_is_taken(here: Surroundings) -> None:
    """A stranger on the dashboard's or the phone door's port is found, and ours is not one."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.listen(8)
        port = stranger.getsockname()[1]
        door = replace(here, settings=replace(here.settings, http_port=port))
        the_fault(door, "ports", f"Port {port} of the phone door", "BACKSTAY_HTTP_PORT")
        assert all_well(replace(door, collector={"phone_port": port}), "ports")
    assert all_well(door, "ports")


def test_a_stranger_who_speaks_http_has_the_dashboards_port(influx: Surroundings) -> None:
    """Another web server on the dashboard's port is told apart from our dashboard."""
    port = int(influx.settings.influx_url.rpartition(":")[2])
    taken = replace(influx, settings=replace(influx.settings, port=port))
    the_fault(taken, "ports", f"Port {port} of the dashboard", "BACKSTAY_PORT")


def test_a_port_one_may_not_have() -> None:
    """A port below 1024 needs rights; the remedy names the setting."""
    found = ports.judge("dashboard", "BACKSTAY_PORT", 80, ports.Port.FORBIDDEN)
    assert found.level is Level.FAULT
    assert "BACKSTAY_PORT to a port above 1023" in found.remedy


@pytest.mark.parametrize("name", ["epochs.db", "app.db"])
def test_a_newer_database(here: Surroundings, name: str) -> None:
    """A file that a newer version migrated is named, with the two ways out."""
    open_store(here.settings).close()
    open_records(here.settings).close()
    assert all_well(here, "stores")
    db = sqlite3.connect(here.settings.data / name)
    db.execute("INSERT INTO migration VALUES (99, 'from_the_future')")
    db.commit()
    db.close()
    the_fault(here, "stores", f"{name} was written by a newer", "backstay restore")


@pytest.mark.parametrize("name", ["epochs.db", "app.db"])
def test_a_damaged_database(here: Surroundings, name: str) -> None:
    """Bytes written over a page are found by the integrity check of either file."""
    store = open_store(here.settings)
    store.write(Batch(wearer="w", placement=PLACE, epochs=make_epochs(NOW_NS - DAY_NS, 2000)))
    store.close()
    open_records(here.settings).close()
    path = here.settings.data / name
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(3, size // 4096):
            file.seek(page * 4096)
            file.write(os.urandom(64))
    the_fault(here, "stores", f"{name} is damaged", "backstay restore")


def test_a_stale_calibration(here: Surroundings) -> None:
    """Poses older than 30 days are a fault, fresh ones are not; "auto" alone is a note."""
    store = open_store(here.settings)
    store.put_sensor(replace(SENSOR, added_ns=NOW_NS - 90 * DAY_NS))
    old = CalibrationRecord(from_ns=NOW_NS - 40 * DAY_NS, kind="poses", body={})
    store.put_calibration("w", PLACE, old)
    the_fault(here, "calibration", "40 days old", "page Sensor")
    store.put_calibration("w", PLACE, replace(old, from_ns=NOW_NS - DAY_NS))
    store.close()
    assert all_well(here, "calibration")
    auto = replace(old, kind="auto", from_ns=NOW_NS)
    assert calibration.judge(SENSOR, [auto], NOW_NS).level is Level.NOTE


def test_a_calibration_of_another_sensor() -> None:
    """A sensor that came after the calibration has none of its own."""
    record = CalibrationRecord(from_ns=NOW_NS - DAY_NS, kind="poses", body={})
    found = calibration.judge(replace(SENSOR, added_ns=NOW_NS), [record], NOW_NS)
    assert found.level is Level.FAULT


def test_the_command_prints_cures_and_exits_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    """A fresh machine: exit code 1, each fault with its remedy, the same as JSON, nothing made."""
    data = tmp_path / "new"
    monkeypatch.setenv("BACKSTAY_DATA", str(data))
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    for name in ("BACKSTAY_PORT", "BACKSTAY_HTTP_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    plain = CliRunner().invoke(command, standalone_mode=False)
    assert plain.return_value == 1
    assert "FAULT sensors: No sensor is configured.\n      -> " in plain.output
    listed = CliRunner().invoke(command, ["--json"], standalone_mode=False)
    findings = json.loads(listed.output)
    assert {f["check"] for f in findings} == set(doctor.names()) - {"calibration"}
    assert all(f["remedy"] for f in findings if f["level"] == "fault")
    assert not data.exists()


def test_every_fault_has_a_cure_and_the_clock_is_judged_purely() -> None:
    """Judging needs no machine: the same facts give the same finding."""
    assert clock.judge(NOW_NS, None, 0).level is Level.OK
    assert clock.judge(NOW_NS, NOW_NS + 60 * SECOND_NS, 0).level is Level.OK
    assert clock.judge(NOW_NS, NOW_NS + 180 * SECOND_NS, 0).remedy
