# SPDX-License-Identifier: Apache-2.0
"""A Dask cluster as an Executor: the scheduler and its workers run the same Backstay."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module
from typing import Any, cast

from tracker.errors import ServiceError, UsageError


@contextmanager
def dask_executor(address: str, timeout_s: float = 10.0) -> Iterator[Executor]:
    """An executor on the scheduler at `address`. A worker that dies has its days done by another.

    Raises UsageError without `backstay[cluster]`, ServiceError where no scheduler answers.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise UsageError("this needs Dask: pip install 'backstay[cluster]'") from error
    try:
        client = distributed.Client(address, timeout=timeout_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ServiceError(
            f"no Dask scheduler answers at {address}: start one with `dask scheduler`"
        ) from error
    try:
        # `pure=False`: the same day may be asked for again (--force).
        yield cast("Executor", client.get_executor(pure=False))
    finally:
        client.close()
