"""What a machine may use of memory, CPU and disk. The kernel holds it to that where it can; else we do, by looking.

See the package for what that means.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from puddle.server.clouds.local.processes import descendants, resident
from puddle.server.clouds.local.spec import Spec
from puddle.server.clouds.local.trees import used

GIB = 1 << 30
POLITE = 10
"""How nice (see nice(1)) the programs of a machine with less than one CPU are at least."""
_CPU_PERIOD = 100_000  # microseconds


class ControlGroup:
    """A control group (v2) of one machine, in which the kernel holds its processes to memory and CPU."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, parent: Path | None, spec: Spec) -> ControlGroup | None:
        """Return a group below `parent`; None where there can be none with both limits."""
        if parent is None:
            return None
        group = cls(parent / f"puddle-{spec.system_id}")
        try:
            group._set_up(parent, spec)
        except OSError:  # no controllers here, or not ours to give: the other way then
            group.remove()
            return None
        return group

    def _set_up(self, parent: Path, spec: Spec) -> None:
        control = parent / "cgroup.subtree_control"
        if not {"memory", "cpu"} <= set(control.read_text().split()):
            control.write_text("+memory +cpu")
        self.folder.mkdir(exist_ok=True)
        (self.folder / "memory.max").write_text(str(int(spec.memory_gb * GIB)))
        (self.folder / "memory.swap.max").write_text("0")
        (self.folder / "memory.oom.group").write_text("1")
        (self.folder / "cpu.max").write_text(f"{max(1000, int(spec.vcpus * _CPU_PERIOD))} {_CPU_PERIOD}")

    def enter(self) -> None:
        """Move this process into it, and with it all it starts."""
        (self.folder / "cgroup.procs").write_text("0")

    def killed(self) -> int:
        """Return how many processes the kernel has killed here for want of memory."""
        with suppress(OSError):
            for line in (self.folder / "memory.events").read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
        return 0

    def remove(self) -> None:
        """Remove it, once nothing runs in it."""
        with suppress(OSError):
            self.folder.rmdir()


def own_group(mounts: str, groups: str) -> Path | None:
    """Return the folder of the control group (v2) a process is in.

    Both are what /proc/self/mountinfo and /proc/self/cgroup say; None where there is no v2.
    """
    mounted = [line.split() for line in mounts.splitlines() if " - cgroup2 " in line]
    inside = [line[3:] for line in groups.splitlines() if line.startswith("0::")]
    if not mounted or not inside:
        return None
    return Path(mounted[0][4], inside[0].lstrip("/"))


def find_own_group() -> Path | None:
    """Return the folder of the control group (v2) this process is in; None where there is none."""
    return own_group(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())


def share_cpus(spec: Spec) -> None:
    """Give this process, and all it starts, as many whole CPUs as the machine has; less than one is one, shared nicely.

    Machines are spread over the CPUs by their ids.
    """
    there = sorted(os.sched_getaffinity(0))
    first = zlib.crc32(spec.system_id.encode())
    wanted = min(len(there), max(1, round(spec.vcpus)))
    os.sched_setaffinity(0, {there[(first + step) % len(there)] for step in range(wanted)})
    if spec.vcpus < 1:
        os.setpriority(os.PRIO_PROCESS, 0, max(POLITE, os.getpriority(os.PRIO_PROCESS, 0)))


class Watch:
    """Looks what a machine uses, and says when that is too much."""

    def __init__(self, disk: Path, spec: Spec, group: ControlGroup | None, clock: Callable[[], float]) -> None:
        """`clock` tells seconds from anywhere; without a `group` we hold the memory limit."""
        self._disk = disk
        self._spec = spec
        self._group = group
        self._clock = clock
        self._killed = group.killed() if group else 0
        self._next_disk = 0.0

    def trouble(self) -> str:
        """Return what is exceeded, as a sentence for the owner; empty where nothing is. Cheap when called often."""
        return self._memory() or (self.disk() if self._clock() >= self._next_disk else "")

    def disk(self) -> str:
        """Measure the disk now; the same answer."""
        begun = self._clock()
        try:
            size = used(self._disk)
        except OSError as error:
            return f"DISK_UNREADABLE: nobody can tell how much lies on its disk: {error.strerror}"
        took = self._clock() - begun
        self._next_disk = begun + max(2.0, 20 * took)
        if size <= self._spec.disk_gb * GIB:
            return ""
        used_up = f"{size / GIB:.2f} GiB are used of its disk of {self._spec.disk_gb} GiB"
        return f"DISK_FULL: {used_up}; scale it to a larger one"

    def _memory(self) -> str:
        if self._group is not None:
            before, self._killed = self._killed, self._group.killed()
            return self._exceeded("") if self._killed > before else ""
        held = sum(map(resident, descendants(os.getpid())))
        return self._exceeded(f" ({held / GIB:.2f} GiB)") if held > self._spec.memory_gb * GIB else ""

    def _exceeded(self, how_much: str) -> str:
        return f"OUT_OF_MEMORY: it used more memory{how_much} than its {self._spec.memory_gb:g} GiB; scale it to more"
