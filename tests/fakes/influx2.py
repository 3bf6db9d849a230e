# SPDX-License-Identifier: Apache-2.0
"""The part of InfluxDB 2.x's HTTP API that Backstay calls, as its public contract describes it.

No 2.x server can be installed for the tests, so this answers from memory what the API reference
(https://docs.influxdata.com/influxdb/v2/api/) lays down: paths, required fields, status codes.
A request that does not keep the contract gets the 400 or 401 the server would give.
"""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ADMIN = "operator-token=="
ORG = "0a0a0a0a0a0a0a0a"


class Influx2(ThreadingHTTPServer):
    """Buckets, mappings, tokens, writes and deletes in memory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.buckets: dict[str, dict[str, Any]] = {}
        self.dbrps: list[dict[str, Any]] = []
        self.tokens: dict[str, dict[str, Any]] = {}
        self.deletes: list[dict[str, Any]] = []
        self.written: list[str] = []
        self.made = 0
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        """Stop."""
        self.shutdown()
        self._thread.join()
        self.server_close()

    def may(self, token: str, action: str, bucket: str) -> bool:
        """Whether a token allows an action on a bucket (by name)."""
        if token == ADMIN:
            return True
        held = next((t for t in self.tokens.values() if t["token"] == token), None)
        ids = [b["id"] for b in self.buckets.values() if b["name"] == bucket]
        return held is not None and any(
            p["action"] == action and p["resource"]["id"] in ids for p in held["permissions"]
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Influx2

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def work(self) -> None:
        """Answer one request."""
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        url = urlsplit(self.path)
        params = {k: v[0] for k, v in parse_qs(url.query).items()}
        if url.path == "/ping":
            self._answer(204, None)
            return
        token = (self.headers.get("Authorization") or "").removeprefix("Token ")
        name = url.path.removeprefix("/api/v2/").replace("/", "_")
        kind, _, key = name.partition("_")
        call = getattr(self, f"{self.command.lower()}_{kind}", None)
        if call is None:
            self._answer(404, {"code": "not found", "message": "path not found"})
        elif kind in ("write", "delete"):
            call(token, params, data)
        elif token != ADMIN:
            self._answer(401, {"code": "unauthorized", "message": "unauthorized access"})
        else:
            call(key, params, json.loads(data) if data else {})

    do_GET = do_POST = do_PATCH = do_DELETE = work  # noqa: N815 - names the library calls

    def get_orgs(self, key: str, params: dict[str, str], body: dict[str, Any]) -> None:
        """Organisations by name."""
        found = [{"id": ORG, "name": "backstay"}] if params.get("org") == "backstay" else []
        self._answer(200, {"orgs": found})

    def get_buckets(self, key: str, params: dict[str, str], body: dict[str, Any]) -> None:
        """Buckets by name."""
        assert params["orgID"] == ORG
        found = [b for b in self.server.buckets.values() if b["name"] == params["name"]]
        self._answer(200, {"buckets": found})

    def post_buckets(self, key: str, params: dict[str, str], body: dict[str, Any]) -> None:
        """A new bucket: orgID, name and retentionRules are required."""
        if not {"orgID", "name", "retentionRules"} <= set(body):
            self._answer(400, {"code": "invalid", "message": "missing field"})
            return
        made = {**body, "id": f"b{len(self.server.buckets):015d}"}
        self.server.buckets[made["id"]] = made
        self._answer(201, made)

    def patch_buckets(self, key: str, params: dict[str, str], body: dict[str, Any]) -> None:
        """Change the retention."""
        self.server.buckets[key].update(body)
        self._answer(200, self.server.buckets[key])

    def get_dbrps(self, key: str, params: dict[str, str], body: dict[str, Any]) -> None:
        """Mappings; one that nobody made shows as virtual."""
        found = [d for d in self.server.dbrps if d["database"] == params["db"]]
        virtual = {"database": params["db"], "virtual": True, "bucketID": params["bucketID"]}
        self._answer(200, {"content": found or [virtual]})

    def post_dbrps(self, key: str, params: dict[str, str], body: dict[str, Any]) -> None:
        """A new mapping: bucketID, database, retention_policy and the org are required."""
        if not {"orgID", "bucketID", "database", "retention_policy"} <= set(body):
            self._answer(400, {"code": "invalid", "message": "missing field"})
            return
        self.server.dbrps.append(body)
        self._answer(201, body)

    def get_authorizations(self, key: str, params: dict[str, str], body: dict[str, Any]) -> None:
        """All tokens (2.9 hashes them: no `token` in the list)."""
        kept = [{k: v for k, v in t.items() if k != "token"} for t in self.server.tokens.values()]
        self._answer(200, {"authorizations": kept})

    def post_authorizations(self, key: str, params: dict[str, str], body: dict[str, Any]) -> None:
        """A new token, shown once."""
        self.server.made += 1
        number = f"a{self.server.made:015d}"
        made = {**body, "id": number, "token": f"secret-{number}=="}
        self.server.tokens[number] = made
        self._answer(201, made)

    def delete_authorizations(self, key: str, params: dict[str, str], body: dict[str, Any]) -> None:
        """Revoke a token."""
        del self.server.tokens[key]
        self._answer(204, None)

    def post_write(self, token: str, params: dict[str, str], data: bytes) -> None:
        """Line protocol; needs `write` on the bucket."""
        if not self.server.may(token, "write", params["bucket"]):
            self._answer(401, {"code": "unauthorized", "message": "unauthorized access"})
            return
        self.server.written += data.decode().splitlines()
        self._answer(204, None)

    def post_delete(self, token: str, params: dict[str, str], data: bytes) -> None:
        """Delete by predicate; needs `write` on the bucket."""
        body = json.loads(data)
        if not self.server.may(token, "write", params["bucket"]):
            self._answer(401, {"code": "unauthorized", "message": "unauthorized access"})
            return
        self.server.deletes.append({**body, **params})
        self._answer(204, None)

    def _answer(self, status: int, body: object) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-Influxdb-Version", "v2.9.1")
        self.send_header("X-Influxdb-Build", "OSS")
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
