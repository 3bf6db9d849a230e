# SPDX-License-Identifier: Apache-2.0
"""InfluxDB, where it is configured: whether it answers, knows the token, and what waits for it.

A collector's token may only write, a dashboard's only read: one of the two is enough here.
"""

from collections.abc import Callable, Iterable

from tracker.checks import Finding, Surroundings, fault, good, note
from tracker.errors import StoreError
from tracker.model import SECOND_NS
from tracker.store.influx_target import Fault, InfluxFault, InfluxTarget
from tracker.store.sqlite import open_reader

NAME = "influx"
_TIMEOUT_MS = 4_000
_LATE_S = 3600


def check(here: Surroundings) -> Iterable[Finding]:
    """The server, then what waits for it."""
    settings = here.settings
    if not settings.influx_url:
        yield good(NAME, "InfluxDB is not configured; the embedded store holds everything.")
        return
    target = InfluxTarget(settings, timeout_ms=_TIMEOUT_MS)
    try:
        read = _tried(lambda: target.query("SHOW TAG KEYS LIMIT 1", {}))
        # A comment is no point: nothing is written, but 2.x looks at token and bucket. 1.x does
        # not, and has no tokens that may only write: there the read decides.
        first = _version(target).startswith("1.")
        write = read if first else _tried(lambda: target.write(["# backstay doctor"], "s"))
    finally:
        target.close()
    yield judge(settings.influx_url, settings.influx_bucket, read, write)
    yield from _waiting(here)


def _version(target: InfluxTarget) -> str:
    try:
        return target.version()
    except InfluxFault:
        return ""


def _tried(call: Callable[[], object]) -> Fault | None:
    try:
        call()
    except InfluxFault as error:
        return error.fault
    return None


def judge(url: str, bucket: str, read: Fault | None, write: Fault | None) -> Finding:
    """How a read and an empty write went; None means well, REJECTED that the token was good."""
    well = (None, Fault.REJECTED)
    if read in well or write in well:
        may = "read and written" if read in well and write in well else (
            "read" if read in well else "written"
        )  # fmt: skip
        return good(NAME, f"InfluxDB at {url} answers; {bucket} can be {may}.")
    if Fault.REFUSED in (read, write):
        return fault(
            NAME,
            f"InfluxDB at {url} refuses the token.",
            "Put the right one into BACKSTAY_INFLUX_TOKEN (1.x: user:password); a new one is made "
            "by `backstay influx setup`. Nothing is lost: everything is sent again.",
        )
    if Fault.MISSING in (read, write):
        return fault(
            NAME,
            f"InfluxDB at {url} has no bucket or database {bucket}.",
            "Make it with `backstay influx setup`, or correct BACKSTAY_INFLUX_BUCKET.",
        )
    return fault(
        NAME,
        f"InfluxDB at {url} does not answer.",
        "Start it and check BACKSTAY_INFLUX_URL. Meanwhile the embedded store keeps everything "
        "and sends it later.",
    )


def _waiting(here: Surroundings) -> Iterable[Finding]:
    reader = open_reader(here.settings)
    try:
        hours, oldest_ns = reader.backlog()
        refused = reader.dead_letters()
    except StoreError:  # the check of the stores says why
        return
    finally:
        reader.close()
    if refused:
        yield note(
            NAME,
            f"InfluxDB refused {len(refused)} lines for good; they are kept aside.",
            "`backstay influx resend` sends everything again after an upgrade.",
        )
    if oldest_ns is not None and here.clock.now_ns() - oldest_ns > _LATE_S * SECOND_NS:
        yield note(
            NAME,
            f"{hours} hours wait to be sent to InfluxDB.",
            "They are sent as soon as the collector runs and InfluxDB answers.",
        )
