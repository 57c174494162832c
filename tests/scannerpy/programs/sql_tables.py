"""Rows of a database in, rows out: one element per film, its shots counted; then another run that updates rows."""

import json
import sys

import sqlalchemy

import scannerpy as sp
from scannerpy import protobufs
from scannertools_sql import SQLInputStream, SQLOutputStream, SQLStorage


@sp.register_python_op()
def CountShots(config, shots: bytes) -> bytes:
    rows = json.loads(shots)
    return json.dumps([{"film": rows[0]["film"], "shots": len(rows)}])


@sp.register_python_op()
def Double(config, shots: bytes) -> bytes:
    return json.dumps([{"id": row["id"], "length": 2 * row["length"]} for row in json.loads(shots)])


def main():
    url, fields = sys.argv[1], json.loads(sys.argv[2])
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE shots (id INTEGER PRIMARY KEY, film TEXT, length REAL)"))
        connection.execute(sqlalchemy.text("CREATE TABLE counts (film TEXT PRIMARY KEY, shots INTEGER)"))
        rows = [{"id": i, "film": "abc"[i % 3], "length": i / 2} for i in range(10)]
        connection.execute(sqlalchemy.text("INSERT INTO shots VALUES (:id, :film, :length)"), rows)

    sc = sp.Client()
    storage = SQLStorage(config=protobufs.SQLConfig(**fields), job_table="jobs")
    query = protobufs.SQLQuery(fields="shots.id AS id, film, length", table="shots", id="shots.id", group="film")
    shots = sc.io.Input([SQLInputStream(query, filter="length > 0", storage=storage, num_elements=3)])
    counts = SQLOutputStream(table="counts", job_name="count", storage=storage)
    print(counts.exists())
    output = sc.io.Output(sc.ops.CountShots(shots=shots), [counts])
    perf = sp.PerfParams.manual(1, 2)
    sc.run(output, perf, show_progress=False)
    print(counts.committed(), sc.run(output, perf, cache_mode=sp.CacheMode.Ignore))
    sc.run(output, perf, cache_mode=sp.CacheMode.Overwrite, show_progress=False)

    doubled = SQLOutputStream(table="shots", job_name="double", storage=storage, insert=False)
    sc.run(sc.io.Output(sc.ops.Double(shots=shots), [doubled]), perf, show_progress=False)
    with engine.begin() as connection:
        print(connection.execute(sqlalchemy.text("SELECT film, shots FROM counts ORDER BY film")).fetchall())
        print(connection.execute(sqlalchemy.text("SELECT SUM(length) FROM shots")).scalar())
        print(connection.execute(sqlalchemy.text("SELECT name FROM jobs ORDER BY name")).fetchall())


if __name__ == "__main__":
    main()
