"""Renders an `Explanation` as text, and as HTML for a notebook: the same numbers, there with a drawing of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scannerpy._graph.describe import aligned, options
from scannerpy._graph.graph import Graph, Vertex
from scannerpy._html.diagram import Box, diagram
from scannerpy._html.markup import count, element, page, size, table, title
from scannerpy._plan.decode import DecodeCost

if TYPE_CHECKING:
    from scannerpy._plan.explain import Explanation, JobCost

_SHOWN = 20
"""How many streams are listed; the totals are always those of all."""

Lines = list[tuple[str, ...]]


def as_text(it: Explanation) -> str:
    """Return the page that ``print`` shows."""
    tables = [aligned(lines) for lines in _tables(it)]
    return "\n\n".join(part for part in [it.drawing, "\n".join(_summary(it)), *tables] if part)


def as_html(it: Explanation) -> str:
    """Return what a notebook shows."""
    first, *others = _summary(it)
    said = [element("p", line, class_="muted") for line in others]
    tables = [table(head, lines, numbers=range(1, len(head))) for head, *lines in _tables(it)]
    drawn = element("div", diagram(it.boxes), element("div", *tables), class_="beside")
    return page(title("Plan", [first]), *said, drawn)


def boxes_of(graph: Graph, rows: Sequence[int]) -> tuple[Box, ...]:
    """Return a box per vertex; ``rows[v]`` is what vertex v yields, over all jobs."""
    return tuple(_box(vertex, rows[vertex.number]) for vertex in graph.vertices)


def _box(vertex: Vertex, rows: int) -> Box:
    did = {"source": " read", "sink": " stored"}.get(vertex.kind, "")
    return Box(
        vertex.name,
        ", ".join([count(rows, "row") + did, *options(vertex)]),
        vertex.kind,
        tuple(edge.vertex for edge in vertex.inputs),
        inside=bool(vertex.level),
        where=vertex.where.short if vertex.where else "",
    )


def _summary(it: Explanation) -> list[str]:
    packets = f"io_packet_size {it.io_packet_size:,}, work_packet_size {it.work_packet_size:,}"
    streams, tasks = count(len(it.jobs), "stream"), count(it.tasks, "task")
    lines = [f"{count(it.rows, 'row')} to store from {streams} in {tasks} ({packets})"]
    decode = it.decode
    if decode is not None:
        stored = sum(read.stored for read in it.reads if read.decode is not None)
        lines.append(
            f"{count(decode.frames, 'frame')} to decode of {stored:,} stored, "
            f"in {count(decode.gops, 'group')} of pictures; {size(decode.bytes)} to read"
        )
    if it.peak_bytes is not None:
        lines.append(f"about {size(it.peak_bytes)} of elements held at once by each pipeline instance")
    return lines


def _tables(it: Explanation) -> list[Lines]:
    """Return what is read, what is executed and, where there are several, each stream: a head and lines each."""
    tables = [_reads(it), _ops(it), _jobs(it.jobs) if len(it.jobs) > 1 else []]
    return [_known(lines) for lines in tables if len(lines) > 1]


def _reads(it: Explanation) -> Lines:
    head = ("source", "rows stored", "rows read", "frames decoded", "GOPs", "bytes")
    lines = [(read.label, f"{read.stored:,}", f"{read.rows:,}", *_decoded(read.decode)) for read in it.reads]
    return [head, *lines]


def _decoded(decode: DecodeCost | None) -> tuple[str, str, str]:
    return ("", "", "") if decode is None else (f"{decode.frames:,}", f"{decode.gops:,}", size(decode.bytes))


def _ops(it: Explanation) -> Lines:
    return [("op", "rows executed", "to warm up"), *((op.label, f"{op.rows:,}", f"{op.warmup:,}") for op in it.ops)]


def _jobs(jobs: Sequence[JobCost]) -> Lines:
    head = ("stream", "rows", "tasks", "rows read", "frames decoded", "GOPs", "bytes")
    lines = [head, *(_job_line(job) for job in jobs[:_SHOWN])]
    if len(jobs) > _SHOWN:
        lines.append((f"… and {len(jobs) - _SHOWN:,} more", "", "", "", "", "", ""))
    return lines


def _job_line(job: JobCost) -> tuple[str, ...]:
    read = sum(each.rows for each in job.reads)
    return (str(job.stream), f"{job.rows:,}", f"{job.tasks:,}", f"{read:,}", *_decoded(job.decode))


def _known(lines: Lines) -> Lines:
    """Leave out the columns of which nothing is known."""
    columns = [column for column in zip(*lines, strict=True) if any(column[1:])]
    return list(zip(*columns, strict=True))
