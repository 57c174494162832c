"""What notebooks show of streams, tables and databases: a few rows are read here, `_html` draws them.

A contact sheet of frames decodes only the rows it shows, and takes them where decoding may begin as long as that leaves
them evenly spread. Looking never raises what a reader of the page could not mend there: missing, incomplete, empty and
damaged streams show a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from scannerpy import types
from scannerpy._html import pictures
from scannerpy._html.markup import Html, count, element, page, sentence, size, table, title
from scannerpy._html.values import null, value
from scannerpy._words.elements import Element, NullElement
from scannerpy.errors import ScannerException

if TYPE_CHECKING:
    from scannerpy._store.records import ColumnRecord, TableRecord
    from scannerpy.column import Column
    from scannerpy.storage import NamedStream
    from scannerpy.table import Table

FRAMES = 12
ROWS = 8
TABLES = 50
IMAGE = "Image"
MISSING = "This stream does not exist yet; client.summarize() lists those that do."
NOT_COMPLETE = "This stream is not complete: the job that makes it failed or is still running."


def stream_page(stream: NamedStream) -> str:
    """Return the page of a stream; one with a path is ingested first."""
    try:
        stream.exists()
        of = stream._sc.table(stream.name())
        return _of_table(of, [stream._column().name()] if of.committed() else [])
    except ScannerException as error:
        return _trouble(stream.name(), error)


def column_page(of: Table, name: str) -> str:
    """Return the page of one column."""
    return _of_table(of, [name])


def table_page(of: Table) -> str:
    """Return the page of a table, with all columns but the row numbers of an ingested video."""
    names = of.column_names() if of.exists() else []
    hidden = {"index"} if of.exists() and of._known().source is not None else set()
    return _of_table(of, [name for name in names if name not in hidden])


def tables_page(place: str, tables: Iterable[TableRecord]) -> str:
    """Return the page of a database: its visible tables in order of creation, the latest where they are many."""
    visible = sorted((each for each in tables if not each.hidden), key=lambda each: each.id)
    head = title("Scanner database", [str(place), count(len(visible), "stream")])
    if not visible:
        return page(head, sentence("The database has no streams yet."))
    left_out = len(visible) - TABLES
    more = [sentence(f"… and {left_out:,} older ones; client.summarize() lists all")] if left_out > 0 else []
    lines = [_line(each) for each in visible[-TABLES:]]
    return page(head, table(("stream", "rows", "holds", "made", "from"), lines, numbers=(1,)), *more)


def _line(record: TableRecord) -> tuple[object, ...]:
    holds = ", ".join(_holds(column) for column in record.columns if column.name != "index")
    made = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    rows = f"{record.rows:,}" if record.committed else element("span", "not complete", class_="muted")
    return record.name, rows, holds, made, _origin(record)


def _holds(column: ColumnRecord) -> str:
    return "frames" if column.is_video else column.type_name or "bytes"


def _origin(record: TableRecord) -> str:
    if record.source is not None:
        return PurePath(record.source.path).name
    return "new_table" if record.job_id is None else f"job {record.job_id}"


def _trouble(name: str, error: Exception) -> str:
    return page(title(name), sentence(error))


# One table


def _of_table(of: Table, names: Sequence[str]) -> str:
    record = of._record
    if record is None or not record.committed:
        return page(title(of.name()), sentence(NOT_COMPLETE if record else MISSING))
    try:
        return page(*_parts(of, record, names))
    except ScannerException as error:
        return _trouble(of.name(), error)


def _parts(of: Table, record: TableRecord, names: Sequence[str]) -> list[Html]:
    facts = [count(record.rows, "row")]
    columns = [of.column(name) for name in names]
    video = [column for column in columns if _record(column).is_video]
    others = [column for column in columns if not _record(column).is_video]
    if record.rows == 0:
        return [title(of.name(), [*facts, *map(_told, columns)]), sentence("This stream is empty.")]
    below: list[Html] = []
    for column in video:
        more, sheet = _contact_sheet(column, record.rows)
        facts += more
        below.append(sheet)
    facts += [_told(column) for column in others]
    if len(others) == 1 and _record(others[0]).type_name == IMAGE:
        below.append(_pictures(others[0], record.rows))
    elif others:
        below.append(_first_rows(others, record.rows))
    return [title(of.name(), [*facts, _origin(record)]), *below]


def _record(column: Column) -> ColumnRecord:
    return column._table._known().columns[column.id()]


def _told(column: Column) -> str:
    return _holds(_record(column))


# Frames


def _contact_sheet(column: Column, rows: int) -> tuple[list[str], Html]:
    """Return what is known of the frames, and the sheet."""
    stored = column._stored()
    times = stored.times()
    shown = spread(rows, FRAMES, stored.starts() if rows > FRAMES else [])
    frames = _readable(lambda some: stored.read(np.array(some, np.int64), bgr=False), shown)
    kind = next((_kind(frame) for frame in frames if isinstance(frame, np.ndarray)), [])
    length = [f"{times[-1] - times[0]:.2f} s"] if times is not None and np.isfinite(times[[0, -1]]).all() else []
    captions = [_caption(row, times) for row in shown]
    pairs = [(_picture(frame, row), words) for frame, row, words in zip(frames, shown, captions, strict=True)]
    return [*kind, *length], pictures.sheet(pairs)


def spread(rows: int, most: int, starts: Sequence[int]) -> list[int]:
    """Choose at most `most` of `rows` rows: one in each of as many equal parts, ascending.

    In each it is the one of `starts` nearest to the middle, and the middle itself where the part has none.
    """
    parts = min(rows, most)
    cheap = np.unique(np.asarray(starts, np.int64))
    chosen = []
    for part in range(parts):
        first, end = part * rows // parts, (part + 1) * rows // parts
        middle = (first + end) // 2
        inside = cheap[np.searchsorted(cheap, first) : np.searchsorted(cheap, end)]
        chosen.append(int(inside[np.argmin(np.abs(inside - middle))]) if len(inside) else middle)
    return chosen


def _kind(frame: Any) -> list[str]:
    """Return size and, unless it is the usual three bytes a pixel, the dtype and channels of frames."""
    height, width = frame.shape[:2]
    usual = frame.dtype == np.uint8 and frame.shape[2:] == (3,)
    channels = frame.shape[2] if frame.ndim > 2 else 1
    return [f"{width} × {height}"] if usual else [f"{width} × {height} × {channels} {frame.dtype}"]


def _caption(row: int, times: Any) -> str:
    if times is None or not np.isfinite(times[row]):
        return f"row {row:,}"
    return f"row {row:,} · {times[row]:.2f} s"


def _picture(frame: Element | ScannerException, row: int) -> Html:
    if isinstance(frame, NullElement):
        return pictures.gone("null")
    if isinstance(frame, np.ndarray):
        return pictures.picture(frame, f"frame of row {row}")
    return element("span", pictures.gone("cannot be read"), title=str(frame))


# Blobs


def _first_rows(columns: Sequence[Column], rows: int) -> Html:
    shown = list(range(min(rows, ROWS)))
    cells = [_cells(column, shown) for column in columns]
    head = ["row", *(column.name() if len(columns) > 1 else "value" for column in columns)]
    lines = [(f"{row:,}", *values) for row, *values in zip(shown, *cells, strict=True)]
    made = table(head, lines, numbers=(0,))
    left = rows - len(shown)
    return element("div", made, sentence(f"… and {count(left, 'more row')}")) if left else made


def _pictures(column: Column, rows: int) -> Html:
    """Return stored pictures as a contact sheet."""
    shown = spread(rows, FRAMES, [])
    return pictures.sheet(zip(_cells(column, shown), [f"row {row:,}" for row in shown], strict=True))


def _cells(column: Column, shown: Sequence[int]) -> list[Html]:
    elements = _readable(column.elements, shown)
    name = _record(column).type_name
    try:
        info = types.get_type_info_cpp(name) if name else None
    except ScannerException:
        return [_unknown(element, name) for element in elements]
    return [_cell(element, info) for element in elements]


def _unknown(blob: Element | ScannerException, name: str) -> Html:
    if not isinstance(blob, bytes):
        return _cell(blob, None)
    words = f"{size(len(blob))} of type {name}; import the module that defines it to see values"
    return element("span", words, class_="muted")


def _cell(blob: Element | ScannerException, info: types.ScannerTypeInfo | None) -> Html:
    if isinstance(blob, NullElement):
        return null()
    if isinstance(blob, ScannerException):
        return sentence(blob)
    if info is None or not isinstance(blob, bytes):
        return value(blob)
    try:
        it = info.deserialize(blob)
    except Exception as error:  # noqa: BLE001  # a user's type may raise anything; its row is shown all the same
        return sentence(f"cannot be read as {info.cpp_name}: {type(error).__name__}: {error}")
    return _typed(it, info)


def _typed(it: Any, info: types.ScannerTypeInfo) -> Html:
    if info.type is types.Image:
        return pictures.picture(it[..., ::-1], f"picture of {it.shape[1]} × {it.shape[0]}")
    if info.type is types.Histogram and it:
        return pictures.bars(it)
    return value(it)


def _readable(
    read: Callable[[Sequence[int]], Iterable[Element]], rows: Sequence[int]
) -> Sequence[Element | ScannerException]:
    """Read rows at once or, where one is damaged, one by one: for those that cannot be read, why."""
    try:
        return list(read(rows))
    except ScannerException:
        return [_one(read, row) for row in rows]


def _one(read: Callable[[Sequence[int]], Iterable[Element]], row: int) -> Element | ScannerException:
    try:
        return next(iter(read([row])))
    except ScannerException as error:
        return error
