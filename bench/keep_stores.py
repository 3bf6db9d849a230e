# SPDX-License-Identifier: Apache-2.0
"""Keeps a small file of the present schema version for the upgrade tests.

`python -m bench.keep_stores` writes `tests/golden/stores/{epochs,app}-vN.sqlite` for the newest N.
Run it before a new schema step is added; files of released versions are never written again.
"""

import tempfile
from contextlib import closing
from pathlib import Path

from tests.fakes.series import T0, make_epochs, make_samples
from tracker.clock import Clock
from tracker.diary import Kind, Person, Role
from tracker.model import Placement
from tracker.rights.backup import make_backup
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.records_schema import RECORDS_STEPS
from tracker.store.sqlite import open_store
from tracker.store.sqlite_schema import EPOCHS_STEPS

TARGET = Path(__file__).resolve().parent.parent / "tests" / "golden" / "stores"
W, P = "w-golden", Placement.UPPER_BACK


def main() -> None:
    """Write the two files, unless they are there."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), zone="Europe/Berlin")
        clock = Clock(start_ns=T0, origin_ns=0, speed=1e-12)
        with closing(open_store(settings, clock)) as store:
            store.write(
                Batch(
                    wearer=W,
                    placement=P,
                    epochs=make_epochs(T0, 300),
                    raw=make_samples(T0, 120),
                    chain_state=b"state",
                )
            )
        with closing(open_records(settings, clock)) as records:
            records.put_person(
                Person(id="p-1", name="Golden", roles=frozenset({Role.WEARER}), wearer=W)
            )
            entry = records.put_entry(
                W, Kind.EVENING, {"tension": 3}, at_ns=T0, day="2026-11-24", author="p-1"
            )
            records.edit_entry(entry.id, {"tension": 4}, author="p-1")
        made = make_backup(settings, T0)
        for name, steps in (("epochs", EPOCHS_STEPS), ("app", RECORDS_STEPS)):
            target = TARGET / f"{name}-v{len(steps)}.sqlite"
            if target.exists():
                print(f"{target.name} is there already")
                continue
            TARGET.mkdir(parents=True, exist_ok=True)
            target.write_bytes((made.folder / f"{name}.db").read_bytes())
            print(f"{target.name} written")


if __name__ == "__main__":
    main()
