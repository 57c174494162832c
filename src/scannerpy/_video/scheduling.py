"""Restores a thread's scheduling policy.

SVT-AV1, run by root, makes the thread that opens it a real-time one (SCHED_FIFO), and it stays so, as do all processes
it starts from then on. Two of them that compute are enough to lock everybody else out of a machine with two cores.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def scheduled_as_before() -> Iterator[None]:
    """Restore this thread's scheduling afterwards, where the system has such a thing."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.sched_setscheduler(0, policy, parameters)
