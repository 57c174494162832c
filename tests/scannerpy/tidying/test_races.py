"""Two programs on one database, of which one deletes what the other is about to use: nobody notices anything."""

from __future__ import annotations

import pytest

import scannerpy as sp
from scannerpy._client.database import Database
from scannerpy._store import layout
from tests.clips import number_of, write_clip


def between_entry_and_removal(monkeypatch, act):
    """Have `act` done by another program between the log entry of the next deletion and the removal of its data."""
    release = layout.release
    left = [act]

    def late(objects, before, after):
        gone = {table.id for table in before.tables.values()} - set(after.tables)
        if gone and left:
            left.pop()()
        return release(objects, before, after)

    monkeypatch.setattr(layout, "release", late)


def between_reading_and_entry(monkeypatch, act):
    """Have `act` done by another program after the next ingest has read its files, before it enters them."""
    change = Database.change
    left = [act]

    def late(self, decide):
        if left:
            left.pop()()
        return change(self, decide)

    monkeypatch.setattr(Database, "change", late)


def numbers(cl, name):
    return [number_of(frame) for frame in cl.table(name).column("frame").load()]


@pytest.fixture
def other(config):
    """Another program on the same database."""
    with sp.Client(config=config, debug=True) as client:
        yield client


@pytest.fixture
def film(tmp_path):
    return str(write_clip(tmp_path / "film.mp4", 7))


@pytest.mark.parametrize("inplace", [False, True])
def test_a_video_ingested_while_it_is_being_deleted_elsewhere_is_there(cl, other, film, monkeypatch, inplace):
    cl.ingest_videos([("film", film)], inplace=inplace)
    between_entry_and_removal(monkeypatch, lambda: other.ingest_videos([("again", film)], inplace=inplace))
    cl.delete_table("film")
    assert numbers(other, "again") == list(range(7))


@pytest.mark.parametrize("inplace", [False, True])
def test_a_video_found_stored_and_then_deleted_elsewhere_is_read_again(cl, other, film, monkeypatch, inplace):
    """The same file under another name shares its data; that data goes between the look and the entry."""
    cl.ingest_videos([("film", film)], inplace=inplace)
    between_reading_and_entry(monkeypatch, lambda: cl.delete_table("film"))
    tables, failures = other.ingest_videos([("again", film), ("none", "/no/such.mp4")], inplace=inplace)
    assert [table.name() for table in tables] == ["again"]
    assert len(failures) == 1
    assert numbers(other, "again") == list(range(7))
    assert not cl.has_table("film")


def test_a_table_made_while_its_equal_is_being_deleted_is_there(cl, other, monkeypatch):
    cl.new_table("a", ["column"], [[b"1"], [b"2"]])
    between_entry_and_removal(monkeypatch, lambda: other.new_table("b", ["column"], [[b"1"], [b"2"]]))
    cl.delete_table("a")
    assert list(other.table("b").column("column").load()) == [b"1", b"2"]


@sp.register_python_op()
def RaceTwice(config, x: bytes) -> bytes:
    if config.args["fail"] and x == b"2":
        raise ValueError("not yet")
    return x * 2


def test_a_run_begun_while_its_half_made_stream_is_being_deleted_makes_it_whole(cl, other, monkeypatch):
    """The same job: what it stores stands where the deleted stream's chunks stood, were it not for who makes it."""
    cl.new_table("in", ["column"], [[b"1"], [b"2"], [b"3"]])
    perf = sp.PerfParams.manual(1, 1)

    def run(client, source):
        column = client.ops.RaceTwice(x=client.io.Input([sp.NamedStream(client, source)]), fail=source == "in")
        out = sp.NamedStream(client, "out")
        client.run(client.io.Output(column, [out]), perf, sp.CacheMode.Ignore, show_progress=False)
        return out

    assert not run(cl, "in").committed()
    made = []
    between_entry_and_removal(monkeypatch, lambda: made.append(run(other, "in")))
    cl.delete_table("out")
    between_entry_and_removal(monkeypatch, lambda: made.append(run(other, "in")))
    cl.delete_table("out")
    kept = cl._database.objects.list("data")
    (table,) = [t for t in cl._database.catalog.state().tables.values() if t.name == "out"]
    assert len([path for path, _ in kept if path.split("/")[1] == table.key]) == 2


def test_equal_inputs_are_the_same_input_whoever_stored_them(cl, film):
    """So an interrupted run goes on, though the video was deleted and ingested again meanwhile."""
    from scannerpy._client.sources import _table
    from scannerpy._graph.build import build

    def identity():
        sink = cl.io.Output(cl.io.Input([sp.NamedVideoStream(cl, "film")]), [sp.NamedVideoStream(cl, "out")])
        graph, _ = build([sink.node])
        return _table(graph.sources[0], "film", "frame", cl._database.catalog.state(), 0).identity

    cl.ingest_videos([("film", film)])
    before, key = identity(), cl._database.record("film").key
    cl.delete_table("film")
    cl.ingest_videos([("film", film)])
    assert cl._database.record("film").key != key
    assert identity() == before
