"""How long planning takes: a million rows through eight ops, and a run over 20,000 streams. Nothing is decoded.

python benchmarks/planning.py
"""

from __future__ import annotations

import time
import tracemalloc

from scannerpy._graph.build import build
from scannerpy._graph.node import OpNode, Output, SampleNode, SinkNode, SourceNode
from scannerpy._ops.signature import OpSignature
from scannerpy._plan.plan import demand, make_plan
from scannerpy.op import find_op

ROWS = 1_000_000
STREAMS = 20_000
IO, WORK = 1000, 250


def main() -> None:
    """Print seconds and memory of both."""
    for demands, what in ((False, "the plan"), (True, "the plan and every task's demand, one after the other")):
        seconds, peak = timed(lambda demands=demands: plan_rows(ROWS, demands=demands))
        print(f"planning {ROWS:,} rows through 8 ops, {what}: {seconds:.3f} s, peak {peak:.1f} MiB")
    for streams in (STREAMS // 2, STREAMS):
        seconds, peak = timed(lambda streams=streams: plan_streams(streams))
        print(f"planning {streams:,} streams of 250 rows: {seconds:.2f} s, peak {peak:.0f} MiB")


def timed(work) -> tuple[float, float]:
    """Return the seconds `work` takes and, from a second run, the MiB it allocates at most."""
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return seconds, peak


def plan_rows(rows: int, *, demands: bool) -> None:
    """Plan one long stream; workers compute the demands, each its own, but `explain` computes them all."""
    graph, jobs = build([chain(1)])
    plan = make_plan(graph, jobs, [[rows]], IO, WORK)
    job = plan.jobs[0]
    for task in job.tasks if demands else ():
        demand(graph, job, task, WORK)


def plan_streams(streams: int) -> None:
    """Plan many short streams."""
    graph, jobs = build([chain(streams)])
    plan = make_plan(graph, jobs, [[250]] * streams, IO, WORK)
    assert sum(len(job.tasks) for job in plan.jobs) == streams


def chain(streams: int) -> SinkNode:
    """A source, a sampler in the middle of eight ops, windows and state among them, and a sink."""
    column = Output(source(streams), "frame", is_video=True)
    for number in range(8):
        column = after(op(number), column)
        if number == 3:
            everything = tuple({"start": 0, "end": 1 << 40} for _ in range(streams))
            column = Output(SampleNode(name="Range", inputs=(column,), per_job=everything), "frame", is_video=True)
    return SinkNode(name="Column", inputs=(column,), per_job=tuple({"table": i} for i in range(streams)))


def source(streams: int) -> SourceNode:
    """The source of every stream."""
    per_job = tuple({"table": i} for i in range(streams))
    return SourceNode(name="FrameColumn", column="frame", is_video=True, per_job=per_job)


def op(number: int) -> OpSignature:
    """Every second op has a window of two rows."""
    signature = find_op("OpticalFlow" if number % 2 else "Blur")
    assert signature is not None
    return signature


def after(signature: OpSignature, column: Output) -> Output:
    """Return the column of the op on `column`."""
    node = OpNode(
        name=signature.name,
        inputs=(column,),
        signature=signature,
        stencil=signature.stencil or (0,),
        args={"kernel_size": 3} if signature.name == "Blur" else {},
    )
    return Output(node, "ret0", is_video=True)


if __name__ == "__main__":
    main()
