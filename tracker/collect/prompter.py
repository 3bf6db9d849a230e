# SPDX-License-Identifier: Apache-2.0
"""Looks every twenty seconds whether somebody should be prompted, with or without an open page.

What a wearer chose is read from `app.db` (read-only: the dashboard writes it), what they do from
the epochs. A prompt is kept in the log before any channel speaks, so that a crash in between loses
a prompt and never doubles one. A channel that fails says why; the others go on.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from tracker.collect.hub import Hub
from tracker.collect.prompt_people import People, Prompted
from tracker.errors import BackstayError, InputError
from tracker.model import SECOND_NS, Epochs, Placement
from tracker.prompt_choice import OWNER_CHANNELS, at_work, evening_hour
from tracker.prompt_log import KEY, PromptLog, Rest, Told, log_of, quiet_until
from tracker.prompt_words import Notice, notice
from tracker.prompts import Cause, Context, Prompt, decide, evening_due, followed
from tracker.units import day_bounds_ns, from_ns, local_date

log = logging.getLogger("backstay.prompts")

EVERY_S = 20.0
LEAST_REAL_S = 0.2  # a fast clock must not make the disk busy
LOOK_BACK_NS = 5 * 3600 * SECOND_NS  # the longest stretch that can be chosen is four hours
# Why a channel did not take it; `pages.prompts.why.*` says it to people.
WHY = ("no_desktop", "no_session", "no_answer", "no_address", "far", "no_mqtt", "no_motor")
PULLED = ("page", "phone")  # these come and read the log themselves


class Channel(Protocol):
    """A way to a wearer. `tell` returns "" where it was taken, else a word of :data:`WHY`."""

    name: str

    async def tell(self, to: Prompted, notice: Notice) -> str:
        """Say it."""

    async def quiet(self) -> bool:
        """Whether this way asks for quiet now, as a desktop's "do not disturb" does."""

    async def close(self) -> None:
        """Let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What one look found: the log with newer words, and a prompt that may be due."""

    log: PromptLog
    changed: bool
    prompt: Prompt | None


class Prompter:
    """Decides for every wearer of this collector who wants prompts, and tells the channels."""

    def __init__(self, hub: Hub, people: People, channels: Sequence[Channel]) -> None:
        self._hub, self._people = hub, people
        self.clock = hub.clock
        self._channels = {c.name: c for c in channels}

    async def run(self) -> None:
        """Look until cancelled."""
        async with AsyncExitStack() as leaving:
            for channel in self._channels.values():
                leaving.push_async_callback(channel.close)
            while True:
                await asyncio.sleep(max(self.clock.real_s(EVERY_S), LEAST_REAL_S))
                await self.look()

    async def look(self) -> None:
        """One look at everybody."""
        try:
            wanted = await asyncio.to_thread(self._people.wanted)
        except BackstayError as error:
            log.warning("prompts wait: people cannot be read", extra={"error": str(error)})
            return
        for one in wanted:
            try:
                await self._look_at(one)
            except BackstayError as error:
                log.warning("a prompt waits", extra={"wearer": one.wearer, "error": str(error)})

    async def _look_at(self, one: Prompted) -> None:
        seen = await asyncio.to_thread(self._see, one)
        if seen.changed:
            await self._change(one.wearer, lambda _: seen.log)
        if seen.prompt is None or await self._do_not_disturb(one):
            return
        told = Told(prompt=seen.prompt, channels=self.pulled(one))
        await self._change(one.wearer, lambda kept: kept.with_told(told))
        taken, _ = await self.tell(one, seen.prompt)
        log.info("prompt", extra={"wearer": one.wearer, "cause": str(seen.prompt.cause)})
        if taken:
            told = replace(told, channels=(*told.channels, *taken))
            await self._change(one.wearer, lambda kept: kept.with_told(told))

    def _see(self, one: Prompted) -> _Seen:
        now_ns = self.clock.now_ns()
        kept = self.log_of(one.wearer)
        epochs = self._epochs(one, kept, now_ns)
        newer = kept
        for told in kept.told:
            if told.followed is None and told.prompt.cause is not Cause.EVENING:
                answer = followed(told.prompt, epochs)
                if answer is not None and now_ns - told.prompt.at_ns < LOOK_BACK_NS:
                    newer = newer.with_told(replace(told, followed=answer))
        local = from_ns(now_ns, one.zone)
        until_ns = quiet_until(one.person, newer)
        moment = Context(
            now_ns=now_ns,
            epochs=epochs,
            in_work_hours=at_work(one.person, local),
            hour=local.hour,
            snoozed_until_ns=until_ns or None,
            history=newer.of_day(now_ns, one.zone),
        )
        prompt = decide(one.choice, moment)
        if prompt is None and one.choice.evening:
            told_already = self._people.evening_told(one.wearer, local.date())
            hour = evening_hour(one.person)
            prompt = evening_due(one.choice, moment, local, hour, told_already)
        return _Seen(log=newer, changed=newer != kept, prompt=prompt)

    def _epochs(self, one: Prompted, kept: PromptLog, now_ns: int) -> Epochs:
        waits = any(t.followed is None for t in kept.told[-20:])
        place = self.place_of(one.wearer)
        if place is None or not (one.choice.any or waits):
            return Epochs.empty()
        return self._hub.store.epochs(one.wearer, place, now_ns - LOOK_BACK_NS, now_ns)

    def place_of(self, wearer: str) -> Placement | None:
        """Where the wearer's newest series comes from."""
        store = self._hub.store
        rows = [
            (row.at_ns, place)
            for name, place in store.wearers()
            if name == wearer and (row := store.live(name, place)) is not None
        ]
        return max(rows)[1] if rows else None

    def log_of(self, wearer: str) -> PromptLog:
        """What is kept of a wearer's prompts."""
        return log_of(self._hub.store.wearer_settings(wearer).get(KEY))

    # -- channels -----------------------------------------------------------------------------

    @staticmethod
    def pulled(one: Prompted) -> tuple[str, ...]:
        """The chosen channels that read the log themselves."""
        return tuple(c for c in one.choice.channels if c in PULLED)

    async def tell(self, one: Prompted, prompt: Prompt) -> tuple[list[str], dict[str, str]]:
        """Tell every chosen channel: who took it, and why the others did not."""
        said = notice(one.lang, prompt)
        chosen = self._chosen(one)
        answers = await asyncio.gather(*(c.tell(one, said) for c in chosen.values()))
        refused = {n: why for n, why in zip(chosen, answers, strict=True) if why}
        for name, why in refused.items():
            log.warning("a channel did not take a prompt", extra={"channel": name, "why": why})
        return [n for n in chosen if n not in refused], refused

    def _chosen(self, one: Prompted) -> Mapping[str, Channel]:
        names = [n for n in one.choice.channels if one.owner or n not in OWNER_CHANNELS]
        return {n: self._channels[n] for n in names if n in self._channels}

    async def _do_not_disturb(self, one: Prompted) -> bool:
        return any([await c.quiet() for c in self._chosen(one).values()])

    # -- what others ask ----------------------------------------------------------------------

    async def rest(self, wearer: str, minutes: float | None) -> int:
        """Quiet for so many minutes, or until tomorrow; its end. Prompts return by themselves."""
        now_ns = self.clock.now_ns()
        tz = await asyncio.to_thread(self._people.zone_of, wearer)
        until_ns = rest_end_ns(now_ns, minutes, tz)
        rest = Rest(set_ns=now_ns, until_ns=until_ns)
        await self._change(wearer, lambda kept: replace(kept, rest=rest))
        return until_ns

    async def attempt(self, wearer: str) -> dict[str, object]:
        """Say an example on every chosen channel, outside the log: who took it, who did not."""
        one = await asyncio.to_thread(self._people.of, wearer)
        if one is None:
            raise InputError("nobody with this series chose prompts here")
        now_ns = self.clock.now_ns()
        example = Prompt(
            at_ns=now_ns,
            cause=Cause.SITTING,
            minutes=one.choice.after_min,
            since_ns=now_ns - round(one.choice.after_min * 60) * SECOND_NS,
            tone=one.choice.tone,
        )
        taken, refused = await self.tell(one, example)
        return {"taken": taken, "refused": refused}

    async def _change(self, wearer: str, change: Callable[[PromptLog], PromptLog]) -> None:
        store = self._hub.store

        def work() -> None:
            changed = change(self.log_of(wearer))
            store.put_wearer_setting(wearer, KEY, changed.as_json())

        await self._hub.at_rest(work)


def rest_end_ns(now_ns: int, minutes: float | None, tz: ZoneInfo) -> int:
    """End of a snooze: so many minutes (1 to 1440) from now, or the wearer's next midnight."""
    if minutes is None:
        return day_bounds_ns(local_date(now_ns, tz) + timedelta(days=1), tz)[0]
    if not 1 <= minutes <= 1440:
        raise InputError("quiet lasts 1 to 1440 minutes")
    return now_ns + round(minutes * 60) * SECOND_NS
