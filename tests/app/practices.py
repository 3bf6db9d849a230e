# SPDX-License-Identifier: Apache-2.0
"""A practice made of any state of data: one wearer shares with one therapist, and operates it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from tracker.accounts import Accounts
from tracker.clock import clock_from
from tracker.diary import Person, Role
from tracker.settings import Settings
from tracker.store.records import open_records

PASSWORD = "a long enough sentence"
NOW = "2026-11-23T12:00:00+00:00@0.000001"
# The clock of a test starts anew with every process: what was done before it, was done earlier.
BEFORE = "2026-11-23T11:59:00+00:00@0.000001"


@dataclass
class Practice:
    """A folder with a wearer, who also operates it, a therapist, and their cookies."""

    folder: Path
    people: dict[str, Person]
    secrets: dict[str, str]


def practice_of(source: Path, folder: Path, lang: str = "en") -> Practice:
    """A copy of a wearer's folder in which Anna shares the default scopes with Tina."""
    shutil.copytree(source, folder)
    settings = Settings(data=folder, zone="Europe/Berlin")
    clock = clock_from(BEFORE)
    records = open_records(settings, clock)
    accounts = Accounts(records, clock, PasswordHasher.from_parameters(CHEAPEST))
    anna = accounts.add_owner("Anna Muster", PASSWORD, language=lang, zone="Europe/Berlin")
    tina = accounts.add("Tina Therapie", PASSWORD, [Role.THERAPIST], language=lang)
    code = accounts.invite(anna, {"sitting", "training", "tension"}, days=90)
    accounts.accept(tina, code)
    people = {"anna": anna, "tina": tina}
    secrets = {key: accounts.open_session(p) for key, p in people.items()}
    records.close()
    return Practice(folder, people, secrets)
