# SPDX-License-Identifier: Apache-2.0
"""Audit lines of commands that run while the dashboard owns `app.db`: kept beside, taken in later.

The dashboard takes them in when it opens the records next; no line is lost and none is doubled
unless the machine stops between the two steps of taking in (then a line may stand twice).
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict

from tracker.diary import AuditLine
from tracker.settings import Settings

_NAME = "audit-pending.jsonl"


def put(settings: Settings, line: AuditLine) -> None:
    """Append one line and bring it to the disk."""
    path = settings.data / _NAME
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def take_in(settings: Settings, keep: Callable[[AuditLine], None]) -> int:
    """Hand every pending line to `keep`; the number of lines."""
    path = settings.data / _NAME
    taking = path.with_suffix(".taking")
    if path.exists() and not taking.exists():
        path.replace(taking)
    if not taking.exists():
        return 0
    lines = taking.read_text(encoding="utf-8").splitlines()
    for text in lines:
        keep(AuditLine(**json.loads(text)))
    taking.unlink()
    return len(lines)
