"""Mapping frozen records to rows: a table per record class, a column per field.

Enums are kept as their values, tuples and nested records as JSON text, everything else as it is. The columns follow
from the dataclass, so there is one place that says what a record has.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

Record = TypeVar("Record")

_PLAIN: Mapping[type, type[sa.types.TypeEngine[Any]]] = {
    bool: sa.Boolean,
    int: sa.BigInteger,
    float: sa.Double,
    str: sa.Text,
}


class Table(Generic[Record]):
    """A table that keeps records of one dataclass.

    `key`: its primary key. `more`: columns and indexes beside those of the record.
    """

    def __init__(
        self,
        record: type[Record],
        name: str,
        metadata: sa.MetaData,
        *more: sa.Column[Any] | sa.Index,
        key: tuple[str, ...] = ("id",),
    ) -> None:
        """See the class."""
        self.record = record
        hints = typing.get_type_hints(record)
        self.fields = tuple(field.name for field in dataclasses.fields(record))  # type: ignore[arg-type]  # a dataclass, which TypeVar cannot say
        self._write = {name: _writer(hints[name]) for name in self.fields}
        self._read = tuple((name, _reader(hints[name])) for name in self.fields)
        own = [
            sa.Column(name, _column_type(hints[name]), primary_key=name in key, nullable=False) for name in self.fields
        ]
        self.table = sa.Table(name, metadata, *own, *more)
        self.columns = tuple(self.table.c[name] for name in self.fields)
        self.select = sa.select(*self.columns)  # made once: that costs more than most queries

    @property
    def c(self) -> sa.ColumnCollection[str, sa.Column[Any]]:
        """The columns, as SQLAlchemy has them."""
        return self.table.c

    def values(self, record: Record) -> dict[str, Any]:
        """Return a record as the values of its columns."""
        values = {}
        for name, write in self._write.items():
            value = getattr(record, name)
            values[name] = value if write is None else write(value)
        return values

    def of(self, row: Sequence[Any], at: int = 0) -> Record:
        """Return the record whose columns begin at place `at` of a row."""
        values = {}
        for place, (name, read) in enumerate(self._read, at):
            values[name] = row[place] if read is None else read(row[place])
        return self.record(**values)


def _column_type(hint: Any) -> sa.types.TypeEngine[Any]:
    if hint in _PLAIN:
        return _PLAIN[hint]()
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return sa.Integer()
    return sa.Text()


def _writer(hint: Any) -> Callable[[Any], Any] | None:
    if hint in _PLAIN:
        return None
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return int
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return str
    if dataclasses.is_dataclass(hint):
        return lambda value: json.dumps(dataclasses.asdict(value))
    return json.dumps


def _reader(hint: Any) -> Callable[[Any], Any] | None:
    if hint is bool:
        return bool  # a prepared query brings it as the driver has it
    if hint in _PLAIN:
        return None
    if isinstance(hint, type) and issubclass(hint, IntEnum | StrEnum):
        return {member.value: member for member in hint}.__getitem__
    if dataclasses.is_dataclass(hint):
        return lambda text: hint(**json.loads(text))  # type: ignore[operator]  # a class, as is_dataclass cannot say
    return _tuple


def _tuple(text: str) -> tuple[Any, ...]:
    if text == "[]":
        return ()
    return tuple(tuple(item) if isinstance(item, list) else item for item in json.loads(text))
