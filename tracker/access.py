# SPDX-License-Identifier: Apache-2.0
"""Who may see what: the one gate that every read of a person's data passes.

Single-user policy: a person sees their own series, nobody else's. Accounts, grants and the audit
widen this function; callers never decide for themselves.
"""

from tracker.diary import Person
from tracker.errors import AccessDenied

# `rules.toml` [privacy.grant] names the scopes a wearer can share; "live" and "settings" are the
# wearer's own and cannot be shared.
SHARED_SCOPES = frozenset(
    {"sitting", "posture", "training", "tension", "pain", "massage", "notes", "screening"}
)
OWN_SCOPES = frozenset({"live", "advice", "settings"})
SCOPES = SHARED_SCOPES | OWN_SCOPES


def may_see(viewer: Person, wearer: str, scope: str) -> None:
    """Return when `viewer` may see `scope` of `wearer`; raise :class:`AccessDenied` when not."""
    if scope not in SCOPES:
        raise AccessDenied(f"There is no data called {scope!r}; known: {', '.join(sorted(SCOPES))}")
    if viewer.active and viewer.wearer is not None and viewer.wearer == wearer:
        return
    raise AccessDenied("You may not see this person's data. Ask them to share it with you.")


def may_change(viewer: Person, wearer: str, scope: str) -> None:
    """Return when `viewer` may write `scope` of `wearer`: only the wearer may."""
    may_see(viewer, wearer, scope)
    if viewer.wearer != wearer:
        raise AccessDenied("Only the wearer can change their own entries.")
