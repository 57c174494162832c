"""Ports of this machine, on which any of its users may listen."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

HOST = "127.0.0.1"
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENS = "0A"


def is_free(port: int) -> bool:
    """Return whether a program could listen on a port."""
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_strangers(port: int) -> bool:
    """Return whether a program of another user listens on a port.

    While a machine is down its ports are anybody's, and whoever has taken one would be told the product's login as soon
    as the machine is up again. The superuser is no stranger: nothing is hidden from that one.
    """
    return any(user not in {os.getuid(), 0} for user in listeners(port, *(table.read_text() for table in _tables())))


def _tables() -> list[Path]:
    return [table for table in _TABLES if table.exists()]


def listeners(port: int, *tables: str) -> Iterator[int]:
    """Yield the users (their numbers) of programs that listen on a port, from the kernel's tables of sockets."""
    for line in (line for table in tables for line in table.splitlines()[1:]):
        _, local, _, state, _, _, _, user, *_ = line.split()
        if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
            yield int(user)
