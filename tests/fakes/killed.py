# SPDX-License-Identifier: Apache-2.0
"""A command of ours in a process that kills itself (SIGKILL) at a certain step.

`python -m tests.fakes.killed FOLDER STEP WORDS...` runs `backstay WORDS...`; a step is a file of
FOLDER that is opened for the first time in a row, renamed or removed, or a database that is opened.
Step 0 kills nothing; the number of steps is the last line on stderr.
"""

import os
import signal
import sys

from tracker.cli import main as backstay

_EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "sqlite3.connect"}


class _Steps:
    """Counts what happens in a folder, as Python's audit events tell it."""

    def __init__(self, folder: str, last: int) -> None:
        self.folder, self.last = folder, last
        self.count = 0

    def __call__(self, event: str, details: tuple[object, ...]) -> None:
        if event not in _EVENTS or not details or self.folder not in str(details[0]):
            return
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def main(words: list[str]) -> None:
    """Run the command; the number of steps is the last line on stderr."""
    steps = _Steps(words[0], int(words[1]))
    sys.addaudithook(steps)
    try:
        backstay(words[2:])
    finally:
        print(steps.count, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
