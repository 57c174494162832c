"""A real `puddle server`: its own process, its own data folder, a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Queue

from puddle.client import transport
from puddle.client.auth.authorizer import Authorizer

CHEAP = {"PUDDLE_PRODUCTS__H2O3__BUILD_AT_START": "false"}
"""An image of H2O-3 takes a second of CPU and 300 MB of disk."""
SIMULATED = {"PUDDLE_CLOUDS__SIMULATED__ENABLED": "true"}
PATIENCE_S = 180.0
"""A server is there in two seconds; on a machine with much more to do it has taken a minute."""


class RunningServer:
    """A server that was started; `stop` ends it."""

    def __init__(self, folder: Path, *args: str, **settings: str) -> None:
        self.folder = folder
        self.environment = {**clean_environment(folder), **CHEAP, **settings}
        command = [sys.executable, "-m", "puddle.cli", "server", "--port", "0", *args]
        self.errors = (folder / "stderr").open("w+")
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=self.errors, text=True, cwd=folder
        )
        self.said: list[str] = []
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def address(self) -> str:
        """Wait until it listens, and return where."""
        while True:
            line = self._lines.get(timeout=PATIENCE_S)
            assert line, f"the server ended: {self.log()}"
            self.said.append(line)
            if found := re.match(r"Puddle listens on (\S+)", line):
                return found[1]

    def line(self) -> str:
        """Wait for what it says next."""
        return self._lines.get(timeout=PATIENCE_S)

    def exports(self) -> Mapping[str, str]:
        """What it said to put into another terminal."""
        lines = re.findall(r"^export (\w+)=(\S+)$", "".join(self.said), re.MULTILINE)
        return dict(lines)

    def authorizer(self) -> Authorizer:
        """Whoever has the first key."""
        found = self.exports()
        return Authorizer(found["PUDDLE_server_address"], found["PUDDLE_api_key_id"], found["PUDDLE_api_secret_key"])

    def log(self) -> str:
        """What it told on stderr."""
        self.errors.flush()
        return (self.folder / "stderr").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()
        _hang_up()
        return code


def _hang_up() -> None:
    """Close the connections that clients of this process keep for their next call."""
    transport._connection(True).close()
    transport._connection.cache_clear()


def clean_environment(folder: Path) -> dict[str, str]:
    """An environment in which nothing of Puddle is set, and home is a folder of the test's."""
    mine = {name: value for name, value in os.environ.items() if not name.upper().startswith("PUDDLE_")}
    return {**mine, "HOME": str(folder), "XDG_DATA_HOME": str(folder / "share"), "XDG_CONFIG_HOME": str(folder / "etc")}


def until(seen: Callable[[], object], patience: float = PATIENCE_S) -> None:
    """Wait until a function says yes."""
    deadline = time.monotonic() + patience
    while not seen():
        assert time.monotonic() < deadline, "it has not come to it"
        time.sleep(0.05)
