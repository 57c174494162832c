"""Row lineage: which source row each stored row was made from, by following the row maps up from a sink.

Where an op has several inputs the first is followed, as all of them have the same rows. What a stencil or state looks
at beside a row is not part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scannerpy._graph.graph import Graph, Vertex
from scannerpy._plan.rows import EMPTY, Rows, span
from scannerpy._plan.task import JobPlan


def parents(graph: Graph, job: JobPlan, sink: Vertex) -> Rows | None:
    """Return the source row of each row that `sink` stores, −1 for a null; None where each row is its own parent."""
    path = _path_up(graph, sink)
    if not any(vertex.kind in {"sample", "slice"} for vertex in path):
        return None
    rows = span(0, job.rows)
    for place, vertex in enumerate(path):
        if vertex.kind == "unslice":
            rows = _followed(_of_all_groups(job, path[place + 1 :]), rows)
        elif vertex.kind == "sample" and not vertex.level:
            rows = _followed(job.maps[vertex.number][0].source, rows)
    return None if np.array_equal(rows, span(0, job.rows)) else rows


def _path_up(graph: Graph, sink: Vertex) -> list[Vertex]:
    """Return the vertices from a sink up to a source, along first inputs."""
    path = [sink]
    while path[-1].inputs:
        path.append(graph.vertices[path[-1].inputs[0].vertex])
    return path


def _of_all_groups(job: JobPlan, path: list[Vertex]) -> Callable[[Rows], Rows]:
    """Return where the rows of an unslice come from; `path` is what is above it, the slice they come from included."""
    slice_at = next(place for place, vertex in enumerate(path) if vertex.kind == "slice")
    inside = [vertex for vertex in path[: slice_at + 1] if vertex.kind in {"sample", "slice"}]
    origin = [EMPTY]
    for group, size in enumerate(job.domains[path[0].number]):
        rows = span(0, size)
        for vertex in inside:
            rows = _followed(job.maps[vertex.number][group].source, rows)
        origin.append(rows)
    return np.concatenate(origin).__getitem__


def _followed(source: Callable[[Rows], Rows], rows: Rows) -> Rows:
    """Return where rows come from; a null comes from nowhere, and so do rows made of it."""
    known = rows >= 0
    if known.all():
        return source(rows)
    found = np.full(len(rows), -1, np.int64)
    found[known] = source(rows[known])
    return found
