"""Stored tables as the source of a graph, and `Client.batch_load`."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

import cloudpickle

from scannerpy._client.database import Database
from scannerpy._engine.pool import hidden_main
from scannerpy._graph.node import Output, SourceNode
from scannerpy._store.catalog import ColumnRecord, TableRecord
from scannerpy.op import Op, OpColumn, user_line

if TYPE_CHECKING:
    from scannerpy.config import Config


def source_column(sc: Any, database: Database, names: Sequence[str], default: str) -> OpColumn:
    """Return the graph column that reads table ``names[i]`` in job i.

    What a table holds decides, not the class of the handle: frames stored under a NamedStream come as frames. Tables
    that do not exist yet are taken to have the column `default`.
    """
    state = database.catalog.state()
    columns = [main_column(state.table(name), default) for name in names]
    first = columns[0]
    node = SourceNode(
        name="FrameColumn" if first.is_video else "Column",
        where=user_line(),
        column=first.name,
        is_video=first.is_video,
        type_name=first.type_name,
        per_job=tuple(
            {"table_name": name, "column_name": column.name} for name, column in zip(names, columns, strict=True)
        ),
    )
    output = Output(node=node, column=first.name, is_video=first.is_video, type_name=first.type_name)
    return OpColumn(sc, Op.of_node(sc, node), output)


def main_column(record: TableRecord | None, default: str = "column") -> ColumnRecord:
    """Return the column of a table that a stream of its name stands for: ``frame``, else ``column``, else the last."""
    if record is None:
        return ColumnRecord(default, is_video=default == "frame")
    by_name = {column.name: column for column in record.columns}
    return by_name.get("frame") or by_name.get("column") or record.columns[-1]


def batch_load(
    config: Config,
    names: Sequence[str],
    column: str,
    callback: Callable[[str, list[Any]], Any],
    size: int,
    workers: int,
) -> None:
    """Load `column` of every table in `names` in a pool of processes and call ``callback(name, elements)`` there,
    `size` elements at a time. The first error of a callback ends the loading and is raised here.
    """
    packed = cloudpickle.dumps(callback)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, max(1, len(names))), mp_context=context) as pool:
        with hidden_main():  # the program need not be guarded; the callback travels by value
            loads = [pool.submit(_load_one, config, name, column, packed, size) for name in names]
        for load in loads:
            load.result()


def _load_one(config: Config, name: str, column: str, packed: bytes, size: int) -> None:
    from scannerpy.client import Client

    callback = cloudpickle.loads(packed)
    with Client(config=config) as client:
        elements = client.table(name).column(column).load()
        while batch := list(islice(elements, size)):
            callback(name, batch)
