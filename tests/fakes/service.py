# SPDX-License-Identifier: Apache-2.0
"""The product's own processes as a test starts, kills and starts them again."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tracker.clock import Clock
from tracker.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


class Service:
    """One process of ours on a data folder; `ready` says when it serves."""

    def __init__(
        self, words: list[str], settings: Settings, clock: Clock, ready: Callable[[], object]
    ) -> None:
        self.words, self.settings, self.clock, self.ready = words, settings, clock, ready
        self.log = settings.data.parent / f"{words[0]}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, timeout_s: float = 120) -> None:
        """Start and wait until it serves."""
        environment = {
            **os.environ, **self.settings.environment(), **self.clock.environment(),
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.words], cwd=ROOT, env=environment, stdout=log,
                stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + timeout_s
        while not self.ready():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-3000:]

    def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """SIGTERM and wait; the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(120)
