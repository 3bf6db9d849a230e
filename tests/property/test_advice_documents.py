# SPDX-License-Identifier: Apache-2.0
"""A damaged rule base is loaded or refused with a sentence; it never ends in a traceback."""

import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from tracker.advice.document import Document
from tracker.advice.engine import evaluate
from tracker.advice.load import packaged
from tracker.advice.parse import rules_from
from tracker.errors import RulesError

RULES = packaged()
JUNK: tuple[Any, ...] = (7, -1.5, True, "junk", "", [], ["junk"], {}, {"junk": 1}, [[1]], [{}])
ENGINE = ("source", "input", "threshold", "action", "screen", "rule", "merge", "tiers", "claim")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Path of every value of a document."""
    if path:
        yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield from places(inner, (*path, key))


def damaged(rng: random.Random, all_places: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The packaged document with one value removed or replaced."""
    path = rng.choice(all_places)
    parts = dict(RULES.document)
    parts[path[0]] = deepcopy(parts[path[0]])
    if len(path) == 1:
        if rng.random() < 0.3:
            del parts[path[0]]
        else:
            parts[path[0]] = rng.choice(JUNK)
        return parts
    target: Any = parts
    for key in path[:-1]:
        target = target[key]
    if rng.random() < 0.3:
        del target[path[-1]]
    else:
        target[path[-1]] = deepcopy(rng.choice(JUNK))
    return parts


def test_damage_is_loaded_or_refused_in_one_sentence():
    """Hundreds of single faults anywhere: RulesError with file and key, or rules that work."""
    rng = random.Random("damage")
    everywhere = [p for p in places(dict(RULES.document)) if p[0] in ENGINE or len(p) == 1]
    sentences = []
    for _ in range(150):
        parts = damaged(rng, everywhere)
        document = Document(name="x.toml", parts=parts, files=dict.fromkeys(parts, "x.toml"))
        try:
            rules = rules_from(document)
        except RulesError as error:
            sentences.append(str(error))
            continue
        for profile in ("wellness", "clinic"):
            evaluate(rules, {"diary_days_14d": 9, "stress_mean_7d": 8.0}, profile, "de")
    assert len(sentences) > 40
    for sentence in sentences:
        assert sentence.startswith("x.toml: ")
        assert sentence.count(": ") >= 2
        assert "\n" not in sentence
