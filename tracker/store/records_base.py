# SPDX-License-Identifier: Apache-2.0
"""What the parts of the records share: the engine, the clock, reading rows."""

from collections.abc import Iterable
from typing import Any

from tracker.clock import SYSTEM_CLOCK, Clock
from tracker.store.sql import Engine

FOREVER = 1 << 62


class RecordsBase:
    """One database of people and diary. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Clock = SYSTEM_CLOCK) -> None:
        self.engine = engine
        self._clock = clock

    def close(self) -> None:
        """Release the database."""
        self.engine.close()

    def _rows(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self.engine.reading() as db:
            return list(db.execute(statement, values).fetchall())


def joined(words: Iterable[str]) -> str:
    """A set of words as one text."""
    return ",".join(sorted(words))


def words_of(text: str) -> frozenset[str]:
    """The inverse."""
    return frozenset(s for s in text.split(",") if s)
