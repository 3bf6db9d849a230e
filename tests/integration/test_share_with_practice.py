# SPDX-License-Identifier: Apache-2.0
"""A home collector and a practice's server, two real processes on loopback."""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner

from tracker.clock import Clock
from tracker.collect.control import ControlClient
from tracker.collect.practice_desk import keep, read_parcel
from tracker.collect.push import FORMAT, HOUR_NS, Practice, Pusher, Sent, join, post_https
from tracker.commands.practice import command as practice_command
from tracker.diary import Person, Role
from tracker.errors import AccessDenied, BackstayError, InputError, ServiceError
from tracker.model import Epochs, Gap, GapReason, Placement
from tracker.settings import Settings
from tracker.simulation.history import history
from tracker.store.base import Batch, CalibrationRecord
from tracker.store.records import open_records
from tracker.store.sqlite import SqliteStore, open_reader, open_store
from tracker.units import local_date

TZ = ZoneInfo("Europe/Berlin")
PLACE = Placement.UPPER_BACK
ALL = (0, 2**62)
DAY_NS = 24 * HOUR_NS


def filled(folder: Path, days: int) -> Settings:
    """A home with some days of one wearer."""
    settings = Settings(data=folder, zone="Europe/Berlin", http_port=0)
    now_ns = Clock().now_ns()
    made = history(
        np.random.default_rng(2), days, TZ, last_day=local_date(now_ns, TZ), until_ns=now_ns
    )
    store = open_store(settings)
    store.write(
        Batch(
            wearer="me", placement=PLACE, epochs=made.epochs, transitions=made.transitions,
            sets=made.sets, gaps=made.gaps,
        )
    )  # fmt: skip
    store.put_calibration(
        "me", PLACE, CalibrationRecord(from_ns=now_ns - DAY_NS, kind="guided", body={})
    )
    store.close()
    return settings


class Server:
    """The practice's side without a network: what is posted is read and kept."""

    def __init__(self, folder: Path) -> None:
        self.store: SqliteStore = open_store(Settings(data=folder, zone="UTC"))
        self.posts: list[int] = []
        self.away = False
        self.lose_answer = False

    def post(self, practice: Practice, body: bytes) -> None:
        """What `post_https` does, with faults on demand."""
        if self.away:
            raise ServiceError("away")
        parcel = read_parcel(body, Clock().now_ns())
        keep(self.store, "w-anna", parcel)
        self.posts.append(len(parcel["hours"]))
        if self.lose_answer:
            self.lose_answer = False
            raise ServiceError("the answer got lost")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """An empty practice."""
    made = Server(tmp_path / "practice")
    yield made
    made.store.close()


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Three days at home."""
    return filled(tmp_path / "home", 3)


def pusher(home: Settings, server: Server) -> Pusher:
    """A pusher as the collector starts it."""
    practice = Practice(wearer="me", url="https://practice", token="t")
    return Pusher(
        practice, open_reader(home), Sent(home.data / "practice.db"), Clock(), server.post
    )


def same(home: Settings, server: Server) -> bool:
    """Whether both sides hold the same epochs, events and gaps."""
    reader = open_reader(home)
    try:
        here, there = ("me", PLACE, *ALL), ("w-anna", PLACE, *ALL)
        return (
            reader.epochs(*here).equals(server.store.epochs(*there))
            and list(reader.transitions(*here)) == list(server.store.transitions(*there))
            and list(reader.sets(*here)) == list(server.store.sets(*there))
            and list(reader.gaps(*here)) == list(server.store.gaps(*there))
        )
    finally:
        reader.close()


def test_everything_arrives_once_and_again_only_when_it_changes(
    home: Settings, server: Server
) -> None:
    """First all hours; then none; then the one that changed; a restart sends nothing twice."""
    first = pusher(home, server)
    sent = first.step()
    assert sent >= 20
    assert same(home, server)
    assert server.store.zone_of("w-anna").key == "Europe/Berlin"
    assert len(server.store.calibrations("w-anna", PLACE)) == 1
    assert first.step(everything=True) == 0
    assert pusher(home, server).step() == 0, "what was acknowledged is remembered"

    store = open_store(home)
    epochs = store.epochs("me", PLACE, *ALL)
    hour_ns = int(epochs.start_ns[100]) // HOUR_NS * HOUR_NS
    here = (epochs.start_ns >= hour_ns) & (epochs.start_ns < hour_ns + HOUR_NS)
    gone = Epochs(**{c: getattr(epochs[here], c)[:50] for c in _columns()}, algo="again")
    store.write(
        Batch(
            wearer="me", placement=PLACE, epochs=gone, replace_from_ns=hour_ns,
            replace_to_ns=hour_ns + HOUR_NS,
        )
    )  # fmt: skip
    store.close()
    assert first.step(everything=True) == 1
    assert same(home, server)


def _columns() -> tuple[str, ...]:
    from tracker.model import EPOCH_COLUMNS

    return EPOCH_COLUMNS


def test_outages_lose_nothing_and_a_lost_answer_doubles_nothing(
    home: Settings, server: Server
) -> None:
    """Away, then an answer that never arrives: in the end both sides are equal."""
    sender = pusher(home, server)
    server.away = True
    with pytest.raises(ServiceError):
        sender.step()
    server.away, server.lose_answer = False, True
    with pytest.raises(ServiceError):
        sender.step()
    sender.step(everything=True)
    assert same(home, server)
    gap = Gap(start_ns=Clock().now_ns() - HOUR_NS, end_ns=Clock().now_ns(), reason=GapReason(
        "sensor_off"))  # fmt: skip
    store = open_store(home)
    store.write(Batch(wearer="me", placement=PLACE, gaps=[gap]))
    store.close()
    assert sender.step(everything=True) >= 1
    assert same(home, server)


def _parcel(change: Callable[[dict[str, object]], object]) -> bytes:
    hour = (Clock().now_ns() // HOUR_NS - 2) * HOUR_NS
    columns = {c: [] for c in _columns()}
    one: dict[str, object] = {
        "placement": "upper-back", "hour_ns": hour, "epochs": {**columns, "algo": "x"},
        "transitions": [], "sets": [], "gaps": [],
    }  # fmt: skip
    body: dict[str, object] = {"format": FORMAT, "hours": [one], "live": {}}
    change(body)
    change(one)
    return gzip.compress(json.dumps(body).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"hour_ns": 5},
        {"hour_ns": 1 << 61},
        {"placement": "nose"},
        {"epochs": {"start_ns": [0]}},
        {"gaps": [{"start_ns": 1, "end_ns": 2, "reason": "x"}]},
        {"hours": "no list"},
        {"live": {"upper-back": {"at_ns": 1}}},
    ],
    ids=str,
)
def test_a_parcel_that_lies_is_refused(change: dict[str, object]) -> None:
    """One sentence, nothing written; bombs and rubbish, too."""
    good = _parcel(lambda d: d)
    assert len(read_parcel(good, Clock().now_ns())["hours"]) == 1

    def altered(body: dict[str, object]) -> None:
        for key, value in change.items():
            if key in body:
                body[key] = value

    with pytest.raises(BackstayError):
        read_parcel(_parcel(altered), Clock().now_ns())


def test_a_bomb_is_not_unpacked() -> None:
    """A body that grows a thousandfold is refused before it is whole in memory."""
    with pytest.raises(InputError):
        read_parcel(gzip.compress(b"[" * 40_000_000), Clock().now_ns())
    with pytest.raises(InputError):
        read_parcel(b"rubbish", Clock().now_ns())


def test_health_data_never_go_without_https(tmp_path: Path) -> None:
    """An address without https is refused at once."""
    with pytest.raises(InputError, match="https"):
        join(tmp_path, Practice(wearer="me", url="http://practice", token="t"))


@contextmanager
def collector(settings: Settings, log: Path, *more: str) -> Iterator[ControlClient]:
    """A real collector on a folder."""
    env = os.environ | settings.environment() | {"PYTHONPATH": str(Path.cwd())}
    with log.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "tracker", "collect", *more], env=env, stdout=file, stderr=file
        )
    client = ControlClient(settings.data)
    try:
        deadline = time.monotonic() + 60
        while not client.running():
            assert time.monotonic() < deadline, log.read_text()
            assert child.poll() is None, log.read_text()
            time.sleep(0.1)
        yield client
    finally:
        child.terminate()
        child.wait(timeout=60)


def test_two_real_collectors_over_https_with_a_pinned_certificate(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Token and fingerprint by command; hours arrive; a wrong print or token sends nothing."""
    practice = Settings(data=tmp_path / "practice", zone="Europe/Berlin", http_port=free_port())
    records = open_records(practice)
    records.put_person(
        Person(id="anna", name="Anna", roles=frozenset({Role.WEARER}), wearer="w-anna")
    )
    records.close()
    home = filled(tmp_path / "home", 2)
    told = CliRunner().invoke(practice_command, ["token", "Anna"], env=practice.environment())
    assert told.exit_code == 0, told.output + str(told.exception)
    lines = dict(line.split(": ", 1) for line in told.output.splitlines())
    token, print_ = lines["Token (shown once)"], lines["Fingerprint"]
    url = f"https://127.0.0.1:{practice.http_port}"

    with collector(practice, tmp_path / "practice.log") as desk:
        deadline = time.monotonic() + 30
        while not _open(url, print_):
            assert time.monotonic() < deadline, (tmp_path / "practice.log").read_text()
            time.sleep(0.2)
        wrong = Practice(wearer="me", url=url, token=token, sha256="00" * 32)
        with pytest.raises(AccessDenied, match="another certificate"):
            post_https(wrong, b"secret")
        plain = print_.replace(":", "").lower()
        guess = Practice(wearer="me", url=url, token="guess", sha256=plain)
        with pytest.raises(AccessDenied, match="refuses this token"):
            post_https(guess, _parcel(lambda d: d))

        joined = CliRunner().invoke(
            practice_command,
            ["join", url, "--token", token, "--fingerprint", print_],
            env=home.environment(),
        )
        assert joined.exit_code == 0, joined.output + str(joined.exception)
        reader = open_reader(home)
        wanted = reader.epochs("me", PLACE, *ALL)
        assert len(wanted) > 1000
        reader.close()
        there = open_reader(practice)
        with collector(home, tmp_path / "home.log", "--no-phones"):
            deadline = time.monotonic() + 60
            while len(there.epochs("w-anna", PLACE, *ALL)) < len(wanted):
                assert time.monotonic() < deadline, (tmp_path / "home.log").read_text()
                time.sleep(0.3)
        assert there.epochs("w-anna", PLACE, *ALL).equals(wanted)
        assert {w for w, _ in there.wearers()} == {"w-anna"}
        there.close()
        ended = CliRunner().invoke(
            practice_command, ["token", "Anna", "--revoke"], env=practice.environment()
        )
        assert "1 tokens ended" in ended.output
        with pytest.raises(AccessDenied, match="refuses this token"):
            post_https(
                Practice(wearer="me", url=url, token=token, sha256=plain), _parcel(lambda d: d)
            )
        assert desk.running()


def _open(url: str, print_: str) -> bool:
    probe = Practice(wearer="me", url=url, token="x", sha256=print_)
    try:
        post_https(probe, b"")
    except AccessDenied:
        return True
    except ServiceError:
        return False
    return True
