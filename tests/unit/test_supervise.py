# SPDX-License-Identifier: Apache-2.0
"""The supervisor: children come back after a growing wait, and end when asked, whatever they do."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tracker import supervise
from tracker.errors import ServiceError
from tracker.supervise import Child, Supervisor, free_port, wait_until_answers


def child(code: str, **environment: str) -> Child:
    """A child that runs some Python."""
    return Child(name="child", command=[sys.executable, "-c", code], environment=environment)


@pytest.fixture
def watched() -> Iterator[Callable[[Supervisor], threading.Thread]]:
    """Runs a supervisor's loop in a thread, without its signal handlers; stops it afterwards."""
    running: list[tuple[Supervisor, threading.Thread]] = []

    def start(supervisor: Supervisor) -> threading.Thread:
        thread = threading.Thread(target=supervisor.watch)
        running.append((supervisor, thread))
        thread.start()
        return thread

    yield start
    for supervisor, thread in running:
        supervisor.request_stop()
        thread.join(20)


@pytest.fixture(autouse=True)
def _no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handlers can be set in the main thread only; `tests/integration/test_up.py` has them."""
    monkeypatch.setattr(supervise.signal, "signal", lambda *_: None)


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_child_that_ends_is_started_again_with_its_environment(
    tmp_path: Path, watched: Callable[[Supervisor], threading.Thread]
) -> None:
    """A child that ends at once is started again and again, each time with a longer wait."""
    log = tmp_path / "starts"
    one = child("import os; open(os.environ['LOG'], 'a').write('x')", LOG=str(log))
    watched(Supervisor(children=[one]))
    until(lambda: log.exists() and len(log.read_text()) >= 3)
    assert one.crashes >= 2
    assert list(supervise._BACKOFF_S) == sorted(supervise._BACKOFF_S)


def test_a_steady_child_starts_anew_with_a_short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a long good run the count of crashes begins again: the first wait is the shortest."""
    one = child("pass")
    one.start()
    assert one.process is not None
    one.process.wait()
    one.crashes = 5
    supervisor = Supervisor(children=[one])
    now_s = one.started_s + supervise._STEADY_S + 1
    supervisor._look_after(one, now_s)
    assert one.crashes == 1
    assert one.process is None
    assert one.restart_at_s == pytest.approx(now_s + supervise._BACKOFF_S[0])
    supervisor._look_after(one, now_s + 0.1)
    assert one.process is None  # not yet
    supervisor._look_after(one, now_s + 1)
    assert one.process is not None
    supervisor.stop()


def test_a_child_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that ignores the request to end is killed after the grace period; none is left."""
    monkeypatch.setattr(supervise, "_STOP_S", 0.5)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"  # noqa: E501
    one = child(deaf)
    one.process = subprocess.Popen(one.command, stdout=subprocess.PIPE)
    assert one.process.stdout is not None
    one.process.stdout.readline()  # it ignores the signal from here on
    other = child("import time; time.sleep(60)")
    other.start()
    Supervisor(children=[one, other]).stop()
    assert other.process is not None
    assert one.process.returncode == -9
    assert other.process.returncode is not None
    one.process.stdout.close()


def test_a_child_that_dies_while_starting_is_said() -> None:
    """Waiting for an address ends at once when the process is gone."""
    one = child("raise SystemExit(3)")
    one.start()
    assert one.process is not None
    one.process.wait()
    with pytest.raises(ServiceError, match="the child ended while starting"):
        wait_until_answers("http://127.0.0.1:9/", one)


def test_a_child_that_never_answers_is_said(free_port: Callable[[], int]) -> None:
    """Waiting is bounded, and says where nobody answered."""
    one = child("import time; time.sleep(60)")
    one.start()
    url = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(ServiceError, match=f"did not answer at {url}"):
        wait_until_answers(url, one, timeout_s=0.4)
    Supervisor(children=[one]).stop()


def test_a_child_that_answers_late_is_waited_for() -> None:
    """503 while starting is no answer; 200 is."""

    class Late(BaseHTTPRequestHandler):
        asked = 0

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            """The third time it is ready."""
            Late.asked += 1
            self.send_response(200 if Late.asked > 2 else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Late)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    one = child("import time; time.sleep(60)")
    one.start()
    wait_until_answers(f"http://127.0.0.1:{server.server_port}/", one)
    Supervisor(children=[one]).stop()
    server.shutdown()
    thread.join()
    server.server_close()
    assert Late.asked == 3


def test_a_taken_port_gives_another() -> None:
    """The wanted port if it is free, else one that the system picks."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        other = free_port("127.0.0.1", taken)
        assert other not in (0, taken)
    assert free_port("127.0.0.1", other) == other
