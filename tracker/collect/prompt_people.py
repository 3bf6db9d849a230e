# SPDX-License-Identifier: Apache-2.0
"""Who wants prompts, read from the people's records; the collector never writes them."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from tracker.clock import Clock
from tracker.diary import Kind, Person, Role
from tracker.prompt_choice import PromptSettings, prompt_settings
from tracker.report.i18n import Language, language
from tracker.settings import Settings, zone
from tracker.store.records import Records, open_records_reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """Somebody who may be prompted. `owner`: this machine and its network are theirs."""

    person: Person
    wearer: str
    choice: PromptSettings
    zone: ZoneInfo
    lang: Language
    owner: bool


class People:
    """Reads persons, and whether today's evening entry is there."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._kept: Records | None = None

    def wanted(self) -> list[Prompted]:
        """Everybody who switched something on. Raises StoreError where records cannot be read."""
        return [p for p in self._all() if p.choice.any or p.choice.evening]

    def of(self, wearer: str) -> Prompted | None:
        """The person of a series, whatever they switched on."""
        return next((p for p in self._all() if p.wearer == wearer), None)

    def zone_of(self, wearer: str) -> ZoneInfo:
        """The time zone of a wearer's days."""
        one = self.of(wearer)
        return one.zone if one is not None else zone(self._settings.zone)

    def evening_told(self, wearer: str, day: date) -> bool:
        """Whether the evening entry of that day was made."""
        kept = self._records()
        iso = day.isoformat()
        return bool(kept and kept.entries(wearer, [Kind.EVENING], iso, iso))

    def close(self) -> None:
        """Let go of the file."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _all(self) -> list[Prompted]:
        kept = self._records()
        people = kept.people(active_only=True) if kept is not None else []
        operated = any(Role.OPERATOR in p.roles for p in people)
        return [
            Prompted(
                person=p,
                wearer=p.wearer,
                choice=prompt_settings(p.settings.get("prompts")),
                zone=zone(p.zone or self._settings.zone),
                lang=language(p.language or self._settings.language or "en"),
                owner=Role.OPERATOR in p.roles or not operated,
            )
            for p in people
            if p.wearer
        ]

    def _records(self) -> Records | None:
        if self._kept is None:
            self._kept = open_records_reader(self._settings, self._clock)
        return self._kept
