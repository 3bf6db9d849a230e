# SPDX-License-Identifier: Apache-2.0
"""How fast the stores answer a practice: 200 wearers x 90 days, on SQLite and on influxd.

    python -m bench.load_stores [--wearers 200] [--days 90] [--full 2] [--json OUT]

Fills a temporary folder: the day and hour rollups of every wearer (90 simulated days, each wearer
another stretch of them), and for `--full` wearers every epoch too. Then times, warm and as medians:

* A: one patient's 90 days, B: the therapist's week over all patients (day rollups);
* C: one day's epochs of one patient (what the ribbon of *Today* reads);
* writes: live batches of 50 wearers (a second of 50 Hz raw each) with and without a busy reader,
  and the sink's lines per second.

The target for A is 50 ms and for B 300 ms on SQLite; influxd (where BACKSTAY_INFLUXD names one)
stands beside it as a ratio on the same machine at the same time.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from tests.fakes.influx_shim import Influxd, Shim
from tests.fakes.series import make_samples
from tracker.model import SECOND_NS, Placement
from tracker.settings import Settings
from tracker.simulation.history import history
from tracker.store import sqlite_write as rows
from tracker.store.base import Batch, DayRow
from tracker.store.influx import InfluxStore
from tracker.store.influx_lines import chunks, day_line
from tracker.store.influx_sink import LINES_PER_REQUEST, Sink
from tracker.store.influx_target import InfluxTarget
from tracker.store.sqlite import SqliteStore, open_reader, open_store
from tracker.units import from_ns

P = Placement.UPPER_BACK
ZONE = ZoneInfo("Europe/Berlin")
END_NS = 1_795_474_800 * SECOND_NS  # 2026-11-24 00:00 in Berlin


def timed(action: Callable[[], object], repeat: int = 7) -> float:
    """Median milliseconds."""
    spent = []
    for _ in range(repeat):
        begin = time.perf_counter()
        action()
        spent.append(1000 * (time.perf_counter() - begin))
    return statistics.median(spent)


def fill(store: SqliteStore, wearers: int, days: int, full: int) -> list[DayRow]:
    """Rollups of everybody, epochs of `full` wearers; the rows of all days."""
    made = history(np.random.default_rng(7), days, ZONE, last_day=from_ns(END_NS - 1, ZONE).date())
    for w in range(full):
        print(f"  epochs of wearer {w} ...", file=sys.stderr)
        store.write(Batch(wearer=f"w-{w:03d}", placement=P, epochs=made.epochs, sets=made.sets))
    if not full:
        store.write(Batch(wearer="w-000", placement=P, epochs=made.epochs, sets=made.sets))
    store.refresh()
    template = list(store.days("w-000", P, "0000-01-01", "9999-12-31"))
    everything: list[DayRow] = []
    with store._writing() as db:  # noqa: SLF001 - 18,000 rows at once
        for w in range(wearers):
            name = f"w-{w:03d}"
            sid = rows.series_id(db, name, P)
            for i, row in enumerate(template):
                other = template[(i + w) % len(template)]
                mine = replace(row, wearer=name, seconds=other.seconds, values=other.values)
                rows.put_day(db, sid, row.day, mine)
                everything.append(mine)
    return everything


def reads(
    store: SqliteStore | InfluxStore, wearers: int, rows_of: list[DayRow]
) -> dict[str, float]:
    """A, B and C in milliseconds."""
    names = [f"w-{w:03d}" for w in range(wearers)]
    days = sorted({r.day for r in rows_of})
    week = days[-7:]
    got = store.days(names[0], P, days[0], days[-1])
    assert [r.values for r in got] == [r.values for r in rows_of if r.wearer == names[0]]

    def therapist() -> int:
        return sum(len(store.days(n, P, week[0], week[-1])) for n in names)

    assert therapist() == 7 * wearers
    pairs = [(n, P) for n in names]
    assert sum(map(len, store.days_of(pairs, week[0], week[-1]).values())) == 7 * wearers
    start = rows_of[len(days) - 2].start_ns
    return {
        "A: 90 days of one patient": timed(lambda: store.days(names[0], P, days[0], days[-1])),
        "B: a week of all patients": timed(
            lambda: store.days_of(pairs, week[0], week[-1], detail=False)
        ),
        "B one by one": timed(therapist, 3),
        "C: one day's epochs": timed(
            lambda: store.epochs(names[0], P, start, start + 86_400 * SECOND_NS)
        ),
    }


def live_writes(folder: Path, wearers: int, seconds: int, *, busy: bool) -> dict[str, float]:
    """Commit times of one collector that writes a second of raw of every wearer at once."""
    settings = Settings(data=folder, zone=str(ZONE))
    store = open_store(settings)
    stop = threading.Event()

    def read() -> None:
        reader = open_reader(settings)
        while not stop.is_set():
            reader.raw("w-000", P, 0, 1 << 62)
        reader.close()

    thread = threading.Thread(target=read)
    if busy:
        thread.start()
    spent = []
    for second in range(seconds):
        batches = [
            Batch(
                wearer=f"w-{w:03d}",
                placement=P,
                raw=make_samples(END_NS + second * SECOND_NS, 50, seed=w),
            )
            for w in range(wearers)
        ]
        begin = time.perf_counter()
        store.write_many(batches)
        spent.append(1000 * (time.perf_counter() - begin))
    stop.set()
    if busy:
        thread.join()
    store.close()
    return {
        "p50": statistics.median(spent),
        "p95": float(np.percentile(spent, 95)),
        "max": max(spent),
    }


def main() -> None:
    """Fill, measure, print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--wearers", type=int, default=200)
    given.add_argument("--days", type=int, default=90)
    given.add_argument("--full", type=int, default=2)
    given.add_argument("--json", type=Path)
    told = given.parse_args()
    out: dict[str, object] = {"wearers": told.wearers, "days": told.days, "full": told.full}
    with tempfile.TemporaryDirectory(prefix="bs-bench-") as name:
        folder = Path(name)
        settings = Settings(data=folder / "data", zone=str(ZONE))
        store = open_store(settings)
        begin = time.perf_counter()
        everything = fill(store, told.wearers, told.days, told.full)
        print(f"filled in {time.perf_counter() - begin:.0f} s", file=sys.stderr)
        out["sqlite"] = reads(store, told.wearers, everything)
        out["sqlite_mb"] = settings.epochs_db.stat().st_size / 1e6
        program = os.environ.get("BACKSTAY_INFLUXD")
        if program:
            out["influxd"] = _influx(program, folder, settings, store, told.wearers, everything)
        store.close()
        out["live 50 wearers, ms"] = live_writes(folder / "live", 50, 60, busy=False)
        out["live 50 wearers, busy reader, ms"] = live_writes(folder / "busy", 50, 60, busy=True)
    _print(out)
    if told.json:
        told.json.write_text(json.dumps(out, indent=2) + "\n", encoding="utf-8")


def _influx(
    program: str, folder: Path, settings: Settings, store: SqliteStore, wearers: int,
    everything: list[DayRow],
) -> dict[str, float]:  # fmt: skip
    server = Influxd(program, folder / "influxd")
    server.start()
    shim = Shim(server)
    try:
        there = replace(settings, influx_url=shim.url)
        server.query('CREATE DATABASE "posture"')
        target = InfluxTarget(there)
        lines = [day_line(row) for row in everything]
        for part in chunks(lines, 500):
            target.write(part, "s")
        store.mark_all_dirty()
        sink = Sink(store, target, hours_per_round=24)
        hours, begin = 0, time.perf_counter()
        while hours < 240 and (done := sink.step()):
            hours += done
        rate = hours * 720 / (time.perf_counter() - begin)
        sink.drain()
        target.close()
        reading = InfluxStore(there)
        found = reads(reading, wearers, everything)
        reading.close()
        return {**found, "sink, epochs/s": rate, "lines per request": LINES_PER_REQUEST}
    finally:
        shim.close()
        server.kill()


def _print(out: dict[str, object]) -> None:
    print(f"{out['wearers']} wearers x {out['days']} days, epochs.db {out['sqlite_mb']:.0f} MB\n")
    print("| question | SQLite ms | influxd ms | ratio |\n|---|---|---|---|")
    sqlite, influx = out["sqlite"], out.get("influxd", {})
    assert isinstance(sqlite, dict)
    assert isinstance(influx, dict)
    for question, ms in sqlite.items():
        other = influx.get(question)
        beside = f"{other:.1f} | {other / ms:.1f}" if other else "- | -"
        print(f"| {question} | {ms:.1f} | {beside} |")
    if influx:
        print(f"\nsink: {influx['sink, epochs/s']:.0f} epochs/s")
    for what in ("live 50 wearers, ms", "live 50 wearers, busy reader, ms"):
        found = out[what]
        assert isinstance(found, dict)
        text = ", ".join(f"{k} {v:.1f}" for k, v in found.items())
        print(f"{what} per second of data: {text}")


if __name__ == "__main__":
    main()
