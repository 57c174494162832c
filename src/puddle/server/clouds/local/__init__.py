"""A cloud on this machine: a machine is a folder, and while it runs a supervisor with the product's processes.

    folder/
      lock                    held while an order is written
      machines/<system id>/   card.json (its spec), state.json (its status), heartbeat, service.json,
                              serving.json, console.log, disk/
      snapshots/<id>/         order.json, state.json, outcome.json, disk/
      images/<id>/            image.json, build.log, files/
      trash/                  what is being removed

`cloud` writes specs and launches supervisors; it holds nothing in memory, so it can be killed and started again, and
several can share a folder. `machine` is the supervisor, `copier` the process that takes a snapshot: they outlive the
server, and report their status in files (`spec`). A lock in the folder keeps a second one away.

**What is enforced, and how.** Memory and CPU: by a control group (v2) where one may be made below the server's own, so
that the kernel holds the limit. Elsewhere the supervisor looks twice a second what the machine's processes hold in
memory and ends the service where it is more than the machine has (faster growth goes past that for a moment), and CPUs
are given by affinity, in whole ones, shared with others. Disk: the supervisor measures the data disk every few seconds
and ends the service when it is over its size; what was written in between stays written. Machines are *not* kept apart
from one another or from the server: they run as its user. This cloud is for one's own machine and for trials; whoever
must keep strangers apart takes another.

Machines outlive the server, unless somebody ends its whole control group: under systemd say `KillMode=process`.

Linux only: it reads /proc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from puddle.server.clouds.local.cloud import LocalCloud

__all__ = ["LocalCloud"]


def __getattr__(name: str) -> object:
    """Load the cloud when it is asked for: the supervisors live in this package too, and are to stay small."""
    if name == "LocalCloud":
        from puddle.server.clouds.local.cloud import LocalCloud

        return LocalCloud
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
