# SPDX-License-Identifier: Apache-2.0
"""The rule base of the package, or one given as a TOML text; checked before anything uses it.

Package data are read once and cached; nothing else is read from disk here.
"""

from functools import cache
from importlib import resources

from tracker.advice.document import read
from tracker.advice.model import Rules
from tracker.advice.parse import rules_from


@cache
def packaged() -> Rules:
    """The rule base that ships with Backstay (`tracker/advice/data`)."""
    folder = resources.files("tracker.advice") / "data"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return rules_from(read([(f.name, f.read_text(encoding="utf-8")) for f in files]))


def parse(text: str, name: str) -> Rules:
    """A rule base from one TOML document; `name` stands in refusals. Raises RulesError."""
    return rules_from(read([(name, text)]))
