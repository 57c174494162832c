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

from scannerpy import common, config, kernel, op, profiler, sampler, storage, types, util
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

__version__ = "0.4.0.dev0"

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
    "common",
    "config",
    "kernel",
    "op",
    "profiler",
    "protobufs",
    "register_python_op",
    "register_sink",
    "register_source",
    "sampler",
    "start_master",
    "start_worker",
    "storage",
    "types",
    "util",
]
