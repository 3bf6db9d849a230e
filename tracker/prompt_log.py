# SPDX-License-Identifier: Apache-2.0
"""The one log of prompts: what was said, where, whether a break followed, and who asked for quiet.

The collector decides and keeps the log as the wearer's setting :data:`KEY` in `epochs.db`, before
any channel speaks; so a restart forgets nothing and two channels show the same prompt. The
dashboard reads it and files it into the diary. A snooze may come from a page (kept with the
person) or from a notification or a phone (kept here): the one that was asked for last holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from tracker.diary import Person
from tracker.prompts import MINUTE_NS, Cause, Prompt
from tracker.units import local_date

KEY = "prompt_log"
REST_KEY = "prompt_rest"  # of the person's settings
MOST = 300  # two weeks at the largest daily number
SHOWN_NS = 10 * MINUTE_NS  # a page that opens later shows it no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A prompt that was said. `followed` is None while unknown; `channels` took it."""

    prompt: Prompt
    followed: bool | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Quiet until a moment, asked for at another; `until_ns` in the past ends an earlier one."""

    set_ns: int = 0
    until_ns: int = 0

    def as_json(self) -> dict[str, int]:
        """As kept."""
        return {"set_ns": self.set_ns, "until_ns": self.until_ns}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLog:
    """Prompts by time, and the last wish for quiet that came past the pages."""

    told: tuple[Told, ...] = ()
    rest: Rest = Rest()

    def of_day(self, now_ns: int, tz: ZoneInfo) -> tuple[Prompt, ...]:
        """The prompts of the local day of this moment."""
        today = local_date(now_ns, tz)
        return tuple(t.prompt for t in self.told if local_date(t.prompt.at_ns, tz) == today)

    def with_told(self, told: Told) -> "PromptLog":
        """One more prompt, or a newer word about one that is known."""
        others = [t for t in self.told if t.prompt.at_ns != told.prompt.at_ns]
        ordered = sorted([*others, told], key=lambda t: t.prompt.at_ns)
        return replace(self, told=tuple(ordered[-MOST:]))

    def as_json(self) -> dict[str, object]:
        """As kept."""
        return {"told": [told_json(t) for t in self.told], "rest": self.rest.as_json()}


def told_json(told: Told) -> dict[str, object]:
    """A prompt as kept in the log, and as the body of its diary entry."""
    return {
        "at_ns": told.prompt.at_ns,
        "cause": str(told.prompt.cause),
        "minutes": round(told.prompt.minutes, 1),
        "since_ns": told.prompt.since_ns,
        "tone": told.prompt.tone,
        "followed": told.followed,
        "channels": list(told.channels),
    }


def told_of(kept: Mapping[str, object]) -> Told | None:
    """The same read back; None for a line that is none."""
    try:
        followed = kept.get("followed")
        channels = kept.get("channels")
        return Told(
            prompt=Prompt(
                at_ns=int(str(kept["at_ns"])),
                cause=Cause(str(kept["cause"])),
                minutes=float(str(kept["minutes"])),
                since_ns=int(str(kept["since_ns"])),
                tone=str(kept.get("tone", "plain")),
            ),
            followed=followed if isinstance(followed, bool) else None,
            channels=tuple(str(c) for c in channels) if isinstance(channels, list) else (),
        )
    except (KeyError, ValueError):
        return None


def log_of(kept: object) -> PromptLog:
    """The log as kept; empty where there is none."""
    if not isinstance(kept, Mapping):
        return PromptLog()
    lines = kept.get("told")
    told = (
        [told_of(line) for line in lines if isinstance(line, Mapping)]
        if isinstance(lines, list)
        else []
    )
    return PromptLog(told=tuple(t for t in told if t is not None), rest=rest_of(kept.get("rest")))


def rest_of(kept: object) -> Rest:
    """A wish for quiet as kept; none at all is one that is long over."""
    if not isinstance(kept, Mapping):
        return Rest()
    set_ns, until_ns = kept.get("set_ns"), kept.get("until_ns")
    if not isinstance(set_ns, int) or not isinstance(until_ns, int):
        return Rest()
    return Rest(set_ns=set_ns, until_ns=until_ns)


def quiet_until(person: Person, log: PromptLog) -> int:
    """End of the quiet that was asked for last, by whichever way; 0 for none."""
    return latest([log.rest, rest_of(person.settings.get(REST_KEY))]).until_ns


def latest(rests: Iterable[Rest]) -> Rest:
    """The wish that was asked for last."""
    return max(rests, key=lambda r: r.set_ns)


def newest(log: PromptLog, now_ns: int, channel: str) -> Told | None:
    """The prompt that a pulling channel shows now: the last one, while it is news."""
    last = log.told[-1] if log.told else None
    if last is None or channel not in last.channels:
        return None
    fresh = 0 <= now_ns - last.prompt.at_ns < SHOWN_NS
    return last if fresh and log.rest.set_ns < last.prompt.at_ns else None
