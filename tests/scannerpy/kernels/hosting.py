"""Runs an op without a graph: registers it, places it as a vertex, and feeds its host elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scannerpy._graph.graph import Edge, Graph, Vertex
from scannerpy._graph.node import Compression, Where
from scannerpy._kernels.host import KernelHost
from scannerpy._kernels.ship import pack_graph, unpack_graph
from scannerpy._ops import registry
from scannerpy._ops.signature import OpSignature
from scannerpy.common import DeviceType
from scannerpy.op import register_python_op

WHERE = Where("program.py", 12)


def vertex_of(
    target: Any, *, args: Mapping[str, Any] | None = None, call_batch: int | None = None, **options: Any
) -> Vertex:
    """The vertex of an op as `register_python_op(**options)` makes it, called with `args` and ``batch=call_batch``."""
    register_python_op(**options)(target)
    return place(registry.lookup(options.get("name") or target.__name__), args or {}, call_batch)


def place(signature: OpSignature, args: Mapping[str, Any], batch: int | None = None, inputs: int = 0) -> Vertex:
    """A vertex of `signature` whose inputs come from vertices of their own."""
    columns = signature.inputs * inputs if signature.variadic and inputs else signature.inputs
    return Vertex(
        number=len(columns),
        kind="op",
        name=signature.name,
        inputs=tuple(Edge(i, c.name, c.is_video, c.type_name, Compression()) for i, c in enumerate(columns)),
        level=0,
        where=WHERE,
        args=dict(args),
        has_job_args=bool(signature.stream_params),
        signature=signature,
        stencil=signature.stencil or (0,),
        batch=batch or signature.kernels[DeviceType.CPU].batch,
        warmup=signature.warmup,
        unbounded=signature.unbounded,
    )


def pack_kernel(vertex: Vertex) -> bytes:
    """A graph of nothing but `vertex`, as it is sent to a worker process."""
    return pack_graph(Graph((vertex,)))


def unpack_kernel(data: bytes) -> Vertex:
    """What `pack_kernel` was given, as a worker process gets it."""
    return unpack_graph(data).vertices[0]


def host_of(target: Any, *, owned: Sequence[bool] = (), **options: Any) -> KernelHost:
    """A host that is ready for rows of a first task."""
    host = KernelHost(vertex_of(target, **options), owned=owned)
    host.begin_task()
    return host


def run(host: KernelHost, *columns: Sequence[Any], first: int = 0, resets: Sequence[bool] | None = None) -> Any:
    """Run consecutive rows of plain elements; one output comes back as its list, several as a list of lists."""
    windows = [[[element] for element in column] for column in columns]
    return run_windows(host, *windows, first=first, resets=resets)


def run_windows(host: KernelHost, *windows: Any, first: int = 0, resets: Sequence[bool] | None = None) -> Any:
    """The same with windows of elements."""
    count = len(windows[0])
    outputs = host.run(windows, resets or [False] * count, range(first, first + count))
    return outputs[0] if len(outputs) == 1 else outputs
