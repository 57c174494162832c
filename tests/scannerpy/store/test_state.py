"""The fold from events to tables: ids, names, hidden tables that replace visible ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from scannerpy._store.records import ColumnRecord, JobRecord, SourceRecord, TableRecord
from scannerpy._store.state import (
    Commit,
    CommitTables,
    CreateTables,
    DeleteTables,
    EndJob,
    NewJob,
    State,
    apply,
    event_from_json,
    event_to_json,
    numbered,
    replay,
    state_from_json,
    state_to_json,
)


def table(table_id: int, name: str, **changes: Any) -> TableRecord:
    fields: dict[str, Any] = {
        "columns": (ColumnRecord("frame", is_video=True),),
        "rows": 0,
        "committed": False,
        "job_id": None,
        "key": f"k{table_id}",
        "manifest": "",
        "source": None,
        "created": 1.5,
    }
    return TableRecord(table_id, name, **{**fields, **changes})


def same(a: State, b: State) -> bool:
    return state_to_json(a) == state_to_json(b) and dict(a.names) == dict(b.names)


def test_a_table_exists_before_it_is_committed() -> None:
    state = apply(State(), [numbered(State(), [table(0, "a")])])
    found = state.table("a")
    assert found is not None
    assert not found.committed
    state = apply(state, [CommitTables((Commit(0, 10, "m"),))])
    found = state.table("a")
    assert found is not None
    assert (found.committed, found.rows, found.manifest) == (True, 10, "m")
    assert state.table("b") is None


def test_a_hidden_table_replaces_at_its_commit_and_not_before() -> None:
    state = apply(State(), [numbered(State(), [table(0, "a", committed=True)])])
    state = apply(state, [numbered(state, [table(0, "a", hidden=True)])])
    assert state.names == {"a": 0}
    assert sorted(state.tables) == [0, 1]
    state = apply(state, [CommitTables((Commit(1, 5, "m"),))])
    assert state.names == {"a": 1}
    assert list(state.tables) == [1]
    assert not state.tables[1].hidden


def test_created_hidden_and_committed_in_one_entry() -> None:
    """How a forced ingest replaces a table: there is no moment without one."""
    state = apply(State(), [numbered(State(), [table(0, "a", committed=True)])])
    state = apply(state, [numbered(state, [table(0, "a", hidden=True)]), CommitTables((Commit(1, 5, "m"),))])
    assert state.names == {"a": 1}


def test_of_two_hidden_ones_the_later_commit_stays() -> None:
    state = apply(State(), [numbered(State(), [table(0, "a", hidden=True), table(0, "a", hidden=True)])])
    assert state.names == {}
    state = apply(state, [CommitTables((Commit(1, 1, "m"),))])
    state = apply(state, [CommitTables((Commit(0, 1, "m"),))])
    assert (dict(state.names), list(state.tables)) == ({"a": 0}, [0])


def test_a_hidden_table_may_be_given_up() -> None:
    state = apply(State(), [numbered(State(), [table(0, "a", committed=True), table(0, "a", hidden=True)])])
    state = apply(state, [DeleteTables((1,))])
    assert (dict(state.names), list(state.tables)) == ({"a": 0}, [0])


def test_ids_are_never_used_again() -> None:
    state = apply(State(), [numbered(State(), [table(0, "a"), table(0, "b")])])
    state = apply(state, [DeleteTables((1, 0, 1, 77))])
    assert not state.tables
    assert numbered(state, [table(0, "a")]).tables[0].id == 2


def test_jobs_are_numbered_and_end() -> None:
    state = apply(State(), [NewJob(JobRecord(0, "x", 1.0)), NewJob(JobRecord(1, "y", 2.0))])
    state = apply(state, [EndJob(0, 3.0, "finished")])
    assert state.jobs[0] == JobRecord(0, "x", 1.0, 3.0, "finished")
    assert state.next_job_id == 2


@pytest.mark.parametrize(
    "event",
    [
        CreateTables((table(1, "b"),)),
        CreateTables((table(2, "a"),)),
        CommitTables((Commit(7, 1, ""),)),
        CommitTables((Commit(0, 1, ""),)),
        NewJob(JobRecord(1, "x", 0.0)),
    ],
)
def test_what_cannot_follow_is_refused(event: Any) -> None:
    state = apply(State(), [numbered(State(), [table(0, "a", committed=True), table(0, "c")])])
    with pytest.raises(ValueError, match=r"table|job"):
        apply(state, [event])


def test_a_state_never_changes() -> None:
    state = apply(State(), [numbered(State(), [table(0, "a")])])
    before = json.dumps(state_to_json(state))
    apply(state, [DeleteTables((0,)), NewJob(JobRecord(0, "", 0.0))])
    assert json.dumps(state_to_json(state)) == before


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(ValueError, match="not an event"):
        event_from_json(["explode", 1])


names = st.sampled_from("abcd")


class Tables(RuleBasedStateMachine):
    """Random events against a plain model; after each, the state read back through JSON and by replay is the same."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.entries: list[list[Any]] = []
        self.visible: dict[str, int] = {}
        self.waiting: dict[int, str] = {}
        self.count = 0

    def take(self, *events: Any) -> None:
        self.state = apply(self.state, events)
        self.entries.append([event_from_json(json.loads(json.dumps(event_to_json(event)))) for event in events])

    @rule(name=names, committed=st.booleans())
    def create(self, name: str, committed: bool) -> None:
        if name not in self.visible:
            source = SourceRecord("/x/ä.mp4", 10, 2**62, "c0ffee", inplace=True)
            self.take(numbered(self.state, [table(0, name, committed=committed, source=source)]))
            self.visible[name] = self.count
            self.count += 1

    @rule(name=names)
    def create_hidden(self, name: str) -> None:
        self.take(numbered(self.state, [table(0, name, hidden=True)]))
        self.waiting[self.count] = name
        self.count += 1

    @rule(data=st.data())
    def commit_hidden(self, data: st.DataObject) -> None:
        if self.waiting:
            chosen = data.draw(st.sampled_from(sorted(self.waiting)))
            self.take(CommitTables((Commit(chosen, 3, "m"),)))
            self.visible[self.waiting.pop(chosen)] = chosen

    @rule(name=names)
    def delete(self, name: str) -> None:
        if name in self.visible:
            self.take(DeleteTables((self.visible.pop(name),)))

    @invariant()
    def as_the_model_says(self) -> None:
        assert dict(self.state.names) == self.visible
        assert set(self.state.tables) == {*self.visible.values(), *self.waiting}
        assert (self.state.next_table_id, self.state.version) == (self.count, len(self.entries))

    @invariant()
    def read_back_it_is_the_same(self) -> None:
        assert same(state_from_json(json.loads(json.dumps(state_to_json(self.state)))), self.state)

    def teardown(self) -> None:
        assert same(replay(State(), self.entries), self.state)
        for cut in (0, len(self.entries) // 2):
            middle = state_from_json(state_to_json(replay(State(), self.entries[:cut])))
            assert same(replay(middle, self.entries[cut:]), self.state)


Tables.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestTables = Tables.TestCase


@settings(deadline=None)
@given(st.builds(ColumnRecord, st.text(), st.booleans(), st.text()), st.floats(allow_nan=False, allow_infinity=False))
def test_records_survive_json(column: ColumnRecord, created: float) -> None:
    event = CreateTables((table(0, "x", columns=(column,), created=created),))
    assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event
