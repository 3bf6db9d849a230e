# SPDX-License-Identifier: Apache-2.0
"""Errors of the tracker. Every message says what happened and what to do next.

::

    BackstayError
    ├── InputError          a file, value or option the user gave (with file, line, column if known)
    │   ├── RecordingError  a recording that cannot be analysed
    │   └── RulesError      a rule base that is refused (file, key, remedy)
    ├── UsageError          unknown option, placement or pose name: exit code 2
    ├── StoreError          a store that cannot be opened, read or written
    │   ├── NewerStore      made by a newer version
    │   ├── StoreBusy       another process owns it
    │   ├── StoreFull       the disk is full: what was not written is a gap with a reason
    │   └── StoreDamaged    integrity check failed
    ├── AccessDenied        this viewer may not see or do this
    │   └── TooManyTries    wait before trying again
    ├── SensorError         a sensor or adapter that cannot be used
    └── ServiceError        the collector or dashboard cannot be reached or started
"""


class BackstayError(Exception):
    """Base of all errors of the tracker; `exit_code` is what the command line returns."""

    exit_code = 1


class InputError(BackstayError):
    """Something the user gave cannot be used."""


class RecordingError(InputError):
    """A recording that cannot be analysed."""


class RulesError(InputError):
    """A rule base that is refused."""


class UsageError(BackstayError):
    """An unknown option, placement or pose name."""

    exit_code = 2


class StoreError(BackstayError):
    """A store that cannot be opened, read or written."""


class NewerStore(StoreError):
    """The file was written by a newer version."""


class StoreBusy(StoreError):
    """Another process owns the file."""


class StoreFull(StoreError):
    """The disk is full or the quota is used up."""


class StoreDamaged(StoreError):
    """The integrity check failed."""


class AccessDenied(BackstayError):
    """This viewer may not see or do this."""


class TooManyTries(AccessDenied):
    """Too many attempts; waiting helps."""


class SensorError(BackstayError):
    """A sensor or adapter that cannot be used."""


class ServiceError(BackstayError):
    """The collector or the dashboard cannot be reached or started."""
