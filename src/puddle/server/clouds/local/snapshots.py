"""Snapshots of this cloud: folders with a copy of a data disk, made by a copier each."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path

from puddle.server.clouds.local.copier import OUTCOME
from puddle.server.clouds.local.errors import exclusive, folder_of, os_errors_at
from puddle.server.clouds.local.files import read_json, write_json
from puddle.server.clouds.local.processes import launch
from puddle.server.clouds.local.spec import Spec, Status
from puddle.server.clouds.local.trees import throw_away
from puddle.server.clouds.names import checked_id, not_found
from puddle.server.domain.facts import Copy, CopyState

COPIER = "puddle.server.clouds.local.copier"


class Snapshots:
    """The snapshots below `root`. How one stands is told from its folder alone."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def take(self, system_id: str, snapshot_id: str) -> None:
        """See `Provider.take_snapshot`."""
        folder = self._folder(snapshot_id)
        with exclusive(self._root):
            if folder.exists():
                return
            spec = Spec.read(self._root / "machines" / checked_id(system_id))
            if spec is None:
                raise not_found("machine of the system", system_id)
            self._write_order(folder, spec)
        launch(COPIER, folder)

    def _write_order(self, folder: Path, spec: Spec) -> None:
        draft = folder.with_name(f".new-{folder.name}")
        throw_away(draft, self._root / "trash")
        draft.mkdir(mode=0o700)
        order = {"system_id": spec.system_id, "tags": spec.tags, "disk_gb": spec.disk_gb, "taken": time.time()}
        write_json(draft / "order.json", {**order, "tries": 0})
        draft.rename(folder)

    def look(self, snapshot_id: str) -> Copy:
        """See `Provider.snapshot`. One whose copier was killed is taken up again."""
        folder = self._folder(snapshot_id)
        if not folder.exists():
            return Copy(id="", state=CopyState.GONE)
        outcome = read_json(folder / OUTCOME)
        if outcome is None:
            if not Status.read(folder).who.alive():
                launch(COPIER, folder)
            return Copy(id=snapshot_id, state=CopyState.CREATING)
        state = CopyState.FAILED if outcome["failure"] else CopyState.AVAILABLE
        return Copy(id=snapshot_id, state=state, failure=outcome["failure"])

    def all(self) -> Sequence[str]:
        """See `Provider.snapshots`."""
        return sorted(path.name for path in (self._root / "snapshots").iterdir() if not path.name.startswith("."))

    def delete(self, snapshot_id: str) -> None:
        """See `Provider.delete_snapshot`."""
        folder = self._folder(snapshot_id)
        Status.read(folder).who.send(signal.SIGKILL)
        with os_errors_at(f"the snapshot {snapshot_id}"):
            throw_away(folder, self._root / "trash")

    def _folder(self, snapshot_id: str) -> Path:
        return folder_of(self._root / "snapshots", snapshot_id)
