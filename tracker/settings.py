# SPDX-License-Identifier: Apache-2.0
"""Settings from the environment, read once per process. The core never sees them.

Every variable is documented in `docs/operate/settings.md`; a test compares the two.
"""

import os
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs

from tracker.errors import UsageError

_HELP = {
    "data": "folder of all data (default: the user's data folder)",
    "zone": "time zone of the wearer's days, for example Europe/Berlin (default: the machine's)",
    "language": "language of pages and texts: de or en (default: from the browser, else en)",
    "influx_url": "address of InfluxDB; unset: the embedded store alone",
    "influx_token": "token; 1.x: user:password",
    "influx_org": "organisation (2.x)",
    "influx_bucket": "bucket (2.x) or database (1.x)",
    "records_url": "postgresql://... for people, diary and audit of a practice",
    "raw_days": "days that raw samples are kept",
    "log": "level of the log: DEBUG, INFO, WARNING, ERROR",
    "host": "address the dashboard listens on",
    "port": "port of the dashboard; 0 picks a free one",
    "http_port": "port of the phone door; 0 picks a free one",
    "mqtt_url": "mqtt://user:password@host:1883/topic: a broker for phones (mqtts: TLS)",
    "ble_notify": "acquire takes values from BlueZ through a socket of their own (default: start)",
    "profile": "wellness (default) or clinic",
    "lan": "on opens dashboard and phone door to the home network (HTTPS, account required)",
    "demo": "folder of the demo that is shown while there is no sensor (set by `backstay up`)",
    "setup_code": "code that makes the first account when the service is open to the network",
    "public_url": "https://... of the reverse proxy people come through (an account is required)",
    "oidc_issuer": "address of the identity provider; unset: local passwords alone",
    "oidc_client": "client id that the provider gave this service",
    "oidc_secret": "client secret that the provider gave this service",
    "oidc_name": "name of the provider on the sign-in page",
    "hapt_model": "off leaves out the waist model fitted on research-only data",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One object with every setting; names are `BACKSTAY_` plus the field in capitals."""

    data: Path
    zone: str = ""
    language: str = ""
    influx_url: str = ""
    influx_token: str = ""
    influx_org: str = "backstay"
    influx_bucket: str = "posture"
    records_url: str = ""
    raw_days: int = 30
    log: str = "INFO"
    host: str = "127.0.0.1"
    port: int = 8501
    http_port: int = 8443
    mqtt_url: str = ""
    ble_notify: str = "start"
    profile: str = "wellness"
    lan: str = ""
    demo: str = ""
    setup_code: str = ""
    public_url: str = ""
    oidc_issuer: str = ""
    oidc_client: str = ""
    oidc_secret: str = ""
    oidc_name: str = "OpenID"
    hapt_model: str = "on"

    @property
    def open_to_network(self) -> bool:
        """Whether anybody but this machine can reach the dashboard, so that it asks who comes."""
        return self.lan == "on" or bool(self.public_url) or not is_loopback(self.host)

    @property
    def epochs_db(self) -> Path:
        """Series of all wearers; the collector alone writes it."""
        return self.data / "epochs.db"

    @property
    def app_db(self) -> Path:
        """People, diary, grants, audit; the dashboard alone writes it."""
        return self.data / "app.db"

    def environment(self) -> dict[str, str]:
        """Variables that give a child process the same settings."""
        return {f"BACKSTAY_{f.name.upper()}": str(getattr(self, f.name)) for f in fields(self)}


def read_settings(**overrides: object) -> Settings:
    """Settings of this process; keyword arguments win over the environment."""
    values: dict[str, object] = {}
    for f in fields(Settings):
        text = os.environ.get(f"BACKSTAY_{f.name.upper()}", "") or _from_file(f.name)
        if f.name in overrides and overrides[f.name] is not None:
            values[f.name] = overrides[f.name]
        elif text:
            values[f.name] = _typed(f.name, f.type, text)
    values.setdefault("data", Path(platformdirs.user_data_dir("backstay", appauthor=False)))
    values["data"] = Path(str(values["data"]))
    return Settings(**values)  # type: ignore[arg-type]  # checked by _typed field by field


def _from_file(name: str) -> str:
    """The content of the file that `BACKSTAY_..._FILE` names: secrets of a container."""
    path = os.environ.get(f"BACKSTAY_{name.upper()}_FILE", "")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(
            f"BACKSTAY_{name.upper()}_FILE={path}: cannot be read ({error.strerror})"
        ) from error


def _typed(name: str, kind: object, text: str) -> object:
    if kind in (int, "int"):
        try:
            return int(text)
        except ValueError as error:
            raise UsageError(
                f"BACKSTAY_{name.upper()}={text!r} is not a whole number: {_HELP[name]}"
            ) from error
    return text


def is_loopback(host: str) -> bool:
    """Whether this name or address means this machine alone."""
    if host.casefold() in ("localhost", ""):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def help_of() -> dict[str, str]:
    """What each setting does, by field name."""
    return dict(_HELP)


def zone(name: str = "") -> ZoneInfo:
    """The time zone of this name; empty means the machine's own (UTC where it does not say).

    Raises UsageError for a name that is no time zone.
    """
    wanted = name or os.environ.get("TZ", "").removeprefix(":") or _machine_zone()
    try:
        return ZoneInfo(wanted)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if not name:
            return ZoneInfo("UTC")
        raise UsageError(
            f"{name!r} is not a time zone: write one like Europe/Berlin (BACKSTAY_ZONE)"
        ) from error


def _machine_zone() -> str:
    link = Path("/etc/localtime")
    parts = link.resolve().parts if link.exists() else ()
    return "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else "UTC"
