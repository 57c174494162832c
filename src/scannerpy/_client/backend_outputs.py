"""Outputs that a storage backend keeps, rather than this database: what is asked of the backend, and when.

Before a run: does the stream exist, is it complete, can it hold so many rows (`status`, `check_rows`), and delete
what is to be replaced (`clear`). After it: a stream all of whose tasks are done is committed by the writer class, any
other is discarded (`commit`, `discard`). All of this happens in the program's own process.
"""

from __future__ import annotations

import base64
import hmac
import inspect
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from scannerpy._client import recipes
from scannerpy._client.caching import Status
from scannerpy._engine.journal import TaskResult
from scannerpy._graph.graph import Graph, Vertex
from scannerpy._plan.plan import Plan
from scannerpy._plan.task import JobPlan
from scannerpy._store import layout
from scannerpy._store.documents import decode, encode
from scannerpy._store.objects import ObjectMissing, Objects
from scannerpy.common import log
from scannerpy.errors import CorruptObject, GraphError, ScannerException
from scannerpy.sink import SINKS, Sink
from scannerpy.source import Secret
from scannerpy.storage import StoredStream

_SIGNED = b"staged outputs\n"
"""Comes before what is signed, so that a recipe's signature fits no such note."""


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


def keep_arguments(objects: Objects, job_id: int, graph: Graph, jobs: Sequence[JobPlan]) -> bool:
    """Keep what has to be discarded if the program is killed: of writer classes whose `discard` takes ``before``.

    Signed, as a recipe is: who can write to the database must not be able to have files removed. Arguments that are no
    plain data, or hold a password, are not kept. Returns whether any were.
    """
    kept = [
        (vertex.name, dict(args))
        for job in jobs
        for _, vertex, args in _backend_sinks(graph, job)
        if _takes_before(SINKS[vertex.name].writer) and not any(isinstance(value, Secret) for value in args.values())
    ]
    if not kept:
        return False
    try:
        packed = base64.b85encode(zlib.compress(json.dumps(kept).encode())).decode("ascii")
        signed = recipes.signature(job_id, _SIGNED + packed.encode())
    except (TypeError, ValueError, OSError):
        return False
    return objects.put(_kept(job_id), encode("staged", [signed, packed]))


def forget_arguments(objects: Objects, job_id: int) -> None:
    """The run has ended by itself, and nothing is left of it."""
    objects.delete([_kept(job_id)])


def has_kept(objects: Objects, job_id: int) -> bool:
    """Whether a run may have left something with a storage backend."""
    return objects.exists(_kept(job_id))


def discard_kept(objects: Objects, job_id: int, before: float) -> bool:
    """Have the writer classes clear away what a killed run staged, as far as it was not touched since `before`.

    Classes this program has not registered are passed over: whoever wrote their outputs has to clear away. Returns
    False for a run of another account, which it is left to.
    """
    try:
        signed, packed = decode("staged", objects.get(_kept(job_id)), objects, _kept(job_id))
        if not hmac.compare_digest(signed, recipes.signature(job_id, _SIGNED + packed.encode())):
            return False
    except (ObjectMissing, CorruptObject):  # most runs keep none; these notes are not synced
        return True
    except OSError:  # this account has no key
        return False
    for name, args in json.loads(zlib.decompress(base64.b85decode(packed))):
        writer = SINKS[name].writer if name in SINKS else None
        if writer is not None and _takes_before(writer):
            try:
                cast("Any", writer).discard(**args, before=before)
            except Exception as error:  # noqa: BLE001  # a bucket that does not answer must not keep this run from running
                log.warning("what job %d left in %s could not be cleared away: %s", job_id, name, _reason(error))
    forget_arguments(objects, job_id)
    return True


def _takes_before(writer: Any) -> bool:
    step = getattr(writer, "discard", None)
    return step is not None and "before" in inspect.signature(step).parameters


def _kept(job_id: int) -> str:
    return f"{layout.job_folder(job_id)}/staged.json"


def _backend_sinks(graph: Graph, job: JobPlan) -> Iterator[tuple[int, Vertex, Mapping[str, Any]]]:
    """The sinks with a writer class: their place in ``graph.sinks``, themselves, their arguments in a job."""
    for number, vertex in enumerate(graph.sinks):
        if SINKS[vertex.name].writer is not None:
            yield number, vertex, job.arguments_of(vertex)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ScannerException) else f"{type(error).__name__}: {error}"
