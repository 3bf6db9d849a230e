# SPDX-License-Identifier: Apache-2.0
"""`up` and `demo` as a stranger starts them: a fresh home, one address, and a clean end."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import lacking
from tracker.store.lock import is_locked

ROOT = Path(__file__).resolve().parents[2]
CHILDREN = ("dashboard.serve", "tracker collect", "tracker demo --feed")


class Service:
    """`python -m tracker WORDS` in a session of its own, its output read as it comes."""

    def __init__(self, home: Path, *words: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BACKSTAY_", "XDG_"))}
        self.home = home
        self.errors = (home.parent / f"{home.name}.err").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tracker", *words],
            cwd=ROOT,
            env=kept | {"XDG_DATA_HOME": str(home), "HOME": str(home.parent)},
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def said(self) -> str:
        """Everything it wrote to stderr."""
        return Path(self.errors.name).read_text()

    def wait_for(self, what: Callable[[], object], seconds: float = 90) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)

    def ready(self) -> str:
        """The address, once everything was said."""
        self.wait_for(lambda: any(line.startswith("Ctrl+C") for line in self.lines))
        return self.lines[0]

    def children(self) -> dict[str, int]:
        """Process ids of the children by what they run."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                session = int((entry / "stat").read_text().rpartition(")")[2].split()[3])
            except (OSError, ValueError):
                continue
            if session == self.process.pid and int(entry.name) != self.process.pid:
                found |= {name: int(entry.name) for name in CHILDREN if name in words}
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(40)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self._reader.join()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.errors.close()
        return code


def answers(url: str) -> bool:
    """Whether an address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - our own loopback
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """One `backstay up` for the tests that only look; the last test ends it."""
    if not Path("/proc/self/stat").exists():
        lacking("needs /proc to see the children")
    service = Service(tmp_path_factory.mktemp("up") / "share", "up")
    try:
        yield SimpleNamespace(service=service, url=service.ready())
    finally:
        service.end()


def test_the_first_line_is_the_address_and_it_answers_without_a_sign_in(
    up: SimpleNamespace,
) -> None:
    """The address comes first, alone and at once; health and the page need no account."""
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", up.url)
    for path in ("/_stcore/health", "/health", "/"):
        assert answers(up.url + path), path


def test_a_fresh_machine_shows_a_demo_that_is_marked(up: SimpleNamespace) -> None:
    """Data lie under XDG_DATA_HOME; the demo has a marked folder of its own beside nothing real."""
    data = up.service.home / "backstay"
    assert (data / "demo" / "DEMO").is_file()
    assert (data / "demo" / "epochs.db").is_file()
    text = "\n".join(up.service.lines)
    assert "demo wearer" in text
    assert "backstay scan" in text
    assert f"Data: {data}" in text


def test_a_second_start_says_where_the_first_one_is(up: SimpleNamespace) -> None:
    """Started twice by mistake: exit code 1 and the address; the first goes on undisturbed."""
    home, port = up.service.home, up.url.rpartition(":")[2]
    files = [home / "backstay" / "epochs.db", home / "backstay" / "demo" / "epochs.db"]
    up.service.wait_for(lambda: all(is_locked(f) for f in files))
    mark = (home / "backstay" / "demo" / "DEMO").stat().st_mtime_ns
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BACKSTAY_", "XDG_"))}
    for words in (["up", "--port", port], ["demo", "--port", port]):
        run = subprocess.run(
            [sys.executable, "-m", "tracker", *words], cwd=ROOT, capture_output=True, text=True,
            env=kept | {"XDG_DATA_HOME": str(home)}, check=False, timeout=60,
        )  # fmt: skip
        assert run.returncode == 1, run.stdout
        assert "already runs: open" in run.stderr
        assert "Traceback" not in run.stderr
    assert (home / "backstay" / "demo" / "DEMO").stat().st_mtime_ns == mark
    assert answers(up.url + "/_stcore/health")


def test_a_killed_child_is_started_again(up: SimpleNamespace) -> None:
    """`kill -9` of collector and dashboard: both come back, the address stays."""
    up.service.wait_for(lambda: set(up.service.children()) == set(CHILDREN))
    before = up.service.children()
    for name in CHILDREN[:2]:
        os.kill(before[name], signal.SIGKILL)
    up.service.wait_for(
        lambda: (
            set(now := up.service.children()) == set(CHILDREN)
            and all(now[name] != before[name] for name in CHILDREN[:2])
        )
    )
    up.service.wait_for(lambda: answers(up.url + "/_stcore/health"))
    assert up.service.children()[CHILDREN[2]] == before[CHILDREN[2]]


def test_asked_to_stop_it_leaves_no_process(up: SimpleNamespace) -> None:
    """SIGTERM: exit code 0, every child gone, the port free, no traceback."""
    children = up.service.children()
    assert up.service.end() == 0
    assert not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()]
    assert not answers(up.url + "/_stcore/health")
    assert "Traceback" not in up.service.said()


def test_demo_takes_another_port_when_its_own_is_taken(tmp_path: Path) -> None:
    """A stranger on the wanted port: the demo starts on a free one and touches nothing real."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        service = Service(tmp_path / "share", "demo", "--port", str(taken))
        try:
            url = service.ready()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
            assert not url.endswith(f":{taken}")
            assert answers(url + "/_stcore/health")
            assert "simulated" in "\n".join(service.lines)
            children = service.children()
            assert "tracker collect" not in children
            assert not (service.home / "backstay" / "epochs.db").exists()
        finally:
            code = service.end(signal.SIGINT)
        assert code == 0
        assert not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """A data folder below a file: exit code 1, the sentence alone, nothing started."""
    (tmp_path / "file").write_text("x")
    run = subprocess.run(
        [sys.executable, "-m", "tracker", "up"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"BACKSTAY_DATA": str(tmp_path / "file" / "data")}, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stdout == ""
    assert "BACKSTAY_DATA" in run.stderr
    assert "Traceback" not in run.stderr
