"""SQL tables as streams, in SQLite and in PostgreSQL."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy

import scannerpy as sp
from scannerpy import errors
from scannerpy.backends import databases
from scannerpy.backends.sql import SQLInputStream, SQLOutputStream, SQLStorage
from scannerpy.testing.backends import InputContract, OutputContract

PERF = sp.PerfParams.manual(1, 2)
FILMS = [(1, "b", 5.5), (2, "a", None), (3, "b", 1.0), (4, "c", 2.0), (5, "a", 7.0), (6, "d", 0.0)]


def execute(storage, *statements):
    engine = sqlalchemy.create_engine(storage.url, poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        results = [connection.exec_driver_sql(statement) for statement in statements]
        return results[-1].fetchall() if results[-1].returns_rows else None


def with_films(storage):
    execute(
        storage,
        "DROP TABLE IF EXISTS shots",
        "CREATE TABLE shots (id INTEGER PRIMARY KEY, film TEXT, start REAL)",
        "INSERT INTO shots VALUES (1,'b',5.5),(2,'a',NULL),(3,'b',1.0),(4,'c',2.0),(5,'a',7.0),(6,'d',0.0)",
    )
    return storage


def query(fields="id, film, start", table="shots", order="id", group="film"):
    return sp.protobufs.SQLQuery(fields=fields, table=table, id=order, group=group)


@pytest.fixture(params=["lite", pytest.param("postgres", marks=pytest.mark.slow)])
def storage(request):
    return SQLStorage(request.getfixturevalue(request.param), job_table="jobs")


class Reading(InputContract):
    @pytest.fixture(autouse=True)
    def _storage(self, storage):
        self.storage = with_films(storage)

    def stream(self, folder):
        return SQLInputStream(query(), "", self.storage)

    def elements(self):
        rows = [dict(zip(("id", "film", "start"), film, strict=True)) for film in FILMS]
        return [json.dumps([row for row in rows if row["film"] == film]).encode() for film in "abcd"]

    def missing(self, folder):
        return None


class Writing(OutputContract):
    @pytest.fixture(autouse=True)
    def _storage(self, storage):
        self.storage = storage
        execute(storage, "CREATE TABLE labels (id INTEGER PRIMARY KEY, job TEXT, label TEXT)")

    def stream(self, folder, rows):
        self.job = folder.name
        return SQLOutputStream("labels", folder.name, self.storage)

    def element(self, row):
        return json.dumps([{"id": 10 * row + k, "label": f"label {row}"} for k in range(2)]).encode()

    def stored(self, stream):
        rows = execute(self.storage, "SELECT id, label FROM labels ORDER BY id")
        return [
            json.dumps([{"id": key, "label": label} for key, label in rows[k : k + 2]]).encode()
            for k in range(0, len(rows), 2)
        ]

    def test_what_is_written_is_there_however_it_is_cut(self, sc, tmp_path):
        """As the contract says, with a table that is emptied before each cut, as ids are unique."""
        for number, cut in enumerate(((1, 1), (2, 4))):
            execute(self.storage, "DELETE FROM labels")
            folder = tmp_path / str(number)
            folder.mkdir()
            stream = self.stream(folder, 5)
            self._write(sc, stream, range(5), cut=cut)
            assert stream.committed()
            assert self.stored(stream) == [self.element(row) for row in range(5)]


class LiteOnly:
    @pytest.fixture
    def storage(self, lite):
        return SQLStorage(lite, job_table="jobs")


class PostgresOnly:
    @pytest.fixture
    def storage(self, postgres):
        return SQLStorage(postgres, job_table="jobs")


class TestSQLiteIsRead(LiteOnly, Reading):
    pass


class TestSQLiteIsWritten(LiteOnly, Writing):
    pass


@pytest.mark.slow
class TestPostgreSQLIsRead(PostgresOnly, Reading):
    pass


@pytest.mark.slow
class TestPostgreSQLIsWritten(PostgresOnly, Writing):
    pass


@sp.register_python_op()
def CountRows(config, rows: bytes) -> bytes:
    found = json.loads(rows)
    return json.dumps([{"film": found[0]["film"], "shots": len(found)}]).encode()


def test_from_a_query_into_a_table(sc, storage):
    """The whole way, between two tables of one database, with the filter and the count of elements given."""
    with_films(storage)
    execute(storage, "CREATE TABLE counts (id SERIAL, film TEXT, shots INTEGER)" if "postgres" in storage.url else
            "CREATE TABLE counts (id INTEGER PRIMARY KEY, film TEXT, shots INTEGER)")  # fmt: skip
    rows = sc.io.Input([SQLInputStream(query(), "start >= 1", storage, num_elements=3)])
    result = SQLOutputStream("counts", "count them", storage)
    sc.run(sc.io.Output(sc.ops.CountRows(rows=rows), [result]), PERF, show_progress=False)
    assert execute(storage, "SELECT film, shots FROM counts ORDER BY film") == [("a", 1), ("b", 2), ("c", 1)]
    assert execute(storage, "SELECT name FROM jobs") == [("count them",)]


def write(sc, storage, elements, job="job", mode=sp.CacheMode.Error, table="labels", **words):
    sc.new_table("in", ["column"], [[element] for element in elements], force=True)
    stream = SQLOutputStream(table, job, storage, **words)
    column = sc.io.Input([sp.NamedStream(sc, "in")])
    job_id = sc.run(sc.io.Output(column, [stream]), PERF, mode, show_progress=False)
    return stream, sc.job_status(job_id).failures if job_id is not None else []


def test_rows_are_updated_by_id(sc, storage):
    with_films(storage)
    changes = [b'[{"id": 2, "start": 9.5}, {"id": 3, "film": "z"}]', b"[]", b'[{"id": 6, "start": null}]']
    stream, _ = write(sc, storage, changes, table="shots", insert=False)
    assert stream.committed()
    found = execute(storage, "SELECT id, film, start FROM shots WHERE id IN (2, 3, 6) ORDER BY id")
    assert found == [(2, "a", 9.5), (3, "z", 1.0), (6, "d", None)]


def test_an_update_of_a_row_that_is_not_there_fails(sc, storage):
    with_films(storage)
    stream, (failure,) = write(sc, storage, [b'[{"id": 99, "film": "z"}]'], table="shots", insert=False)
    assert "no row with id 99" in failure.reason
    assert not stream.committed()


def test_values_of_every_kind_come_as_json(storage):
    execute(storage, "CREATE TABLE things (id INTEGER, day DATE, price NUMERIC(6, 2), text TEXT)",
            "INSERT INTO things VALUES (1, '2026-11-25', 12.50, 'ü')")  # fmt: skip
    (element,) = SQLInputStream(query("*", "things", group="id"), "", storage).load(fn=json.loads)
    assert element == [{"id": 1, "day": "2026-11-25", "price": 12.5, "text": "ü"}]


def test_rows_without_a_group_are_a_group(storage):
    execute(
        storage, "CREATE TABLE things (id INTEGER, grp TEXT)", "INSERT INTO things VALUES (1,NULL),(2,'a'),(3,NULL)"
    )
    stream = SQLInputStream(query("id", "things", group="grp"), "", storage)
    groups = sorted([row["id"] for row in element] for element in stream.load(fn=json.loads))
    assert (groups, len(stream)) == ([[1, 3], [2]], 2)


def test_a_query_may_join(storage):
    with_films(storage)
    execute(
        storage, "CREATE TABLE films (name TEXT, title TEXT)", "INSERT INTO films VALUES ('a','Alien'),('b','Brazil')"
    )
    joined = query("shots.id, title", "shots JOIN films ON films.name = shots.film", "shots.id", "shots.film")
    found = list(SQLInputStream(joined, "title <> '50%'", storage).load(fn=json.loads))
    assert found == [[{"id": 2, "title": "Alien"}, {"id": 5, "title": "Alien"}],
                     [{"id": 1, "title": "Brazil"}, {"id": 3, "title": "Brazil"}]]  # fmt: skip


def test_forgetting_a_job_leaves_the_rows_of_others(sc, storage):
    execute(storage, "CREATE TABLE labels (id INTEGER PRIMARY KEY, label TEXT)", "INSERT INTO labels VALUES (1, 'own')")
    first, _ = write(sc, storage, [b'[{"id": 2}]'], "first")
    second, _ = write(sc, storage, [b'[{"id": 3}]'], "second")
    first.delete(sc)
    assert execute(storage, "SELECT id FROM labels ORDER BY id") == [(1,), (3,)]
    assert (first.exists(), second.committed()) == (False, True)


def test_a_table_without_a_key_can_be_written_but_not_undone(sc, storage):
    execute(storage, "CREATE TABLE labels (label TEXT)")
    stream, _ = write(sc, storage, [b'[{"label": "x"}, {"label": {"a": [1]}}]'])
    assert execute(storage, "SELECT label FROM labels") == [("x",), ('{"a": [1]}',)]
    with pytest.raises(errors.StorageError, match="labels has no primary key"):
        stream.delete(sc)
    assert stream.committed()


def test_a_job_table_of_the_users_own_is_used(sc, lite):
    storage = SQLStorage(lite, job_table="done")
    execute(storage, "CREATE TABLE done (job_name TEXT, remark TEXT)", "CREATE TABLE labels (id INTEGER PRIMARY KEY)")
    write(sc, storage, [b'[{"id": 2}]'], "first")
    assert execute(storage, "SELECT job_name, remark FROM done") == [("first", None)]


def test_writers_wait_for_each_other(storage):
    """Each has a connection of its own, as in several processes."""
    execute(storage, "CREATE TABLE labels (id INTEGER PRIMARY KEY)")
    storage.jobs().prepare("labels")

    def insert(first):
        for number in range(first, 40, 4):
            storage.jobs().insert("job", "labels", {number: [{"id": number}]})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(insert, range(4)))
    assert execute(storage, "SELECT COUNT(*) FROM labels") == [(40,)]


@pytest.mark.slow
def test_a_password_is_written_nowhere(sc, postgres, tmp_path):
    """The run itself works as ever; it only leaves no recipe."""
    postgres.password = "hush-hush"
    storage = with_films(SQLStorage(postgres, "jobs"))
    result = sp.NamedStream(sc, "out")
    assert "hush-hush" in storage.url
    job = sc.run(sc.io.Output(sc.io.Input([SQLInputStream(query(), "", storage)]), [result]), show_progress=False)
    assert len(list(result.load())) == 4
    written = [path for path in (tmp_path / "db").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if b"hush-hush" in path.read_bytes()]
    assert f"jobs/{job:08d}/recipe" not in {str(path.relative_to(tmp_path / "db")) for path in written}
    assert "hush-hush" not in repr(sc.sources.SQL(query=[{}], filter=[""], url=storage.url).output.node.args)


# Mistakes


@pytest.mark.parametrize(
    ("element", "says"),
    [
        (b"no json", "should be a JSON list of objects"),
        (b'{"id": 1}', "should be a JSON list of objects"),
        (b"[1, 2]", "should be a JSON list of objects"),
        (b"[{}]", "should be a JSON list of objects"),
        (b"\xff", "should be a JSON list of objects"),
        (b'[{"id": 1, "colour": "red"}]', "value for 'colour', but table labels has no such column; it has id, label"),
    ],
)
def test_elements_that_are_no_rows_fail_their_stream(sc, lite, element, says):
    storage = SQLStorage(lite, "jobs")
    execute(storage, "CREATE TABLE labels (id INTEGER PRIMARY KEY, label TEXT)")
    stream, (failure,) = write(sc, storage, [b'[{"id": 7}]', element])
    assert says in failure.reason
    assert not stream.committed()


@pytest.mark.parametrize(
    ("asked", "condition", "says"),
    [
        (query(fields="nothing"), "", "refused: .*nothing"),
        (query(table="nowhere"), "", "refused: .*nowhere"),
        (query(), "start >", "refused: "),
        (query("id, film AS id"), "", "two fields of the query are called 'id'"),
        (query(table=""), "", "needs a table"),
    ],
)
def test_a_query_that_is_wrong_is_told(storage, asked, condition, says):
    with_films(storage)
    with pytest.raises(sp.ScannerException, match=says):
        list(SQLInputStream(asked, condition, storage).load())


def test_more_elements_than_there_are_is_told(storage):
    with_films(storage)
    with pytest.raises(errors.StorageError, match="has no element 4: give SQLInputStream a num_elements"):
        list(SQLInputStream(query(), "", storage, num_elements=6).load())


def test_a_missing_table_is_told_before_anything_runs(sc, storage):
    with pytest.raises(errors.GraphError, match="no table 'labels'"):
        write(sc, storage, [b"[]"])


def test_two_outputs_of_one_name_are_refused(sc, lite):
    storage = SQLStorage(lite, "jobs")
    column = sc.sources.Python(data=[[b"[]"], [b"[]"]])
    with pytest.raises(errors.GraphError, match="same job name"):
        sc.io.Output(column, [SQLOutputStream("labels", "same", storage) for _ in range(2)])


def test_a_database_that_is_down_is_told(sc):
    down = sp.protobufs.SQLConfig(hostaddr="127.0.0.1", port=1, dbname="films", user="me", password="secret")  # noqa: S106
    with pytest.raises(errors.StorageError, match=r"cannot be reached: .*Check that it runs") as caught:
        sc.run(sc.io.Output(sc.io.Input([SQLInputStream(query(), "", SQLStorage(down))]), [sp.NamedStream(sc, "out")]))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"dbname": "x", "adapter": "mysql"}, "adapter is 'mysql'"),
        ({}, "names no database"),
        ({"dbname": "/nowhere/x.sqlite", "adapter": "sqlite"}, "does not exist"),
    ],
)
def test_a_database_that_cannot_be_is_refused(config, says):
    with pytest.raises(sp.ScannerException, match=says):
        SQLInputStream(query(), "", SQLStorage(sp.protobufs.SQLConfig(**config))).len()


def test_writing_needs_a_job_table(lite):
    with pytest.raises(errors.ConfigError, match="needs a job_table"):
        SQLOutputStream("labels", "job", SQLStorage(lite)).exists()


def test_an_output_is_not_loaded_as_a_stream(sc, lite):
    storage = SQLStorage(lite, "jobs")
    execute(storage, "CREATE TABLE labels (id INTEGER PRIMARY KEY)")
    stream, _ = write(sc, storage, [b"[]"])
    with pytest.raises(sp.ScannerException, match="read table labels with SQLInputStream"):
        next(stream.load())


def test_without_sqlalchemy_the_extra_is_named(monkeypatch, lite):
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    databases._engine.cache_clear()
    with pytest.raises(errors.NotSupported, match=r"scanner-puddle\[sql\]"):
        SQLInputStream(query(), "", SQLStorage(lite)).len()


def test_frames_are_no_rows(sc, lite, clip):
    frames: Any = sc.io.Input([sp.NamedVideoStream(sc, "film", path=clip(3))])
    with pytest.raises(errors.GraphError, match="JSON lists of objects"):
        sc.io.Output(frames, [SQLOutputStream("labels", "job", SQLStorage(lite, "jobs"))])
