# SPDX-License-Identifier: Apache-2.0
"""The command line asks for the same person as the page before data leave or go."""

from pathlib import Path

import numpy as np
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from click.testing import CliRunner, Result

from tracker.accounts import Accounts
from tracker.commands.erase import command as erase
from tracker.commands.export import command as export
from tracker.commands.report import command as report
from tracker.commands.share import command as share
from tracker.diary import Role
from tracker.errors import AccessDenied
from tracker.model import EPOCH_DTYPES, EPOCH_NS, Epochs, Placement
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_reader, open_store

ANNA, OTTO, TINA = "drei blaue segel", "vier rote anker", "fünf grüne bojen"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Anna wears a sensor, Otto operates, Tina is a therapist with a grant of everything."""
    settings = Settings(data=tmp_path / "data", zone="Europe/Berlin")
    store = open_store(settings)
    columns = {c: np.zeros(1, d) for c, d in EPOCH_DTYPES.items()}
    columns["start_ns"] = np.array([100 * EPOCH_NS])
    for wearer in ("w-anna", "w-lent"):
        store.write(Batch(wearer=wearer, placement=Placement.WAIST, epochs=Epochs(**columns)))
    store.close()
    records = open_records(settings)
    held = Accounts(records, hasher=PasswordHasher.from_parameters(CHEAPEST))
    held.add("Anna", ANNA, [Role.WEARER], wearer="w-anna")
    held.add("Otto", OTTO, [Role.OPERATOR])
    tina = held.add("Tina", TINA, [Role.THERAPIST])
    records.put_grant("w-anna", tina.id, {"sitting", "pain"}, expires_ns=2**62)
    records.close()
    return settings


def commands(tmp_path: Path, wearer: str) -> list[tuple[str, object, list[str]]]:
    """Every command that takes a person's data out or away."""
    return [
        ("export", export, [wearer, "--out", str(tmp_path / "out.zip")]),
        ("export", export, [wearer, "--research", str(tmp_path / "days")]),
        ("share", share, [wearer, "--out", str(tmp_path / "out.share")]),
        ("report", report, ["--wearer", wearer, "--json", str(tmp_path / "out.json")]),
        ("erase", erase, [wearer, "--yes"]),
    ]


def run(settings: Settings, command: object, words: list[str], typed: str) -> Result:
    """The command with a password typed at its question."""
    return CliRunner().invoke(command, words, input=f"{typed}\n", env=settings.environment())  # type: ignore[arg-type]


def stored(settings: Settings) -> set[str]:
    """Wearers with series."""
    reader = open_reader(settings)
    try:
        return {w for w, _ in reader.wearers()}
    finally:
        reader.close()


@pytest.mark.parametrize("typed", [OTTO, TINA, " ", "x" * 5000])
def test_nobody_but_the_wearer_takes_data_out_or_away(
    settings: Settings, tmp_path: Path, typed: str
) -> None:
    """Neither operator nor therapist: refused, audited, nothing written and nothing gone."""
    before = set(tmp_path.iterdir())
    for _, command, words in commands(tmp_path, "w-anna"):
        assert isinstance(run(settings, command, words, typed).exception, AccessDenied)
    assert set(tmp_path.iterdir()) == before
    assert stored(settings) == {"w-anna", "w-lent"}
    records = open_records(settings)
    lines = [(a.action, a.allowed) for a in records.audit_lines("w-anna")]
    records.close()
    assert lines == [(a, False) for a in ("export", "export", "share", "report", "erase")]


def test_the_wearer_may(settings: Settings, tmp_path: Path) -> None:
    """With the own password, typed or from a file."""
    done = run(settings, export, commands(tmp_path, "w-anna")[0][2], ANNA)
    assert done.exit_code == 0, done.output
    assert ANNA not in done.output
    assert (tmp_path / "out.zip").stat().st_mode & 0o077 == 0, "health data are for the owner"
    words = [*commands(tmp_path, "w-anna")[3][2], "--from", "1970-01-01", "--to", "1970-01-01"]
    done = run(settings, report, words, ANNA)
    assert done.exit_code == 0, done.output + repr(done.exception)
    assert (tmp_path / "out.json").stat().st_mode & 0o077 == 0
    secret = tmp_path / "password"
    secret.write_text(f"{ANNA}\n", encoding="utf-8")
    words = ["w-anna", "--yes", "--password-file", str(secret)]
    done = run(settings, erase, words, "")
    assert done.exit_code == 0, done.output
    assert stored(settings) == {"w-lent"}


def test_what_has_no_account_the_operator_erases_and_does_not_read(
    settings: Settings, tmp_path: Path
) -> None:
    """A lent kit comes back: the operator may erase it, with the operator's password alone."""
    for name, command, words in commands(tmp_path, "w-lent"):
        if name != "erase":
            assert isinstance(run(settings, command, words, OTTO).exception, AccessDenied)
    refused = run(settings, erase, ["w-lent", "--yes"], ANNA)
    assert isinstance(refused.exception, AccessDenied)
    assert run(settings, erase, ["w-lent", "--yes"], OTTO).exit_code == 0
    assert stored(settings) == {"w-anna"}


def test_a_single_user_is_not_asked(settings: Settings, tmp_path: Path) -> None:
    """Without any account the commands go on as they always did."""
    alone = Settings(data=tmp_path / "alone", zone="Europe/Berlin")
    store = open_store(alone)
    columns = {c: np.zeros(1, d) for c, d in EPOCH_DTYPES.items()}
    store.write(Batch(wearer="me", placement=Placement.WAIST, epochs=Epochs(**columns)))
    store.close()
    done = CliRunner().invoke(erase, ["me", "--yes"], env=alone.environment())
    assert done.exit_code == 0, done.output
    assert stored(alone) == set()
