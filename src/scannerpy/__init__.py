"""Scanner: exact, sparse, parallel video analysis.

    import scannerpy as sp

    cl = sp.Client()
    video = sp.NamedVideoStream(cl, "clip", path="clip.mp4")
    frames = cl.streams.Stride(cl.io.Input([video]), [30])
    output = sp.NamedStream(cl, "histograms")
    cl.run(cl.io.Output(cl.ops.Histogram(frame=frames), [output]))
    print(len(list(output.load())))

FFmpeg, OpenCV and the object store are imported when they are first needed.
"""

from __future__ import annotations

import typing as _typing

from scannerpy import (
    client,
    column,
    common,
    config,
    io,
    job,
    kernel,
    older,
    op,
    partitioner,
    profiler,
    protobuf_generator,
    sampler,
    sink,
    source,
    storage,
    streams,
    table,
    types,
    util,
)
from scannerpy._words.version import VERSION
from scannerpy.client import Client, start_master, start_worker
from scannerpy.common import CacheMode, ColumnType, DeviceHandle, DeviceType, PerfParams, ScannerException
from scannerpy.config import Config
from scannerpy.job import Job
from scannerpy.kernel import Kernel, KernelConfig
from scannerpy.op import SliceList, register_python_op
from scannerpy.protobufs import protobufs
from scannerpy.sink import register_sink
from scannerpy.source import register_source
from scannerpy.storage import NamedStream, NamedVideoStream, NullElement
from scannerpy.types import FrameType

__version__ = VERSION

__all__ = [
    "CacheMode",
    "Client",
    "ColumnType",
    "Config",
    "DeviceHandle",
    "DeviceType",
    "FrameType",
    "Job",
    "Kernel",
    "KernelConfig",
    "NamedStream",
    "NamedVideoStream",
    "NullElement",
    "PerfParams",
    "ScannerException",
    "SliceList",
    "client",
    "column",
    "common",
    "config",
    "io",
    "job",
    "kernel",
    "older",
    "op",
    "partitioner",
    "profiler",
    "protobuf_generator",
    "protobufs",
    "register_python_op",
    "register_sink",
    "register_source",
    "sampler",
    "sink",
    "source",
    "start_master",
    "start_worker",
    "storage",
    "streams",
    "table",
    "types",
    "util",
]

# The original star-imports `common` in nearly every module, so programs take its words from wherever they are:
# ``from scannerpy.client import ScannerException``.
for _module in (
    client, column, config, io, job, kernel, op, partitioner, profiler, sampler, sink, source, storage, streams, table,
    types, util,
):  # fmt: skip
    for _name in common.__all__:
        vars(_module).setdefault(_name, getattr(common, _name))
del _module, _name

if not _typing.TYPE_CHECKING:  # a checker should find what is missing, too

    def __getattr__(name: str) -> object:
        raise older.missing("scannerpy", name)
