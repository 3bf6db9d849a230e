# SPDX-License-Identifier: Apache-2.0
"""The rule base as plain frozen data: what `load` makes of TOML and `engine` evaluates.

The shape follows `docs/advice.md`. Texts are kept per language code, never looked up twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LANGUAGES = ("en", "de")
AXES = ("massage", "training", "doctor", "breaks")
# Values of the merged output that forbid an axis, and those a rule recommends it with.
MASSAGE_OPEN = frozenset({"optional", "suggest"})
TRAINING_CLOSED = frozenset({"stop", "pause"})
TRAINING_ACTIVE = frozenset({"scale_back", "gentle", "start", "continue", "progress"})

Texts = Mapping[str, str]
"""Language code -> text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A study, guideline or law. `certainty` is the GRADE word or "" where the file has none."""

    id: str
    title: str
    year: int
    kind: str
    ref: str
    verify: str
    certainty: str = ""
    note: str = ""
    title_de: str = ""

    def named(self, lang: str) -> str:
        """The title in a language; one that has no other title keeps its own."""
        return self.title_de if lang == "de" and self.title_de else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One fact a rule may read: `set`, `int`, `float`, `bool` or `enum` with its `values`."""

    id: str
    kind: str
    definition: str
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """`input op value`. A missing input makes every comparison false (`evidence.md` 4.1)."""

    input: str
    op: str
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """All of `all`, one of `any` (None: no such part), none of `none`."""

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] | None = None
    none: tuple[Condition, ...] = ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition."""
        return (*self.all, *(self.any or ()), *self.none)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A sentence that joins a rule's text when its own conditions hold."""

    when: When
    text: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as it holds in one profile."""

    id: str
    tier: str
    p: float
    when: When
    out: Mapping[str, str]
    sources: tuple[str, ...]
    text: Texts
    reason: Texts
    halt: bool = False
    suppress: frozenset[str] = frozenset()
    explain: str = ""
    text_from: str = ""
    safety_stop: bool = False
    profiles: tuple[str, ...] = ()
    title: Texts = field(default_factory=dict)
    add_massage: Texts = field(default_factory=dict)
    no_massage: Texts = field(default_factory=dict)
    additions: tuple[Addition, ...] = ()
    reads: frozenset[str] = frozenset()
    recommends: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a screening answer leads to."""

    id: str
    out: Mapping[str, str]
    text: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One point of the safety list. `lasting`: remembered until the wearer changes it.

    `avoid`: exercises that leave the programme while the point is active.
    """

    id: str
    group: str
    if_yes: str
    if_unsure: str
    text: Texts
    sources: tuple[str, ...]
    override: Mapping[str, str] = field(default_factory=dict)
    lasting: bool = False
    seed: bool = False
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A checked rule base. `document` holds the sections that only pages read, as in the file."""

    file: str
    version: str
    signoff: str
    sources: Mapping[str, Source]
    inputs: Mapping[str, Input]
    actions: Mapping[str, Action]
    questions: Mapping[str, Question]
    merge: Mapping[str, tuple[str, ...]]
    tiers: tuple[str, ...]
    max_shown: Mapping[str, int]
    by_profile: Mapping[str, tuple[Rule, ...]]
    claims: Mapping[str, Mapping[str, str]]
    document: Mapping[str, Any]
