# SPDX-License-Identifier: Apache-2.0
"""Starts and supervises the processes of `backstay up`: collector and dashboard, and the demo.

No POSIX-only call: children are ended with `terminate`, which the collector and the dashboard
answer with a clean stop; what does not end in time is killed.
"""

import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from tracker.errors import ServiceError

_log = logging.getLogger(__name__)

# A child that lives this long was started well; its next crash starts with a short wait again.
_STEADY_S = 60.0
_BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STOP_S = 10.0


def free_port(host: str, wanted: int) -> int:
    """The wanted port if nobody listens there, else one the system picks."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServiceError(f"no free port on {host}: end another program that listens there")


@dataclass(slots=True, kw_only=True)
class Child:
    """One supervised process; `crashes` counts since it last ran steadily."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    started_s: float = 0.0
    restart_at_s: float = 0.0
    crashes: int = 0

    def start(self) -> None:
        """Start the process; it inherits stderr, so its log lines appear here."""
        self.process = subprocess.Popen(  # noqa: S603 - our own modules only
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # what people read is printed once, by the launcher
        )
        self.started_s = time.monotonic()


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Keeps children running until `stop` is called or a signal comes."""

    children: list[Child] = field(default_factory=list)
    stopping: bool = False

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            child.start()

    def request_stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Signal handler: leave the loop at the next tick."""
        self.stopping = True

    def watch(self, tick: Callable[[], None] | None = None) -> None:
        """Block until asked to stop; a child that ends is started again after a growing wait."""
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self.request_stop)
        while not self.stopping:
            now_s = time.monotonic()
            for child in self.children:
                self._look_after(child, now_s)
            if tick is not None:
                tick()
            time.sleep(0.2)
        self.stop()

    def _look_after(self, child: Child, now_s: float) -> None:
        if child.process is not None and child.process.poll() is not None:
            code = child.process.returncode
            if now_s - child.started_s > _STEADY_S:
                child.crashes = 0
            wait_s = _BACKOFF_S[min(child.crashes, len(_BACKOFF_S) - 1)]
            child.crashes += 1
            child.process = None
            child.restart_at_s = now_s + wait_s
            _log.error(
                "%s ended; it is started again", child.name, extra={"code": code, "wait_s": wait_s}
            )
        if child.process is None and now_s >= child.restart_at_s:
            child.start()

    def stop(self) -> None:
        """End all children: ask first, kill what does not follow within ten seconds."""
        alive = [c.process for c in self.children if c.process and c.process.poll() is None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + _STOP_S
        for process in alive:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.warning("a process did not stop in time and is killed")
                process.kill()
                process.wait()


def python_module(module: str, *arguments: str) -> list[str]:
    """Command line that runs a module of ours with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def wait_until_answers(url: str, child: Child, timeout_s: float = 60.0) -> None:
    """Block until the address answers 200; raise with a sentence when the child died or is late."""
    deadline = time.monotonic() + timeout_s
    # Our own self-signed certificate on loopback: only whether it answers is asked.
    context = ssl._create_unverified_context() if url.startswith("https") else None  # noqa: S323, SLF001
    while time.monotonic() < deadline:
        if child.process is None or child.process.poll() is not None:
            raise ServiceError(
                f"the {child.name} ended while starting; its last lines above say why"
            )
        try:
            with urllib.request.urlopen(url, timeout=2, context=context) as answer:  # noqa: S310 - loopback only
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.15)
    raise ServiceError(f"the {child.name} did not answer at {url} within {timeout_s:.0f} s")
