"""Ourselves, through `Client.run`, as any program would: clips ingested in place beforehand, instances warm."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kernels
import numpy as np
from workloads import Workload

import clips
import scannerpy as sp
from clips import Clip


@sp.register_python_op(keeps_inputs=True)
def Thumbnail(config, frame: sp.FrameType) -> sp.FrameType:  # noqa: N802, ARG001
    return frame[8::16, 8::16].copy()


@sp.register_python_op(keeps_inputs=True)
def MeanFlow(config, flow: sp.FrameType) -> Any:  # noqa: N802, ARG001
    return flow.mean(axis=(0, 1))


@contextmanager
def prepare(workload: Workload, out: Path, trace: Path | None = None) -> Iterator[Callable[[], dict[str, float]]]:
    """See `peers`. The work returns seconds of its parts; `trace` is where to write the run's trace."""
    with tempfile.TemporaryDirectory(dir=clips.FOLDER) as folder:
        config = sp.Config(config_path=f"{folder}/config.toml", db_path=f"{folder}/db")
        with sp.Client(config=config) as client:
            _run(client, workload, [clips.WARM], "warm")
            began = time.perf_counter()
            for clip in workload.clips:
                assert _film(client, clip).len() == clip.frames
            ingest = time.perf_counter() - began
            done: list[tuple[int, list[Any]]] = []
            yield lambda: _timed(client, workload, out, ingest, done)
            job, streams = done[0]
            if trace:
                client.get_profile(job).write_trace(str(trace))
            if workload.work not in {"touch", "encode"}:
                np.save(out, np.concatenate([np.array(list(stream.load())) for stream in streams]))


def _timed(client: Any, workload: Workload, out: Path, ingest: float, done: list[Any]) -> dict[str, float]:
    began = time.perf_counter()
    done.append(_run(client, workload, workload.clips, "result"))
    ran = time.perf_counter()
    if workload.work == "encode":  # the peers make a file, so we make one too
        done[0][1][0].save_mp4(str(out.with_suffix("")))
    return {"ingest": ingest, "run": ran - began}


def _run(client: Any, workload: Workload, of: Any, name: str) -> tuple[int, list[Any]]:
    graph = client.io.Input([_film(client, clip) for clip in of])
    if workload.rows is not None:
        graph = client.streams.Gather(graph, [[row for row in workload.rows if row < clip.frames] for clip in of])
    column = _column(client, workload.work, graph, len(of))
    kind = sp.NamedVideoStream if workload.work == "encode" else sp.NamedStream
    streams = [kind(client, f"{name} of {clip.path.stem}") for clip in of]
    job = client.run(client.io.Output(column, streams), show_progress=False)
    assert all(stream.committed() for stream in streams)
    return job, streams


def _column(client: Any, work: str, frame: Any, count: int) -> Any:
    def resized(width: int, height: int) -> Any:
        return client.ops.Resize(frame=frame, width=[width] * count, height=[height] * count)

    return {
        "touch": lambda: client.ops.DiscardFrame(ignore=frame),
        "thumbnail": lambda: client.ops.Thumbnail(frame=frame).lossless(),
        "histogram": lambda: client.ops.Histogram(frame=frame),
        "resize": lambda: resized(kernels.SIDE, kernels.SIDE).lossless(),
        "flow": lambda: client.ops.MeanFlow(flow=client.ops.OpticalFlow(frame=frame)),
        "encode": lambda: resized(*kernels.ENCODED),
    }[work]()


def _film(client: Any, clip: Clip) -> Any:
    return sp.NamedVideoStream(client, clip.path.stem, path=str(clip.path), inplace=True)
