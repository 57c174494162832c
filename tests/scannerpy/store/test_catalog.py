"""The catalog: many writers, no lost entry, readable after any crash, quick to open."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scannerpy._store import catalog as catalog_module
from scannerpy._store.catalog import (
    Catalog,
    Commit,
    CommitTables,
    DeleteTables,
    Event,
    JobRecord,
    NewJob,
    State,
    numbered,
)
from scannerpy._store.documents import encode
from scannerpy._store.objects import Objects, memory, open_local
from scannerpy._store.state import state_to_json
from scannerpy.errors import ConfigError, CorruptObject, NewerFormat, StorageFull
from tests.effort import lines

from .conftest import Dying, PowerCut
from .test_state import table


def creating(name: str):
    return lambda state: [numbered(state, [table(0, name)])]


def test_an_empty_place_is_an_empty_database(objects: Objects) -> None:
    state = Catalog(objects).state()
    assert (dict(state.tables), state.next_table_id, state.version) == ({}, 0, 0)
    assert objects.list("") == []


def test_what_one_writes_another_sees(objects: Objects) -> None:
    writer, reader = Catalog(objects), Catalog(objects)
    writer.transact(creating("a"))
    assert reader.state().table("a") is not None
    assert Catalog(objects).state().table("a") is not None


def test_no_events_write_nothing(objects: Objects) -> None:
    Catalog(objects).transact(lambda state: [])
    assert objects.list("") == []


def test_the_loser_decides_anew_on_what_the_winner_wrote(objects: Objects) -> None:
    first, second = Catalog(objects), Catalog(objects)
    seen: list[int] = []

    def decide(state: State) -> Sequence[Event]:
        seen.append(state.next_table_id)
        if len(seen) == 1:
            second.transact(creating("theirs"))
        return [numbered(state, [table(0, "mine")])]

    state = first.transact(decide)
    assert seen == [0, 1]
    assert dict(state.names) == {"theirs": 0, "mine": 1}


def test_an_impossible_event_stores_nothing(objects: Objects) -> None:
    catalog = Catalog(objects)
    catalog.transact(creating("a"))
    with pytest.raises(ValueError, match="already"):
        catalog.transact(creating("a"))
    with pytest.raises(KeyError):
        catalog.transact(lambda state: {}["what decide raises is passed on"])
    assert Catalog(objects).state().version == 1


def test_an_answer_lost_on_the_way_is_not_a_lost_race(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket stored the entry but its answer never came; the repeated request was refused."""
    objects = memory()
    catalog = Catalog(objects)
    put = objects.put

    def forgetful(path: str, data: bytes, *, create: bool = False) -> bool:
        put(path, data, create=create)
        return put(path, data, create=create)

    monkeypatch.setattr(objects, "put", forgetful)
    catalog.transact(creating("a"))
    assert Catalog(objects).state().version == 1


def test_threads_of_one_catalog_and_of_many_lose_nothing(objects: Objects) -> None:
    shared = Catalog(objects)

    def work(k: int) -> None:
        mine = shared if k % 2 else Catalog(objects)
        for n in range(10):
            mine.transact(creating(f"{k}-{n}"))
            mine.transact(lambda state: [NewJob(JobRecord(state.next_job_id, f"{k}", 0.0))])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = shared.state()
    assert sorted(state.tables) == list(range(80))
    assert {t.name for t in state.tables.values()} == {f"{k}-{n}" for k in range(8) for n in range(10)}
    assert sorted(state.jobs) == list(range(80))
    assert state.version == len(objects.list("log")) == 160


WRITER = """
import sys
from scannerpy._store.catalog import Catalog, numbered
from scannerpy._store.objects import open_local
from tests.scannerpy.store.test_state import table
catalog = Catalog(open_local(sys.argv[1]))
for n in range(25):
    catalog.transact(lambda state: [numbered(state, [table(0, f"{sys.argv[2]}-{n}")])])
"""


def test_processes_lose_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen([*command, str(k)], cwd=Path(__file__).parents[3]) for k in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    state = Catalog(open_local(tmp_path)).state()
    assert sorted(state.tables) == list(range(100))
    assert len(state.names) == 100


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40), st.integers(1, 2000), st.data())
def test_a_snapshot_and_what_follows_is_the_whole_log(names: list[str], cost: int, data: st.DataObject) -> None:
    """Whenever snapshots are made, and whichever of them survive."""
    objects = memory()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog_module, "SMALLEST_SNAPSHOT", cost)
        patch.setattr(catalog_module, "ENTRY_COST", 1)
        catalog = Catalog(objects)
        for name in names:
            catalog.transact(lambda state, name=name: _toggle(state, name))
        snapshots = [path for path, _ in objects.list("snapshot")]
        assert len(snapshots) <= 2
        objects.delete([path for path in snapshots if data.draw(st.booleans())])
        assert state_to_json(Catalog(objects).state()) == state_to_json(catalog.state())


def _toggle(state: State, name: str) -> Sequence[Event]:
    found = state.table(name)
    return [DeleteTables((found.id,))] if found else [numbered(state, [table(0, name)])]


def test_a_damaged_snapshot_costs_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "SMALLEST_SNAPSHOT", 1)
    objects = memory()
    catalog = Catalog(objects)
    for k in range(400):
        catalog.transact(creating(f"t{k}"))
    snapshots = [path for path, _ in objects.list("snapshot")]
    assert len(snapshots) == 2
    for path in snapshots:
        objects.put(path, b"junk")
        assert sorted(Catalog(objects).state().tables) == list(range(400))


def test_a_full_disk_at_the_snapshot_does_not_undo_the_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "SMALLEST_SNAPSHOT", 1)
    objects = memory()
    put = objects.put

    def full(path: str, data: bytes, *, create: bool = False) -> bool:
        if path.startswith("snapshot"):
            raise StorageFull("full")
        return put(path, data, create=create)

    monkeypatch.setattr(objects, "put", full)
    Catalog(objects).transact(creating("a"))
    assert Catalog(objects).state().table("a") is not None


def test_a_crash_between_any_two_puts_leaves_a_readable_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replacing a table: at every point a reader finds the old one or the new one, committed, and can go on."""
    monkeypatch.setattr(catalog_module, "SMALLEST_SNAPSHOT", 1)
    monkeypatch.setattr(catalog_module, "ENTRY_COST", 1)
    survived = False
    puts = 0
    while not survived:
        objects = memory()
        Catalog(objects).transact(lambda state: [numbered(state, [table(0, "a", committed=True, rows=1)])])
        try:
            _replace(Catalog(Dying(objects, puts)))  # type: ignore[arg-type]
            survived = True
        except PowerCut:
            pass
        found = Catalog(objects).state().table("a")
        assert found is not None
        assert found.committed
        assert found.rows == (2 if survived else 1)
        after = Catalog(objects).transact(creating("b"))
        assert max(after.tables) == after.next_table_id - 1
        puts += 1
    assert puts > 4


def _replace(catalog: Catalog) -> None:
    catalog.transact(lambda state: [NewJob(JobRecord(state.next_job_id, "", 0.0))])
    state = catalog.transact(lambda state: [numbered(state, [table(0, "a", hidden=True)])])
    new = state.next_table_id - 1
    catalog.transact(lambda state: [CommitTables((Commit(new, 2, "m"),))])


def test_a_newer_database_is_refused_kindly(objects: Objects) -> None:
    Catalog(objects).transact(creating("a"))
    founded = objects.get("scanner.json")
    objects.put("scanner.json", founded.replace(b'"format": 1', b'"format": 9'))
    with pytest.raises(NewerFormat, match=r"format 9.*upgrade"):
        Catalog(objects)


def test_a_database_upgraded_while_open_is_noticed(objects: Objects) -> None:
    catalog = Catalog(objects)
    catalog.transact(creating("a"))
    newer = encode("log", {"token": "", "events": []}).replace(b'"format": 1', b'"format": 2')
    objects.put("log/00000000000000000002.json", newer)
    with pytest.raises(NewerFormat):
        catalog.state()


def test_a_database_of_the_original_is_refused_kindly(objects: Objects) -> None:
    objects.put("db_metadata.bin", b"x")
    with pytest.raises(ConfigError, match=r"original Scanner.*db_path"):
        Catalog(objects)


@pytest.mark.parametrize(
    "data",
    [
        b"junk",
        b"",
        encode("snapshot", {}),
        encode("log", {"token": "t", "events": [["explode", []]]}),
        encode("log", {"token": "t"}),
        encode("log", {"token": "t", "events": [["delete", 3]]}),
        encode("log", {"token": "t", "events": [["commit", [[5, 1, ""]]]]}),
        encode("log", {"token": "t", "events": [["end", [5, 1.0, ""]]]}),
    ],
)
def test_a_damaged_log_is_named(objects: Objects, data: bytes) -> None:
    Catalog(objects).transact(creating("a"))
    objects.put("log/00000000000000000002.json", data)
    with pytest.raises(CorruptObject, match=r"log.*backup"):
        Catalog(objects)


def test_a_table_costs_as_much_among_thousands_as_among_few(tmp_path: Path) -> None:
    """Created in one entry, committed in groups of ten: 430 lines of Python a table, and 42 to open it again.

    Snapshots are of everything, but come when the log has grown as long as the last one, so their cost is spread.
    """
    count = 8000
    assert lines(lambda: _fill(tmp_path, count)) < 600 * count
    assert lines(lambda: Catalog(open_local(tmp_path)).state()) < 80 * count
    state = Catalog(open_local(tmp_path)).state()
    assert len(state.tables) == count
    assert all(found.committed for found in state.tables.values())


def _fill(path: Path, count: int) -> None:
    catalog = Catalog(open_local(path))
    catalog.transact(lambda state: [numbered(state, [table(0, f"t{k}") for k in range(count)])])
    text = '{"frame":[["data/0123456789abcdef0123456789abcdef01234567/c-frame/00000000",0,100,12345,1234567890]]}'
    for first in range(0, count, 10):
        done = tuple(Commit(k, 100, text) for k in range(first, first + 10))
        catalog.transact(lambda state, done=done: [CommitTables(done)])
