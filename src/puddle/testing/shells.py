"""A small machine for tests of products: a folder for its disk, one for its image, and one real process.

    with ProcessShell(disk, image) as shell:
        product.set_up(shell.endpoint(product.ports), given)

It does what `clouds.base.Shell` asks, and can go down and come up again as a machine does, its program with it. It does
not limit memory or CPU, and forgets its program when the test ends.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from puddle.server.clouds.base import Endpoint, Service, Serving

GRACE = 5.0
"""Seconds a program has to end by itself."""

PASSED_ON = ("PATH", "LANG", "TMPDIR", "JAVA_HOME")
"""What a program gets of our environment; nothing else of it, so that no secret of ours leaks into a machine."""


class ProcessShell:
    """The machine. `console`: what its program has printed, of all its starts."""

    def __init__(self, disk: Path, image: Path) -> None:
        """`disk` is made where it is missing; `image` is as a recipe has filled it."""
        disk.mkdir(parents=True, exist_ok=True)
        disk.chmod(0o700)
        self.disk = disk
        self.image = image
        self.console = disk.with_name(disk.name + ".console")
        self.starts = 0
        self._ports: Mapping[str, int] = {}
        self._kept = ExitStack()
        self._service: Service | None = None
        self._process: subprocess.Popen[bytes] | None = None

    # clouds.base.Shell

    def read(self, path: str) -> bytes | None:
        """Return a file of the disk, or None."""
        place = self._place(path)
        return place.read_bytes() if place.is_file() else None

    def write(self, path: str, content: bytes) -> None:
        """Put a file on the disk, whole or not at all, for its owner alone."""
        place = self._place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(place.name + ".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        new.replace(place)

    def serve(self, service: Service) -> None:
        """Start the program; nothing where it runs with this token."""
        serving = self.serving()
        if serving is not None and serving.running and serving.token == service.token:
            return
        self.go_down()
        self._service = service
        self.come_up()

    def serving(self) -> Serving | None:
        """How the program stands."""
        if self._service is None:
            return None
        exit_code = None if self._process is None else self._process.poll()
        running = self._process is not None and exit_code is None
        return Serving(token=self._service.token, running=running, exit_code=exit_code)

    # the machine

    @property
    def pid(self) -> int:
        """The program's process, which leads its own group; 0 where none runs."""
        serving = self.serving()
        return self._process.pid if self._process is not None and serving is not None and serving.running else 0

    def endpoint(self, ports: Mapping[str, int], memory_gb: float = 1.0) -> Endpoint:
        """Return how to reach it, with a port of its own for each name, numbered as when first asked for."""
        self._ports = self._ports or kept_ports(ports, self._kept)
        return Endpoint(host="127.0.0.1", ports=self._ports, memory_gb=memory_gb, vcpus=1, shell=self)

    def come_up(self) -> None:
        """Start the program as it was last given, if any was."""
        if self._service is None:
            return
        words = [self._filled(word) for word in self._service.command]
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {name: self._filled(value) for name, value in self._service.environment.items()}
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                words,
                cwd=self.disk,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
            )
        self.starts += 1

    def wait(self) -> None:
        """Wait until the program has ended."""
        if self._process is not None:
            self._process.wait()

    def go_down(self) -> None:
        """End the program and all it has started, as a machine does that is stopped: asked first, then killed."""
        if self._process is None:
            return
        for asked in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, asked)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(GRACE)
        self._process.wait()
        self._process = None

    def _filled(self, word: str) -> str:
        return word.replace("{disk}", str(self.disk)).replace("{image}", str(self.image))

    def _place(self, path: str) -> Path:
        place = self.disk / path
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise ValueError(f"{path!r} is not inside the disk")
        return place

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.go_down()
        self._kept.close()


def kept_ports(names: Mapping[str, int], until: ExitStack) -> dict[str, int]:
    """Return a free port for each name, in the order of the usual numbers, and keep them free until a stack ends.

    A program that asks for just this port gets it, where it says SO_REUSEADDR, as servers do; whoever asks for any port
    is given another one, also while the program is down.
    """
    sockets = [until.enter_context(socket.socket()) for _ in names]
    for one in sockets:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
    numbers = sorted(one.getsockname()[1] for one in sockets)
    return dict(zip(sorted(names, key=names.__getitem__), numbers, strict=True))
