# SPDX-License-Identifier: Apache-2.0
"""Who may see what: the one gate that every read and write of a person's data passes.

A wearer sees their own data. Anybody else sees a scope only under a grant of the wearer that holds
at this moment; an operator as such sees nothing. Every refusal and every look by somebody else is
written to the audit. There is no view for employers and no way to make one.

`Gate` asks the records on every call, so a revocation acts at once. Without records (a first start
before anything was stored) there is nobody else, and the same rules hold.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from tracker.clock import SYSTEM_CLOCK, Clock
from tracker.diary import AuditLine, Grant, Person, Role
from tracker.errors import AccessDenied
from tracker.model import SECOND_NS

# `rules.toml` [privacy.grant] names the scopes a wearer can share; the others are the wearer's own
# and cannot be shared.
SHARED_SCOPES = frozenset(
    {"sitting", "posture", "training", "tension", "pain", "massage", "notes", "screening"}
)
OWN_SCOPES = frozenset({"live", "advice", "settings", "diary", "everything"})
SCOPES = SHARED_SCOPES | OWN_SCOPES
DEFAULT_SCOPES = frozenset({"sitting", "training", "tension"})
# Never preselected: what a person told about illnesses and in their own words.
ASK_FOR = frozenset({"screening", "notes"})
MAX_GRANT_DAYS = 180

_JOINED = frozenset({"read", "list"})
_DENIED = "You may not see this person's data. Ask them to share it with you."


class Shares(Protocol):
    """What the gate asks of the records."""

    def grants(
        self, wearer: str | None = None, viewer: str | None = None, *, active_only: bool = False
    ) -> Sequence[Grant]:
        """Grants between a wearer and a viewer."""

    def audit(self, line: AuditLine) -> None:
        """Keep one line."""

    def audit_all(self, lines: Iterable[AuditLine]) -> None:
        """Keep lines in one step."""


@dataclass(slots=True)
class Looks:
    """Which allowed looks stand in the audit already: a page that redraws is one look.

    Only reads that were allowed are joined; every refusal and every write has its own line.
    """

    every_ns: int = 15 * 60 * SECOND_NS
    most: int = 20_000
    _seen: "OrderedDict[tuple[str, ...], int]" = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def is_new(self, key: tuple[str, ...], now_ns: int) -> bool:
        """Whether this look deserves a line of its own."""
        with self._lock:
            last = self._seen.get(key)
            if last is not None and 0 <= now_ns - last < self.every_ns:
                return False
            self._seen[key] = now_ns
            self._seen.move_to_end(key)
            while len(self._seen) > self.most:
                self._seen.popitem(last=False)
            return True


@dataclass(frozen=True, slots=True)
class Gate:
    """Answers for one process; `shares` None means that nothing has been shared yet."""

    shares: Shares | None = None
    clock: Clock = SYSTEM_CLOCK
    looks: Looks | None = None

    def may_see(self, viewer: Person, wearer: str, scope: str, action: str = "read") -> None:
        """Return when `viewer` may see `scope` of `wearer`; raise AccessDenied when not."""
        if scope not in SCOPES:
            known = ", ".join(sorted(SCOPES))
            raise AccessDenied(f"There is no data called {scope!r}; known: {known}")
        if _is_self(viewer, wearer):
            return
        allowed = (
            viewer.active
            and scope in SHARED_SCOPES
            and Role.THERAPIST in viewer.roles
            and any(scope in g.scopes for g in self._holding(viewer, wearer))
        )
        self.note(viewer, wearer, scope, action, allowed=allowed)
        if not allowed:
            raise AccessDenied(_DENIED)

    def may_change(self, viewer: Person, wearer: str, scope: str, action: str = "write") -> None:
        """Return when `viewer` may write `scope` of `wearer`: only the wearer may."""
        if scope in SCOPES and _is_self(viewer, wearer):
            return
        self.note(viewer, wearer, scope, action, allowed=False)
        raise AccessDenied("Only the wearer can change their own entries.")

    def may_guide(self, viewer: Person, wearer: str) -> None:
        """Return when `viewer` may write a plan, goals or a therapist's note for `wearer`."""
        self.may_see(viewer, wearer, "training", "guide")

    def visible_scopes(self, viewer: Person, wearer: str) -> frozenset[str]:
        """Every scope of `wearer` that `viewer` may see now; for showing, not for deciding."""
        if _is_self(viewer, wearer):
            return SCOPES
        if not viewer.active or Role.THERAPIST not in viewer.roles:
            return frozenset()
        scopes = (g.scopes for g in self._holding(viewer, wearer))
        return frozenset().union(*scopes) & SHARED_SCOPES

    def patients(self, viewer: Person) -> tuple[str, ...]:
        """Wearers who share with `viewer` at this moment; for showing, not for deciding."""
        if not viewer.active or Role.THERAPIST not in viewer.roles:
            return ()
        return tuple(sorted({g.wearer for g in self._held(viewer.id, None)}))

    def shared(self, viewer: Person, wearer: str, action: str = "read") -> frozenset[str]:
        """The scopes of `wearer` that `viewer` may see now, as one look; AccessDenied for none."""
        scopes = self.visible_scopes(viewer, wearer)
        if _is_self(viewer, wearer):
            return scopes
        words = ",".join(sorted(scopes)) or "any"
        self.note(viewer, wearer, words, action, allowed=bool(scopes))
        if not scopes:
            raise AccessDenied(_DENIED)
        return scopes

    def overview(self, viewer: Person) -> dict[str, frozenset[str]]:
        """Every wearer who shares with `viewer` at this moment, and what; one look each.

        There is no other way to a list of people: who has no grant does not appear.
        """
        if not viewer.active or Role.THERAPIST not in viewer.roles:
            self.note(viewer, "-", "any", "list", allowed=False)
            raise AccessDenied("Only a therapist has a list of people who share with them.")
        found: dict[str, frozenset[str]] = {}
        for grant in self._held(viewer.id, None):
            scopes = grant.scopes & SHARED_SCOPES
            found[grant.wearer] = found.get(grant.wearer, frozenset()) | scopes
        lines = [self._line(viewer, w, ",".join(sorted(s)), "list") for w, s in found.items() if s]
        if self.shares is not None:
            self.shares.audit_all([one for one in lines if self._is_new(one)])
        return {wearer: scopes for wearer, scopes in sorted(found.items()) if scopes}

    def note(self, viewer: Person, wearer: str, scope: str, action: str, *, allowed: bool) -> None:
        """Write one line of the audit."""
        line = self._line(viewer, wearer, scope, action, allowed=allowed)
        if self.shares is not None and self._is_new(line):
            self.shares.audit(line)

    def _line(
        self, viewer: Person, wearer: str, scope: str, action: str, *, allowed: bool = True
    ) -> AuditLine:
        return AuditLine(
            at_ns=self.clock.now_ns(),
            viewer=viewer.id,
            wearer=wearer,
            scope=scope,
            action=action,
            allowed=allowed,
        )

    def _is_new(self, line: AuditLine) -> bool:
        joined = line.allowed and line.action in _JOINED and self.looks is not None
        key = (line.viewer, line.wearer, line.scope, line.action)
        return not joined or self.looks is None or self.looks.is_new(key, line.at_ns)

    def _holding(self, viewer: Person, wearer: str) -> list[Grant]:
        return self._held(viewer.id, wearer)

    def _held(self, viewer: str, wearer: str | None) -> list[Grant]:
        if self.shares is None:
            return []
        now_ns = self.clock.now_ns()
        grants = self.shares.grants(wearer=wearer, viewer=viewer, active_only=True)
        return [g for g in grants if g.revoked_ns is None and g.made_ns <= now_ns < g.expires_ns]


def _is_self(viewer: Person, wearer: str) -> bool:
    return viewer.active and Role.WEARER in viewer.roles and viewer.wearer == wearer


_ALONE = Gate()


def may_see(viewer: Person, wearer: str, scope: str) -> None:
    """`Gate.may_see` where nothing has been shared."""
    _ALONE.may_see(viewer, wearer, scope)


def may_change(viewer: Person, wearer: str, scope: str) -> None:
    """`Gate.may_change` where nothing has been shared."""
    _ALONE.may_change(viewer, wearer, scope)
