# SPDX-License-Identifier: Apache-2.0
"""Fixtures that everything shares: recordings, optional tools, property-test profiles.

What a machine lacks is skipped with one sentence that says what to install; with
`BACKSTAY_REQUIRE=all` each such skip is a failure.
"""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile(
    "long", parent=settings.get_profile("ci"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("BACKSTAY_HYPOTHESIS", "ci"))

ROOT = Path(__file__).resolve().parent.parent
# Files whose tests live in (scaled) real time: `make test` runs them one after the other, after
# the rest, so that a busy neighbour cannot make a watchdog bite.
REALTIME = {
    "test_end_to_end.py",
    "test_every_process_killed.py",
    "test_collector_process.py",
    "test_collector_hub.py",
    "test_phone_page.py",
    "test_training_live.py",
    "test_up.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of REALTIME files and of the radio."""
    for item in items:
        if item.path.name in REALTIME or item.path.name.startswith("test_ble_"):
            item.add_marker(pytest.mark.realtime)


def lacking(sentence: str) -> None:
    """Skip with a sentence, or fail where everything is required."""
    if os.environ.get("BACKSTAY_REQUIRE") == "all":
        pytest.fail(f"required here: {sentence}")
    pytest.skip(sentence)


def tool(name: str, install: str) -> str:
    """Path of a program, or a skip that says how to install it."""
    path = os.environ.get(f"BACKSTAY_{name.upper().replace('-', '_')}") or shutil.which(name)
    if not path:
        lacking(f"{name} is missing: install it ({install})")
    return str(path)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of the real recordings (BACKSTAY_RECORDINGS, default ../shared/data)."""
    folder = Path(os.environ.get("BACKSTAY_RECORDINGS") or ROOT.parent / "shared" / "data")
    if not (folder / "splits.json").is_file():
        lacking(f"no recordings at {folder}: set BACKSTAY_RECORDINGS to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def influxd() -> str:
    """Path of a real influxd."""
    return tool(
        "influxd",
        "Debian: apt-get download influxdb && dpkg -x influxdb_*.deb DIR; set BACKSTAY_INFLUXD",
    )


@pytest.fixture
def chromium() -> str:
    """Path of a real Chromium."""
    return tool("chromium", "Debian: apt-get install chromium")


@pytest.fixture
def dbus_daemon() -> str:
    """Path of dbus-daemon."""
    return tool("dbus-daemon", "Debian: apt-get install dbus")


@pytest.fixture
def mosquitto() -> str:
    """Path of a real MQTT broker."""
    path = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    return path or tool("mosquitto", "Debian: apt-get install mosquitto")


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that gives a port of this machine that nobody listens on at the moment."""

    def pick() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return pick


@pytest.fixture(scope="session")
def postgres_bin() -> Path:
    """Folder of a real PostgreSQL's programs (initdb, postgres)."""
    found = shutil.which("initdb") or next(
        iter(sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), reverse=True)), None
    )
    if found is None:
        lacking("PostgreSQL is missing: install it (Debian: apt-get install postgresql)")
    return Path(str(found)).resolve().parent


@pytest.fixture
def docker_compose() -> str:
    """Path of docker-compose 1.29 (no daemon is needed)."""
    return tool("docker-compose", "Debian: apt-get install --no-install-recommends docker-compose")
