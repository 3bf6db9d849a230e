# SPDX-License-Identifier: Apache-2.0
"""How long a therapist's list takes: `python -m bench.load_therapist [patients] [days]`.

Writes so many simulated patients with grants into a temporary folder, then times the first look at
the list (everything worked out), the second (within five minutes) and one patient page's report.
"""

import os
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from bench.load_history import ZONE, P, name_of, turned_days
from dashboard import data
from tracker.access import DEFAULT_SCOPES
from tracker.clock import Clock
from tracker.diary import Kind, Person, Role
from tracker.settings import Settings
from tracker.simulation.history import history
from tracker.store.base import Batch
from tracker.store.records import open_records
from tracker.store.sqlite import open_store
from tracker.units import local_date

DAY_NS = 86_400 * 10**9


def fill(settings: Settings, patients: int, days: int) -> None:
    """Patients who share the default scopes, with diaries; each has other days in another order.

    Day rollups are those of simulated days; epochs are written for the newest week alone, the list
    reads hardly any.
    """
    now_ns = Clock().now_ns()
    today = local_date(now_ns, ZONE)
    made = history(np.random.default_rng(3), days, ZONE, last_day=today, until_ns=now_ns)
    store, records = open_store(settings), open_records(settings)
    with records.engine.reading() as db:
        db.execute("PRAGMA synchronous = OFF")  # some 20,000 commits, of a file that is thrown away
    records.put_person(Person(id="t", name="T", roles=frozenset({Role.THERAPIST})))
    everything = Batch(
        wearer=name_of(0), placement=P, epochs=made.epochs, transitions=made.transitions,
        sets=made.sets, gaps=made.gaps,
    )  # fmt: skip
    store.write(everything)
    store.refresh()
    newest = made.epochs[made.epochs.start_ns > now_ns - 7 * DAY_NS]
    for n in range(patients):
        wearer = name_of(n)
        if n:
            store.write(replace(everything, wearer=wearer, epochs=newest))
        roles = frozenset({Role.WEARER})
        records.put_person(Person(id=wearer, name=f"Person {n}", roles=roles, wearer=wearer))
        for told in made.evenings:
            records.put_entry(
                wearer, Kind.EVENING, asdict(told), at_ns=now_ns, day=told.day, author=wearer
            )
        records.put_grant(wearer, "t", DEFAULT_SCOPES, expires_ns=now_ns + DAY_NS)
    store.refresh()
    turned_days(store, patients, days)
    store.close()
    records.close()


def main() -> None:
    """Print the figures."""
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    days = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with tempfile.TemporaryDirectory(prefix="backstay-load-") as name:
        settings = Settings(data=Path(name), zone="Europe/Berlin")
        fill(settings, patients, days)
        src = data.sources_of(settings)
        viewer = data.writable(src).person("t")
        assert viewer is not None
        for words in ("first look", "second look"):
            begun, cpu = time.perf_counter(), time.process_time()
            lines = data.patient_lines(src, viewer)
            took, used = time.perf_counter() - begun, time.process_time() - cpu
            print(
                f"list of {len(lines)} patients x {days} days, {words}: "
                f"{took:.2f} s, {used:.2f} CPU-s, {1000 * used / len(lines):.1f} ms each, "
                f"load average {os.getloadavg()[0]:.1f}"
            )
        begun = time.process_time()
        data.report(src, viewer, name_of(0))
        print(f"report of one patient: {time.process_time() - begun:.2f} CPU-s")
        data.close()


if __name__ == "__main__":
    main()
