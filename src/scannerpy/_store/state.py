"""The catalog's state, the events that change it, and the pure fold from one to the other.

Ids come from the state an entry is based on, and `apply` refuses any others: so they are dense, in order of creation,
and never reused, also when writers race.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scannerpy._store.records import JobRecord, TableRecord, job_to_json, table_from_json, table_to_json


@dataclass(frozen=True, slots=True)
class CreateTables:
    """New tables, uncommitted or committed at once. Their ids continue from `State.next_table_id` (`numbered`)."""

    tables: tuple[TableRecord, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """Table `id` is complete: so many rows, found through `manifest`."""

    id: int
    rows: int
    manifest: str


@dataclass(frozen=True, slots=True)
class CommitTables:
    """Tables become readable. A hidden one takes its name, and what had it is deleted, in the same moment."""

    commits: tuple[Commit, ...]


@dataclass(frozen=True, slots=True)
class DeleteTables:
    """Tables are gone. Ids that are not there are passed over: two may delete the same one."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NewJob:
    """A run begins. Its id is `State.next_job_id`."""

    job: JobRecord


@dataclass(frozen=True, slots=True)
class EndJob:
    """A run ended."""

    id: int
    ended: float
    outcome: str


Event = CreateTables | CommitTables | DeleteTables | NewJob | EndJob


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """All live tables and all jobs after log entry `version`. Never changed: `apply` makes another."""

    tables: Mapping[int, TableRecord] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)  # of tables that are not hidden
    jobs: Mapping[int, JobRecord] = field(default_factory=dict)
    next_table_id: int = 0
    next_job_id: int = 0
    version: int = 0

    def table(self, name: str) -> TableRecord | None:
        """The visible table of that name, committed or not."""
        found = self.names.get(name)
        return None if found is None else self.tables[found]


def numbered(state: State, tables: Sequence[TableRecord]) -> CreateTables:
    """The creation of `tables` with the next ids; those they carry are ignored."""
    first = state.next_table_id
    return CreateTables(tuple(replace(table, id=first + k) for k, table in enumerate(tables)))


def apply(state: State, events: Sequence[Event]) -> State:
    """The state after one more log entry. Raises ValueError for an entry that cannot follow `state`."""
    return replay(state, [events])


def replay(state: State, entries: Iterable[Sequence[Event]]) -> State:
    """The state after several more log entries; as often `apply`, but copies the tables once."""
    draft = _Draft(state)
    for events in entries:
        for event in events:
            draft.take(event)
        draft.version += 1
    return draft.state()


class _Draft:
    """A state being made. What does not change is shared with the state it is made from."""

    def __init__(self, state: State) -> None:
        self._from = state
        self.tables = dict(state.tables)
        self._names: dict[str, int] | None = None
        self._jobs: dict[int, JobRecord] | None = None
        self.next_table_id = state.next_table_id
        self.next_job_id = state.next_job_id
        self.version = state.version

    def state(self) -> State:
        names = self._from.names if self._names is None else self._names
        jobs = self._from.jobs if self._jobs is None else self._jobs
        return State(self.tables, names, jobs, self.next_table_id, self.next_job_id, self.version)

    @property
    def names(self) -> dict[str, int]:
        if self._names is None:
            self._names = dict(self._from.names)
        return self._names

    @property
    def jobs(self) -> dict[int, JobRecord]:
        if self._jobs is None:
            self._jobs = dict(self._from.jobs)
        return self._jobs

    def take(self, event: Event) -> None:
        match event:
            case CreateTables():
                for table in event.tables:
                    self._create(table)
            case CommitTables():
                for commit in event.commits:
                    self._commit(commit)
            case DeleteTables():
                for table_id in event.ids:
                    self._delete(table_id)
            case NewJob():
                self._new_job(event.job)
            case EndJob():
                self.jobs[event.id] = replace(self.jobs[event.id], ended=event.ended, outcome=event.outcome)

    def _create(self, table: TableRecord) -> None:
        if table.id != self.next_table_id:
            raise ValueError(f"table {table.name!r} was given id {table.id}; the next is {self.next_table_id}")
        self.next_table_id += 1
        self.tables[table.id] = table
        if not table.hidden:
            self._name(table)

    def _commit(self, commit: Commit) -> None:
        table = self.tables.get(commit.id)
        if table is None or table.committed:
            raise ValueError(f"table {commit.id} cannot be committed: it is {'committed' if table else 'not there'}")
        done = replace(table, rows=commit.rows, manifest=commit.manifest, committed=True, hidden=False)
        if table.hidden:
            self._delete(self.names.get(table.name))
            self._name(done)
        self.tables[done.id] = done

    def _delete(self, table_id: int | None) -> None:
        table = None if table_id is None else self.tables.pop(table_id, None)
        if table is not None and not table.hidden:
            del self.names[table.name]

    def _name(self, table: TableRecord) -> None:
        if table.name in self.names:
            raise ValueError(f"there is a table {table.name!r} already")
        self.names[table.name] = table.id

    def _new_job(self, job: JobRecord) -> None:
        if job.id != self.next_job_id:
            raise ValueError(f"job {job.name!r} was given id {job.id}; the next is {self.next_job_id}")
        self.next_job_id += 1
        self.jobs[job.id] = job


def event_to_json(event: Event) -> list[Any]:
    """``[kind, …]``."""
    match event:
        case CreateTables():
            return ["create", [table_to_json(table) for table in event.tables]]
        case CommitTables():
            return ["commit", [[commit.id, commit.rows, commit.manifest] for commit in event.commits]]
        case DeleteTables():
            return ["delete", list(event.ids)]
        case NewJob():
            return ["job", job_to_json(event.job)]
        case EndJob():
            return ["end", [event.id, event.ended, event.outcome]]


def event_from_json(fields: list[Any]) -> Event:
    """The inverse of `event_to_json`."""
    kind, value = fields
    match kind:
        case "create":
            return CreateTables(tuple([table_from_json(table) for table in value]))
        case "commit":
            return CommitTables(tuple([Commit(*commit) for commit in value]))
        case "delete":
            return DeleteTables(tuple(value))
        case "job":
            return NewJob(JobRecord(*value))
        case "end":
            return EndJob(*value)
    raise ValueError(f"{kind!r} is not an event")


def state_to_json(state: State) -> dict[str, Any]:
    """The whole state, for a snapshot."""
    return {
        "version": state.version,
        "next": [state.next_table_id, state.next_job_id],
        "tables": [table_to_json(table) for table in state.tables.values()],
        "jobs": [job_to_json(job) for job in state.jobs.values()],
    }


def state_from_json(fields: dict[str, Any]) -> State:
    """The inverse of `state_to_json`."""
    tables = {table.id: table for table in map(table_from_json, fields["tables"])}
    return State(
        tables,
        {table.name: table.id for table in tables.values() if not table.hidden},
        {job[0]: JobRecord(*job) for job in fields["jobs"]},
        next_table_id=fields["next"][0],
        next_job_id=fields["next"][1],
        version=fields["version"],
    )
