"""The arithmetic of `PerfParams.estimate`, and the machine's memory and CPUs that it needs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_IO = 100
"""Rows below which a task is not made smaller for memory's sake (steps inside it are)."""
TASKS_PER_PIPELINE = 4
"""A run has at least this many tasks per pipeline where its streams are long enough: all cores work to the end."""
LEAST_CUT = 16
"""Rows below which a stream is not cut for parallelism's sake: a task costs a millisecond and a run-up to decode."""
UNKNOWN = (10, 100)
"""Work and io packet sizes where no input can tell the size of its elements."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """The inputs of the estimate: `memory` in bytes, the `share` of it to be used, `queue` tasks for each pipeline."""

    memory: int
    share: float
    work_io_ratio: float
    queue: int
    pipelines: int

    def packets(
        self, element_sizes: Sequence[int], longest: int | None, together: int | None = None
    ) -> tuple[int, int]:
        """Return (work packet, io packet) for elements of `element_sizes` bytes and a longest stream of `longest` rows.

        The io packet is what fits in the memory share, but no more than leaves every pipeline a few tasks. `together`
        is the rows of all streams (not given: there is one): many short streams need not be cut to keep all busy.
        """
        if not element_sizes:
            return UNKNOWN
        fits = int(self.memory * self.share / (self.queue * max(element_sizes) * self.pipelines))
        io, parts = max(LEAST_IO, fits), max(1, int(1 / self.work_io_ratio))
        if longest is not None:
            rows = max(longest, together or 0)
            share = max(LEAST_CUT, min(longest, -(-rows // (self.pipelines * TASKS_PER_PIPELINE))))
            if share <= io:  # rounded up: down, a task of the last few rows would be left over in every stream
                work = -(-share // parts)
                return work, work * parts
        work = max(1, int(io * self.work_io_ratio))
        return work, work * parts


def machine_memory() -> int:
    """Bytes of memory this process may use: the machine's, or the control group's limit where that is lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:  # noqa: PTH123 — read once, before pathlib is paid for
            limit = file.read().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def machine_cpus() -> int:
    """Logical CPUs this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
