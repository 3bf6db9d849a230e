# SPDX-License-Identifier: Apache-2.0
"""A clock that a test moves, and accounts on a real database."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from tracker.accounts import Accounts
from tracker.settings import Settings
from tracker.store.records import open_records


@dataclass(slots=True)
class Hand:
    """A clock that stands until it is moved."""

    now: int = 1_800_000_000 * 10**9

    def now_ns(self) -> int:
        """The time on the hand."""
        return self.now


@pytest.fixture
def hand() -> Hand:
    """The clock of accounts and records."""
    return Hand()


@pytest.fixture
def accounts(tmp_path: Path, hand: Hand) -> Iterator[Accounts]:
    """Accounts on a real database, with the cheapest hashes (for tests only)."""
    records = open_records(Settings(data=tmp_path), hand)  # type: ignore[arg-type]
    hasher = PasswordHasher.from_parameters(CHEAPEST)
    yield Accounts(records, hand, hasher)  # type: ignore[arg-type]
    records.close()
