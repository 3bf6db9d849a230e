# SPDX-License-Identifier: Apache-2.0
"""The gate: nobody sees anything without being the person or holding a grant of theirs."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.access.conftest import Hand
from tracker.access import OWN_SCOPES, SCOPES, SHARED_SCOPES, Gate
from tracker.accounts import Accounts
from tracker.clock import Clock
from tracker.diary import AuditLine, Grant, Person, Role
from tracker.errors import AccessDenied

GOOD = "drei blaue segel"


class Book:
    """Grants and audit in memory, for thousands of cases."""

    def __init__(self, grants: list[Grant]) -> None:
        self.kept, self.lines = grants, list[AuditLine]()

    def grants(
        self, wearer: str | None = None, viewer: str | None = None, *, active_only: bool = False
    ) -> list[Grant]:
        """Grants that fit."""
        return [
            g for g in self.kept if wearer in (None, g.wearer) and viewer in (None, g.viewer)
        ]  # fmt: skip

    def audit(self, line: AuditLine) -> None:
        """Keep it."""
        self.lines.append(line)


_ROLES = st.frozensets(st.sampled_from(list(Role)))
_GRANTS = st.lists(
    st.builds(
        Grant,
        id=st.integers(1, 9),
        wearer=st.sampled_from(["w1", "w2"]),
        viewer=st.sampled_from(["v", "u"]),
        scopes=st.frozensets(st.sampled_from(sorted(SCOPES)), max_size=4),
        made_ns=st.integers(0, 10),
        expires_ns=st.integers(0, 10),
        revoked_ns=st.none() | st.integers(0, 10),
    ),
    max_size=5,
)


@given(
    roles=_ROLES, active=st.booleans(), own=st.sampled_from([None, "w1", "w2"]), grants=_GRANTS,
    wearer=st.sampled_from(["w1", "w2"]), scope=st.sampled_from(sorted(SCOPES)),
)  # fmt: skip
def test_nobody_sees_without_being_self_or_holding_a_grant(
    roles: frozenset[Role],
    active: bool,
    own: str | None,
    grants: list[Grant],
    wearer: str,
    scope: str,
) -> None:
    """Allowed exactly for oneself, or for a therapist under a grant that holds now and names it."""
    viewer = Person(id="v", name="", roles=roles, wearer=own, active=active)
    book = Book(grants)
    gate = Gate(book, Clock(start_ns=5, origin_ns=0, speed=1e-30))
    self_look = active and Role.WEARER in roles and own == wearer
    granted = (
        active
        and Role.THERAPIST in roles
        and scope in SHARED_SCOPES
        and any(
            g.viewer == "v" and g.wearer == wearer and scope in g.scopes
            and g.revoked_ns is None and g.made_ns <= 5 < g.expires_ns
            for g in grants
        )
    )  # fmt: skip
    try:
        gate.may_see(viewer, wearer, scope)
        allowed = True
    except AccessDenied:
        allowed = False
    assert allowed == (self_look or granted)
    assert (scope in gate.visible_scopes(viewer, wearer)) == allowed
    if self_look:
        assert not book.lines
    else:
        assert [line.allowed for line in book.lines] == [allowed]
    try:
        gate.may_change(viewer, wearer, scope)
        changed = True
    except AccessDenied:
        changed = False
    assert changed == self_look


def test_an_operator_as_such_sees_nothing() -> None:
    """Operating the service opens no scope of anybody."""
    operator = Person(id="o", name="", roles=frozenset({Role.OPERATOR}))
    gate = Gate(Book([]))
    for wearer, scope in itertools.product(("w1", "o"), SCOPES | OWN_SCOPES):
        with pytest.raises(AccessDenied):
            gate.may_see(operator, wearer, scope)


def test_records_keep_every_denied_look(accounts: Accounts, hand: Hand) -> None:
    """The audit in the database holds the refusal and, later, the allowed look."""
    anna = accounts.add("Anna", GOOD, [Role.WEARER])
    ben = accounts.add("Ben", GOOD, [Role.THERAPIST])
    records = accounts.records
    gate = Gate(records, hand)  # type: ignore[arg-type]
    assert anna.wearer is not None
    with pytest.raises(AccessDenied):
        gate.may_see(ben, anna.wearer, "sitting")
    accounts.accept(ben, accounts.invite(anna, ["sitting"], days=5))
    gate.may_see(ben, anna.wearer, "sitting")
    lines = records.audit_lines(anna.wearer)
    assert [(line.viewer, line.allowed) for line in lines] == [(ben.id, False), (ben.id, True)]
