# SPDX-License-Identifier: Apache-2.0
"""The contract of `tracker/store/records.py`: equal on SQLite and on a real PostgreSQL."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tracker.clock import Clock
from tracker.diary import AuditLine, Invitation, Kind, Person, Role, SignIn
from tracker.errors import InputError, NewerStore, StoreBusy, StoreError
from tracker.settings import Settings
from tracker.store.records import Records, open_records, open_records_reader

NOW = 1_795_500_000 * 10**9
DAY_NS = 86_400 * 10**9


@dataclass(slots=True)
class Hand:
    """A clock that tests move by hand."""

    at_ns: int = NOW

    def now_ns(self) -> int:
        """The moment it was set to."""
        return self.at_ns


@pytest.fixture(scope="session")
def postgres_url(postgres_bin: Path) -> Iterator[str]:
    """A real server of its own, on a socket in a fresh folder, never run as root."""
    folder = Path(tempfile.mkdtemp(prefix="bs-pg-", dir="/tmp"))
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    if who:
        shutil.chown(folder, "postgres", "postgres")
    subprocess.run(
        [postgres_bin / "initdb", "-D", folder / "db", "-U", "backstay", "-A", "trust", "-N"],
        check=True, capture_output=True, cwd="/tmp", **who,
    )  # fmt: skip
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [postgres_bin / "postgres", "-D", folder / "db", "-k", folder, "-c", "listen_addresses=",
         "-c", "fsync=off"],
        stdout=log, stderr=log, cwd="/tmp", **who,
    )  # fmt: skip
    log.close()
    try:
        for _ in range(300):
            if (folder / ".s.PGSQL.5432").exists() or server.poll() is not None:
                break
            time.sleep(0.05)
        time.sleep(0.2)
        assert server.poll() is None, (folder / "log").read_text()
        yield f"postgresql://backstay@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGQUIT)  # "immediate": the data are thrown away
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(url: str) -> str:
    """A new, empty database on the server."""
    import psycopg

    name = f"t{time.time_ns()}"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}")
    return url.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a fresh, empty place on either engine."""
    url = ""
    if request.param == "postgres":
        url = fresh_database(request.getfixturevalue("postgres_url"))
    return Settings(data=tmp_path / "data", records_url=url)


@pytest.fixture
def hand() -> Hand:
    """The clock of the records."""
    return Hand()


@pytest.fixture
def records(place: Settings, hand: Hand) -> Iterator[Records]:
    """Open records."""
    opened = open_records(place, hand)  # type: ignore[arg-type]  # only now_ns is used
    yield opened
    opened.close()


ANNA = Person(
    id="p-1", name="Änne Ö. ’;DROP TABLE person", roles=frozenset({Role.WEARER, Role.OPERATOR}),
    wearer="w-1", settings={"a": [1, 2.5, None, "ü"]},
)  # fmt: skip
BEN = Person(id="p-2", name="Ben", roles=frozenset({Role.THERAPIST}), language="en", zone="UTC")


def test_people_round_trip_change_and_go(records: Records) -> None:
    """Every field comes back, whatever characters it holds; changes replace; removal removes."""
    records.put_person(ANNA)
    records.put_person(BEN)
    assert records.person("p-1") == ANNA
    assert records.person_of("w-1") == ANNA
    assert list(records.people()) == [BEN, ANNA]
    records.put_person(replace(BEN, active=False))
    assert list(records.people(active_only=True)) == [ANNA]
    records.put_credential("p-1", "password", "hash")
    records.put_credential("p-1", "password", "hash2")
    assert records.credential("p-1", "password") == "hash2"
    assert records.person_with("password", "hash2") == ANNA
    records.remove_person("p-1")
    assert records.person("p-1") is None
    assert records.credential("p-1", "password") is None


def test_two_people_cannot_be_one_wearer(records: Records) -> None:
    """A wearer's pseudonym belongs to one person; the refusal changes nothing."""
    records.put_person(ANNA)
    with pytest.raises(StoreError):
        records.put_person(replace(BEN, wearer="w-1"))
    assert list(records.people()) == [ANNA]


def test_sign_ins_end_and_expire(records: Records, hand: Hand) -> None:
    """A sign-in holds until it ends or expires; an ended one cannot be prolonged."""
    one = SignIn(id="h1", person="p-1", made_ns=NOW, seen_ns=NOW, expires_ns=NOW + 100)
    records.put_session(one)
    records.put_session(replace(one, id="h2"))
    assert records.session("h1") == one
    longer = replace(one, seen_ns=NOW + 5, expires_ns=NOW + 1000)
    records.put_session(longer)
    assert records.session("h1") == longer
    hand.at_ns = NOW + 200
    assert records.session("h2") is None
    records.end_session("h1")
    records.put_session(longer)
    assert records.session("h1") is None
    assert [s.ended_ns for s in records.sessions("p-1")] == [NOW + 200, None]
    records.end_sessions("p-1")
    assert all(s.ended_ns for s in records.sessions("p-1"))


def test_diary_keeps_every_version(records: Records, hand: Hand) -> None:
    """Edits and deletions leave the history complete, with authors and times."""
    entry = records.put_entry(
        "w-1", Kind.EVENING, {"tension": 4, "note": "müde"}, at_ns=NOW, day="2026-11-24",
        author="p-1",
    )  # fmt: skip
    assert records.entry(entry.id) == entry
    hand.at_ns += 10
    edited = records.edit_entry(entry.id, {"tension": 5}, author="p-1", expected_version=1)
    assert (edited.version, edited.body, edited.written_ns) == (2, {"tension": 5}, NOW + 10)
    assert list(records.entries("w-1")) == [edited]
    with pytest.raises(InputError, match="changed meanwhile"):
        records.edit_entry(entry.id, {"tension": 9}, author="p-1", expected_version=1)
    hand.at_ns += 10
    records.delete_entry(entry.id, author="p-9")
    assert list(records.entries("w-1")) == []
    assert records.entry(entry.id) is None
    with pytest.raises(InputError, match="does not exist"):
        records.delete_entry(entry.id, author="p-1")
    versions = records.entries("w-1", history=True)
    assert [(v.version, v.author, v.replaced_ns) for v in versions] == [
        (1, "p-1", NOW + 10),
        (2, "p-1", NOW + 20),
        (3, "p-9", NOW + 20),
    ]
    assert versions[0].body == {"tension": 4, "note": "müde"}


def test_entries_are_found_by_kind_and_day(records: Records) -> None:
    """Filters hold, both days are included, order is by time, other wearers stay out."""
    days = ["2026-11-20", "2026-11-21", "2026-11-22"]
    for i, day in enumerate(days):
        for kind in (Kind.EVENING, Kind.MASSAGE):
            records.put_entry("w-1", kind, {"i": i}, at_ns=NOW - i, day=day, author="p")
    records.put_entry("w-2", Kind.EVENING, {}, at_ns=NOW, day=days[1], author="p")
    found = records.entries("w-1", [Kind.EVENING], days[1], days[2])
    assert [(e.day, e.kind) for e in found] == [(days[2], "evening"), (days[1], "evening")]
    assert len(records.entries("w-1", [Kind.EVENING, Kind.MASSAGE])) == 6
    assert len(records.entries("w-1", [Kind.PLAN])) == 0


def test_grants_hold_until_they_end(records: Records, hand: Hand) -> None:
    """A grant holds between its making and its end or its revocation, whichever is first."""
    a = records.put_grant("w-1", "p-2", {"sitting", "pain"}, expires_ns=NOW + DAY_NS)
    b = records.put_grant("w-3", "p-2", {"notes"}, expires_ns=NOW + 2 * DAY_NS)
    assert list(records.grants(viewer="p-2", active_only=True)) == [a, b]
    hand.at_ns += DAY_NS
    assert list(records.grants(viewer="p-2", active_only=True)) == [b]
    records.revoke(b.id)
    hand.at_ns += 5
    records.revoke(b.id)
    assert list(records.grants(viewer="p-2", active_only=True)) == []
    assert [g.revoked_ns for g in records.grants(wearer="w-3")] == [NOW + DAY_NS]


def test_an_invitation_works_once(records: Records, hand: Hand) -> None:
    """Two at once get one grant; used, expired and unknown codes get nothing."""
    made = Invitation(
        id="h", wearer="w-1", scopes=frozenset({"sitting"}), made_ns=NOW, expires_ns=NOW + 100,
        grant_days=90,
    )  # fmt: skip
    records.put_invitation(made)
    assert records.invitation("h") == made
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda i=i: results.append(records.use_invitation("h", f"p-{i}")))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (grant,) = [r for r in results if r is not None]
    assert list(records.grants("w-1")) == [grant]
    assert records.invitation("h") is None
    records.put_invitation(replace(made, id="h2"))
    hand.at_ns += 100
    assert records.use_invitation("h2", "p-2") is None
    assert records.use_invitation("unknown", "p-2") is None
    assert [i.used_ns for i in records.invitations("w-1")] == [NOW, None]


def test_audit_and_settings(records: Records) -> None:
    """Lines come back in order and by wearer; settings of any JSON value replace and go."""
    lines = [
        AuditLine(at_ns=NOW + i, viewer="p-2", wearer=f"w-{i % 2}", scope="pain", action="read",
                  allowed=bool(i % 3), detail="ö")
        for i in range(6)
    ]  # fmt: skip
    for line in lines:
        records.audit(line)
    assert list(records.audit_lines()) == lines
    assert list(records.audit_lines("w-1", first_ns=NOW + 2)) == [lines[3], lines[5]]
    records.put_setting("x", {"a": [1]})
    records.put_setting("x", [2])
    assert records.setting("x") == [2]
    records.put_setting("x", None)
    assert records.setting("x", "none") == "none"


def test_erasure_takes_a_person_out_of_everything(records: Records) -> None:
    """After an erasure no table holds id, name or pseudonym; others stay; twice is 0."""
    records.put_person(ANNA)
    records.put_person(BEN)
    records.put_credential("p-1", "password", "hash")
    records.put_session(SignIn(id="h", person="p-1", made_ns=1, seen_ns=1, expires_ns=2))
    records.put_entry("w-1", Kind.NOTE, {"t": "private"}, at_ns=1, day="2026-01-01", author="p-1")
    kept = records.put_entry("w-2", Kind.NOTE, {}, at_ns=1, day="2026-01-01", author="p-1")
    records.put_grant("w-1", "p-2", {"pain"}, expires_ns=NOW * 2)
    records.audit(
        AuditLine(at_ns=1, viewer="p-2", wearer="w-1", scope="pain", action="read", allowed=True)
    )
    assert records.erase_wearer("w-1") == 6
    assert records.erase_wearer("w-1") == 0
    assert [e.id for e in records.entries("w-2")] == [kept.id]
    assert list(records.people()) == [BEN]
    tables = ("person", "credential", "sign_in", "entry", "entry_id", "access_grant",
              "invitation", "audit", "setting")  # fmt: skip
    with records.engine.reading() as db:
        everything = repr([db.execute("SELECT * FROM " + t).fetchall() for t in tables])  # noqa: S608
    for trace in ("w-1", "p-1", "DROP", "private"):
        assert trace not in everything
    assert len(records.audit_lines()) == 1


def test_a_failed_transaction_leaves_nothing(records: Records) -> None:
    """What goes wrong in the middle of a change undoes its first half."""

    def half() -> None:
        with records.engine.transaction() as db:
            db.execute("INSERT INTO setting VALUES (?, ?)", ("half", "1"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert records.setting("half") is None


def test_reopening_upgrades_once_and_newer_is_refused(place: Settings, records: Records) -> None:
    """A second upgrade runs no step; a database of a newer version is refused with a sentence."""
    assert records.upgrade() == 0
    records.put_person(BEN)
    with records.engine.transaction() as db:
        db.execute("INSERT INTO migration VALUES (?, ?)", (99, "future"))
    with pytest.raises(NewerStore, match="newer Backstay"):
        records.upgrade()
    if not place.records_url:
        with pytest.raises(NewerStore, match="newer Backstay"):
            open_records_reader(place)


def test_one_file_has_one_writer_and_readers_see_its_writes(tmp_path: Path) -> None:
    """`app.db`: the second writer is refused, a reader is not and may come first."""
    settings = Settings(data=tmp_path / "data")
    assert open_records_reader(settings) is None
    records = open_records(settings)
    with pytest.raises(StoreBusy, match="one file has one writing process"):
        open_records(settings)
    reader = open_records_reader(settings)
    assert reader is not None
    records.put_person(BEN)
    assert list(reader.people()) == [BEN]
    with pytest.raises(StoreError):
        reader.put_person(ANNA)
    reader.close()
    records.close()


def test_kill_9_of_the_dashboard_keeps_every_entry(place: Settings) -> None:
    """Acknowledged entries are there after kill -9, whole ones, and the next start goes on."""
    program = (
        "import sys; from pathlib import Path\n"
        "from tracker.settings import Settings\n"
        "from tracker.store.records import open_records\n"
        "r = open_records(Settings(data=Path(sys.argv[1]), records_url=sys.argv[2]))\n"
        "i = 0\n"
        "while True:\n"
        "    e = r.put_entry('w', 'note', {'i': i}, at_ns=i, day='2026-01-01', author='a')\n"
        "    r.edit_entry(e.id, {'i': i, 'edited': True}, author='a')\n"
        "    print(i, flush=True); i += 1\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(place.data), place.records_url],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert writer.stdout is not None
    acked = -1
    while acked < 20:
        acked = int(writer.stdout.readline())
    writer.kill()
    rest = [int(text) for text in writer.stdout.read().split()]
    writer.stdout.close()
    writer.wait()
    acked = max([acked, *rest])
    records = open_records(place)
    bodies = [e.body for e in records.entries("w", [Kind.NOTE])]
    assert [b["i"] for b in bodies] == list(range(len(bodies)))
    assert all(b.get("edited") for b in bodies[: acked + 1])
    assert acked + 1 <= len(bodies) <= acked + 2
    records.close()


def test_postgres_services_start_together_and_survive_a_lost_connection(postgres_url: str) -> None:
    """Eight services that start at once make one schema; a connection that broke is made again."""
    settings = Settings(data=Path("/nonexistent"), records_url=fresh_database(postgres_url))
    opened: list[Records] = []
    threads = [
        threading.Thread(target=lambda: opened.append(open_records(settings))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    opened[0].put_person(BEN)
    assert all(r.people() == [BEN] for r in opened)
    with opened[0].engine.transaction() as db:
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(StoreError, match="nothing was changed"):
        opened[1].people()
    assert opened[1].people() == [BEN]
    for records in opened:
        records.close()


def test_postgres_away_is_a_sentence_without_the_password(tmp_path: Path) -> None:
    """An address that does not answer names the setting and hides the password."""
    url = "postgresql://u:s3cret@127.0.0.1:1/db"
    with pytest.raises(StoreError, match="BACKSTAY_RECORDS_URL") as caught:
        open_records(Settings(data=tmp_path, records_url=url), Clock())
    assert "s3cret" not in str(caught.value)
