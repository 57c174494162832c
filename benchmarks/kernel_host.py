"""What hosting a kernel costs per row, beyond the kernel: one process, tiny elements, the kernel itself called by hand
as the roof.

    python benchmarks/kernel_host.py
"""

# ruff: noqa: ARG001  # these ops need not look at what they get

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scannerpy._graph.graph import Edge, Vertex
from scannerpy._graph.node import Compression
from scannerpy._kernels.host import KernelHost
from scannerpy._ops import registry
from scannerpy.common import DeviceType
from scannerpy.op import register_python_op
from scannerpy.types import FrameType, Histogram

ROWS = 20_000
ROUNDS = 7
TINY = np.zeros((4, 4, 3), np.uint8)


@register_python_op()
def bytes_op(config, x: bytes) -> bytes:
    return x


@register_python_op()
def pickled(config, x: Any) -> Any:
    return x


@register_python_op()
def frames(config, x: FrameType) -> FrameType:
    return np.empty((4, 4, 3), np.uint8)


@register_python_op(keeps_inputs=True)
def counts(config, x: FrameType) -> Histogram:
    return [np.zeros(16, np.int32)] * 3


@register_python_op(batch=64)
def batched(config, x: Sequence[FrameType]) -> Sequence[FrameType]:
    return [np.empty((4, 4, 3), np.uint8) for _ in x]


@register_python_op(stencil=[0, 1])
def windowed(config, x: Sequence[bytes]) -> bytes:
    return x[0]


CASES: dict[Callable[..., Any], tuple[Any, Any]] = {  # op: (element, the value a kernel gets)
    bytes_op: (b"abc", b"abc"),
    pickled: (pickle.dumps(5), 5),
    frames: (TINY, TINY),
    counts: (TINY, TINY),
    batched: (TINY, [TINY] * 64),
    windowed: (b"abc", [b"abc"] * 2),
}


def main() -> None:
    """Print microseconds per row, hosted and by hand."""
    for kernel, (element, value) in CASES.items():
        name = kernel.__name__
        hosted, by_hand = best(hosting(name, element)), best(calling(kernel, value))
        print(f"{name:9} {hosted:6.2f} µs/row, by hand {by_hand:5.2f}: the host costs {hosted - by_hand:5.2f} µs")


def hosting(name: str, element: Any) -> Callable[[], object]:
    """Return what runs all rows through a host."""
    signature = registry.lookup(name)
    edges = tuple(Edge(0, c.name, c.is_video, c.type_name, Compression()) for c in signature.inputs)
    stencil, batch = signature.stencil or (0,), signature.kernels[DeviceType.CPU].batch
    vertex = Vertex(
        1, "op", name, edges, 0, None, {}, has_job_args=False, signature=signature, stencil=stencil, batch=batch
    )
    host = KernelHost(vertex)
    host.begin_task()
    windows, resets, rows = [[[element] * len(stencil)] * ROWS], [False] * ROWS, range(ROWS)
    return lambda: host.run(windows, resets, rows)


def calling(kernel: Callable[..., Any], value: Any) -> Callable[[], object]:
    """Return what calls the kernel itself as often."""
    calls = ROWS // 64 if kernel is batched else ROWS
    return lambda: [kernel(None, x=value) for _ in range(calls)]


def best(run: Callable[[], object]) -> float:
    """Return the least microseconds per row of several rounds."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken) / ROWS * 1e6


if __name__ == "__main__":
    main()
