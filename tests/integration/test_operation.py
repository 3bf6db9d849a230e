# SPDX-License-Identifier: Apache-2.0
"""What the operator sees of two running processes: logs, health, metrics, headers, the doctor.

Words that stand for names, free text, passwords and keys are put in everywhere a person would; then
every line that was logged and everything an operator can fetch is searched for them.
"""

import json
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dashboard.serve import HEADERS
from tracker import doctor
from tracker.checks import Finding, Level
from tracker.clock import SYSTEM_CLOCK
from tracker.collect.control import ControlClient
from tracker.diary import Kind, Person, Role
from tracker.settings import Settings
from tracker.store.records import open_records

ROOT = Path(__file__).resolve().parents[2]
SECRET = {
    "name": "Canaria Vogelsang",
    "diary": "zwischen den Blättern zieht es",
    "sensor": "Canarias Clip",
    "phone": "Canarias Telefon",
    "password": "gelber-vogel-singt",
    "token": "nicht-mein-token-7Yq",
}
WEARER = "w-3f9a"


@dataclass(slots=True)
class Seen:
    """What an operator can see: log lines by process, answers by address."""

    logs: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[int, str, dict[str, str]]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def fetch(
    url: str, *, token: str = "", form: bytes | None = None, origin: str = ""
) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of one request to this machine; the certificate is our own."""
    request = urllib.request.Request(url, data=form)  # noqa: S310 - loopback
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if origin:
        request.add_header("Origin", origin)
    context = ssl._create_unverified_context()  # noqa: S323
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:  # noqa: S310
            return answer.status, answer.read().decode("utf-8", "replace"), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace"), dict(error.headers)


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether anybody answers there."""
    try:
        fetch(url)
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """One session of both processes with everything a person types in."""
    import socket

    folder = tmp_path_factory.mktemp("privacy")
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    settings = Settings(
        data=folder / "data", zone="Europe/Berlin", log="DEBUG", port=ports[0], http_port=ports[1]
    )
    _write_a_person(settings)
    environment = {
        **os.environ, **settings.environment(), "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere",
    }  # fmt: skip
    commands = {"collector": ["tracker", "collect"], "dashboard": ["dashboard.serve"]}
    processes = {}
    for name, words in commands.items():
        with (folder / f"{name}.log").open("wb") as log:
            processes[name] = subprocess.Popen(
                [sys.executable, "-m", *words], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
    found = Seen()
    try:
        _use(settings, found)
        yield found
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(40)


def _write_a_person(settings: Settings) -> None:
    from argon2 import PasswordHasher
    from argon2.profiles import CHEAPEST

    from tracker.accounts import Accounts

    records = open_records(settings)
    accounts = Accounts(records, hasher=PasswordHasher.from_parameters(CHEAPEST))
    owner = accounts.add(SECRET["name"], SECRET["password"], [Role.WEARER])
    records.put_person(
        Person(
            id=owner.id, name=SECRET["name"], roles=frozenset({Role.WEARER}), wearer=WEARER,
            zone="Europe/Berlin",
        )
    )  # fmt: skip
    records.put_entry(
        WEARER, Kind.NOTE, {"text": SECRET["diary"]}, at_ns=time.time_ns(), day="2026-11-23",
        author=owner.id,
    )  # fmt: skip
    records.close()


def _use(settings: Settings, found: Seen) -> None:
    """Add a sensor and a phone, knock with wrong keys, fetch what an operator can fetch, erase."""
    door, pages = f"https://127.0.0.1:{settings.http_port}", f"http://127.0.0.1:{settings.port}"
    control = ControlClient(settings.data)
    until(control.running)
    until(lambda: answers(f"{door}/health"))
    until(lambda: answers(f"{pages}/_stcore/health"))
    control.call(
        "add_sensor", address="C0:00:00:00:00:07", wearer=WEARER, placement="upper-back",
        name=SECRET["sensor"],
    )  # fmt: skip
    phone: dict[str, Any] = control.call(
        "pair_phone", name=SECRET["phone"], wearer=WEARER, placement="waist"
    )
    found.tokens.append(str(phone["token"]))
    fetch(f"{door}/phone/state", token=str(phone["token"]))
    fetch(f"{door}/in/sensor-logger?token={SECRET['token']}", form=b"{}")
    fetch(f"{door}/in/sensor-logger?token={phone['token']}", form=b'{"broken')
    for password in (SECRET["password"] + "x", SECRET["password"]):
        form = urllib.parse.urlencode({"name": SECRET["name"], "password": password}).encode()
        fetch(f"{pages}/auth/login", form=form, origin=pages)
    for base, paths in (
        (door, ("/health", "/metrics", "/phone", "/phone/page.js", "/nowhere")),
        (pages, ("/health", "/_stcore/health", "/auth/login", "/nowhere")),
    ):
        for path in paths:
            found.answers[("door" if base == door else "pages") + path] = fetch(base + path)
    here = doctor.surroundings(settings, SYSTEM_CLOCK)
    found.findings = list(doctor.examine(here, ["sensors", "ports", "stores"]))
    control.call("erase", wearer=WEARER)
    for name in ("collector", "dashboard"):
        found.logs[name] = (settings.data.parent / f"{name}.log").read_text(encoding="utf-8")


def test_no_log_line_names_anybody(seen: Seen) -> None:
    """At the most talkative level no name, free text, password or key was logged."""
    assert "C0:00:00:00:00:07" in seen.logs["collector"]  # it did log what it may
    for process, text in seen.logs.items():
        for kind, word in SECRET.items():
            assert word not in text, f"{process} logged the {kind}"
            assert urllib.parse.quote(word) not in text, f"{process} logged the {kind}"
        assert not [t for t in seen.tokens if t in text], f"{process} logged a key"


def test_log_lines_are_objects(seen: Seen) -> None:
    """Each line of the collector is one JSON object with time, level, logger and message."""
    lines = seen.logs["collector"].splitlines()
    assert lines
    for line in lines:
        assert {"time", "level", "logger", "message"} <= set(json.loads(line)), line


def test_health_and_metrics_name_nobody(seen: Seen) -> None:
    """What needs no sign-in tells about the machine: no name, no text, not even the pseudonym."""
    for where in ("door/health", "door/metrics", "pages/health", "pages/_stcore/health"):
        status, text, _ = seen.answers[where]
        assert status == 200, where
        assert WEARER not in text, where
        for kind, word in SECRET.items():
            assert word not in text, f"{where} tells the {kind}"
    assert json.loads(seen.answers["door/health"][1])["status"] in ("ok", "failing")
    assert json.loads(seen.answers["pages/health"][1]) == {"status": "ok"}


def test_metrics_are_in_prometheus_format(seen: Seen) -> None:
    """Each line is a comment or `name{labels} value`; every series has HELP and TYPE before it."""
    sample = re.compile(r'^(\w+)(\{(\w+="[^"\n]*",?)+\})? -?\d+(\.\d+)?(e[+-]?\d+)?$')
    told: set[str] = set()
    lines = seen.answers["door/metrics"][1].splitlines()
    for line in lines:
        if line.startswith("# TYPE "):
            told.add(line.split()[2])
        elif not line.startswith("# HELP "):
            found = sample.match(line)
            assert found, line
            assert found[1] in told, line
    assert 'backstay_link_up{sensor="C0:00:00:00:00:07"} 0' in lines


def test_every_answer_carries_the_security_headers(seen: Seen) -> None:
    """Pages, sign-in, health, files and what does not exist: all with policy and no sniffing."""
    for where, (_, _, headers) in seen.answers.items():
        lower = {name.lower(): value for name, value in headers.items()}
        assert lower["x-content-type-options"] == "nosniff", where
        assert lower["referrer-policy"] in ("no-referrer", "same-origin"), where
        policy = lower["content-security-policy"]
        assert "frame-ancestors 'none'" in policy, where
        assert "http:" not in policy, where
        assert "https:" not in policy, where
        assert "*" not in policy, where
        if where.startswith("pages"):
            for name, value in HEADERS:
                assert lower[name.decode()] == value.decode(), where


def test_the_doctor_knows_our_own_doors_and_asks_the_collector(seen: Seen) -> None:
    """While both run: their ports are not taken by strangers, and the sensor is silent.

    What the collector says of a sensor has the form that the check reads.
    """
    ports = [f for f in seen.findings if f.check == "ports"]
    assert [f.level for f in ports] == [Level.OK, Level.OK]
    assert "The dashboard answers" in ports[0].sentence
    assert "The phone door answers" in ports[1].sentence
    silent = [f for f in seen.findings if f.check == "sensors"]
    assert len(silent) == 2
    assert all(f.level is Level.FAULT and "has sent nothing yet" in f.sentence for f in silent)
    assert doctor.healthy(f for f in seen.findings if f.check == "stores")
