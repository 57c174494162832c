"""FakeDriverlessAI: a small server in the place of Driverless AI, for tests. It is not the vendor's product.

It answers the health API as the vendor documents it, lists experiments behind a login (an htpasswd file with SHA-1
hashes), and keeps them on its disk. It trains nothing: an experiment is "running" for as long as it says it is. It
needs Python alone, and runs as a program:

    python -m puddle.testing.fake_dai --port 12345 --users htpasswd --data folder [--config config.toml]

    GET  /                     a page, behind the login
    GET  /apis/health/v1       the health API
    GET  /apis/experiments/v1  the experiments, behind the login
    POST /apis/experiments/v1  add or replace one, {"id": "e1", "description": "…", "progress": 0.5}, behind the login

The setting `fake_exit_code` of its configuration lets it end at once, as a product that cannot come up.

`installation` makes the folder that an administrator would have unpacked from the vendor's archive.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import shlex
import shutil
import sys
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HEALTH = "/apis/health/v1"
EXPERIMENTS = "/apis/experiments/v1"
LARGEST = 1 << 20


def installation(folder: Path, version: str = "fake-1.11.1") -> Path:
    """Put an installation of the fake into `folder`, as `DriverlessAI(installations=folder)` takes it."""
    home = folder / version
    home.mkdir(parents=True)
    shutil.copyfile(__file__, home / "fake_dai.py")
    (home / "run-dai.sh").write_text(_START.format(python=shlex.quote(sys.executable)))
    return home


_START = """#!/bin/sh
# Starts FakeDriverlessAI, with the settings the vendor's product would read.
exec {python} "$(dirname "$0")/fake_dai.py" \\
    --host "$DRIVERLESS_AI_IP" --port "$DRIVERLESS_AI_PORT" \\
    --users "$DRIVERLESS_AI_LOCAL_HTPASSWD_FILE" --data "$DRIVERLESS_AI_DATA_DIRECTORY" \\
    --config "$DRIVERLESS_AI_CONFIG_FILE" --license "${{DRIVERLESS_AI_LICENSE_FILE:-}}"
"""


class FakeDriverlessAI(ThreadingHTTPServer):
    """The server and all it knows."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], users: Mapping[str, str], data: Path, version: str) -> None:
        """`users`: SHA-1 hashes by name, as in an htpasswd file."""
        super().__init__(address, _Handler)
        self.users = users
        self.version = version
        self.last_interaction = datetime.now(UTC)
        self._file = data / "experiments.json"
        self.experiments: dict[str, dict[str, Any]] = {}
        if self._file.exists():
            self.experiments = json.loads(self._file.read_text())

    def knows(self, authorization: str) -> bool:
        """Whether a header of HTTP Basic has a name and the right password."""
        try:
            name, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            return False
        digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()  # noqa: S324  htpasswd's
        return hmac.compare_digest("{SHA}" + digest, self.users.get(name, ""))

    def keep(self, experiment: dict[str, Any]) -> None:
        """Add an experiment, or replace the one with its id."""
        self.experiments[str(experiment["id"])] = experiment
        self._file.write_text(json.dumps(self.experiments))

    def health(self) -> dict[str, Any]:
        """What the health API says."""
        running = sum(one.get("progress", 1.0) < 1.0 for one in self.experiments.values())
        return {
            "api_version": "1.1",
            "server_version": self.version,
            "application_id": "fake",
            "timestamp": datetime.now(UTC).isoformat(),
            "last_system_interaction": self.last_interaction.isoformat(),
            "active_users": 0,
            "is_idle": running == 0,
            "resources": {"cpu_cores": 1, "gpus": 0, "nodes": 1},
            "tasks": {"running": running, "scheduled": 0},
            "utilization": {"cpu": 0.1, "gpu": 0.0, "memory": 0.2},
        }


class _Handler(BaseHTTPRequestHandler):
    server: FakeDriverlessAI
    timeout = 10

    def do_GET(self) -> None:
        if self.path == HEALTH:
            self._answer(200, self.server.health())
        elif self._logged_in():
            if self.path == EXPERIMENTS:
                self._answer(200, list(self.server.experiments.values()))
            elif self.path == "/":
                self._answer(200, "this is FakeDriverlessAI, not the vendor's product")
            else:
                self._answer(404, "there is nothing here")

    def do_POST(self) -> None:
        if self._logged_in():
            self._answer(*self._kept())

    def _kept(self) -> tuple[int, Any]:
        try:
            experiment = json.loads(self.rfile.read(min(LARGEST, int(self.headers.get("Content-Length", 0)))))
            self.server.keep(experiment)
        except (ValueError, KeyError, TypeError):
            return 400, "an experiment is a JSON object with an id"
        return 200, experiment

    def _logged_in(self) -> bool:
        if not self.server.knows(self.headers.get("Authorization", "")):
            self._answer(401, "log in")
            return False
        self.server.last_interaction = datetime.now(UTC)
        return True

    def _answer(self, status: int, what: Any) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="FakeDriverlessAI"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _users(text: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="FakeDriverlessAI: a fake, for tests")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--users", type=Path, required=True, help="an htpasswd file")
    parser.add_argument("--data", type=Path, required=True, help="a folder for the experiments")
    parser.add_argument("--config", type=Path, default=None)
    parser.add_argument("--license", default="", help="accepted, and not looked at")
    return parser.parse_args()


def main() -> None:
    """Serve until the process is ended."""
    given = _arguments()
    config: dict[str, Any] = {}
    if given.config is not None and given.config.exists():
        config = tomllib.loads(given.config.read_text())
    if "fake_exit_code" in config:
        sys.exit(int(config["fake_exit_code"]))
    given.data.mkdir(parents=True, exist_ok=True)
    users = _users(given.users.read_text())
    with FakeDriverlessAI((given.host, given.port), users, given.data, "fake-1.11.1") as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
