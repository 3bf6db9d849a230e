# SPDX-License-Identifier: Apache-2.0
"""The way to InfluxDB under faults: a real influxd 1.6.7, killed, frozen, refusing, emptied."""

import http.client
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fakes.influx_shim import Influxd, Shim
from tests.fakes.series import T0, make_epochs
from tests.fakes.store_process import Writer
from tests.fakes.store_writer import WEARERS, epoch_of, stored_seconds
from tracker.commands.influx import command
from tracker.errors import StoreError, StoreFull
from tracker.model import EPOCH_NS, Epochs, Placement
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.influx import open_store as open_influx
from tracker.store.influx_sink import Sink, read_status
from tracker.store.influx_target import Fault, InfluxFault, InfluxTarget
from tracker.store.sqlite import SqliteStore, open_store

ROUNDS = [3, pytest.param(20, marks=pytest.mark.soak)]
W, P = "w-1", Placement.UPPER_BACK
ALL = (0, 2**62)


@pytest.fixture(scope="module")
def real(influxd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real influxd with passwords."""
    server = Influxd(influxd, tmp_path_factory.mktemp("influxd"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def shim(real: Influxd) -> Iterator[Shim]:
    """The shim in front of it."""
    opened = Shim(real)
    yield opened
    opened.close()


@pytest.fixture
def settings(shim: Shim, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings with a fresh database."""
    bucket = re.sub(r"\W", "_", request.node.name)
    shim.errors.clear()
    shim.target.query(f'CREATE DATABASE "{bucket}"')
    return Settings(data=tmp_path / "data", zone="UTC", influx_url=shim.url, influx_bucket=bucket)


@pytest.fixture
def store(settings: Settings) -> Iterator[SqliteStore]:
    """The embedded store."""
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def target(settings: Settings) -> Iterator[InfluxTarget]:
    """The client with a short time-out."""
    opened = InfluxTarget(settings, timeout_ms=3000)
    yield opened
    opened.close()


@pytest.fixture
def sink(store: SqliteStore, target: InfluxTarget) -> Sink:
    """The sink."""
    return Sink(store, target, seed=1)


def there(settings: Settings, wearer: str = W) -> Epochs:
    """What InfluxDB has, read by the product."""
    opened = open_influx(settings)
    try:
        return opened.epochs(wearer, P, *ALL)
    finally:
        opened.close()


def patiently(action: Callable[[], object], timeout_s: float = 60) -> None:
    """Repeat until the server is back."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            action()
        except InfluxFault as fault:
            if fault.fault is not Fault.AWAY or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@pytest.mark.parametrize("rounds", ROUNDS)
def test_kill_and_freeze_under_load_lose_nothing(
    settings: Settings, real: Influxd, rounds: int
) -> None:
    """Rounds of killing influxd, the writer with its sink, and freezing influxd for a while.

    At the end every acknowledged epoch is in InfluxDB, once and equal.
    """
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    acked = -1
    for i in range(rounds):
        writer = Writer(settings.data, "--sink", f"{settings.influx_url} {settings.influx_bucket}")
        try:
            writer.wait_for("start")
            writer.wait_acked(acked + chance.randrange(100, 400))
            if i % 3 == 1:
                real.freeze()
                time.sleep(1.0)
                real.thaw()
            else:
                real.kill()
                time.sleep(chance.uniform(0, 0.3))
                real.start()
            writer.wait_acked(writer.acked + chance.randrange(20, 100))
        finally:
            writer.kill()
        acked = writer.acked
    store = open_store(settings)
    seconds = stored_seconds(store)
    assert min(seconds) >= acked + 1
    target = InfluxTarget(settings)
    patiently(Sink(store, target).drain)
    assert store.backlog() == (0, None)
    for wearer in WEARERS:
        expected = Epochs.concat([epoch_of(wearer, s) for s in range(4, seconds[0], 5)])
        assert there(settings, wearer).equals(expected)
        count = real.query(
            f"SELECT count(state) FROM epoch WHERE wearer = '{wearer}'",  # noqa: S608
            settings.influx_bucket,
        )
        assert count["results"][0]["series"][0]["values"][0][1] == len(expected)  # type: ignore[index]
    target.close()
    store.close()


def test_an_outage_is_waited_out_in_the_queue(
    settings: Settings, store: SqliteStore, sink: Sink, real: Influxd
) -> None:
    """While the server is away data queue up, visibly; afterwards everything arrives."""
    real.kill()
    try:
        store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 3000)))
        for _ in range(3):
            with pytest.raises(InfluxFault) as caught:
                sink.step()
            assert caught.value.fault is Fault.AWAY
        status = read_status(store)
        assert status.backlog_hours == 5
        assert status.oldest_ns is not None
        with pytest.raises(StoreError, match="InfluxDB"):
            there(settings)
    finally:
        real.start()
    assert sink.drain() == 5
    assert there(settings).equals(make_epochs(T0, 3000))


def test_the_loop_backs_off_and_says_why(
    settings: Settings, store: SqliteStore, sink: Sink, shim: Shim
) -> None:
    """Pauses grow to a minute with jitter, never beyond; the state is kept for other processes."""
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 10)))
    shim.fail(503, times=9)
    stop, pauses, states = threading.Event(), [], []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        states.append(read_status(store))
        if len(pauses) == 10:
            stop.set()

    sink.run(stop, wait)
    for i, pause in enumerate(pauses[:9]):
        assert min(60, 2**i) / 2 <= pause <= min(60, 1.5 * 2**i)
    assert "503" in states[0].away
    assert states[0].alarm == ""
    assert (states[9].away, states[9].backlog_hours) == ("", 0)
    assert states[9].last_ok_ns is not None


def test_a_wrong_token_is_an_alarm_and_keeps_everything(
    influxd: str, store: SqliteStore, settings: Settings, tmp_path: Path
) -> None:
    """With passwords on: wrong ones raise the alarm, the right ones (user:password) send it all."""
    server = Influxd(influxd, tmp_path / "auth", auth=True)
    server.start()
    front = Shim(server)
    try:
        server.query("CREATE USER \"admin\" WITH PASSWORD 'pass' WITH ALL PRIVILEGES")
        right = replace(settings, influx_url=front.url, influx_token="admin:pass")
        admin = InfluxTarget(right)
        admin.statement(f'CREATE DATABASE "{settings.influx_bucket}"')
        admin.close()
        store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 500)))
        for token in ("admin:wrong", "no-colon", ""):
            target = InfluxTarget(replace(right, influx_token=token))
            sink, stop = Sink(store, target), threading.Event()
            sink.run(stop, lambda _, stop=stop: stop.set())
            status = read_status(store)
            assert "BACKSTAY_INFLUX_TOKEN" in status.alarm
            assert status.backlog_hours == 1
            target.close()
        target = InfluxTarget(right)
        stop = threading.Event()
        Sink(store, target).run(stop, lambda _: stop.set())
        target.close()
        assert read_status(store).alarm == ""
        assert there(right).equals(make_epochs(T0, 500))
    finally:
        front.close()
        server.kill()


def test_a_deleted_database_is_an_alarm_and_is_filled_again(
    settings: Settings, store: SqliteStore, sink: Sink, real: Influxd
) -> None:
    """Everything is sent again once the database is back, also what had arrived long before."""
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 1500)))
    sink.drain()
    real.query(f'DROP DATABASE "{settings.influx_bucket}"')
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0 + 1500 * EPOCH_NS, 100)))
    stop = threading.Event()
    sink.run(stop, lambda _: stop.set())
    status = read_status(store)
    assert "BACKSTAY_INFLUX_BUCKET" in status.alarm
    assert status.backlog_hours == 3
    real.query(f'CREATE DATABASE "{settings.influx_bucket}"')
    sink.drain()
    assert len(there(settings)) == 1600


def test_a_rejected_line_goes_to_the_dead_letter_alone(
    settings: Settings, store: SqliteStore, sink: Sink, real: Influxd
) -> None:
    """A field of another type in the database: its lines are set aside, the rest arrives."""
    real.query(f'CREATE DATABASE "{settings.influx_bucket}"')
    link = http.client.HTTPConnection("127.0.0.1", real.port)
    text = f'hour,placement=upper-back,wearer=w-1 s_sitting="text" {T0 // 10**9}'
    link.request("POST", f"/write?db={settings.influx_bucket}&precision=s", text)
    assert link.getresponse().read() == b""
    link.close()
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 1500)))
    sink.drain()
    letters = store.dead_letters()
    assert {line.split(",")[0] for _, _, line, _ in letters} == {"hour"}
    assert all(wearer == W and "conflict" in reason for _, wearer, _, reason in letters)
    assert there(settings).equals(make_epochs(T0, 1500))
    assert store.backlog() == (0, None)
    for i in range(3):  # the rollup of the running hour is sent again and again
        store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 1, seed=i)))
        sink.drain()
    assert len(store.dead_letters()) == len(letters)
    shown = CliRunner().invoke(command, ["refused"], env=settings.environment())
    assert [json.loads(text)["line"] for text in shown.output.splitlines()] == [
        line for _, _, line, _ in store.dead_letters()
    ]
    store.mark_all_dirty()
    assert store.dead_letters() == []
    sink.drain()
    assert len(store.dead_letters()) == len(letters)
    store.erase(W)
    assert store.dead_letters() == []


STRANGER = "something else does|InfluxDB answered 302"


class _Stranger(BaseHTTPRequestHandler):
    """The sign-in page of a network that answers everything with 200 or sends it elsewhere."""

    def answer(self) -> None:
        """A page, or the way to it."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        away = self.path != "/login" and self.server.away  # type: ignore[attr-defined]
        self.send_response(302 if away else 200)
        if away:
            self.send_header("Location", "/login")
        self.send_header("Content-Length", "15")
        self.end_headers()
        self.wfile.write(b"<html>Hi</html>")

    do_GET = do_POST = answer  # noqa: N815 - names that the standard library calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("away", [False, True], ids=["page", "redirect"])
def test_a_stranger_that_answers_is_no_influxdb(tmp_path: Path, away: bool) -> None:
    """A captive portal takes nothing for InfluxDB: writes and erasures stay queued, reads fail."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stranger)
    server.away = away  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    settings = Settings(
        data=tmp_path, zone="UTC", influx_url=f"http://127.0.0.1:{server.server_port}"
    )
    store, target = open_store(settings), InfluxTarget(settings)
    try:
        store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 100)))
        stop = threading.Event()
        Sink(store, target).run(stop, lambda _: stop.set())
        assert re.search(STRANGER, read_status(store).away)
        assert store.backlog()[0] == 1
        store.erase(W)
        with pytest.raises(InfluxFault, match=STRANGER):
            Sink(store, target).step()
        assert list(store.erasing()) == [W]
        with pytest.raises(StoreError, match=STRANGER):
            there(settings)
    finally:
        target.close()
        store.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_body_that_is_too_large_is_halved(
    settings: Settings, store: SqliteStore, sink: Sink, shim: Shim
) -> None:
    """413 splits the request until it fits; all lines arrive."""
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 1500)))
    shim.fail(413, times=3)
    sink.drain()
    assert there(settings).equals(make_epochs(T0, 1500))


def test_an_hour_that_changes_while_it_is_sent_is_sent_again(
    settings: Settings, store: SqliteStore, sink: Sink, target: InfluxTarget
) -> None:
    """A write between sending and acknowledgement is not lost."""
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 100)))
    plain = target.write
    later = make_epochs(T0, 100, seed=7)

    def write(lines: list[str], precision: str) -> None:
        plain(lines, precision)
        if precision == "s" and store.epochs(W, P, *ALL).equals(make_epochs(T0, 100)):
            store.write(Batch(wearer=W, placement=P, epochs=later))

    target.write = write  # type: ignore[method-assign,assignment]  # a race on purpose
    assert sink.step() == 1
    assert store.backlog()[0] == 1
    sink.drain()
    assert there(settings).equals(later)


def test_an_erasure_waits_for_the_server_and_then_really_deletes(
    settings: Settings, store: SqliteStore, sink: Sink, real: Influxd
) -> None:
    """While InfluxDB is away the erasure stays queued, over restarts; then no point is left."""
    for wearer in (W, "w-2"):
        store.write(Batch(wearer=wearer, placement=P, epochs=make_epochs(T0, 900)))
    sink.drain()
    real.kill()
    try:
        store.erase(W)
        with pytest.raises(InfluxFault):
            sink.step()
        assert list(store.erasing()) == [W]
    finally:
        real.start()
    sink.drain()
    assert list(store.erasing()) == []
    left = real.query("SELECT * FROM /.*/ WHERE wearer = 'w-1'", settings.influx_bucket)
    assert "series" not in left["results"][0]  # type: ignore[index]
    assert "wearer=w-1" not in repr(real.query("SHOW SERIES", settings.influx_bucket))
    assert len(there(settings, "w-2")) == 900


def test_a_full_disk_does_not_end_the_loop(
    settings: Settings, store: SqliteStore, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that refuses for a while stops neither the loop nor the delivery afterwards."""
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 100)))
    plain, stop, tries = store.clear_dirty, threading.Event(), []

    def refuse(hours: object) -> None:
        raise StoreFull("no space left")

    def wait(_: float) -> None:
        tries.append(1)
        if len(tries) == 2:
            monkeypatch.setattr(store, "clear_dirty", plain)
        if len(tries) == 3:
            stop.set()

    monkeypatch.setattr(store, "clear_dirty", refuse)
    sink.run(stop, wait)
    assert store.backlog() == (0, None)
    assert there(settings).equals(make_epochs(T0, 100))


def test_only_what_changed_is_sent(
    settings: Settings, store: SqliteStore, sink: Sink, target: InfluxTarget
) -> None:
    """An epoch more in a full hour sends that epoch and the rollups, not the whole hour."""
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0, 700)))
    sink.drain()
    plain, sent = target.write, []

    def write(lines: list[str], precision: str) -> None:
        sent.extend(lines)
        plain(lines, precision)

    target.write = write  # type: ignore[method-assign,assignment]  # counts lines
    store.write(Batch(wearer=W, placement=P, epochs=make_epochs(T0 + 700 * EPOCH_NS, 1)))
    sink.drain()
    assert [text.split(",")[0] for text in sent] == ["day", "epoch", "hour"]
