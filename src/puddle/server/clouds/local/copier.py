"""Takes one snapshot: copies a machine's disk, in a process of its own that outlives the server.

    python -m puddle.server.clouds.local.copier FOLDER

Killed halfway, it leaves a part that does not count; whoever looks at the snapshot next starts it again, three times at
most. The disk of a machine that runs is copied as a power cut would leave it, if files are not written meanwhile.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from puddle.server.clouds.local.files import read_json, write_json
from puddle.server.clouds.local.processes import daemonize, say_ready, this_process
from puddle.server.clouds.local.spec import MAKING, Status
from puddle.server.clouds.local.trees import copy_tree, throw_away

ORDER, OUTCOME, LOG = "order.json", "outcome.json", "copy.log"
MAX_TRIES = 3


def main(folder: Path) -> None:
    """Make the snapshot in `folder`, unless somebody does or it has ended."""
    telling = daemonize(folder, LOG)
    order = read_json(folder / ORDER)
    if order is None or (folder / OUTCOME).exists():
        return say_ready(telling)
    tries = order["tries"] + 1
    write_json(folder / ORDER, {**order, "tries": tries})
    Status(who=this_process(), phase=MAKING, since=time.time()).write(folder)
    say_ready(telling)
    if tries > MAX_TRIES:
        return _end(folder, f"its copying was cut short {MAX_TRIES} times")
    return _end(folder, _copied(folder, str(order["system_id"]), int(order["disk_gb"]) << 30))


def _copied(folder: Path, system_id: str, most: int) -> str:
    """Copy the disk; return why that failed, or nothing."""
    part = folder / "disk.part"
    if (folder / "disk").is_dir():
        return ""  # only the outcome was still to be written
    try:
        throw_away(part, folder.parents[1] / "trash")
        copy_tree(folder.parents[1] / "machines" / system_id / "disk", part, _go_on, most)
        part.rename(folder / "disk")
    except (OSError, RecursionError) as error:
        return f"the disk could not be copied: {error}"
    return ""


def _go_on() -> None:
    """Nobody stops a copier but by killing it."""


def _end(folder: Path, failure: str) -> None:
    write_json(folder / OUTCOME, {"failure": failure})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
