"""Names and forms of call of older versions, each with the sentence that says what replaced it.

Programs written for Scanner 0.2 and before still exist, and so do tutorials. Whoever runs one should read what to write
instead, and not that some attribute is missing.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from scannerpy.errors import Removed, RemovedModule, ScannerException

__all__ = ["missing", "moved", "refusing"]

P = ParamSpec("P")
R = TypeVar("R")

_COLLECTIONS = "collections are gone: keep the streams in a list; cl.io.Input(streams) takes all of them"
_STREAMS = "use cl.streams, with a list of one argument per stream"
_SAMPLERS = {
    "all": f"{_STREAMS}: cl.streams.All(column)",
    "strided": f"{_STREAMS}: cl.streams.Stride(column, [8])",
    "range": f"{_STREAMS}: cl.streams.Range(column, [(0, 100)])",
    "ranges": f"{_STREAMS}: cl.streams.Ranges(column, [[(0, 10), (20, 30)]])",
    "strided_range": f"{_STREAMS}: cl.streams.StridedRange(column, [(0, 100, 8)])",
    "strided_ranges": f"{_STREAMS}: cl.streams.StridedRanges(column, [(0, 10), (20, 30)], 2)",
    "gather": f"{_STREAMS}: cl.streams.Gather(column, [[0, 5, 9]])",
    "space_null": f"{_STREAMS}: cl.streams.RepeatNull(column, [8])",
    "space_repeat": f"{_STREAMS}: cl.streams.Repeat(column, [8])",
}
_FUNCTIONS = "functions over whole videos are gone: use the ops, as in cl.ops.Histogram(frame=cl.io.Input([video]))"

NAMES: Mapping[str, Mapping[str, str]] = {
    "scannerpy": {
        "Database": "use scannerpy.Client, which takes its place",
        "ProtobufGenerator": "use scannerpy.protobufs, which is made already",
    },
    "scannertools": {
        "Video": "use scannerpy.NamedVideoStream(cl, name, path=path)",
        "detect_faces": _FUNCTIONS,
        "detect_shots": _FUNCTIONS,
    },
    "Client": {
        "profiler": "use get_profile(job)",
        "collection": _COLLECTIONS,
        "new_collection": _COLLECTIONS,
        "delete_collection": _COLLECTIONS,
        "ingest_video_collection": _COLLECTIONS,
    },
    "OpColumn": {
        "sample": f"{_STREAMS}, as in cl.streams.Range(column, [(0, 100)])",
        "slice": "use cl.streams.Slice(column, [cl.partitioner.all(250)])",
        "unslice": "use cl.streams.Unslice(column)",
    },
    "Sampler": _SAMPLERS,
    "StreamsGenerator": _SAMPLERS,
}
"""By module or class: the attributes that are gone, and what to do instead."""

RUN_KEYWORDS: Mapping[str, str] = {
    "output": "it is called outputs: run(cl.io.Output(column, [stream]), …)",
    "jobs": "jobs follow from the lists: cl.io.Input([a, b]) and cl.io.Output(column, [x, y]) make two of them, "
    "and arguments that differ are lists too",
    "force": "use cache_mode=CacheMode.Overwrite",
    **dict.fromkeys(
        ("work_packet_size", "io_packet_size", "pipeline_instances_per_node", "cpu_pool", "gpu_pool"),
        "use run(outputs, PerfParams.manual(work_packet_size, io_packet_size, pipeline_instances_per_node=…))",
    ),
}
"""Keywords of `Client.run` that are gone."""

STREAM_KEYWORDS: Mapping[str, str] = {
    "start": "a list with one (start, end) per stream: cl.streams.Range(column, [(0, 100)])",
    "end": "see start",
    "stride": "a list with one number per stream: cl.streams.Stride(column, [8])",
    "rows": "a list with one list of rows per stream: cl.streams.Gather(column, [[0, 5, 9]])",
    "spacing": "a list with one number per stream: cl.streams.Repeat(column, [8])",
    "partitioner": "a list with one partition per stream: cl.streams.Slice(column, [cl.partitioner.all(250)])",
}
"""Keywords of the samplers that are gone."""

TABLES_WITHOUT_STREAMS = (
    "Programs write cl.io.Input([NamedVideoStream(cl, name)]) and cl.io.Output(column, [NamedStream(cl, name)])"
)
RAW_EXECUTE = "execute(self, columns) is an older form: name and annotate each input, as in frame: FrameType"


def missing(owner: str, name: str, of: object = None) -> ScannerException | AttributeError:
    """Return the error for an attribute that `owner` (a module or class of `NAMES`) lacks.

    `of` is the object that was asked: with it, Python adds "Did you mean …?" to what it prints.
    ``from module import name`` shows an AttributeError's text to nobody, so there it is an ImportError.
    """
    advice = NAMES[owner].get(name)
    if advice is None:
        return AttributeError(f"{owner!r} has no attribute {name!r}", name=name, obj=of)
    asker = sys._getframe(2).f_code.co_name  # 0: here, 1: __getattr__
    return (RemovedModule if asker == "_handle_fromlist" else Removed)(f"{owner}.{name} is gone: {advice}")


def moved(module: str, advice: str) -> RemovedModule:
    """Return the error for importing a module that is gone."""
    return RemovedModule(f"the module {module} is gone: {advice}", name=module)


def refusing(keywords: Mapping[str, str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Function decorator: raise `Removed`, with its sentence, for a call with one of the older `keywords`."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            old = [f"{name}=: {keywords[name]}" for name in kwargs if name in keywords]
            if old:
                raise Removed(f"{function.__name__}() was called in an older form. " + ". ".join(old))
            return function(*args, **kwargs)

        return checked

    return decorate
