"""Resolves the sources of each job: how many rows, where they are stored, and the identity of their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scannerpy._client.database import INDEX_COLUMN
from scannerpy._graph.graph import Graph, JobArgs, Vertex
from scannerpy._store.catalog import State
from scannerpy.errors import GraphError, NotCommitted, ScannerException, StorageError
from scannerpy.source import SOURCES


@dataclass(frozen=True, slots=True)
class ResolvedSource:
    """One source in one job. `args` is what a worker opens; `identity` changes when the content does.

    An `identity` of None means nobody can tell: then nothing of an interrupted run is used again.
    """

    rows: int
    args: Mapping[str, Any]
    identity: Any


def resolve(graph: Graph, jobs: Sequence[JobArgs], state: State) -> list[list[ResolvedSource]]:
    """Return ``[job][source, in the order of graph.sources]``. Raises NotCommitted for an input that is not there."""
    sources = graph.sources
    return [[_resolved(vertex, args[vertex.number], state, j) for vertex in sources] for j, args in enumerate(jobs)]


def _resolved(vertex: Vertex, args: Any, state: State, job: int) -> ResolvedSource:
    kind = SOURCES[vertex.name]
    if kind.reader is not None:
        return _custom(kind.reader, {**vertex.args, **args}, vertex, job)
    return _table(vertex, args["table_name"], args["column_name"], state, job)


def _table(vertex: Vertex, name: str, column: str, state: State, job: int) -> ResolvedSource:
    record = state.table(name)
    if record is None or not record.committed:
        what = "does not exist" if record is None else "is not committed: its job failed or is still running"
        raise NotCommitted(f"{vertex.label}, stream {job}: the input table {name!r} {what}")
    found = {each.name: each for each in record.columns}.get(column)
    if found is None:
        known = ", ".join(each.name for each in record.columns)
        raise GraphError(f"{vertex.label}, stream {job}: table {name!r} has no column {column!r}; it has {known}")
    if record.source is not None and column == INDEX_COLUMN:
        return ResolvedSource(record.rows, {"index": True}, ("index", record.rows))
    args = {"manifest": record.manifest, "column": column, "is_video": found.is_video, "name": f"stream {name!r}"}
    return ResolvedSource(record.rows, args, (record.key, record.manifest, column))


def _custom(reader: type[Any], args: Mapping[str, Any], vertex: Vertex, job: int) -> ResolvedSource:
    try:
        stream = reader(**args)
        try:
            return ResolvedSource(len(stream), args, stream.identity() if hasattr(stream, "identity") else None)
        finally:
            if hasattr(stream, "close"):
                stream.close()
    except ScannerException:
        raise
    except Exception as error:
        raise StorageError(
            f"{vertex.label}, stream {job}: cannot be opened: {type(error).__name__}: {error}"
        ) from error
