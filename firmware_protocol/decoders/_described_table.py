# SPDX-License-Identifier: Apache-2.0
"""A table of a TOML file that knows its own name; every fault names its key and the remedy."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from firmware_protocol.errors import BadDescription


def bad(key: str, found: str, remedy: str) -> NoReturn:
    raise BadDescription(f"{key}: {found}; {remedy}")


class Table:
    """A TOML table that knows its own name and refuses keys nobody asked for."""

    def __init__(self, data: object, key: str) -> None:
        if not isinstance(data, Mapping):
            bad(key, "this is not a table", f"write [{key}] and its keys below")
        self._data: Mapping[str, Any] = data
        self._key = key
        self._asked: set[str] = set()

    def key(self, name: str) -> str:
        return f"{self._key}.{name}" if self._key else name

    def get(self, name: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        self._asked.add(name)
        value = self._data.get(name, default)
        if value is default:
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            wanted = " or ".join(_PLAIN.get(k, k.__name__) for k in kinds)
            bad(self.key(name), f"{value!r} is no {wanted}", f"write a {wanted}")
        return value

    def need(self, name: str, kind: type | tuple[type, ...], example: str) -> Any:
        value = self.get(name, kind)
        if value is None:
            bad(self.key(name), "is missing", f"add it, for example {name} = {example}")
        return value

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        value = str(self.get(name, str, default))
        options = list(choices)
        if value not in options:
            bad(self.key(name), f"{value!r} is not known", f"use one of {', '.join(options)}")
        return value

    def tables(self, name: str) -> list["Table"]:
        found = self.get(name, list, [])
        return [Table(t, f"{self.key(name)}[{k}]") for k, t in enumerate(found)]

    def table(self, name: str) -> "Table | None":
        found = self.get(name, dict)
        return None if found is None else Table(found, self.key(name))

    def done(self) -> None:
        for name in self._data:
            if name not in self._asked:
                near = difflib.get_close_matches(name, self._asked, 1)
                hint = (
                    f"did you mean {near[0]}?"
                    if near
                    else f"known: {', '.join(sorted(self._asked))}"
                )
                bad(self.key(name), "this key is not known", hint)


_PLAIN = {str: "text", int: "whole number", float: "number", list: "list", dict: "table"}
