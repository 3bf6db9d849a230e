# SPDX-License-Identifier: Apache-2.0
"""A process that writes series as fast as the disk takes them and says what was acknowledged.

`python -m tests.fakes.store_writer DATA [--sink URL BUCKET] [--limit BYTES] [--count N]`

Line "ack N" on stdout: the N-th second of every series is stored. "refused SENTENCE": it was not.
Everything written follows from N alone, so that another process can say what must be there.
"""

import sys
from pathlib import Path

import numpy as np

from tracker.errors import StoreError
from tracker.model import EPOCH_NS, SECOND_NS, Epochs, Placement, Samples
from tracker.settings import Settings
from tracker.store.base import Batch
from tracker.store.sqlite import open_store
from tracker.store.sqlite_read import SqliteReader

WEARERS = ("w-1", "w-2")
P = Placement.UPPER_BACK
START = 1_795_500_000 * SECOND_NS
HZ = 50


def raw_of(wearer: str, second: int) -> Samples:
    """The samples of one second."""
    n = np.arange(second * HZ, (second + 1) * HZ, dtype=np.int64)
    values = (np.stack([n, n + 1, n * 7], axis=1) % 1009 + WEARERS.index(wearer)) / 512
    return Samples(t_ns=START + n * 20_000_000, acc_g=values.astype(np.float32))


def epoch_of(wearer: str, second: int) -> Epochs:
    """The epoch that ends with this second, where it is a fifth one."""
    k = second // 5
    return Epochs(
        start_ns=np.array([START + k * EPOCH_NS], np.int64),
        state=np.array([(k + WEARERS.index(wearer)) % 8], np.uint8),
        confidence=np.array([0.5], np.float32),
        trunk=np.array([1], np.uint8),
        slouch=np.array([0], np.uint8),
        tilt_deg=np.array([k % 90], np.float32),
        side_deg=np.array([np.nan], np.float32),
        slump_pct=np.array([k % 100], np.float32),
        move_mg=np.array([1.5], np.float32),
        exercise=np.array([0], np.uint8),
        worn=np.array([1], np.uint8),
        valid=np.array([1.0], np.float32),
        algo="test",
    )


def stored_seconds(store: SqliteReader) -> list[int]:
    """Whole seconds of each series, after checking that they are exactly what was written."""
    counts = []
    for wearer in WEARERS:
        raw = store.raw(wearer, P, 0, 2**62)
        seconds, rest = divmod(len(raw), HZ)
        assert rest == 0, "half a second is stored"
        if seconds:
            wanted = Samples.concat([raw_of(wearer, s) for s in range(seconds)])
            assert np.array_equal(raw.t_ns, wanted.t_ns)
            assert np.array_equal(raw.acc_g, wanted.acc_g)
        epochs = store.epochs(wearer, P, 0, 2**62)
        expected = Epochs.concat([epoch_of(wearer, s) for s in range(4, seconds, 5)])
        assert epochs.equals(expected)
        counts.append(seconds)
    return counts


def main(words: list[str]) -> None:
    """Write until killed (or `--count` seconds of data)."""
    options = dict(zip(words[1::2], words[2::2], strict=False))
    url, _, bucket = options.get("--sink", "").partition(" ")
    if "--limit" in options:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = int(options["--limit"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    settings = Settings(
        data=Path(words[0]), zone="UTC", influx_url=url, influx_bucket=bucket or "posture"
    )
    store = open_store(settings)
    if url:
        from tracker.store.influx_sink import start_sink

        start_sink(store, settings)
    second = min(stored_seconds(store))
    print("start", second, flush=True)
    end = second + int(options.get("--count", 1 << 30))
    while second < end:
        batches = [
            Batch(
                wearer=w,
                placement=P,
                raw=raw_of(w, second),
                epochs=epoch_of(w, second) if second % 5 == 4 else None,
            )
            for w in WEARERS
        ]
        try:
            store.write_many(batches)
        except StoreError as error:
            print("refused", type(error).__name__, error, flush=True)
            break
        print("ack", second, flush=True)
        second += 1
    print("end", second, flush=True)
    sys.stdin.read()  # stays, so that the sink goes on, until the test closes it
    store.close()


if __name__ == "__main__":
    main(sys.argv[1:])
