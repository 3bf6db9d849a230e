# SPDX-License-Identifier: Apache-2.0
"""What a person tells Backstay: the evening entry, massages, training, screening, people, grants.

Plain frozen records, shared by stores, statistics, advice and pages. Times are UTC nanoseconds,
days are ISO dates of the wearer's own calendar. `None` means "not asked or not answered", never 0.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of diary records, as stored."""

    EVENING = "evening"
    MASSAGE = "massage"
    TRAINING = "training"
    SCREENING = "screening"
    START = "start"  # the one-minute start of day 1
    DISCUSSED = "discussed"  # a screening point discussed with a doctor
    CORRECTION = "correction"  # a corrected stretch of the time line
    EXPERIMENT = "experiment"  # a self-experiment with randomised weeks
    NOTE = "note"
    PLAN = "plan"
    SESSION = "session"  # a guided training session
    PROMPT = "prompt"  # a prompt that was shown: when, about what
    VISIT = "visit"  # an appointment with a therapist, past or planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """One tap an evening. Scales are 0-10; pain exists in the clinic profile."""

    day: str
    tension: int | None = None
    pain: int | None = None
    stress: int | None = None  # optional detail; how stressful the day was
    painkiller: bool | None = None
    unusual_load: bool | None = None
    illness: bool | None = None
    late: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Massage:
    """One massage. `relief_1h` and `relief_morning` are 0-10 (10 = all of it gone)."""

    at_ns: int
    minutes: int
    kind: str = "other"  # knead, tap, rub, stroke, vibrate, mixed, other
    pressure: str = "light"  # light, firm
    by: str = "therapist"  # self, therapist, partner, device
    relief_1h: int | None = None
    relief_morning: int | None = None
    sore_morning: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training session as told or confirmed. `sets` holds (exercise, reps, hold_s)."""

    at_ns: int
    minutes: int
    sets: tuple[tuple[str, int, float], ...] = ()
    effort: int | None = None  # 0-10
    rise: int | None = None  # how much tension (clinic: pain) rose during it, 0-10
    next_morning: int | None = None  # change of tension (clinic: pain) next morning, -10..10
    source: str = "user"  # user, sensor_confirmed (a session), sets_confirmed (single sets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One stored diary record with its history: edits keep the earlier versions."""

    id: int
    wearer: str
    kind: Kind
    at_ns: int  # what it is about
    day: str
    body: dict[str, object]
    author: str
    written_ns: int
    version: int = 1
    replaced_ns: int | None = None  # set when an edit or a deletion replaced it


class Role(StrEnum):
    """Roles of a person; one person may have several."""

    WEARER = "wearer"
    THERAPIST = "therapist"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person with an account or without (single user). `wearer` is the pseudonymous series id."""

    id: str
    name: str
    roles: frozenset[Role]
    wearer: str | None = None
    language: str = "de"
    zone: str = "Europe/Berlin"
    settings: dict[str, object] = field(default_factory=dict)
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A wearer's permission for one viewer: scopes, from when, until when, revoked when."""

    id: int
    wearer: str
    viewer: str
    scopes: frozenset[str]
    made_ns: int
    expires_ns: int
    revoked_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One line of the audit: who did what to whose data, and whether it was allowed."""

    at_ns: int
    viewer: str
    wearer: str
    scope: str
    action: str
    allowed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One sign-in. `id` is a hash of the cookie's secret: the stored row cannot open the door."""

    id: str
    person: str
    made_ns: int
    seen_ns: int
    expires_ns: int
    ended_ns: int | None = None
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation of a wearer to a viewer; `id` is a hash of the code, used once."""

    id: str
    wearer: str
    scopes: frozenset[str]
    made_ns: int
    expires_ns: int  # of the invitation
    grant_days: int  # how long the grant holds that it becomes
    used_ns: int | None = None
    used_by: str | None = None
