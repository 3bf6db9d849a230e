# SPDX-License-Identifier: Apache-2.0
"""The gate of this process, and the doorman that stands on it: both ask the records every time."""

from dashboard.auth import Doorman
from dashboard.data.sources import Sources, first_wearer, records, sources_of, writable
from tracker.access import Gate, Looks
from tracker.accounts import Accounts
from tracker.settings import Settings


def gate(src: Sources) -> Gate:
    """Who may see what, with the grants as they are at this moment."""
    place = src.settings.records_url or src.settings.app_db
    return Gate(records(src), src.clock, _LOOKS.setdefault(place, Looks()))


def accounts(src: Sources) -> Accounts | None:
    """Accounts, or None before anything was stored. One object per process: it counts failures."""
    kept = records(src)
    if kept is None and src.settings.open_to_network:
        kept = writable(src)  # the first account is about to be made
    if kept is None:
        return None
    held = _ACCOUNTS.get(id(kept))
    if held is None or held.records is not kept:
        held = _ACCOUNTS[id(kept)] = Accounts(kept, src.clock)
    return held


_ACCOUNTS: dict[int, Accounts] = {}
_LOOKS: dict[object, Looks] = {}  # by the place of the audit


def doorman(settings: Settings) -> Doorman:
    """The guard before the pages of one service."""
    src = sources_of(settings)
    return Doorman(
        accounts=lambda: accounts(src),
        open_to_network=settings.open_to_network,
        setup_code=settings.setup_code,
        zone=src.zone_name,
        provider=settings.oidc_name if settings.oidc_issuer else "",
        public_url=settings.public_url,
        wearer=lambda: first_wearer(src),
    )
