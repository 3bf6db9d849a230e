# SPDX-License-Identifier: Apache-2.0
"""Today's advice from what was measured and told."""

from collections.abc import Mapping, Sequence

from dashboard.data.people import profile_of
from dashboard.data.sources import Sources
from tracker import access
from tracker.advice.cards import Card, cards_of
from tracker.advice.load import packaged
from tracker.diary import Person


def advice(src: Sources, viewer: Person, wearer: str, lang: str) -> Sequence[Card]:
    """Today's advice as cards, in the order of the evaluation."""
    access.may_see(viewer, wearer, "advice")
    facts, told = facts_of(src, viewer, wearer)
    return cards_of(packaged(), facts, profile_of(src, viewer), lang, told=told)


def facts_of(
    src: Sources, viewer: Person, wearer: str
) -> tuple[Mapping[str, object], Sequence[str]]:
    """What is known for the rules, and which of it the wearer told at the start."""
    access.may_see(viewer, wearer, "advice")
    return {}, ()
