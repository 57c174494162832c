"""Which input arrays a kernel may modify without a copy: decided from the graph alone.

A kernel may write into its inputs, so an array somebody else will read must be copied first. An array needs no copy
when its producer's column has one consumer, and nothing on the way hands out one row twice. That rests on what others
promise: decoders yield arrays of their own, and the host makes each op's outputs private.
"""

from __future__ import annotations

from collections import Counter

from scannerpy._graph.graph import Edge, Graph

_ONE_TO_ONE = {"All", "Stride", "Range", "StridedRange", "RepeatNull"}
"""Samplers that never give a row twice."""

Uses = Counter[tuple[int, str]]


def owned_inputs(graph: Graph) -> list[tuple[bool, ...]]:
    """Per vertex and input: whether its arrays are given to that input only, and once."""
    uses: Uses = Counter((edge.vertex, edge.column) for vertex in graph.vertices for edge in vertex.inputs)
    return [
        tuple(len(vertex.stencil) == 1 and _is_sole(graph, uses, edge) for edge in vertex.inputs)
        for vertex in graph.vertices
    ]


def _is_sole(graph: Graph, uses: Uses, edge: Edge) -> bool:
    """Whether `edge` is the only way from the array's maker to anybody, passing each row once."""
    if uses[edge.vertex, edge.column] > 1:
        return False
    producer = graph.vertices[edge.vertex]
    if producer.kind in {"source", "op"}:
        return True
    if producer.kind == "slice" or (producer.kind == "sample" and producer.name not in _ONE_TO_ONE):
        return False  # a partition that gathers may list a row twice in one group, and only the jobs know
    return _is_sole(graph, uses, producer.inputs[0])
