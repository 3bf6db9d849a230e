# SPDX-License-Identifier: Apache-2.0
"""Raw samples: appended by the second, packed by the minute, never stored twice."""

import sqlite3
from itertools import pairwise

import numpy as np

from tracker.model import MICROSECOND_NS, SECOND_NS, Samples
from tracker.store.codec import join_samples, pack_samples, unpack_samples
from tracker.store.sqlite_read import MINUTE_US


def put_raw(db: sqlite3.Connection, sid: int, raw: Samples) -> None:
    """Append raw samples, minute by minute; times that are stored already are left alone.

    A whole minute is packed at once; the running minute stays open until the next one begins.
    """
    t_us = raw.t_ns // MICROSECOND_NS
    known = db.execute(
        "SELECT data FROM raw WHERE series = ? AND start_us >= ? AND start_us <= ? AND end_us >= ?",
        (sid, int(t_us[0]) - int(t_us[0]) % MINUTE_US, int(t_us[-1]), int(t_us[0])),
    ).fetchall()
    if known:
        old = np.concatenate([unpack_samples(block).t_ns for (block,) in known])
        new = np.flatnonzero(~np.isin(raw.t_ns, old))
        if not new.size:
            return
        gyr = None if raw.gyr_dps is None else raw.gyr_dps[new]
        raw = Samples(t_ns=raw.t_ns[new], acc_g=raw.acc_g[new], gyr_dps=gyr)
        t_us = raw.t_ns // MICROSECOND_NS
    minutes = t_us // MINUTE_US
    cuts = [0, *(np.flatnonzero(np.diff(minutes)) + 1).tolist(), len(raw)]
    for a, b in pairwise(cuts):
        whole = b < len(raw) and (a > 0 or t_us[a] % MINUTE_US < SECOND_NS // MICROSECOND_NS)
        _insert_block(db, sid, raw[a:b], packed=bool(whole))
    pack_minutes(db, sid)


def pack_minutes(db: sqlite3.Connection, sid: int) -> int:
    """Join the open blocks of every minute but the newest; the number of blocks joined."""
    row = db.execute(
        "SELECT start_us FROM raw WHERE series = ? ORDER BY start_us DESC LIMIT 1", (sid,)
    ).fetchone()
    if row is None:
        return 0
    current = row[0] - row[0] % MINUTE_US
    blocks = db.execute(
        "SELECT id, start_us, data FROM raw WHERE series = ? AND packed = 0 AND start_us < ? "
        "ORDER BY start_us",
        (sid, current),
    ).fetchall()
    for minute in sorted({start // MINUTE_US for _, start, _ in blocks}):
        here = [(key, data) for key, start, data in blocks if start // MINUTE_US == minute]
        merged = join_samples([unpack_samples(data) for _, data in here])
        db.executemany("DELETE FROM raw WHERE id = ?", [(key,) for key, _ in here])
        _insert_block(db, sid, merged, packed=True)
    return len(blocks)


def _insert_block(db: sqlite3.Connection, sid: int, block: Samples, *, packed: bool) -> None:
    db.execute(
        "INSERT INTO raw (series, start_us, end_us, n, packed, data) VALUES (?, ?, ?, ?, ?, ?)",
        (
            sid,
            int(block.t_ns[0]) // MICROSECOND_NS,
            int(block.t_ns[-1]) // MICROSECOND_NS,
            len(block),
            int(packed),
            pack_samples(block, compress=packed),
        ),
    )
