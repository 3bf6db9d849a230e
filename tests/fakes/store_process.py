# SPDX-License-Identifier: Apache-2.0
"""Starts `tests.fakes.store_writer` as a process and hears what it acknowledges."""

import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Writer:
    """A writing process and what it said."""

    def __init__(self, data: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.store_writer", str(data), *options],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: queue.Queue[str] = queue.Queue()
        self.acked = -1
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            if not text.endswith("\n"):
                break  # killed in the middle of the word
            if text.startswith("ack "):
                self.acked = int(text.split()[1])
            else:
                self.said.put(text.strip())

    def wait_for(self, word: str, timeout_s: float = 60) -> str:
        """The next line that begins with a word."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                text = self.said.get(timeout=max(0.1, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(self._errors()) from None
            if text.startswith(word):
                return text

    def wait_acked(self, at_least: int, timeout_s: float = 60) -> None:
        """Wait until so many seconds are acknowledged."""
        deadline = time.monotonic() + timeout_s
        while self.acked < at_least:
            assert time.monotonic() < deadline, self._errors()
            time.sleep(0.005)

    def _errors(self) -> str:
        self.process.kill()
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def kill(self) -> None:
        """Kill -9 and hear what it still said."""
        self.process.kill()
        self.end()

    def end(self) -> None:
        """Let it end (its stdin closes)."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self._thread.join(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.stderr.close()
