"""A graph as text, one line per vertex: what `explain` prints first, and what a failing test shows.

::

    0  Column        frame                          program.py:10
    1  Stride        ← 0                            program.py:11
    2  OpticalFlow   ← 1   stencil [0, 1], batch 8  program.py:12
    3  FrameColumn   ← 2.flow                       program.py:13
"""

from __future__ import annotations

from collections.abc import Sequence

from scannerpy._graph.graph import Edge, Graph, Vertex


def describe(graph: Graph) -> str:
    """Return the drawing. What is inside a slice is indented."""
    return aligned([_cells(graph, vertex) for vertex in graph.vertices])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines of left-aligned columns; columns that are empty everywhere are left out."""
    columns = [column for column in zip(*rows, strict=True) if any(column)]
    widths = [max(map(len, column)) for column in columns]
    lines = zip(*columns, strict=True)
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _cells(graph: Graph, vertex: Vertex) -> tuple[str, ...]:
    inside = "  " if vertex.level and vertex.kind != "slice" else ""
    above = ", ".join(_edge(graph, edge) for edge in vertex.inputs)
    return (
        str(vertex.number),
        inside + vertex.name,
        f"← {above}" if above else "",
        ", ".join(options(vertex)),
        vertex.where.short if vertex.where else "",
    )


def _edge(graph: Graph, edge: Edge) -> str:
    """Name the producer, and its column where it has several."""
    signature = graph.vertices[edge.vertex].signature
    several = signature is not None and len(signature.outputs) > 1
    return f"{edge.vertex}.{edge.column}" if several else str(edge.vertex)


def options(vertex: Vertex) -> list[str]:
    """Return what is unusual about how an op is executed, in words."""
    if vertex.kind != "op":
        return []
    options = [f"stencil {list(vertex.stencil)}"] if vertex.stencil != (0,) else []
    if vertex.whole:
        options.append("all rows at once")
    elif vertex.batch > 1:
        options.append(f"batch {vertex.batch}")
    if vertex.unbounded:
        options.append("unbounded state")
    if vertex.warmup is not None:
        options.append(f"state over {vertex.warmup} rows")
    return [*options, *([] if vertex.device.name == "CPU" else [vertex.device.name])]
