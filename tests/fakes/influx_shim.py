# SPDX-License-Identifier: Apache-2.0
"""A real influxd 1.6.7 for tests, behind a small shim that speaks the write path of 1.8 and later.

The shim translates `/api/v2/write` and `/health` (1.6.7 has neither), forwards everything else, and
can be told to answer errors first: `fail(status, times)`.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{dir}/meta"
[data]
dir = "{dir}/data"
wal-dir = "{dir}/wal"
index-version = "tsi1"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{http}"
auth-enabled = {auth}
log-enabled = false
[subscriber]
enabled = false
[logging]
level = "warn"
"""


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Influxd:
    """One real influxd on its own folder and port; kill, stop and start it as a test needs."""

    def __init__(self, program: str, folder: Path, *, auth: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self._program = program
        self._auth = auth
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers; a foreign process on the port is an error."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "influxdb.conf"
        text = _CONFIG.format(
            rpc=free_port(), http=self.port, dir=self.folder, auth=str(self._auth).lower()
        )
        config.write_text(text)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._program, "-config", str(config)], stdout=log, stderr=log
            )
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            if self.answers() and _owner_of(self.port) in (self.process.pid, None):
                return
            time.sleep(0.05)
        raise RuntimeError("influxd did not answer within 30 s")

    def answers(self) -> bool:
        """Whether it answers a ping."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            connection.request("GET", "/ping")
            done = connection.getresponse().status == 204
            connection.close()
        except OSError:
            return False
        return done

    def query(self, q: str, db: str = "", method: str = "POST") -> dict[str, object]:
        """Run a statement without any client of ours."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, "/query?" + urlencode({"q": q, "db": db, "epoch": "ns"}))
        body = json.loads(connection.getresponse().read())
        connection.close()
        return body

    def kill(self) -> None:
        """Kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP: connections open and hang."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)


def _owner_of(port: int) -> int | None:
    """Process id that listens on a local port, from /proc; None where that cannot be told."""
    try:
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    except OSError:
        return None
    inodes = {f.split()[9] for f in lines if f.split()[1].endswith(f":{port:04X}")
              and f.split()[3] == "0A"}  # fmt: skip
    for proc in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(proc.readlink()) in {f"socket:[{i}]" for i in inodes}:
                return int(proc.parts[2])
        except OSError:
            continue
    return None


class Shim(ThreadingHTTPServer):
    """The HTTP face of InfluxDB >= 1.8 in front of 1.6.7. `requests` lists what came in."""

    daemon_threads = True

    def __init__(self, target: Influxd) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.errors: list[tuple[int, str]] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()

    def handle_error(self, *_: object) -> None:
        """A client that went away in the middle is what these tests are about."""

    @property
    def url(self) -> str:
        """Where the product writes to."""
        return f"http://127.0.0.1:{self.server_port}"

    def fail(self, status: int, times: int = 1, text: str = "{}") -> None:
        """Answer the next writes with an error."""
        self.errors += [(status, text)] * times

    def close(self) -> None:
        """Stop."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shim

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def forward(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        params = {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        self.server.requests.append((self.command, url.path, params))
        if url.path == "/health":
            self._answer(200, b'{"name":"influxdb","status":"pass"}', "application/json")
        elif url.path != "/api/v2/write":
            self._pass_on(url.path, params, body)
        elif self.server.errors:
            status, text = self.server.errors.pop(0)
            self._answer(status, text.encode(), "application/json")
        else:
            db, _, rp = params["bucket"].partition("/")
            precision = {"us": "u"}.get(params["precision"], params["precision"])
            more = {"rp": rp} if rp else {}
            self._pass_on("/write", {"db": db, "precision": precision} | more, body)

    do_GET = do_POST = do_DELETE = forward  # noqa: N815 - names that the standard library calls

    def _pass_on(self, path: str, params: dict[str, str], body: bytes) -> None:
        names = ("authorization", "content-type", "content-encoding", "accept")
        kept = {k: v for k, v in self.headers.items() if k.lower() in names}
        link = http.client.HTTPConnection("127.0.0.1", self.server.target.port, timeout=120)
        try:
            link.request(self.command, f"{path}?{urlencode(params)}", body, kept)
            answer = link.getresponse()
            data = answer.read()
            version = answer.getheader("X-Influxdb-Version", "")
            self._answer(answer.status, data, answer.getheader("Content-Type", ""), version)
        except OSError:
            self.close_connection = True  # the client sees a connection that broke
        finally:
            link.close()

    def _answer(self, status: int, body: bytes, kind: str, version: str = "") -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if version:
            self.send_header("X-Influxdb-Version", version)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)
