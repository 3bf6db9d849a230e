# SPDX-License-Identifier: Apache-2.0
"""Makes a bundle from the stores of this house: for the command and for the page *Settings*."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tracker.access import MAX_GRANT_DAYS
from tracker.clock import Clock
from tracker.errors import InputError
from tracker.settings import Settings
from tracker.share import DAY_NS, Share, check, pack
from tracker.share_seal import new_code, seal
from tracker.store.base import SeriesReads
from tracker.store.records import Records, open_records_reader
from tracker.store.sqlite import open_reader

PAST_D = 90
MOST_PAST_D = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An encrypted bundle and its code, which is kept nowhere."""

    data: bytes
    code: str
    scopes: frozenset[str]
    expires_ns: int


def make(
    settings: Settings, clock: Clock, wearer: str, scopes: Iterable[str], *, days: int,
    past: int = PAST_D, alias: str = "", confirmed: bool = False,
) -> Made:  # fmt: skip
    """A bundle, read beside running services."""
    series = open_reader(settings)
    records = open_records_reader(settings, clock)
    try:
        return sealed(
            series, records, settings.data, clock.now_ns(), wearer, scopes, days=days, past=past,
            alias=alias, confirmed=confirmed, zone=str(series.zone_of(wearer)),
        )  # fmt: skip
    finally:
        series.close()
        if records is not None:
            records.close()


def sealed(
    series: SeriesReads, records: Records | None, folder: Path, now_ns: int, wearer: str,
    scopes: Iterable[str], *, days: int, past: int, alias: str, confirmed: bool, zone: str,
) -> Made:  # fmt: skip
    """The same from open stores."""
    chosen = check(scopes, days, confirmed=confirmed)
    if not 1 <= past <= MOST_PAST_D:
        raise InputError(f"1 to {MOST_PAST_D} past days can go along")
    if not 0 < days <= MAX_GRANT_DAYS:
        raise InputError(f"sharing lasts 1 to {MAX_GRANT_DAYS} days")
    person = records.person_of(wearer) if records is not None else None
    share = Share(
        wearer=wearer,
        alias=(alias or (person.name if person else "") or wearer)[:80],
        scopes=chosen,
        first_ns=now_ns - past * DAY_NS,
        made_ns=now_ns,
        expires_ns=now_ns + days * DAY_NS,
        zone=person.zone if person else zone,
        language=person.language if person and person.language else "de",
    )
    content = pack(share, series, records, origin(folder))
    code = new_code()
    return Made(
        data=seal(content, code, share.expires_ns),
        code=code,
        scopes=chosen,
        expires_ns=share.expires_ns,
    )


def origin(folder: Path) -> str:
    """What tells this installation apart: random, made once, beside the data."""
    path = folder / "origin"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = secrets.token_hex(16)
        path.write_text(made + "\n", encoding="ascii")
        return made
