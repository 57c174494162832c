"""SQL tables as streams, in and out, in PostgreSQL or SQLite. Needs the extra ``sql``.

::

    config = protobufs.SQLConfig(hostaddr="localhost", port=5432, dbname="films", user="me", password="…")
    storage = SQLStorage(config, job_table="jobs")
    query = protobufs.SQLQuery(fields="id, film, start", table="shots", id="id", group="film")
    shots = cl.io.Input([SQLInputStream(query, "start > 10", storage)])
    cl.run(cl.io.Output(cl.ops.Judge(shots=shots), [SQLOutputStream("verdicts", "judge, first try", storage)]))

An element is a JSON list of objects, one per row of the table. `SQLStorage` gives it a line per distinct value of
`group`; `SQLOutputStream` inserts the objects (or updates, by ``id``).

What is in a query is SQL: fields, table, group, id and filter are put into the statement as they are.
"""

from __future__ import annotations

import datetime as dt
import decimal
import itertools
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scannerpy.backends.databases import database_url, transaction
from scannerpy.backends.handles import InputStream
from scannerpy.backends.ledger import Ledger
from scannerpy.errors import ConfigError, GraphError, ScannerException, SerializationError, StorageError
from scannerpy.sink import register_sink
from scannerpy.source import register_source
from scannerpy.storage import StorageBackend, StoredStream

__all__ = ["SQLInputStream", "SQLOutputStream", "SQLStorage"]

AS_IT_IS = {"no_parameters": True}
"""A statement has no parameters, so a percent sign in it means nothing to the driver."""
ELEMENTS_AT_ONCE = 1000
"""Elements fetched with one statement. All are fetched before the first is used: an open cursor would keep SQLite from
writing."""


class SQLStorage(StorageBackend):
    """A database. `config` is a `protobufs.SQLConfig`, or a SQLAlchemy URL.

    `job_table` is the table that names the finished jobs; it is made if it is not there. Only outputs need one.
    """

    def __init__(self, config: Any, job_table: str | None = None) -> None:
        self.url = database_url(config)
        self.job_table = job_table

    def source(self, sc: Any, streams: Sequence[SQLInputStream]) -> Any:
        """Return the column ``output`` of JSON lists of rows."""
        return sc.sources.SQL(
            query=[stream.query for stream in streams],
            filter=[stream.filter for stream in streams],
            num_elements=[stream.num_elements for stream in streams],
            url=self.url,
        )

    def sink(self, sc: Any, op: Any, streams: Sequence[SQLOutputStream]) -> Any:
        """Return the sink that inserts or updates rows."""
        if op.output.is_video:
            raise GraphError(f"{op!r} holds frames; a SQL table takes JSON lists of objects")
        names = [stream.name() for stream in streams]
        if len(set(names)) < len(names):
            raise GraphError(f"two SQL outputs have the same job name ({', '.join(names)}): give each its own")
        return sc.sinks.SQL(
            input=op,
            table=[stream.table for stream in streams],
            job_name=names,
            insert=[stream.insert for stream in streams],
            url=self.url,
            job_table=self.jobs().job_table,
        )

    def delete(self, sc: Any, streams: Sequence[SQLOutputStream]) -> None:  # noqa: ARG002 — the base's signature
        """Delete the rows that the streams' jobs inserted, and forget the jobs. What they updated stays."""
        for stream in streams:
            self.jobs().forget(stream.name(), stream.table)

    def jobs(self) -> Ledger:
        """Return what is known of this database's jobs. Raises ConfigError without a `job_table`."""
        if not self.job_table:
            raise ConfigError("SQLStorage needs a job_table to write to: SQLStorage(config, job_table='jobs')")
        return Ledger(self.url, self.job_table)


class SQLInputStream(InputStream):
    """The rows of a query, grouped: element i is the JSON list of the rows with the i-th value of `group`, in order.

    `query` is a `protobufs.SQLQuery`: `fields` (as after SELECT; empty: all), `table` (as after FROM; may join),
    `group` and `id` (expressions that rows are grouped and ordered by). `filter` is a condition, as after WHERE; empty:
    all rows. `num_elements`, where given, is taken for the number of groups, so that they need not be counted.

    The rows must not change while a graph reads them.
    """

    def __init__(self, query: Any, filter: str, storage: SQLStorage, num_elements: int | None = None) -> None:  # noqa: A002 — documented
        self.query = {"fields": query.fields, "table": query.table, "id": query.id, "group": query.group}
        self.filter, self.num_elements = filter or "", -1 if num_elements is None else num_elements
        self._storage = storage

    def __repr__(self) -> str:
        return f"SQLInputStream({self.name()!r})"

    def storage(self) -> SQLStorage:
        """Return the backend."""
        return self._storage

    def name(self) -> str:
        """Return the table and the filter."""
        return str(self.query["table"]) + (f" where {self.filter}" if self.filter else "")

    def open(self) -> SQLReader:
        """Return a reader of the query."""
        return SQLReader(self.query, self.filter, self._storage.url, self.num_elements)


@register_source("SQL", stream_params=("query", "filter", "num_elements"))
class SQLReader:
    """Reads groups of rows by number."""

    def __init__(self, query: Mapping[str, str], filter: str, url: str, num_elements: int = -1) -> None:  # noqa: A002 — documented
        group, order = query["group"] or query["id"], query["id"] or query["group"]
        if not query["table"] or not group:
            raise ConfigError("a SQLQuery needs a table, and a group or an id to tell its elements by")
        self._url, self._count = url, num_elements
        # The statements are made of the program's own SQL: that is what a query is.
        table = query["table"] + (f" WHERE {filter}" if filter else "")
        self._counting = f"SELECT COUNT(*) FROM (SELECT DISTINCT {group} FROM {table}) AS scanner_groups"  # noqa: S608
        self._ranked = (
            f"SELECT DENSE_RANK() OVER (ORDER BY {group}) - 1 AS scanner_row, "  # noqa: S608
            f"ROW_NUMBER() OVER (ORDER BY {group}, {order}) AS scanner_order, "
            f"{query['fields'] or '*'} FROM {table}"
        )

    def __len__(self) -> int:
        if self._count < 0:
            with transaction(self._url) as connection:
                self._count = int(connection.exec_driver_sql(self._counting, execution_options=AS_IT_IS).scalar_one())
        return self._count

    def read(self, rows: Sequence[int]) -> Iterator[bytes]:
        """Yield the groups."""
        for first, last in _runs(rows):
            found = self._fetch(first, last)
            if set(found) != set(range(first, last + 1)):
                missing = min(set(range(first, last + 1)) - set(found))
                raise StorageError(
                    f"the query has no element {missing}: give SQLInputStream a num_elements that is right, "
                    "and leave the table alone while it is read"
                )
            yield from (found[row] for row in range(first, last + 1))

    def _fetch(self, first: int, last: int) -> dict[int, bytes]:
        statement = (
            f"SELECT * FROM ({self._ranked}) AS scanner_rows "  # noqa: S608
            f"WHERE scanner_row BETWEEN {first} AND {last} ORDER BY scanner_order"
        )
        with transaction(self._url) as connection:
            result = connection.exec_driver_sql(statement, execution_options=AS_IT_IS)
            names = list(result.keys())[2:]
            rows = result.fetchall()
        plain = [re.sub(r":\d+$", "", name) for name in names]  # SQLite calls the second of two `id`s `id:1`
        twice = {name for name in plain if plain.count(name) > 1}
        if twice:
            raise StorageError(f"two fields of the query are called {min(twice)!r}: name one differently, with AS")
        return {
            int(row): json.dumps([dict(zip(names, each[2:], strict=True)) for each in group], default=_plain).encode()
            for row, group in itertools.groupby(rows, key=lambda each: each[0])
        }


def _runs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Cut ascending rows into (first, last) of stretches without a gap, at most `ELEMENTS_AT_ONCE` long."""
    first = last = -2
    for row in rows:
        if row != last + 1 or row - first >= ELEMENTS_AT_ONCE:
            if last >= 0:
                yield first, last
            first = row
        last = row
    if last >= 0:
        yield first, last


def _plain(value: Any) -> Any:
    """What JSON has no form for: times as ISO 8601, exact decimals as numbers, UUIDs as text."""
    match value:
        case dt.date() | dt.time():
            return value.isoformat()
        case decimal.Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case uuid.UUID():
            return str(value)
    raise SerializationError(
        f"a field of the query holds a {type(value).__name__}, which JSON cannot: cast it in the query's fields"
    )


class SQLOutputStream(StoredStream):
    """Rows of `table`, written under the name `job_name`.

    Elements are JSON lists of objects whose keys are columns. With `insert` each object becomes a row; otherwise the
    row whose ``id`` is the object's is updated. When all is done, `job_name` is put into the storage's job table, which
    is what makes the stream committed.

    Each element is inserted exactly once, whatever fails in between: a second table, ``<job_table>_elements``, is
    written in the same transaction. With it `delete` (and CacheMode.Overwrite) finds the rows to remove.
    """

    def __init__(self, table: str, job_name: str, storage: SQLStorage, insert: bool = True) -> None:
        if not table or not job_name:
            raise ScannerException("SQLOutputStream needs the name of a table and a job_name")
        self.table, self.insert = table, insert
        self._job_name, self._storage = job_name, storage

    def __repr__(self) -> str:
        return f"SQLOutputStream({self.table!r}, {self._job_name!r})"

    def storage(self) -> SQLStorage:
        """Return the backend."""
        return self._storage

    def name(self) -> str:
        """Return the job's name."""
        return self._job_name

    def exists(self) -> bool:
        """Whether the job has finished, or has written anything."""
        return self._storage.jobs().has_begun(self._job_name)

    def committed(self) -> bool:
        """Whether the job has finished."""
        return self._storage.jobs().has_finished(self._job_name)

    def load_bytes(self, rows: Sequence[int] | None = None) -> Iterator[Any]:  # noqa: ARG002 — the base's signature
        """Not possible: a table does not tell which rows came from which element."""
        raise ScannerException(f"{self!r} cannot be loaded as a stream: read table {self.table} with SQLInputStream")


@register_sink("SQL", stream_params=("table", "job_name", "insert"))
class SQLWriter:
    """Inserts or updates one task's rows, in one transaction."""

    def __init__(self, table: str, job_name: str, url: str, job_table: str, insert: bool = True) -> None:
        self._ledger = Ledger(url, job_table)
        self._table, self._job, self._insert = table, job_name, insert
        self._elements: dict[int, list[dict[str, Any]]] = {}

    def write(self, start: int, elements: Sequence[Any]) -> None:
        """Take the elements from row `start` on."""
        for row, element in enumerate(elements, start):
            self._elements[row] = _objects(row, element)

    def finish(self) -> None:
        """Write what is not written yet."""
        if self._insert:
            self._ledger.insert(self._job, self._table, self._elements)
        else:
            self._ledger.update(self._table, self._elements)

    @classmethod
    def check(cls, rows: int, table: str, job_name: str, url: str, job_table: str, insert: bool = True) -> None:
        """Refuse a database that cannot be reached, or has no such table; make the tables we need."""
        del rows, job_name, insert
        Ledger(url, job_table).prepare(table)

    @classmethod
    def commit(
        cls, results: Sequence[None], table: str, job_name: str, url: str, job_table: str, insert: bool = True
    ) -> None:
        """Name the job as finished."""
        del results, table, insert
        Ledger(url, job_table).finish(job_name)


def _objects(row: int, element: Any) -> list[dict[str, Any]]:
    wanted = 'a JSON list of objects, such as b\'[{"id": 1, "label": "cat"}]\''
    try:
        objects = json.loads(element)
    except (TypeError, ValueError) as error:
        what = f"{element[:60]!r}" if isinstance(element, bytes) else f"a {type(element).__name__}"
        raise SerializationError(f"row {row} for a SQL table is {what}, but should be {wanted}: {error}") from error
    if not isinstance(objects, list) or not all(isinstance(each, dict) and each for each in objects):
        raise SerializationError(f"row {row} for a SQL table is {element[:60]!r}, but should be {wanted}")
    return objects
