"""Records of runs in the database, from which any process can tell later how a run went.

::

    jobs/00000003/run.json             who began it where, and what was to be made       (when it begins)
    jobs/00000003/recipe               the graph, pickled and signed; see `recipes`      (when it begins)
    jobs/00000003/failures-0000.json   streams that were given up, not a second later
    jobs/00000003/end.json             its numbers and its result                        (when it ends)
    jobs/00000003/trace.json           when which worker did what; see `profiler`        (when it ends)

A killed run has no end, but all the rest. These notes are written whole but not synced: no run waits for them. Nothing
here is ever unpickled but the recipe, and that only by a retry.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from scannerpy._engine.events import JobEnded, RunEvent
from scannerpy._engine.failures import Failure
from scannerpy._engine.status import Result, RunStatus
from scannerpy._store import layout
from scannerpy._store.documents import decode, encode
from scannerpy._store.objects import ObjectMissing, Objects

T = TypeVar("T")

MIN_WRITE_SECONDS = 1.0
"""Failures are written at once, but at most so often."""
COUNTS = (
    "tasks_done", "total_tasks", "rows_done", "total_rows", "rows_given_up", "jobs_done", "jobs_failed", "total_jobs",
    "failed_workers",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OutputTable:
    """A table a run makes: its id, name and column. (Outputs that are no tables belong to their storage.)"""

    table: int
    name: str
    column: str


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One job of a run: the name of its output for messages, how many rows in how many tasks, and its tables."""

    name: str
    rows: int
    tasks: int
    made: tuple[OutputTable, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """The process a run was begun by: enough to tell whether it still lives, and to find its program again.

    `born` tells apart processes that had the same `pid`. `script` is the program's file ("" where there is none, as in
    a notebook), `digest` that of its text.
    """

    host: str
    pid: int
    born: str
    folder: str
    command: tuple[str, ...]
    script: str
    digest: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is known of a run from its beginning. `no_recipe` says why it cannot be retried ("" if it can)."""

    streams: tuple[StreamRecord, ...]
    overwrite: bool
    work_packet_size: int
    io_packet_size: int
    origin: Origin
    retries: int | None = None
    no_recipe: str = ""


class RunRecorder:
    """Writes down what happens to one run. Listens to its events."""

    def __init__(self, objects: Objects, job_id: int, now: Callable[[], float] = time.monotonic) -> None:
        self._objects = objects
        self._job_id = job_id
        self._now = now
        self._fresh: list[Failure] = []
        self._written = 0
        self._next = 0.0

    def begin(self, record: RunRecord) -> None:
        """The run begins."""
        self._objects.put(_path(self._job_id, "run.json"), encode("run", asdict(record)))

    def __call__(self, event: RunEvent) -> None:
        """Keep failures; called many times a second, it also finds the time to write them."""
        if isinstance(event, JobEnded) and event.failure is not None:
            self._fresh.append(event.failure)
        if self._fresh and self._now() >= self._next:
            self._write()

    def end(self, status: RunStatus, traceback: str) -> None:
        """The run has ended; `traceback` is that of the user's code where it is why."""
        if self._fresh:
            self._write()
        body = {name: getattr(status, name) for name in COUNTS}
        body |= {"success": status.result.success, "msg": status.result.msg, "traceback": traceback}
        self._objects.put(_path(self._job_id, "end.json"), encode("end", body))

    def _write(self) -> None:
        path = _path(self._job_id, f"failures-{self._written:04d}.json")
        self._objects.put(path, encode("failures", [asdict(failure) for failure in self._fresh]))
        self._fresh.clear()
        self._written += 1
        self._next = self._now() + MIN_WRITE_SECONDS


def read_record(objects: Objects, job_id: int) -> RunRecord | None:
    """Return what was written when a run began; None where nothing was (a run of an older Scanner)."""
    body = _read(objects, job_id, "run.json", "run")
    if body is None:
        return None
    origin = {**body["origin"], "command": tuple(body["origin"]["command"])}
    streams = tuple(_stream(stream) for stream in body["streams"])
    return _from_json(RunRecord, {**body, "streams": streams, "origin": _from_json(Origin, origin)})


def read_failures(objects: Objects, job_id: int) -> list[Failure]:
    """Return the streams a run gave up, in the order in which it did."""
    names = (path.rsplit("/", 1)[-1] for path, _ in objects.list(layout.job_folder(job_id)))
    found: list[Failure] = []
    for name in sorted(name for name in names if name.startswith("failures-")):
        found += [_failure(each) for each in _read(objects, job_id, name, "failures") or ()]
    return found


def read_end(objects: Objects, job_id: int) -> Mapping[str, Any] | None:
    """Return the numbers of a run that ended by itself; None if it did not, or not yet."""
    body: Mapping[str, Any] | None = _read(objects, job_id, "end.json", "end")
    return body


def status_from(record: RunRecord | None, end: Mapping[str, Any] | None, failures: Sequence[Failure]) -> RunStatus:
    """Return what is known of a run of another process; whoever knows that it still runs says so himself."""
    status = RunStatus(finished=True, _failures=list(failures))
    if end is not None:
        for name in COUNTS:
            setattr(status, name, end[name])
        status.result = Result(end["success"], end["msg"])
        return status
    streams = record.streams if record is not None else ()
    status.total_jobs, status.jobs_failed = len(streams), len(failures)
    status.total_tasks = sum(stream.tasks for stream in streams)
    status.total_rows = sum(stream.rows for stream in streams)
    status.rows_given_up = sum(failure.rows_lost for failure in failures)
    return status


def this_process() -> Origin:
    """Describe the process we are in."""
    import sys

    script = str(getattr(sys.modules.get("__main__"), "__file__", None) or "")
    script = str(Path(script).absolute()) if script and Path(script).is_file() else ""
    pid = os.getpid()
    return Origin(socket.gethostname(), pid, _born(pid), _folder(), tuple(sys.argv), script, digest_of(script))


def is_alive(origin: Origin) -> bool | None:
    """Whether the process of a run still lives; None where that cannot be seen from this machine."""
    if origin.host != socket.gethostname():
        return None
    try:
        os.kill(origin.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _born(origin.pid) == origin.born


def digest_of(script: str) -> str:
    """Return a digest of a program's text, "" where there is none (any more)."""
    import hashlib

    try:
        return hashlib.blake2b(Path(script).read_bytes(), digest_size=16).hexdigest() if script else ""
    except OSError:
        return ""


def _read(objects: Objects, job_id: int, name: str, kind: str) -> Any:
    path = _path(job_id, name)
    try:
        return decode(kind, objects.get(path), objects, path)
    except ObjectMissing:
        return None


def _from_json(cls: type[T], body: Mapping[str, Any]) -> T:
    """A record from its JSON. What a later Scanner has added to it is passed over."""
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]  # all our records are dataclasses
    return cls(**{name: value for name, value in body.items() if name in known})


def _stream(body: Mapping[str, Any]) -> StreamRecord:
    return _from_json(StreamRecord, {**body, "made": tuple(_from_json(OutputTable, made) for made in body["made"])})


def _failure(body: Mapping[str, Any]) -> Failure:
    rows = body["rows"]
    return _from_json(Failure, {**body, "rows": None if rows is None else (rows[0], rows[1])})


def _path(job_id: int, name: str) -> str:
    return f"{layout.job_folder(job_id)}/{name}"


def _born(pid: int) -> str:
    """When a process was started, as the kernel counts; "" where it does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # it was deleted under us
        return ""
