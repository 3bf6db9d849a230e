# SPDX-License-Identifier: Apache-2.0
"""The first account of a machine that already has somebody's data."""

from pathlib import Path

import numpy as np
from click.testing import CliRunner

from tracker.commands.user import command
from tracker.diary import Role
from tracker.errors import InputError
from tracker.model import EPOCH_DTYPES, EPOCH_NS, Epochs, Placement
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_store

PASSWORD = "drei blaue segel"


def _measured(folder: Path) -> Settings:
    settings = Settings(data=folder)
    store = open_store(settings)
    columns = {c: np.zeros(1, d) for c, d in EPOCH_DTYPES.items()}
    columns["start_ns"] = np.array([100 * EPOCH_NS])
    for wearer in ("me", "s-abc"):
        store.write(Batch(wearer=wearer, placement=Placement.WAIST, epochs=Epochs(**columns)))
    store.close()
    return settings


def test_the_single_user_keeps_their_series(tmp_path: Path) -> None:
    """`user add` adopts the series that was measured before there was any account."""
    settings = _measured(tmp_path)
    words = ["add", "Anna", "--password", PASSWORD]
    done = CliRunner().invoke(command, words, env=settings.environment())
    assert done.exit_code == 0, done.output + str(done.exception)
    records = open_records(settings)
    (anna,) = records.people()
    records.close()
    assert anna.wearer == "me"
    assert anna.roles == {Role.WEARER, Role.OPERATOR}


def test_a_therapist_cannot_be_first_and_lock_the_wearer_out(tmp_path: Path) -> None:
    """With the first password everybody must sign in, so the wearer's account comes first."""
    settings = _measured(tmp_path)
    words = ["add", "Tina", "--role", "therapist", "--password", PASSWORD]
    done = CliRunner().invoke(command, words, env=settings.environment())
    assert isinstance(done.exception, InputError)
    records = open_records(settings)
    assert not records.people()
    records.close()
    empty = Settings(data=tmp_path / "practice")
    done = CliRunner().invoke(command, words, env=empty.environment())
    assert done.exit_code == 0, "a practice without a series of its own may begin with a therapist"
