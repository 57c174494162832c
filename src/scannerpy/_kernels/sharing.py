"""Which input arrays a kernel may modify without a copy: decided from the graph alone.

A kernel may write into its inputs, so an array with another consumer must be copied first. No copy is needed when the
producer's column has one consumer and nothing between them repeats a row. This relies on two guarantees: a decoder
yields each array once and keeps no reference to it, and the host makes each op's outputs private.
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
    """Whether `edge` is the only path from the array's producer to a consumer, and passes each row once."""
    if uses[edge.vertex, edge.column] > 1:
        return False
    producer = graph.vertices[edge.vertex]
    if producer.kind in {"source", "op"}:
        return True
    if producer.kind == "slice" or (producer.kind == "sample" and producer.name not in _ONE_TO_ONE):
        return False  # a partition that gathers may list a row twice in one group, and only the jobs know
    return _is_sole(graph, uses, producer.inputs[0])
