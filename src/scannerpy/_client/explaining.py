"""`Client.explain`: the plan of a run, with decode costs and frame sizes from the indexes of the stored videos."""

from __future__ import annotations

from collections.abc import Sequence

from scannerpy._client.database import Database
from scannerpy._client.preparing import plan_only
from scannerpy._client.sources import ResolvedSource
from scannerpy._client.stored import StoredColumn
from scannerpy._graph.graph import Graph
from scannerpy._plan.decode import DecodeCost
from scannerpy._plan.explain import CostOf, Explanation, explain
from scannerpy._plan.rows import Rows
from scannerpy.sink import Sink


def explained(database: Database, sinks: Sequence[Sink], perf_params: object) -> Explanation:
    """Say what a run would cost. Reads indexes, decodes nothing."""
    plan, sources = plan_only(database, sinks, perf_params)
    columns = [[_column(database, source) for source in job] for job in sources]
    return explain(plan, _costs(columns), _element_sizes(plan.graph, columns))


def _column(database: Database, source: ResolvedSource) -> StoredColumn | None:
    if "manifest" not in source.args:
        return None
    return StoredColumn.of_manifest(database, source.args["manifest"], source.args["column"], source.args["is_video"])


def _costs(columns: Sequence[Sequence[StoredColumn | None]]) -> CostOf:
    def cost(job: int, place: int, rows: Rows) -> DecodeCost | None:
        column = columns[job][place]
        return None if column is None else column.decode_cost(rows)

    return cost


def _element_sizes(graph: Graph, columns: Sequence[Sequence[StoredColumn | None]]) -> list[int]:
    """Bytes of an element per vertex: known for sources, passed on to what only chooses rows or keeps frames."""
    sizes = [0] * len(graph.vertices)
    for place, vertex in enumerate(graph.sources):
        sizes[vertex.number] = max((c.element_size() for job in columns if (c := job[place]) is not None), default=0)
    for vertex in graph.vertices:
        if vertex.kind in {"sample", "slice", "unslice"} or _keeps_frames(vertex.signature):
            sizes[vertex.number] = max(sizes[edge.vertex] for edge in vertex.inputs)
    return sizes


def _keeps_frames(signature: object) -> bool:
    return any(column.is_video for column in getattr(signature, "outputs", ()))
