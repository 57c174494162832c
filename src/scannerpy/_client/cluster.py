"""What the address arguments of a Client may say while Scanner runs on one machine. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from scannerpy.errors import ConfigError, NotSupported

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 — compared with, never bound to


def check_local(master: str | None, workers: Sequence[str] | None, *, start_cluster: bool) -> None:
    """Check that all addresses are ``host:port`` on this machine.

    Raises ConfigError for another form, NotSupported for another machine or for a master that runs already.
    """
    if workers is not None and (isinstance(workers, str) or not isinstance(workers, Sequence)):
        raise ConfigError(
            f"workers is {workers!r}: give a list of addresses, one per worker process, as in ['localhost:5002']"
        )
    for address in [*([master] if master is not None else []), *(workers or ())]:
        if host(address) not in LOOPBACK:
            raise NotSupported(
                f"{address} is another machine: clusters of several machines are not supported yet. "
                "Leave master and workers out to use all cores of this one"
            )
    if not start_cluster:
        raise NotSupported(
            "start_cluster=False connects to a master that runs already, which is not supported yet. "
            "Leave it out: a client runs its own workers, and several clients may share one database"
        )


def host(address: str) -> str:
    """The host of ``host:port`` (``[host]:port`` for IPv6). Raises ConfigError for any other form."""
    name, colon, port = str(address).rpartition(":")
    if not colon or not name or not port.isdigit():
        raise ConfigError(f"{address!r} is not an address: write host:port, as in 'localhost:5001'")
    return name.strip("[]")
