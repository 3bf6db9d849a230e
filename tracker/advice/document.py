# SPDX-License-Identifier: Apache-2.0
"""One TOML document of rules, or several files read as one, that knows where each part stands.

A refusal names file, key and remedy, so every part remembers the file it came from.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from tracker.errors import RulesError


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`parts` is the whole document; `files` says which file holds which top-level key."""

    name: str
    parts: Mapping[str, Any]
    files: Mapping[str, str]

    def refuse(self, key: str, sentence: str) -> NoReturn:
        """Raise with file, key and what to do."""
        section = key.split("[", 1)[0].split(".", 1)[0]
        raise RulesError(f"{self.files.get(section, self.name)}: {key}: {sentence}")

    def table(self, section: str, *, required: bool = False) -> Mapping[str, Any]:
        """A top-level table, empty if absent."""
        value = self.parts.get(section, {})
        if not isinstance(value, dict):
            self.refuse(section, f"is {_kind(value)}: write it as a table, [{section}]")
        if required and not value:
            self.refuse(section, f"is missing: add a [{section}] table")
        return value

    def tables(self, section: str, *, required: bool = False) -> list[tuple[str, dict[str, Any]]]:
        """(key, table) of each entry of an array of tables; the key holds the id if it has one."""
        value = self.parts.get(section, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.refuse(section, f"is no list of tables: write each entry as [[{section}]]")
        if required and not value:
            self.refuse(section, f"is missing: add at least one [[{section}]]")
        return [(f"{section}[{v.get('id', n)}]", v) for n, v in enumerate(value)]

    def named(self, section: str, *, required: bool = False) -> list[tuple[str, dict[str, Any]]]:
        """(name, table) of each `[section.name]`."""
        tables = self.table(section, required=required)
        for name, value in tables.items():
            if not isinstance(value, dict):
                self.refuse(f"{section}.{name}", f"is no table: write [{section}.{name}]")
        return list(tables.items())

    def inner(self, key: str, table: Mapping[str, Any], name: str) -> dict[str, Any]:
        """A table inside a table, empty if absent."""
        value = table.get(name, {})
        if not isinstance(value, dict):
            self.refuse(f"{key}.{name}", f"is no table: write {name} = {{ ... }}")
        return value

    def text(self, key: str, table: Mapping[str, Any], name: str) -> str:
        """A string that must be there."""
        value = table.get(name)
        if not isinstance(value, str) or not value.strip():
            self.refuse(f"{key}.{name}", "is missing or no text: add it")
        return value

    def strings(self, key: str, table: Mapping[str, Any], name: str) -> tuple[str, ...]:
        """A list of strings, empty if absent."""
        value = table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.refuse(f"{key}.{name}", 'is no list of words: write it like ["A", "B"]')
        return tuple(value)

    def ids(self, section: str) -> frozenset[str]:
        """Ids of an array of tables; refuses a missing or doubled one."""
        seen: set[str] = set()
        for key, table in self.tables(section):
            name = self.text(key, table, "id")
            if name in seen:
                self.refuse(key, f"the id {name!r} exists twice: give each {section} its own")
            seen.add(name)
        return frozenset(seen)


def read(texts: Sequence[tuple[str, str]]) -> Document:
    """A document from (file name, TOML text) pairs; a section may stand in one file only."""
    parts: dict[str, Any] = {}
    files: dict[str, str] = {}
    for name, text in texts:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RulesError(f"{name}: is no valid TOML ({error}): correct that line") from error
        for section, value in table.items():
            if section in files:
                raise RulesError(
                    f"{name}: {section}: stands in {files[section]} too: keep it in one file"
                )
            parts[section] = value
            files[section] = name
    return Document(name=texts[-1][0] if len(texts) == 1 else "rules", parts=parts, files=files)


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else f"the value {value!r}"
