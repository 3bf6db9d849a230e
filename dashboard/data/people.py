# SPDX-License-Identifier: Apache-2.0
"""The person who looks, and their own settings."""

from collections.abc import Mapping
from dataclasses import replace

from dashboard.data.gate import gate
from dashboard.data.sources import Sources, first_wearer, records, writable
from tracker.advice.profiles import DEFAULT, PROFILES
from tracker.diary import Person, Role

OWNER = "owner"


def owner(src: Sources) -> Person:
    """The person of a single-user installation; one that was never saved has no language yet."""
    kept = records(src)
    wearers = [p for p in kept.people(active_only=True) if p.wearer] if kept else []
    first = first_wearer(src)
    for person in wearers:
        if person.wearer == first:
            return person
    if wearers:
        return wearers[0]
    return Person(
        id=OWNER,
        name="",
        roles=frozenset({Role.WEARER}),
        wearer=first,
        language="",
        zone=src.zone_name,
    )


def save_person(src: Sources, viewer: Person, *, language: str = "", zone: str = "") -> Person:
    """Keep language or time zone of the person who looks."""
    gate(src).may_change(viewer, viewer.wearer or "", "settings")
    changed = replace(viewer, language=language or viewer.language, zone=zone or viewer.zone)
    writable(src).put_person(changed)
    return changed


def save_settings(src: Sources, viewer: Person, values: Mapping[str, object]) -> Person:
    """Keep settings of the person who looks; the others stay as they are."""
    gate(src).may_change(viewer, viewer.wearer or "", "settings")
    changed = replace(viewer, settings={**viewer.settings, **values})
    writable(src).put_person(changed)
    return changed


def owns_house(src: Sources, viewer: Person) -> bool:
    """Whether this machine is the person's: they operate the service, or nobody does."""
    kept = records(src)
    people = kept.people(active_only=True) if kept else []
    return Role.OPERATOR in viewer.roles or not any(Role.OPERATOR in p.roles for p in people)


def profile_of(src: Sources, viewer: Person) -> str:
    """Profile, wellness or clinic: the person's own choice, else the installation's."""
    chosen = str(viewer.settings.get("profile") or src.settings.profile)
    return chosen if chosen in PROFILES else DEFAULT
