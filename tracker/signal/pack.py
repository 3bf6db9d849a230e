# SPDX-License-Identifier: Apache-2.0
"""States to bytes and back: frozen dataclasses of arrays, numbers, texts and tuples; no pickle."""

import io
import json
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from tracker.errors import InputError


def dump(value: Any) -> bytes:
    """Bytes (npz) of nested dicts, tuples and dataclasses of arrays, numbers, texts and None."""
    arrays: dict[str, Any] = {}
    tree = _out(value, arrays)
    arrays["tree"] = np.frombuffer(json.dumps(tree).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def load(data: bytes, like: Any) -> Any:
    """The inverse; `like` is a value of the same shape, which gives the dataclasses."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        tree = json.loads(arrays["tree"].tobytes())
        return _in(tree, arrays, like)
    except (ValueError, KeyError, OSError, TypeError, EOFError) as error:
        raise InputError(
            "this saved state cannot be read by this version: start the stream anew"
        ) from error


def _out(value: Any, arrays: dict[str, Any]) -> Any:  # noqa: PLR0911 - one per kind
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if is_dataclass(value):
        return {"data": {f.name: _out(getattr(value, f.name), arrays) for f in fields(value)}}
    if isinstance(value, dict):
        return {"dict": [[k, _out(v, arrays)] for k, v in value.items()]}
    if isinstance(value, tuple | list):
        return {"list": [_out(v, arrays) for v in value]}
    if isinstance(value, Enum):
        return {"enum": value.value}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} is no part of a state")


def _in(tree: Any, arrays: dict[str, Any], like: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return arrays[tree["array"]]
    if "enum" in tree:
        return type(like)(tree["enum"]) if isinstance(like, Enum) else tree["enum"]
    if "dict" in tree:
        known = like if isinstance(like, dict) else {}
        return {k: _in(v, arrays, known.get(k)) for k, v in tree["dict"]}
    if "list" in tree:
        items = tuple(like) if isinstance(like, tuple | list) else ()
        same = items[0] if items else None
        return tuple(
            _in(v, arrays, items[i] if i < len(items) else same) for i, v in enumerate(tree["list"])
        )
    values = {k: _in(v, arrays, getattr(like, k, None)) for k, v in tree["data"].items()}
    if not is_dataclass(like) or isinstance(like, type):
        raise ValueError("a part that this version does not know")
    return type(like)(**values)
