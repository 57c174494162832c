"""What is kept comes back as it was, whatever it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puddle.server.domain import catalog, people, records, trail
from puddle.server.store import schema
from puddle.server.store.columns import Table

TABLES = [value for value in vars(schema).values() if isinstance(value, Table)]
NUMBERS = st.integers(-(2**62), 2**62)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
st.register_type_strategy(int, NUMBERS)
st.register_type_strategy(str, TEXTS)
st.register_type_strategy(float, st.floats(allow_nan=False))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.table.name)
@given(data=st.data())
def test_a_record_is_the_same_after_its_columns(table: Table[Any], data: st.DataObject) -> None:
    record = data.draw(st.builds(table.record))
    values = table.values(record)
    row: Any = tuple(values[name] for name in table.fields)
    assert table.of(row) == record
    assert {type(value) for value in row} <= {int, float, str, bool}, "databases know no other types"


def test_every_record_has_a_table() -> None:
    modules = (records, catalog, people, trail)
    kept = {table.record for table in TABLES}
    passing = {people.Limits, people.Caller}
    there = {
        value
        for module in modules
        for value in vars(module).values()
        if dataclasses.is_dataclass(value) and isinstance(value, type) and value.__module__ == module.__name__
    }
    assert there - passing == kept
