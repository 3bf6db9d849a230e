# SPDX-License-Identifier: Apache-2.0
"""Prepares an InfluxDB: on 2.x bucket, retention, DBRP mapping and two tokens; on 1.x a database.

The HTTP calls of 2.x follow its public API (`/api/v2/orgs, /buckets, /dbrps, /authorizations`) and
are tested against recorded answers, not against a running 2.x; `docs/operate/storage.md` says so.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tracker.errors import StoreError
from tracker.settings import Settings
from tracker.store.influx_target import Fault, InfluxFault, InfluxTarget

DAY_S = 86_400
_WRITER, _READER = "backstay collector (write)", "backstay dashboard (read)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What was done, sentence by sentence, and the new tokens (2.x, shown once)."""

    done: tuple[str, ...]
    write_token: str = ""
    read_token: str = ""


def provision(
    settings: Settings, admin_token: str, keep_days: int = 0, *, tokens: bool = True
) -> Provisioned:
    """Make what is missing; what is there is kept, its retention is set. Raises StoreError.

    `tokens` False leaves the two tokens of 2.x as they are.
    """
    if not settings.influx_url:
        raise StoreError("no InfluxDB is configured: set BACKSTAY_INFLUX_URL")
    target = InfluxTarget(replace(settings, influx_token=admin_token))
    try:
        version = target.version()
        if version.lstrip("v").startswith("1."):
            return _database(target, keep_days)
        return _bucket(target, keep_days, tokens=tokens)
    except InfluxFault as fault:
        raise StoreError(_hint(fault)) from fault
    finally:
        target.close()


def _hint(fault: InfluxFault) -> str:
    if fault.fault is Fault.REFUSED:
        return f"{fault}; setup needs the operator's token (1.x: an admin's user:password)"
    return str(fault)


def _database(target: InfluxTarget, keep_days: int) -> Provisioned:
    name = target.bucket.replace('"', '\\"')
    keep = f" WITH DURATION {keep_days}d NAME autogen" if keep_days else ""
    target.statement(f'CREATE DATABASE "{name}"{keep}')
    kept = f", kept {keep_days} days" if keep_days else ", kept for ever"
    return Provisioned(done=(f"database {target.bucket}{kept}",))


def _bucket(target: InfluxTarget, keep_days: int, *, tokens: bool) -> Provisioned:
    done: list[str] = []
    orgs = target.api("GET", "/api/v2/orgs", params={"org": target.org})["orgs"]
    if not orgs:
        raise StoreError(f"there is no organisation {target.org!r}: set BACKSTAY_INFLUX_ORG")
    org = str(orgs[0]["id"])
    rules = [{"type": "expire", "everySeconds": keep_days * DAY_S}] if keep_days else []
    found = target.api("GET", "/api/v2/buckets", params={"name": target.bucket, "orgID": org}).get(
        "buckets", []
    )
    if found:
        bucket = str(found[0]["id"])
        target.api("PATCH", f"/api/v2/buckets/{bucket}", {"retentionRules": rules})
        done.append(f"bucket {target.bucket} was there, its retention is set")
    else:
        body = {"orgID": org, "name": target.bucket, "retentionRules": rules}
        bucket = str(target.api("POST", "/api/v2/buckets", body)["id"])
        done.append(f"bucket {target.bucket} made")
    done.append(_mapping(target, org, bucket))
    if not tokens:
        return Provisioned(done=(*done, "the tokens are kept"))
    new = [
        _token(target, org, bucket, action, words)
        for action, words in (("write", _WRITER), ("read", _READER))
    ]
    done.append("two tokens made: write-only and read-only")
    return Provisioned(done=tuple(done), write_token=new[0], read_token=new[1])


def tokens_lie_in(folder: Path) -> bool:
    """Whether an earlier run left both tokens here."""
    return all((folder / kind / "token").is_file() for kind in ("write", "read"))


def keep_tokens(folder: Path, made: Provisioned) -> None:
    """Write each token into a folder of its own, so that each service can see its own alone."""
    for kind, token in (("write", made.write_token), ("read", made.read_token)):
        place = folder / kind
        place.mkdir(parents=True, exist_ok=True)
        path = place / "token"
        path.write_text(token + "\n", encoding="utf-8")
        path.chmod(0o600)


def _mapping(target: InfluxTarget, org: str, bucket: str) -> str:
    """InfluxQL asks for a database; the mapping says that it is this bucket."""
    found = target.api(
        "GET", "/api/v2/dbrps", params={"orgID": org, "bucketID": bucket, "db": target.bucket}
    )
    if any(not m.get("virtual") for m in found.get("content", [])):
        return "the DBRP mapping was there"
    target.api(
        "POST",
        "/api/v2/dbrps",
        {
            "orgID": org,
            "bucketID": bucket,
            "database": target.bucket,
            "retention_policy": "autogen",
            "default": True,
        },
    )
    return "DBRP mapping made"


def _token(target: InfluxTarget, org: str, bucket: str, action: str, words: str) -> str:
    """A new token for one bucket and one action; an older one of the same name goes."""
    for old in target.api("GET", "/api/v2/authorizations", params={"orgID": org}).get(
        "authorizations", []
    ):
        if old.get("description") == words:
            target.api("DELETE", f"/api/v2/authorizations/{old['id']}")
    resource: dict[str, Any] = {"type": "buckets", "id": bucket, "orgID": org}
    body = {
        "orgID": org,
        "description": words,
        "permissions": [{"action": action, "resource": resource}],
    }
    return str(target.api("POST", "/api/v2/authorizations", body)["token"])
