# SPDX-License-Identifier: Apache-2.0
"""A shared file between two separate houses: the wearer's and the therapist's."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner, Result

from dashboard import data
from tracker.access import DEFAULT_SCOPES, SHARED_SCOPES
from tracker.clock import Clock
from tracker.collect.control import ControlClient
from tracker.commands.share import command as share
from tracker.diary import Kind, Person, Role
from tracker.errors import AccessDenied, InputError
from tracker.model import Placement, State
from tracker.report.report import twin
from tracker.settings import Settings
from tracker.share import unpack
from tracker.share_desk import sweep, take_in, taken
from tracker.share_make import make
from tracker.share_seal import new_code, seal, unseal
from tracker.simulation.history import history
from tracker.store.base import Batch, CalibrationRecord
from tracker.store.records import open_records
from tracker.store.sqlite import open_reader, open_store
from tracker.units import local_date

TZ = ZoneInfo("Europe/Berlin")
DAY_NS = 86_400 * 10**9
PLACE = Placement.UPPER_BACK
DAYS = 16


def house(folder: Path) -> Settings:
    """Settings of one installation."""
    return Settings(data=folder, zone="Europe/Berlin", http_port=0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The wearer's house: sixteen days with diary, notes and a safety list."""
    settings = house(tmp_path_factory.mktemp("home"))
    now_ns = Clock().now_ns()
    made = history(
        np.random.default_rng(5), DAYS, TZ, last_day=local_date(now_ns, TZ), until_ns=now_ns
    )
    store = open_store(settings)
    store.write(
        Batch(
            wearer="me", placement=PLACE, epochs=made.epochs, transitions=made.transitions,
            sets=made.sets, gaps=made.gaps,
        )
    )  # fmt: skip
    body = CalibrationRecord(from_ns=now_ns - DAY_NS, kind="guided", body={"private": True})
    store.put_calibration("me", PLACE, body)
    store.refresh()
    store.close()
    records = open_records(settings)
    records.put_person(
        Person(id="owner", name="Anna Muster", roles=frozenset({Role.WEARER}), wearer="me")
    )
    for told in made.evenings:
        records.put_entry(
            "me", Kind.EVENING, {**asdict(told), "pain": 6, "note": "secret note"},
            at_ns=now_ns - DAY_NS, day=told.day, author="owner",
        )  # fmt: skip
    for kind, body in ((Kind.NOTE, {"text": "secret note"}), (Kind.SCREENING, {"answers": {}})):
        records.put_entry("me", kind, body, at_ns=now_ns - 1, day="2026-11-01", author="owner")
    records.close()
    return settings


@pytest.fixture
def practice(tmp_path: Path) -> Settings:
    """The therapist's house: one account, nobody's data."""
    settings = house(tmp_path / "practice")
    records = open_records(settings)
    records.put_person(Person(id="tina", name="Tina", roles=frozenset({Role.THERAPIST})))
    records.close()
    return settings


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No file of one test stays open in the next."""
    yield
    data.forget_lines()
    data.close()


def run(settings: Settings, *words: str) -> Result:
    """`backstay share` in one house; the sentence of an error counts as its output."""
    return CliRunner().invoke(share, list(words), env=settings.environment())


def give(home: Settings, target: Path, *more: str) -> str:
    """A file from the wearer's house; its one-time code."""
    done = run(home, "me", "--out", str(target), *more)
    assert done.exit_code == 0, done.output + str(done.exception)
    return done.output.split("One-time code: ")[1].split("\n")[0]


def tina(settings: Settings) -> tuple[data.Sources, Person]:
    """The therapist before her own stores."""
    src = data.sources_of(settings)
    person = data.writable(src).person("tina")
    assert person is not None
    return src, person


@pytest.mark.parametrize("scopes", [DEFAULT_SCOPES, SHARED_SCOPES], ids=["default", "everything"])
def test_the_same_numbers_in_both_houses(
    home: Settings, practice: Settings, tmp_path: Path, scopes: frozenset[str]
) -> None:
    """What the therapist's own instance computes from the file equals the report at home."""
    file = tmp_path / "anna.share"
    words = [w for s in sorted(scopes) for w in ("--scope", s)]
    code = give(home, file, *words, "--confirm-sensitive")
    done = run(practice, "--import", str(file), "--code", code)
    assert done.exit_code == 0, done.output + str(done.exception)

    src, person = tina(practice)
    (line,) = data.patient_lines(src, person)
    assert line.who.name == "Anna Muster"
    assert line.who.scopes == scopes
    assert line.who.wearer != "me"
    there = twin(data.report(src, person, line.who.wearer))

    at_home = data.sources_of(home)
    kept = data.writable(at_home)
    grant = kept.put_grant("me", "visitor", scopes, expires_ns=Clock().now_ns() + DAY_NS)
    visitor = Person(id="visitor", name="", roles=frozenset({Role.THERAPIST}))
    here = twin(data.report(at_home, visitor, "me"))
    kept.revoke(grant.id)
    for report in (here, there):
        report.pop("hash")
    assert here == there
    assert len(there["daily"]) >= 10
    assert there["subject"]["calibrated"], "the date of the calibration goes along"


def test_the_file_holds_no_more_than_its_scopes(home: Settings) -> None:
    """Decrypted, it has no slouching, no pain, no note, no illness, no pose, no pseudonym."""
    made = make(home, Clock(), "me", DEFAULT_SCOPES, days=30)
    bundle = unpack(unseal(made.data, made.code))
    (place,) = bundle.places
    assert len(place.epochs) > 50_000
    assert not (place.epochs.state == State.SLOUCHING).any()
    assert np.isnan(place.epochs.tilt_deg).all()
    assert not place.epochs.slouch.any()
    told = json.dumps([dict(e) for e in bundle.entries], default=str)
    assert "tension" in told
    for word in ("pain", "secret", "illness", "answers"):
        assert word not in told
    plain = json.dumps([bundle.local, bundle.id])
    assert '"me"' not in plain
    for word in (b"Anna", b"tension", b"secret"):
        assert word not in made.data, "nothing readable in the file"


def test_what_is_sensitive_needs_a_word_of_its_own(home: Settings, tmp_path: Path) -> None:
    """Screening and notes are refused without the confirmation, and no file appears."""
    file = tmp_path / "x.share"
    done = run(home, "me", "--out", str(file), "--scope", "notes")
    assert isinstance(done.exception, InputError)
    assert not file.exists()


def test_a_wrong_code_a_changed_file_and_a_second_use(
    home: Settings, practice: Settings, tmp_path: Path
) -> None:
    """Nothing opens without the code, a flipped bit is noticed, a deleted file stays deleted."""
    file = tmp_path / "anna.share"
    code = give(home, file, "--past", "3")
    wrong = run(practice, "--import", str(file), "--code", new_code())
    assert isinstance(wrong.exception, AccessDenied)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    bent = tmp_path / "bent.share"
    bent.write_bytes(content)
    assert isinstance(run(practice, "--import", str(bent), "--code", code).exception, AccessDenied)
    later = content.replace(b'"expires_ns": 1', b'"expires_ns": 9', 1)
    longer = tmp_path / "longer.share"
    longer.write_bytes(later)
    assert isinstance(
        run(practice, "--import", str(longer), "--code", code).exception, AccessDenied
    ), "the expiry in the readable line is part of the seal"
    src, person = tina(practice)
    assert not data.patient_lines(src, person)
    data.close()

    assert run(practice, "--import", str(file), "--code", code).exit_code == 0
    key = run(practice, "--list").output.split("\t")[0]
    assert run(practice, "--delete", key).exit_code == 0
    assert run(practice, "--list").output == ""
    assert not series_of(practice)
    again = run(practice, "--import", str(file), "--code", code)
    assert isinstance(again.exception, InputError)


def series_of(settings: Settings) -> list[str]:
    """Pseudonyms with series in a house."""
    reader = open_reader(settings)
    try:
        return [w for w, _ in reader.wearers()]
    finally:
        reader.close()


def test_a_newer_file_replaces_the_older_one(
    home: Settings, practice: Settings, tmp_path: Path
) -> None:
    """One line in the list, however often somebody shares; an older file is refused."""
    old, new = tmp_path / "old.share", tmp_path / "new.share"
    code_old = give(home, old, "--past", "2")
    code_new = give(home, new, "--past", "5")
    assert run(practice, "--import", str(new), "--code", code_new).exit_code == 0
    refused = run(practice, "--import", str(old), "--code", code_old)
    assert isinstance(refused.exception, InputError)
    src, person = tina(practice)
    (line,) = data.patient_lines(src, person)
    assert len(line.report.days) >= 4


def test_everything_is_gone_at_the_expiry(home: Settings, practice: Settings) -> None:
    """At the expiry no grant holds before any sweep ran, and the sweep leaves nothing behind."""
    made = make(home, Clock(), "me", DEFAULT_SCOPES, days=1, past=3)
    clock = Clock()
    records = open_records(practice, clock)
    therapist = records.person("tina")
    assert therapist is not None
    bundle = take_in(practice, clock, records, therapist, made.data, made.code)
    assert sweep(practice, clock, records) == 0
    assert series_of(practice) == [bundle.local]
    records.close()

    later = Clock(start_ns=made.expires_ns, origin_ns=time.time_ns())
    records = open_records(practice, later)
    src = replace(data.sources_of(practice), clock=later)
    assert not records.grants(wearer=bundle.local, active_only=True)
    assert src.clock.now_ns() >= made.expires_ns
    assert sweep(practice, later, records) == 1
    assert sweep(practice, later, records) == 0
    assert not series_of(practice)
    assert records.person_of(bundle.local) is None
    assert not records.entries(bundle.local)
    assert [t.gone_ns is not None for t in taken(records)] == [True]
    with pytest.raises(InputError, match="expired"):
        take_in(practice, later, records, therapist, made.data, made.code)
    records.close()


def test_a_broken_off_import_leaves_nothing_visible_and_is_swept(
    home: Settings, practice: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends between series and records: nobody sees the series, the sweep takes it."""
    import tracker.share_desk as desk

    made = make(home, Clock(), "me", DEFAULT_SCOPES, days=1, past=2)
    records = open_records(practice)
    therapist = records.person("tina")
    assert therapist is not None

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(desk, "_keep", killed)
    with pytest.raises(KeyboardInterrupt):
        take_in(practice, Clock(), records, therapist, made.data, made.code)
    assert series_of(practice)
    assert not records.grants()
    assert sweep(practice, Clock(), records) == 1
    assert not series_of(practice)
    records.close()


def test_hostile_content_is_refused_with_one_sentence(home: Settings) -> None:
    """A sealed file whose inside is rubbish is refused; nothing of it is run or written."""
    until = Clock().now_ns() + DAY_NS
    for content in (b"", b"PK\x03\x04 rubbish", b"x" * 1000):
        code = new_code()
        opened = unseal(seal(content, code, until), code)
        with pytest.raises(InputError):
            unpack(opened)
    with pytest.raises(InputError):
        unseal(b"no bundle at all", "code")


@contextmanager
def process(settings: Settings, *command: str) -> Iterator["subprocess.Popen[str]"]:
    """A real process of one house."""
    env = os.environ | settings.environment() | {"BACKSTAY_PORT": "0"}
    child = subprocess.Popen(
        [sys.executable, *command], env=env, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    try:
        yield child
    finally:
        child.terminate()
        child.wait(30)
        assert child.stdout is not None
        child.stdout.close()


def test_import_while_dashboard_and_collector_run(
    home: Settings, practice: Settings, tmp_path: Path
) -> None:
    """The command asks the running dashboard, which asks the running collector.

    Deleting takes the same way; a request without the token is refused.
    """
    file = tmp_path / "anna.share"
    code = give(home, file, "--past", "2")
    with ExitStack() as stack:
        collector = stack.enter_context(
            process(practice, "-m", "tracker", "collect", "--no-phones")
        )
        dashboard = stack.enter_context(process(practice, "-m", "dashboard.serve"))
        assert dashboard.stdout is not None
        url = dashboard.stdout.readline().strip()
        deadline = time.monotonic() + 60
        while not (ControlClient(practice.data).running() and _answers(url)):
            assert time.monotonic() < deadline
            assert collector.poll() is None
            assert dashboard.poll() is None
            time.sleep(0.2)
        done = run(practice, "--import", str(file), "--code", code)
        assert done.exit_code == 0, done.output + str(done.exception)
        (local,) = series_of(practice)
        reader = open_reader(practice)
        span = (local, PLACE, 0, 2**62)
        assert len(reader.epochs(*span)) > 5000
        assert len(reader.days(local, PLACE, "2000-01-01", "2100-01-01")) >= 2
        reader.close()
        request = urllib.request.Request(  # noqa: S310 - our own child
            f"{url}/local", b'{"method": "share_list"}', {"authorization": "Bearer x"}
        )
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(request, timeout=10)  # noqa: S310 - our own child
        key = run(practice, "--list").output.split("\t")[0]
        assert run(practice, "--delete", key).exit_code == 0
        assert not series_of(practice)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as reply:  # noqa: S310 - our child
            return bool(reply.status == 200)
    except OSError:
        return False


def test_days_that_are_asked_for_and_no_others(home: Settings) -> None:
    """`past` bounds what leaves the house."""
    made = make(home, Clock(), "me", DEFAULT_SCOPES, days=5, past=3)
    bundle = unpack(unseal(made.data, made.code))
    oldest = int(bundle.places[0].epochs.start_ns[0])
    assert Clock().now_ns() - oldest <= timedelta(days=3).total_seconds() * 1e9 + 60e9
