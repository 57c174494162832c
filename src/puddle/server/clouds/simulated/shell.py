"""A simulated machine from the inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from puddle.server.clouds.base import Service, Serving
from puddle.server.clouds.names import checked_path
from puddle.server.clouds.simulated.moment import Moment


class Caller(Protocol):
    """How the shell reaches its cloud: as all calls do, faults included."""

    def call(self, method: str, subject: str, do: Callable[[Moment], Any]) -> Any:
        """Do something to the cloud at this moment."""


class SimulatedShell:
    """See Shell. Methods for faults are called "read", "write", "serve" and "serving"."""

    def __init__(self, cloud: Caller, machine_id: str, system_id: str) -> None:
        self._cloud = cloud
        self._machine_id = machine_id
        self.system_id = system_id

    def read(self, path: str) -> bytes | None:
        """See Shell."""
        name = "/".join(checked_path(path))
        found: bytes | None = self._do("read", lambda it: it.running(self._machine_id).disk.get(name))
        return found

    def write(self, path: str, content: bytes) -> None:
        """See Shell."""
        name = "/".join(checked_path(path))
        self._do("write", lambda it: it.write(self._machine_id, name, content))

    def serve(self, service: Service) -> None:
        """See Shell."""
        self._do("serve", lambda it: it.serve(self._machine_id, service))

    def serving(self) -> Serving | None:
        """See Shell."""
        found: Serving | None = self._do("serving", lambda it: it.running(self._machine_id).serving())
        return found

    def serving_for(self) -> float:
        """Return for how many seconds the service has been told to run, on a machine that was up."""
        seconds: float = self._do("serving", lambda it: it.now - it.running(self._machine_id).served_since())
        return seconds

    def _do(self, method: str, do: Callable[[Moment], Any]) -> Any:
        return self._cloud.call(method, self._machine_id, do)
