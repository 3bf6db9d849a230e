# SPDX-License-Identifier: Apache-2.0
"""What a wearer chose about prompts: nothing is on by itself, and what is kept is checked again.

Kept with the person (`settings["prompts"]`), so every part that shows or decides a prompt reads the
same choice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time
from ipaddress import ip_address
from urllib.parse import urlsplit

from tracker.diary import Person
from tracker.trends.hours import WorkWindow

SENSITIVITIES = ("low", "normal", "high")
TONES = ("question", "plain", "silent")
# Where a prompt may appear. "address" is a webhook or an MQTT topic of the wearer's own network.
CHANNELS = ("page", "phone", "desktop", "sensor", "address")
# These act on the machine or the network that the service runs in, so they are its owner's alone.
OWNER_CHANNELS = frozenset({"desktop", "address"})
SCHEMES = ("http", "https", "mqtt")
# Ranges that may be chosen; postureminder #6 and others ask for more than an hour.
LIMITS = {
    "after_min": (10, 240),
    "delay_min": (1, 30),
    "repeat_min": (10, 240),
    "daily_cap": (1, 20),
}
NIGHT = (21, 22, 23, 0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSettings:
    """Minutes; nothing is on by itself.

    after_min    unbroken sitting or stillness before a prompt
    delay_min    unbroken slouch before a prompt
    repeat_min   least time between two prompts
    quiet_hours  full local hours without any prompt (lunch, the night), whatever the work hours
    evening      remind of the evening entry at the hour from which the evening is asked for
    channels     where prompts appear, of :data:`CHANNELS`
    address      `http(s)://...` or `mqtt://...` for the channel "address"
    """

    breaks: bool = False
    still: bool = False
    slouch: bool = False
    after_min: float = 45.0
    delay_min: float = 5.0
    repeat_min: float = 30.0
    sensitivity: str = "normal"
    tone: str = "question"
    daily_cap: int = 6
    work_hours_only: bool = True
    quiet_hours: tuple[int, ...] = NIGHT
    evening: bool = False
    channels: tuple[str, ...] = ("page", "phone")
    address: str = ""

    @property
    def any(self) -> bool:
        """Whether there is anything to look for."""
        return self.breaks or self.still or self.slouch


def prompt_settings(kept: object) -> PromptSettings:
    """Settings as kept with a person; what is missing or out of range falls back."""
    usual = PromptSettings()
    if not isinstance(kept, Mapping):
        return usual
    values = {f.name: _checked(f.name, kept.get(f.name), usual) for f in fields(PromptSettings)}
    return PromptSettings(**values)  # type: ignore[arg-type]  # checked field by field


def _checked(name: str, value: object, usual: PromptSettings) -> object:
    default = getattr(usual, name)
    if isinstance(default, bool):
        return value if isinstance(value, bool) else default
    if name == "address":
        return value if isinstance(value, str) and not address_problem(value) else default
    if isinstance(default, str):
        known = SENSITIVITIES if name == "sensitivity" else TONES
        return value if value in known else default
    if isinstance(default, tuple):
        known_items = range(24) if name == "quiet_hours" else CHANNELS
        if not isinstance(value, list | tuple):
            return default
        return tuple(item for item in value if item in known_items)
    low, high = LIMITS[name]
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    return type(default)(value) if whole and low <= value <= high else default  # type: ignore[operator]


def address_problem(address: str) -> str:
    """Why an address cannot be used: "" (it can), "scheme", "host" or "far".

    A host that is written as a number must belong to this machine or a private network; a name is
    looked up, and judged by :func:`is_near`, when it is used.
    """
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "host"
    if parts.scheme not in SCHEMES:
        return "scheme"
    if not host or (parts.scheme == "mqtt" and not parts.path.strip("/")):
        return "host"
    return "far" if _is_number(host) and not is_near([host]) else ""


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_near(addresses: Iterable[str]) -> bool:
    """Whether every one of these numeric addresses is this machine or a private network."""
    found = [ip_address(a.partition("%")[0]) for a in addresses]
    return bool(found) and all(
        (a.is_private or a.is_link_local) and not a.is_unspecified and not a.is_multicast
        for a in found
    )


def work_window(person: Person) -> WorkWindow:
    """The person's work hours; Monday to Friday, 9 to 17, until they say otherwise."""
    usual = WorkWindow()
    days = person.settings.get("workdays")
    return WorkWindow(
        start=_clock(person.settings.get("work_start"), usual.start),
        end=_clock(person.settings.get("work_end"), usual.end),
        weekdays=frozenset(int(d) for d in days) if isinstance(days, list) else usual.weekdays,
    )


def at_work(person: Person, local: datetime) -> bool:
    """Whether this local moment lies in the person's work hours; they may pass midnight."""
    window, now = work_window(person), local.time()
    if window.start < window.end:
        inside = window.start <= now < window.end
    else:
        inside = now >= window.start or now < window.end
    return window.includes(local.date()) and inside


def evening_hour(person: Person) -> int:
    """The local hour from which the evening is asked for; 17 until they say otherwise."""
    hour = person.settings.get("evening_hour")
    return hour if isinstance(hour, int) and 0 <= hour <= 23 else 17


def _clock(text: object, otherwise: time) -> time:
    try:
        return time.fromisoformat(str(text)) if text else otherwise
    except ValueError:
        return otherwise
