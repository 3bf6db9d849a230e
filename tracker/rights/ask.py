# SPDX-License-Identifier: Apache-2.0
"""Whom a command believes that takes a person's data out or away: the same person as the page.

Where nobody has an account, whoever can start the command is the single user. With accounts the
wearer's own password is asked for; an operator as such gets nobody's data. A wearer without an
account (their account is erased, or the sensor was lent) has nobody who could say yes on a page:
then the operator may erase, and nothing else. Whoever owns the data folder could read the files
without this program; the question keeps honest people honest and the audit true.
"""

from collections.abc import Callable

from tracker.clock import Clock
from tracker.diary import Person, Role
from tracker.errors import AccessDenied
from tracker.rights.open import audit, records_reader
from tracker.settings import Settings
from tracker.store.records import Records


def ask_person(
    settings: Settings, clock: Clock, wearer: str, action: str, password: Callable[[str], str]
) -> None:
    """Go on only where the wearer agreed; `password` asks the named person for theirs.

    Raises AccessDenied, and the refusal stands in the audit.
    """
    with records_reader(settings, clock) as records:
        if records is None or not records.anybody_signs_in():
            return
        try:
            _check(records, clock, wearer, action, password)
        except AccessDenied:
            refused = True
        else:
            refused = False
    if refused:  # after the reader is closed: the audit may have to open the file
        audit(settings, clock, wearer, action=action, allowed=False)
        raise AccessDenied(
            f"Only the wearer can do this, with the password of their own account: {action}."
        )


def _check(
    records: Records, clock: Clock, wearer: str, action: str, password: Callable[[str], str]
) -> None:
    from tracker.accounts import Accounts

    held = Accounts(records, clock)
    for person in _who_may(records, wearer, action):
        if held.is_right(person, password(person.name)):
            return
    raise AccessDenied("nobody who may do this agreed")


def _who_may(records: Records, wearer: str, action: str) -> list[Person]:
    own = records.person_of(wearer)
    if own is not None:
        return [own] if own.active else []
    if action != "erase":
        return []
    return [p for p in records.people(active_only=True) if Role.OPERATOR in p.roles]
