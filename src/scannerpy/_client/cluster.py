"""Checks of a Client's address arguments: Scanner runs on one machine, so other machines are refused.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scannerpy.errors import ConfigError, NotSupported

if TYPE_CHECKING:
    from scannerpy.config import Config

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


def start_master(
    port: int | None = None,
    config: Config | None = None,
    config_path: str | None = None,
    block: bool = False,
    watchdog: bool = True,
    no_workers_timeout: int = 30,
    new_job_retries_limit: int = 5,
) -> Any:
    """Start a master for several machines. Not available yet: ``Client()`` works on this machine without one."""
    del port, config, config_path, block, watchdog, no_workers_timeout, new_job_retries_limit
    raise NotSupported(
        "start_master: clusters of several machines are not supported yet; Client() needs no master here"
    )


def start_worker(
    master_address: str,
    machine_params: Any = None,
    port: int | None = None,
    config: Config | None = None,
    config_path: str | None = None,
    block: bool = False,
    watchdog: bool = True,
    db: Any = None,
) -> Any:
    """Start a worker for a master on another machine. Not available yet: ``Client()`` starts its own workers here."""
    del machine_params, port, config, config_path, block, watchdog, db
    raise NotSupported(f"start_worker({master_address!r}): clusters of several machines are not supported yet")
