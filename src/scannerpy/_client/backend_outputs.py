"""Outputs that a storage backend keeps, rather than this database: what is asked of the backend, and when.

Before a run: does the stream exist, is it complete, can it hold so many rows (`status`, `check_rows`), and delete
what is to be replaced (`clear`). After it: a stream all of whose tasks are done is committed by the writer class, any
other is discarded (`commit`, `discard`). All of this happens in the program's own process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scannerpy._client.caching import Status
from scannerpy._engine.journal import TaskResult
from scannerpy._graph.graph import Graph, Vertex
from scannerpy._plan.plan import Plan
from scannerpy._plan.task import JobPlan
from scannerpy.common import log
from scannerpy.errors import GraphError, ScannerException
from scannerpy.sink import SINKS, Sink
from scannerpy.storage import StoredStream


def status(stream: StoredStream | None) -> Status:
    """Return how far a backend's stream is; a stream whose class cannot tell `committed` counts as complete."""
    if stream is None or not stream.exists():
        return Status.MISSING
    try:
        return Status.COMMITTED if stream.committed() else Status.UNFINISHED
    except NotImplementedError:
        return Status.COMMITTED


def clear(sinks: Sequence[Sink], jobs: Sequence[int]) -> None:
    """Have the backends delete what exists of the outputs of `jobs`, which are to be made anew."""
    for sink in (each for each in sinks if SINKS[each.node.name].writer is not None):
        existing = [stream for job in jobs for stream in sink.streams[job : job + 1] if stream.exists()]
        if existing:
            existing[0].storage().delete(sink._sc, existing)


def check_rows(graph: Graph, plan: Plan) -> None:
    """Let writer classes refuse streams of a length they cannot hold, before anything is run."""
    for job, planned in enumerate(plan.jobs):
        for _, vertex, args in _backend_sinks(graph, planned):
            check = getattr(SINKS[vertex.name].writer, "check", None)
            if check is not None:
                try:
                    check(planned.rows, **args)
                except ScannerException as error:
                    raise GraphError(f"{vertex.label}, stream {job}: {error}") from error


def commit(graph: Graph, jobs: Mapping[int, JobPlan], done: Sequence[tuple[int, list[TaskResult]]]) -> dict[int, str]:
    """Have complete streams committed. Returns the jobs for which that failed, with the reason."""
    refused: dict[int, str] = {}
    for job, results in done:
        for sink, vertex, args in _backend_sinks(graph, jobs[job]):
            step = getattr(SINKS[vertex.name].writer, "commit", None)
            if step is not None and job not in refused:
                try:
                    step([result[sink] for result in results], **args)
                except Exception as error:  # noqa: BLE001  # a user's writer may raise anything; only its stream fails
                    refused[job] = f"{vertex.label} could not be committed: {_reason(error)}"
    return refused


def discard(graph: Graph, jobs: Sequence[JobPlan]) -> None:
    """Let writer classes forget what is left of streams whose job did not complete."""
    for job in jobs:
        for _, vertex, args in _backend_sinks(graph, job):
            step = getattr(SINKS[vertex.name].writer, "discard", None)
            if step is not None:
                try:
                    step(**args)
                except Exception as error:  # noqa: BLE001  # the job's own failure is what the program must hear
                    log.warning("%s could not be cleared away: %s", vertex.label, _reason(error))


def _backend_sinks(graph: Graph, job: JobPlan) -> Iterator[tuple[int, Vertex, Mapping[str, Any]]]:
    """The sinks with a writer class: their place in ``graph.sinks``, themselves, their arguments in a job."""
    for number, vertex in enumerate(graph.sinks):
        if SINKS[vertex.name].writer is not None:
            yield number, vertex, job.arguments_of(vertex)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ScannerException) else f"{type(error).__name__}: {error}"
