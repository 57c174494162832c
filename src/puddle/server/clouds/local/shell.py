"""A machine of this cloud from the inside: its data disk and its service, through the files its supervisor reads.

What lies on the disk was put there by programs of the machine's owner: no link is followed, nothing but plain files of
a sensible size is read.
"""

from __future__ import annotations

import signal
import uuid
from pathlib import Path

from puddle.server.clouds.base import Service, Serving, StepFailed
from puddle.server.clouds.local.errors import os_errors_at
from puddle.server.clouds.local.files import folder_below, read_in, read_json, write_in, write_json
from puddle.server.clouds.local.service import SERVICE, SERVING
from puddle.server.clouds.local.spec import Spec, Status, as_machine
from puddle.server.clouds.names import checked_path
from puddle.server.domain.facts import Power


class LocalShell:
    """See Shell."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        """See Shell."""
        *folders, name = checked_path(path)
        self._check_running()
        with os_errors_at(f"{path} on the data disk"):
            try:
                with folder_below(self._folder / "disk", tuple(folders)) as there:
                    return read_in(there, name)
            except FileNotFoundError:
                return None

    def write(self, path: str, content: bytes) -> None:
        """See Shell."""
        *folders, name = checked_path(path)
        self._check_running()
        with (
            os_errors_at(f"{path} on the data disk"),
            folder_below(self._folder / "disk", tuple(folders), make=True) as there,
        ):
            write_in(there, name, content)

    def serve(self, service: Service) -> None:
        """See Shell."""
        state = self._check_running()
        stands = self.serving()
        if stands is not None and stands.running and stands.token == service.token:
            return
        order = {
            "command": list(service.command),
            "environment": dict(service.environment),
            "token": service.token,
            "asked": uuid.uuid4().hex,
        }
        write_json(self._folder / SERVICE, order)
        state.who.send(signal.SIGHUP)

    def serving(self) -> Serving | None:
        """See Shell. What was asked for a moment ago, and was not begun yet, does not run."""
        self._check_running()
        order, said = read_json(self._folder / SERVICE), read_json(self._folder / SERVING)
        if order is None:
            return None
        if said is None or said["asked"] != order["asked"]:
            return Serving(token=order["token"], running=False)
        return Serving(token=said["token"], running=said["running"], exit_code=said["exit_code"])

    def _check_running(self) -> Status:
        spec = Spec.read(self._folder)
        if spec is None or as_machine(self._folder, spec).power is not Power.RUNNING:
            raise StepFailed("UNREACHABLE", f"the machine {self._folder.name} is not running")
        return Status.read(self._folder)
