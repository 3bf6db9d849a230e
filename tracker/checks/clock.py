# SPDX-License-Identifier: Apache-2.0
"""The machine's clock: whether it is set, was set back, or jumped."""

from collections.abc import Iterable

from tracker.checks import Finding, Surroundings, fault, good
from tracker.errors import StoreError
from tracker.model import SECOND_NS, GapReason
from tracker.store.sqlite import open_reader
from tracker.units import from_ns

NAME = "clock"
# No machine that runs this can live before its release: a board without a battery-backed clock
# starts in 1970 or at its last shutdown.
RELEASED_NS = 1_793_491_200 * SECOND_NS  # 2026-11-01
_AHEAD_NS = 120 * SECOND_NS  # how far stored data may lie ahead of "now" without a word
_DAY_NS = 86_400 * SECOND_NS
_CURE = (
    "Switch on automatic time (Linux: `sudo timedatectl set-ntp true`), check the date, and "
    "restart the service."
)


def check(here: Surroundings) -> Iterable[Finding]:
    """One finding about the clock."""
    now_ns = here.clock.now_ns()
    try:
        reader = open_reader(here.settings)
    except StoreError:
        yield judge(now_ns, None, 0)
        return
    try:
        newest_ns, jumps = None, 0
        for wearer, place in reader.wearers():
            live = reader.live(wearer, place)
            ahead = reader.epochs(wearer, place, now_ns + _AHEAD_NS, 1 << 62)
            times = [int(ahead.start_ns[-1])] if len(ahead) else []
            times += [live.at_ns] if live is not None else []
            newest_ns = max([*times, newest_ns or 0]) or None
            gaps = reader.gaps(wearer, place, now_ns - _DAY_NS, 1 << 62)
            jumps += sum(g.reason is GapReason.CLOCK_JUMP for g in gaps)
    except StoreError:  # the check of the stores says why
        newest_ns, jumps = None, 0
    finally:
        reader.close()
    yield judge(now_ns, newest_ns, jumps)


def judge(now_ns: int, newest_ns: int | None, jumps: int) -> Finding:
    """`newest_ns`: the newest stored time; `jumps`: clock jumps of the last day that made gaps."""
    today = f"{from_ns(max(0, now_ns)):%Y-%m-%d %H:%M} UTC"
    if now_ns < RELEASED_NS:
        return fault(NAME, f"The clock of this machine is not set: it says {today}.", _CURE)
    if newest_ns is not None and newest_ns > now_ns + _AHEAD_NS:
        newest = f"{from_ns(newest_ns):%Y-%m-%d %H:%M} UTC"
        return fault(
            NAME,
            f"The clock was set back: it says {today}, and data of {newest} are stored.",
            _CURE,
        )
    if jumps:
        return fault(NAME, f"The clock jumped {jumps} times within the last day.", _CURE)
    return good(NAME, f"The clock is set: {today}.")
