"""The kernels of one pipeline instance: made, given their resources, closed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from scannerpy._graph.graph import Graph
from scannerpy._kernels.host import KernelHost
from scannerpy._kernels.sharing import owned_inputs
from scannerpy.common import log
from scannerpy.errors import KernelError

Hosts = Mapping[int, KernelHost]


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """What a pipeline instance gets: its number on the machine, and its share of threads and memory (bytes)."""

    number: int = 0
    threads: int = 1
    memory: int = 256 << 20


def make_hosts(graph: Graph, instance: InstanceConfig) -> dict[int, KernelHost]:
    """Make a kernel for each op. Raises KernelError; what was made until then is closed."""
    owned = owned_inputs(graph)
    hosts: dict[int, KernelHost] = {}
    with ExitStack() as undo:
        undo.callback(close_hosts, hosts)
        for vertex in graph.vertices:
            if vertex.kind == "op":
                hosts[vertex.number] = KernelHost(vertex, node_id=instance.number, owned=owned[vertex.number])
        undo.pop_all()
    return hosts


def fetch(hosts: Hosts) -> None:
    """Let every op download what it needs; for one instance per machine."""
    for host in hosts.values():
        host.fetch_resources()


def set_up(hosts: Hosts) -> None:
    """Let every kernel load what was fetched."""
    for host in hosts.values():
        host.setup_with_resources()


def close_hosts(hosts: Hosts) -> None:
    """Close every kernel. One that fails to close deserves a warning only: what it computed is stored by now."""
    with ExitStack() as stack:
        for host in hosts.values():
            stack.callback(_close, host)


def _close(host: KernelHost) -> None:
    try:
        host.close()
    except KernelError as error:
        log.warning("%s (results that are stored stay as they are)", error)
