"""Keeping the keys in this process's memory from other processes of the same user: products of the local cloud, say."""

from __future__ import annotations

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4  # of prctl(2)


def hide_memory() -> None:
    """Let no other process of our user read our memory and environment, nor a crash write them to a file.

    On Linux; elsewhere there is no local cloud to hide from. Root can read everything all the same.
    """
    if sys.platform != "linux":
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")
