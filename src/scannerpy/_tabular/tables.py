"""Streams as a pandas DataFrame, an Arrow table, a Parquet file: a column of row numbers, of times, of values."""

from __future__ import annotations

import glob
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scannerpy._tabular.cells import Selection, select
from scannerpy._tabular.extras import package
from scannerpy._tabular.schema import Kind, kind_of
from scannerpy._words.owner import owner, sweep
from scannerpy.errors import StorageError

if TYPE_CHECKING:
    from scannerpy.storage import StoredStream


def to_pandas(stream: StoredStream, name: str, rows: Sequence[int] | None, *, values: bool) -> Any:
    """See `StoredStream.to_pandas`."""
    pandas = package("pandas", "to_pandas()")
    chosen = select(stream, name, rows)
    columns: dict[str, Any] = {"row": chosen.rows}
    if chosen.times is not None:
        columns["time"] = chosen.times
    if values:
        cells = [each for _, batch in chosen.batches() for each in batch]
        is_frames = any(isinstance(each, np.ndarray) for each in cells) and not chosen.type_name
        columns["frame" if is_frames else "value"] = _series(pandas, cells)
    return pandas.DataFrame(columns)


def to_arrow(stream: StoredStream, name: str, rows: Sequence[int] | None, *, values: bool) -> Any:
    """See `StoredStream.to_arrow`."""
    pa = package("pyarrow", "to_arrow()")
    schema, batches = _arrow(pa, select(stream, name, rows), values=values)
    return pa.Table.from_batches(list(batches), schema)


def to_parquet(stream: StoredStream, name: str, path: str | Path, rows: Sequence[int] | None, *, values: bool) -> str:
    """See `StoredStream.to_parquet`."""
    pa = package("pyarrow", "to_parquet()")
    parquet = package("pyarrow.parquet", "to_parquet()")
    schema, batches = _arrow(pa, select(stream, name, rows), values=values)
    with _replacing(Path(path)) as part, parquet.ParquetWriter(part, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
    return str(path)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; it becomes `path` when all went well, and nothing of it stays when not.

    Killed, we leave it; whoever next writes a file of that name clears it away.
    """
    if not path.parent.is_dir():
        raise StorageError(f"{path} cannot be written: there is no folder {path.parent}; make it first")
    sweep(path.parent, f".{glob.escape(path.name)}.m*.part")
    part = path.with_name(f".{path.name}.{owner()}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _arrow(pa: Any, chosen: Selection, *, values: bool) -> tuple[Any, Iterator[Any]]:
    """Return the schema of a table, and its record batches one at a time."""
    fields = [("row", pa.int64())]
    if chosen.times is not None:
        fields.append(("time", pa.float64()))
    if not values:
        schema = pa.schema(fields)
        return schema, iter([pa.record_batch(_places(pa, chosen, slice(None)), schema=schema)])
    name, kind = kind_of(pa, chosen)
    schema = pa.schema([*fields, (name, kind.arrow)])
    return schema, _batches(pa, chosen, kind, schema)


def _batches(pa: Any, chosen: Selection, kind: Kind, schema: Any) -> Iterator[Any]:
    for where, cells in chosen.batches():
        yield pa.record_batch([*_places(pa, chosen, where), kind.array(cells)], schema=schema)


def _places(pa: Any, chosen: Selection, where: slice) -> list[Any]:
    """Return the columns of row numbers and, where they are known, times."""
    rows = pa.array(chosen.rows[where], pa.int64())
    if chosen.times is None:
        return [rows]
    times = chosen.times[where]
    return [rows, pa.array(times, pa.float64(), mask=np.isnan(times))]


def _series(pandas: Any, cells: list[Any]) -> Any:
    """Return a Series: of numbers or text where all cells are, else of the cells themselves."""
    if all(each is None or isinstance(each, bool | int | float | str) for each in cells):
        try:
            return pandas.Series(cells)
        except UnicodeError:  # text that is no valid Unicode stays what it is
            pass
    held = np.empty(len(cells), object)
    for place, each in enumerate(cells):
        held[place] = each
    return pandas.Series(held, dtype=object)
