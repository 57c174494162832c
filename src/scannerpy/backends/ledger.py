"""A ledger of the rows each job inserted into a SQL database, which makes writes idempotent and reversible.

The job table has the names of finished jobs. Beside it, ``<job table>_elements`` has a line for every element a job has
inserted, with the keys of the rows it became; it is written in the transaction that inserts them. So an element whose
task is done again (the worker died just after the commit) is seen to be there and passed over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from scannerpy.backends.databases import transaction
from scannerpy.errors import StorageError

Objects = Mapping[int, Sequence[Mapping[str, Any]]]


class Ledger:
    """The jobs of the database at `url` that are named in `job_table`. All methods raise StorageError."""

    def __init__(self, url: str, job_table: str) -> None:
        self._url = url
        self.job_table = job_table
        self._elements_table = f"{job_table}_elements"

    def prepare(self, table: str) -> None:
        """Make the tables that keep the books, if they are not there. Raises StorageError if `table` is not."""
        with transaction(self._url) as connection:
            _columns(connection, table)
            if not _exists(connection, self.job_table):
                connection.exec_driver_sql(f"CREATE TABLE {self.job_table} (name VARCHAR(1000) PRIMARY KEY)")
            self._name_column(connection)
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS {self._elements_table} (job VARCHAR(1000) NOT NULL, "
                "element BIGINT NOT NULL, row_keys TEXT, PRIMARY KEY (job, element))"
            )

    def has_finished(self, job: str) -> bool:
        """Whether `job` is named in the job table."""
        with transaction(self._url) as connection:
            return _exists(connection, self.job_table) and self._is_named(connection, job)

    def has_begun(self, job: str) -> bool:
        """Whether `job` has finished, or has inserted anything."""
        with transaction(self._url) as connection:
            named = _exists(connection, self.job_table) and self._is_named(connection, job)
            return named or bool(self._entries(connection, job))

    def finish(self, job: str) -> None:
        """Name `job` as finished; it may be already."""
        with transaction(self._url) as connection:
            if not self._is_named(connection, job):
                column = self._name_column(connection)
                connection.execute(_table(self.job_table, [column]).insert(), {column: job})

    def insert(self, job: str, table: str, elements: Objects) -> None:
        """Insert the rows of those of `elements` (by number) that `job` has not inserted yet, all or none."""
        with transaction(self._url) as connection:
            columns, keys = _columns(connection, table), _keys(connection, table)
            done = self._entries(connection, job)
            target = _table(table, columns)
            entries = _table(self._elements_table, ["job", "element", "row_keys"])
            for number, objects in elements.items():
                if number not in done:
                    made = [_insert(connection, target, table, keys, number, each) for each in objects]
                    known = json.dumps(made, default=str) if keys else None
                    connection.execute(entries.insert(), {"job": job, "element": number, "row_keys": known})

    def update(self, table: str, elements: Objects) -> None:
        """Update rows by ``id``, all or none."""
        with transaction(self._url) as connection:
            target = _table(table, _columns(connection, table))
            for number, objects in elements.items():
                for each in objects:
                    _update(connection, target, table, number, each)

    def forget(self, job: str, table: str) -> None:
        """Delete the rows that `job` inserted into `table`, and its name."""
        with transaction(self._url) as connection:
            keys = _keys(connection, table)
            target = _table(table, keys)
            for number, known in self._entries(connection, job).items():
                if known is None:
                    raise StorageError(
                        f"table {table} has no primary key, so the rows that job {job!r} inserted cannot be told: "
                        f"delete them yourself, and the job's lines in {self._elements_table} and {self.job_table}"
                    )
                for values in json.loads(known):
                    _delete(connection, target, dict(zip(keys, values, strict=True)))
                _delete(connection, _table(self._elements_table, ["job", "element"]), {"job": job, "element": number})
            if _exists(connection, self.job_table):
                column = self._name_column(connection)
                _delete(connection, _table(self.job_table, [column]), {column: job})

    def _is_named(self, connection: Any, job: str) -> bool:
        column = self._name_column(connection)
        named = _table(self.job_table, [column])
        return connection.execute(named.select().where(named.c[column] == job)).first() is not None

    def _name_column(self, connection: Any) -> str:
        columns = _columns(connection, self.job_table)
        found = [name for name in ("name", "job_name") if name in columns] or (columns if len(columns) == 1 else [])
        if not found:
            raise StorageError(
                f"job table {self.job_table} has the columns {', '.join(columns)}: one must be called name or job_name"
            )
        return found[0]

    def _entries(self, connection: Any, job: str) -> dict[int, str | None]:
        """Number → keys of the rows, as JSON, of the elements that `job` has inserted."""
        if not _exists(connection, self._elements_table):
            return {}
        entries = _table(self._elements_table, ["job", "element", "row_keys"])
        rows = connection.execute(entries.select().where(entries.c.job == job))
        return {row.element: row.row_keys for row in rows}


def _table(name: str, columns: Sequence[str]) -> Any:
    """A table by name, without types: values go to the driver as they are."""
    import sqlalchemy

    return sqlalchemy.table(_plain(name), *map(sqlalchemy.column, columns), schema=_schema(name))


def _plain(name: str) -> str:
    """The name of a table without its schema."""
    return name.rpartition(".")[2]


def _schema(name: str) -> str | None:
    return name.rpartition(".")[0] or None


def _exists(connection: Any, name: str) -> bool:
    import sqlalchemy

    return bool(sqlalchemy.inspect(connection).has_table(_plain(name), schema=_schema(name)))


def _columns(connection: Any, name: str) -> list[str]:
    import sqlalchemy

    if not _exists(connection, name):
        raise StorageError(f"the database has no table {name!r}: make it, or correct its name")
    columns = sqlalchemy.inspect(connection).get_columns(_plain(name), schema=_schema(name))
    return [column["name"] for column in columns]


def _keys(connection: Any, name: str) -> list[str]:
    """The columns of a table's primary key."""
    import sqlalchemy

    found = sqlalchemy.inspect(connection).get_pk_constraint(_plain(name), schema=_schema(name))
    return list(found["constrained_columns"])


def _insert(
    connection: Any, target: Any, table: str, keys: Sequence[str], number: int, values: Mapping[str, Any]
) -> list[Any]:
    _check(target, table, number, values)
    statement = target.insert()
    if keys:
        statement = statement.returning(*(target.c[key] for key in keys))
    result = connection.execute(statement, _as_stored(values))
    return list(result.one()) if keys else []


def _update(connection: Any, target: Any, table: str, number: int, values: Mapping[str, Any]) -> None:
    _check(target, table, number, values)
    if "id" not in values or len(values) < 2:
        raise StorageError(f"element {number} should update table {table}, but one of its objects has no id and value")
    changed = {name: value for name, value in _as_stored(values).items() if name != "id"}
    result = connection.execute(target.update().where(target.c.id == values["id"]), changed)
    if not result.rowcount:
        raise StorageError(f"element {number} should update table {table}, which has no row with id {values['id']!r}")


def _delete(connection: Any, target: Any, values: Mapping[str, Any]) -> None:
    statement = target.delete()
    for name, value in values.items():
        statement = statement.where(target.c[name] == value)
    connection.execute(statement)


def _check(target: Any, table: str, number: int, values: Mapping[str, Any]) -> None:
    strange = [name for name in values if name not in target.c]
    if strange:
        raise StorageError(
            f"element {number} has a value for {strange[0]!r}, but table {table} has no such column; it has "
            f"{', '.join(column.name for column in target.c)}"
        )


def _as_stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lists and objects inside an object are stored as JSON text."""
    return {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in values.items()}
