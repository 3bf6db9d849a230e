# SPDX-License-Identifier: Apache-2.0
"""One InfluxDB through `influxdb-client`: synchronous writes, InfluxQL reads, deletion by wearer.

The client's default (batching) mode loses what it holds when the process ends, so it is never used:
each request is one call of its write service, and nothing but 204 counts as written.
InfluxQL is the one query language that 1.x, 2.x and 3 all run; `docs/operate/storage.md`
says what was run where.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any

from tracker.errors import StoreError
from tracker.settings import Settings

TIMEOUT_MS = 10_000


class Fault(StrEnum):
    """What a failed request means for the caller."""

    AWAY = "away"  # no connection, time-out, 429, 5xx: try again later
    REFUSED = "refused"  # 401, 403: the token
    MISSING = "missing"  # 404: the bucket or database
    TOO_LARGE = "too_large"  # 413
    REJECTED = "rejected"  # 400, 422: some line in the body


@dataclass(frozen=True, slots=True)
class InfluxFault(StoreError):
    """A request that failed; `retry_s` is the server's own wish where it has one."""

    fault: Fault
    text: str
    retry_s: float | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Rows:
    """One series of an InfluxQL answer."""

    tags: dict[str, str]
    columns: Sequence[str]
    values: Sequence[Sequence[Any]]

    def dicts(self) -> list[dict[str, Any]]:
        """Rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.values]


class InfluxTarget:
    """Writes, reads and deletes of one bucket or database."""

    def __init__(self, settings: Settings, *, timeout_ms: int = TIMEOUT_MS) -> None:
        try:
            library: Any = import_module("influxdb_client")
            writing: Any = import_module("influxdb_client.service.write_service")
        except ImportError as error:
            raise StoreError(
                "InfluxDB needs one more package: pip install 'backstay[influx]'"
            ) from error
        self.url = settings.influx_url
        self.bucket = settings.influx_bucket
        self.org = settings.influx_org
        # 1.x knows user:password only; a token of 2.x has no colon.
        basic = ":" in settings.influx_token
        self._client = library.InfluxDBClient(
            url=self.url,
            token=settings.influx_token,
            org=self.org,
            timeout=timeout_ms,
            enable_gzip=True,
            auth_basic=basic,
        )
        self._writing = writing.WriteService(self._client.api_client)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def write(self, lines: Sequence[str], precision: str) -> None:
        """Write lines; returns after the server said that it has them. Raises InfluxFault."""
        with _faults():
            _, status, _ = self._writing.post_write_with_http_info(
                self.org,
                self.bucket,
                "\n".join(lines),
                precision=precision,
                content_type="text/plain; charset=utf-8",
            )
        self._done(status)

    def _done(self, status: int) -> None:
        """Every InfluxDB says 204; a sign-in page of a hotel network, say, would answer 200."""
        if status != 204:
            raise InfluxFault(Fault.AWAY, f"{self._stranger} (it answered {status})")

    @property
    def _stranger(self) -> str:
        return f"no InfluxDB answers at {self.url}, something else does"

    def query(self, statement: str, params: dict[str, object], epoch: str = "ns") -> list[Rows]:
        """Run one InfluxQL statement with bound parameters. Raises InfluxFault."""
        body = self._call(
            "GET",
            "/query",
            [
                ("q", statement),
                ("db", self.bucket),
                ("epoch", epoch),
                ("params", json.dumps(params)),
            ],
        )
        result = self._result(body)
        if "error" in result:
            text = str(result["error"])
            fault = Fault.MISSING if "not found" in text else Fault.REJECTED
            raise InfluxFault(fault, f"InfluxDB cannot answer: {text}")
        return [
            Rows(tags=s.get("tags") or {}, columns=s["columns"], values=s.get("values") or ())
            for s in result.get("series", ())
        ]

    def version(self) -> str:
        """Version as the server says it, for example 1.6.7 or v2.9.1. Raises InfluxFault."""
        with _faults():
            return str(self._client.version())

    def delete_wearer(self, wearer: str) -> None:
        """Delete every point of a wearer: by predicate on 2.x, by tag on 1.x. Raises InfluxFault.

        3 Core cannot delete rows; it answers with an error, so the erasure stays open.
        """
        quoted = wearer.replace("\\", "\\\\")
        if self.version().lstrip("v").startswith("1."):
            where = quoted.replace("'", "\\'")
            # DROP SERIES and not DELETE: it takes the pseudonym out of the index too.
            statement = f"DROP SERIES WHERE \"wearer\" = '{where}'"
            body = self._call("POST", "/query", [("q", statement), ("db", self.bucket)])
            error = self._result(body).get("error")
            if error and "not found" not in str(error):
                raise InfluxFault(Fault.REJECTED, f"InfluxDB cannot delete: {error}")
            return
        body = {
            "start": "1970-01-01T00:00:00Z",
            "stop": "2200-01-01T00:00:00Z",
            "predicate": 'wearer="{}"'.format(quoted.replace('"', '\\"')),
        }
        with _faults():
            _, status, _ = self._client.api_client.call_api(
                "/api/v2/delete",
                "POST",
                query_params=[("org", self.org), ("bucket", self.bucket)],
                header_params={"Content-Type": "application/json"},
                body=body,
            )
        self._done(status)

    def _result(self, body: Any) -> dict[str, Any]:
        try:
            return dict(body["results"][0])
        except (TypeError, KeyError, IndexError, ValueError) as error:
            raise InfluxFault(Fault.AWAY, self._stranger) from error

    def statement(self, statement: str) -> None:
        """Run an InfluxQL statement that changes something (1.x). Raises InfluxFault."""
        body = self._call("POST", "/query", [("q", statement)])
        if error := self._result(body).get("error"):
            raise InfluxFault(Fault.REJECTED, f"InfluxDB refuses: {error}")

    def api(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
    ) -> Any:
        """One call of the 2.x API with JSON in and out. Raises InfluxFault."""
        with _faults():
            return self._client.api_client.call_api(
                path,
                method,
                query_params=list((params or {}).items()),
                header_params={"Content-Type": "application/json", "Accept": "application/json"},
                body=body,
                response_type=None if method == "DELETE" else "object",
                _return_http_data_only=True,
            )

    def _call(self, method: str, path: str, params: list[tuple[str, str]]) -> Any:
        with _faults():
            return self._client.api_client.call_api(
                path,
                method,
                query_params=params,
                response_type="object",
                _return_http_data_only=True,
                _preload_content=True,
            )


class _faults:  # noqa: N801 - used like a function
    """Turns what the client raises into InfluxFault."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        if isinstance(error, ApiException):
            raise _fault_of(error) from error
        if isinstance(error, HTTPError | OSError):
            raise InfluxFault(Fault.AWAY, f"InfluxDB does not answer: {_short(error)}") from error


def _fault_of(error: Any) -> InfluxFault:
    status = int(error.status or 0)
    text = f"InfluxDB answered {status}: {_short(error.body or error.reason)}"
    if status in (401, 403):
        return InfluxFault(
            Fault.REFUSED, f"{text}; check BACKSTAY_INFLUX_TOKEN (1.x: user:password)"
        )
    if status == 404:
        return InfluxFault(
            Fault.MISSING,
            f"{text}; make the bucket or database (BACKSTAY_INFLUX_BUCKET), then all is sent again",
        )
    if status == 413:
        return InfluxFault(Fault.TOO_LARGE, text)
    if status in (400, 422):
        return InfluxFault(Fault.REJECTED, text)
    wish = (error.headers or {}).get("Retry-After")
    return InfluxFault(Fault.AWAY, text, float(wish) if wish and str(wish).isdigit() else None)


def _short(thing: object) -> str:
    return " ".join(str(thing).split())[:200]
