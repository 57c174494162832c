"""Checks a graph as far as that is possible without data; row counts are checked by `make_plan`.

Each rule is one small function over one vertex; `check` runs them all. Column *types* are not compared: an op that
declares bytes may be fed frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from scannerpy._graph.graph import Edge, Graph, JobArgs, Vertex
from scannerpy.errors import GraphError


def check(graph: Graph) -> None:
    """Raise GraphError, naming the op and its line, for the first rule that `graph` breaks."""
    if not graph.sinks:
        raise GraphError("there is nothing to run: give at least one cl.io.Output")
    if not graph.sources:
        raise GraphError("nothing is read: the graph needs at least one cl.io.Input")
    for vertex in graph.vertices:
        for rule in _RULES[vertex.kind]:
            rule(graph, vertex)


def check_jobs(graph: Graph, jobs: Sequence[JobArgs]) -> None:
    """Raise GraphError where two outputs of a run, of any sinks and jobs, name the same table."""
    taken: dict[str, tuple[Vertex, int]] = {}
    for sink in graph.sinks:
        for stream, args in enumerate(jobs):
            given = args.get(sink.number)
            name = given.get("table_name") if isinstance(given, Mapping) else None
            if name is None:
                continue
            if name in taken:
                other, at = taken[name]
                raise GraphError(
                    f"{sink.label}, stream {stream}: {name!r} is already the output of {other.label}, stream {at}; "
                    "every output needs a name of its own"
                )
            taken[name] = (sink, stream)


def _error(vertex: Vertex, reason: str) -> GraphError:
    return GraphError(f"{vertex.label} {reason}")


def _producer(graph: Graph, edge: Edge) -> Vertex:
    return graph.vertices[edge.vertex]


def _has_inputs(_graph: Graph, vertex: Vertex) -> None:
    if not vertex.inputs:
        raise _error(vertex, "has no input")


def _has_one_input(_graph: Graph, vertex: Vertex) -> None:
    if len(vertex.inputs) != 1:
        raise _error(vertex, f"takes one input, not {len(vertex.inputs)}")


def _inputs_on_one_level(graph: Graph, vertex: Vertex) -> None:
    if len({_producer(graph, edge).level for edge in vertex.inputs}) > 1:
        sliced = [edge.column for edge in vertex.inputs if _producer(graph, edge).level]
        raise _error(vertex, f"mixes sliced inputs ({', '.join(sliced)}) with unsliced ones; slice or unslice them all")


def _is_not_sliced(graph: Graph, vertex: Vertex) -> None:
    if any(_producer(graph, edge).level for edge in vertex.inputs):
        what = "slices a stream that is sliced already" if vertex.kind == "slice" else "gets a sliced stream"
        raise _error(vertex, f"{what}; put cl.streams.Unslice before it")


def _is_sliced(graph: Graph, vertex: Vertex) -> None:
    if not all(_producer(graph, edge).level for edge in vertex.inputs):
        raise _error(vertex, "joins a stream that is not sliced; cl.streams.Slice must come before it")


def _is_not_after_unslice(graph: Graph, vertex: Vertex) -> None:
    for edge in vertex.inputs:
        producer = _producer(graph, edge)
        if producer.kind == "unslice":
            raise _error(
                vertex,
                f"takes what {producer.label} yields, but unsliced streams may only be stored; "
                "move it into the slice, or store the stream and read it in a second run",
            )


def _input_count(_graph: Graph, vertex: Vertex) -> None:
    signature = vertex.signature
    if signature is None:
        raise _error(vertex, "has no signature")
    if not signature.variadic and len(vertex.inputs) != len(signature.inputs):
        names = ", ".join(column.name for column in signature.inputs)
        raise _error(vertex, f"takes {len(signature.inputs)} inputs ({names}), not {len(vertex.inputs)}")


def _stencil(_graph: Graph, vertex: Vertex) -> None:
    assert vertex.signature is not None  # noqa: S101 — _input_count came first
    if not vertex.stencil:
        raise _error(vertex, "has an empty stencil; write [0] for no neighbours")
    if vertex.stencil != (0,) and vertex.signature.stencil is None:
        raise _error(
            vertex, f"cannot look at its neighbours {list(vertex.stencil)}: the op is not registered with a stencil"
        )


def _kernel(_graph: Graph, vertex: Vertex) -> None:
    assert vertex.signature is not None  # noqa: S101 — _input_count came first
    kernel = vertex.signature.kernels.get(vertex.device)
    if kernel is None:
        there = ", ".join(device.name for device in vertex.signature.kernels) or "none at all"
        raise _error(vertex, f"has no kernel for {vertex.device.name}; there is {there}")
    if vertex.batch < 1:
        raise _error(vertex, f"has batch {vertex.batch}; it must be at least 1")
    if vertex.batch > 1 and kernel.batch <= 1:
        raise _error(vertex, f"cannot take batches of {vertex.batch}: its kernel takes one row at a time")


def _state(_graph: Graph, vertex: Vertex) -> None:
    if vertex.unbounded and vertex.warmup is not None:
        raise _error(vertex, "declares both bounded and unbounded state; choose one")
    if vertex.warmup is not None and vertex.warmup < 0:
        raise _error(vertex, f"has bounded_state {vertex.warmup}; it must not be negative")


def _stream_arguments(_graph: Graph, vertex: Vertex) -> None:
    assert vertex.signature is not None  # noqa: S101 — _input_count came first
    missing = vertex.signature.stream_required
    if missing and not vertex.has_job_args:
        raise _error(vertex, f"needs {', '.join(missing)}: a list with one value per stream")


_Rule = Callable[[Graph, Vertex], None]
_RULES: dict[str, tuple[_Rule, ...]] = {
    "source": (),
    "sample": (_has_one_input, _is_not_after_unslice),
    "slice": (_has_one_input, _is_not_after_unslice, _is_not_sliced),
    "unslice": (_has_one_input, _is_sliced),
    "op": (
        _has_inputs,
        _is_not_after_unslice,
        _inputs_on_one_level,
        _input_count,
        _stencil,
        _kernel,
        _state,
        _stream_arguments,
    ),
    "sink": (_has_inputs, _is_not_sliced),
}
