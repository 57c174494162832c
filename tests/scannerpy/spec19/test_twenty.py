"""The twenty things most easily got wrong (section 19 of the behavioural specification), a test each, in its order."""

# ruff: noqa: UP006, UP035 -- ops are annotated here as programs for 0.3.0 annotate them

import inspect
import pickle
import time
from pathlib import Path
from typing import Any, Sequence, Tuple

import cv2
import numpy as np
import pytest

import scannerpy as sp
from tests.clips import number_of, read_clip
from tests.scannerpy.reference.interpreter import counters

PERF = sp.PerfParams.manual(5, 10)


def blobs(cl, name, count):
    cl.new_table(name, ["column"], [[pickle.dumps(row)] for row in range(count)])
    return cl.io.Input([sp.NamedStream(cl, name)])


def stored(cl, column, name="out", perf=PERF, kind=sp.NamedStream, **words):
    stream = kind(cl, name)
    cl.run(cl.io.Output(column, [stream]), perf, show_progress=False, **words)
    return stream


def loaded(cl, column, name="out", perf=PERF):
    return list(stored(cl, column, name, perf).load())


@sp.register_python_op()
def TwentySame(config, x: Any) -> Any:
    return x


@sp.register_python_op(bounded_state=3)
class TwentyCalls(sp.Kernel):
    """Writes down each call of its life cycle; a row's value is what was called since the row before."""

    def __init__(self, config):
        self.calls = ["__init__"]

    def new_stream(self):
        self.calls.append("new_stream")

    def reset(self):
        self.calls.append("reset")

    def execute(self, x: Any) -> Any:
        calls, self.calls = self.calls, []
        return (x, calls)


@sp.register_python_op(bounded_state=3)
class TwentyCounter(sp.Kernel):
    def reset(self):
        self.count = -1

    def execute(self, x: Any) -> Any:
        self.count += 1
        return self.count


def test_01_reset_comes_first_at_every_gap_and_with_new_stream_for_each_task(cl):
    """`reset` precedes the first `execute`, then `new_stream`; both again at every task; `reset` alone at every gap."""
    calls = cl.ops.TwentyCalls(x=blobs(cl, "in", 30))
    rows = [0, 1, 10, 11]
    got = dict(loaded(cl, cl.streams.Gather(calls, [rows]), perf=sp.PerfParams.manual(3, 3)))
    assert got[0] == ["__init__", "reset", "new_stream"]
    assert got[1] == []
    assert got[10] == []  # its warm-up, 7 to 9, came after the gap, and with it the reset
    assert got[11] == []  # a task of its own, warmed up from 8
    count = cl.ops.TwentyCounter(x=cl.io.Input([sp.NamedStream(cl, "in")]))
    rows = [0, 10, 25, 26, 27]
    got = loaded(cl, cl.streams.Gather(count, [rows]), "counts")
    assert got == [0, 3, 3, 4, 5] == counters(rows, 3, 10)


@sp.register_python_op()
class TwentyLog(sp.Kernel):
    def __init__(self, config):
        self.calls = []

    def new_stream(self):
        self.calls.append("new_stream")

    def reset(self):
        self.calls.append("reset")

    def execute(self, x: Any) -> Any:
        calls, self.calls = self.calls, []
        return calls


def test_01b_each_task_begins_with_reset_then_new_stream(cl):
    """Six rows in tasks of two: three times the pair, in this order, before the task's first row."""
    got = loaded(cl, cl.ops.TwentyLog(x=blobs(cl, "in", 6)), perf=sp.PerfParams.manual(2, 2))
    assert got == [["reset", "new_stream"], []] * 3


@sp.register_python_op()
def TwentyRed(config, frame: sp.FrameType) -> sp.FrameType:
    """Paint a picture that is red where colours are RGB, and tell what the kernel saw in its corner."""
    red = np.zeros(frame.shape, np.uint8)
    red[:, :, 0] = 220
    return red


def test_02_compressed_frames_load_as_bgr_kernels_see_rgb_and_raw_loads_as_produced(cl, clip):
    """The colour-order trap: `load()` is BGR for H.264, the op's own order for raw."""
    frames = cl.io.Input([sp.NamedVideoStream(cl, "v", path=clip(12))])
    red = cl.ops.TwentyRed(frame=frames)
    raw = next(stored(cl, red.lossless(), "raw", kind=sp.NamedVideoStream).load())
    assert raw[5, 5].tolist() == [220, 0, 0]
    coded = next(stored(cl, red, "coded", kind=sp.NamedVideoStream).load())
    assert coded.dtype == np.uint8
    assert coded.shape == raw.shape
    assert coded[5, 5, 2] > 190  # red stands last: BGR
    assert coded[5, 5, 0] < 40
    again = cl.io.Input([sp.NamedVideoStream(cl, "coded")])
    seen = next(stored(cl, again.lossless(), "seen", kind=sp.NamedVideoStream).load())
    assert seen[5, 5, 0] > 190  # what a kernel gets from the same stream is RGB
    assert np.array_equal(seen[:, :, ::-1], coded)


def test_03_ranges_clamp_and_partitions_do_not(cl):
    """A sampler's end beyond the stream is cut off; a partition's is an error, before any output is touched."""
    column = blobs(cl, "in", 12)
    same = cl.ops.TwentySame(x=cl.streams.Range(column, [(10, 1000)]))
    assert loaded(cl, same, "clamped") == [10, 11]
    assert loaded(cl, cl.ops.TwentySame(x=cl.streams.Range(column, [(50, 60)])), "nothing") == []
    sliced = cl.streams.Slice(column, [cl.partitioner.range(10, 1000)])
    joined = cl.streams.Unslice(cl.ops.TwentySame(x=sliced))
    with pytest.raises(sp.ScannerException, match="1000"):
        stored(cl, joined, "partitioned")
    assert not sp.NamedStream(cl, "partitioned").exists()


@sp.register_python_op(stencil=[0, 1])
def TwentyPair(config, x: Sequence[Any]) -> Any:
    return list(x)


def test_04_a_stencil_looks_at_the_ops_own_input_and_repeats_its_edge(cl):
    """With the range before the op, the last row's neighbour is itself; after it, the row of the stream."""
    column = blobs(cl, "in", 12)
    before = cl.ops.TwentyPair(x=cl.streams.Range(column, [(0, 3)]))
    assert loaded(cl, before, "before") == [[0, 1], [1, 2], [2, 2]]
    after = cl.streams.Range(cl.ops.TwentyPair(x=column), [(0, 3)])
    assert loaded(cl, after, "after") == [[0, 1], [1, 2], [2, 3]]
    back = cl.ops.TwentyPair(x=cl.streams.Range(column, [(0, 3)]), stencil=[-2, -1])
    assert loaded(cl, back, "back", sp.PerfParams.manual(1, 1)) == [[0, 0], [0, 0], [0, 1]]
    sliced = cl.streams.Slice(column, [cl.partitioner.all(5)])
    groups = cl.streams.Unslice(cl.ops.TwentyPair(x=sliced))
    assert loaded(cl, groups, "groups")[4:6] == [[4, 4], [5, 6]]


@sp.register_python_op()
def TwentyFails(config, x: Any) -> Any:
    if x == config.args["at"]:
        raise ValueError("row that fails")
    return x


def test_05_cache_decisions_and_the_default_that_raises(cl):
    """An existing output is refused by default, kept by Ignore (which returns None), replaced by Overwrite."""
    column = blobs(cl, "in", 12)
    assert loaded(cl, cl.ops.TwentySame(x=column)) == list(range(12))
    half = cl.ops.TwentySame(x=cl.streams.Stride(column, [2]))
    sink = cl.io.Output(half, [sp.NamedStream(cl, "out")])
    with pytest.raises(sp.ScannerException, match=r"(?s)out.*cache_mode|cache_mode.*out"):
        cl.run(sink, PERF, show_progress=False)
    assert cl.run(sink, PERF, cache_mode=sp.CacheMode.Ignore, show_progress=False) is None
    assert len(sp.NamedStream(cl, "out")) == 12
    assert isinstance(cl.run(sink, PERF, cache_mode=sp.CacheMode.Overwrite, show_progress=False), int)
    assert list(sp.NamedStream(cl, "out").load()) == [0, 2, 4, 6, 8, 10]


def test_05b_an_output_that_failed_exists_and_ignore_makes_it_anew(cl):
    """What exists but is not committed counts as missing when the job is asked for again."""
    column = blobs(cl, "in", 12)
    out = stored(cl, cl.ops.TwentyFails(x=column, at=7))
    assert out.exists()
    assert not out.committed()
    sink = cl.io.Output(cl.ops.TwentyFails(x=column, at=-1), [out])
    assert cl.run(sink, PERF, cache_mode=sp.CacheMode.Ignore, show_progress=False) is not None
    assert list(out.load()) == list(range(12))


def test_06_run_returns_normally_when_a_job_is_blacklisted(cl):
    """A kernel that raises costs its own job only: no exception, the other job is committed, the status counts it."""
    for name in ("one", "two"):
        cl.new_table(name, ["column"], [[pickle.dumps((name, row))] for row in range(12)])
    column = cl.io.Input([sp.NamedStream(cl, "one"), sp.NamedStream(cl, "two")])
    outs = [sp.NamedStream(cl, "out one"), sp.NamedStream(cl, "out two")]
    sink = cl.io.Output(cl.ops.TwentyFails(x=column, at=("two", 3)), outs)
    job = cl.run(sink, PERF, show_progress=False)
    assert [out.committed() for out in outs] == [True, False]
    assert len(list(outs[0].load())) == 12
    status = cl.wait_on_job(job, show_progress=False)
    assert (status.jobs_failed, status.total_jobs) == (1, 2)


def test_07_perf_params_are_a_callable(cl):
    """`manual` and `estimate` give something `run` calls; an instance or nothing at all is taken too."""
    for made in (sp.PerfParams.manual(5, 10), sp.PerfParams.estimate()):
        assert callable(made)
    column = blobs(cl, "in", 12)
    given = []

    def mine(inputs, ops):
        given.append((inputs, ops))
        return sp.PerfParams.manual(5, 10)(inputs=inputs, ops=ops)

    for number, perf in enumerate((mine, sp.PerfParams.estimate(), sp.PerfParams(5, 10))):
        assert loaded(cl, cl.ops.TwentySame(x=column), f"out {number}", perf) == list(range(12))
    assert [stream.name() for stream in given[0][0][0]] == ["in"]
    out = sp.NamedStream(cl, "bare")
    cl.run(cl.io.Output(cl.ops.TwentySame(x=column), [out]), show_progress=False)
    assert out.committed()


def test_08_a_tuple_is_positional_a_dict_keywords_anything_else_the_single_argument(cl):
    """The forms of a sampler's argument."""
    column, same = blobs(cl, "in", 12), cl.ops.TwentySame
    forms = {
        "tuple": cl.streams.Range(column, [(2, 5)]),
        "dict": cl.streams.Range(column, ranges=[{"start": 2, "end": 5}]),
        "list": cl.streams.Gather(column, [[2, 3, 4]]),
        "tuple rows": cl.streams.Gather(column, [(2, 3, 4)]),
        "ranges": cl.streams.Ranges(column, intervals=[[(2, 4), (4, 5)]]),
        "strided": cl.streams.StridedRange(column, [(2, 5, 1)]),
        "strided dict": cl.streams.StridedRange(column, [{"start": 2, "end": 5, "stride": 1}]),
    }
    for name, chosen in forms.items():
        assert loaded(cl, same(x=chosen), name) == [2, 3, 4], name
    assert loaded(cl, same(x=cl.streams.Stride(column, [5])), "single") == [0, 5, 10]
    assert loaded(cl, same(x=cl.streams.Stride(column, [{"stride": 5}])), "keyword") == [0, 5, 10]
    with pytest.raises(sp.ScannerException, match="list"):
        stored(cl, same(x=cl.streams.Stride(column, 5)), "not a list")


def test_09_save_mp4_appends_its_suffix_and_plays_at_25_frames_per_second(cl, clip, tmp_path):
    """`save_mp4('x')` writes x.mp4, `save_mp4('x.mp4')` x.mp4.mp4; 25 fps unless told otherwise."""
    frames = cl.io.Input([sp.NamedVideoStream(cl, "v", path=clip(20, rate=10))])
    out = stored(cl, cl.streams.Range(frames, [(0, 10)]), kind=sp.NamedVideoStream)
    for given, written, rate in (("x", "x.mp4", None), ("x.mp4", "x.mp4.mp4", None), ("fast", "fast.mp4", 50)):
        assert out.save_mp4(str(tmp_path / given), **({"fps": rate} if rate else {})) is None
        film = cv2.VideoCapture(str(tmp_path / written))
        assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(rate or 25)
        assert [number_of(frame) for frame in read_clip(tmp_path / written)] == list(range(10))
    out.save_mp4(str(tmp_path / "small"), scale=(32, 24))
    assert next(read_clip(tmp_path / "small.mp4")).shape == (24, 32, 3)


def test_10_a_stream_with_a_path_follows_its_file_at_every_run(cl, clip, tmp_path):
    """A file that changed between two runs is ingested again, though its stream exists."""
    path = tmp_path / "changing.mp4"
    for frames in (12, 17):
        path.write_bytes(Path(clip(frames)).read_bytes())
        column = cl.io.Input([sp.NamedVideoStream(cl, "v", path=str(path))])
        out = stored(cl, column, "out", cache_mode=sp.CacheMode.Overwrite, kind=sp.NamedVideoStream)
        assert len(out) == frames
        assert len(sp.NamedVideoStream(cl, "v")) == frames


def test_11_sinks_with_different_row_counts_fail_before_any_output_is_changed(cl):
    """Even with Overwrite the old results stay."""
    column = blobs(cl, "in", 30)
    first = stored(cl, cl.ops.TwentySame(x=column), "first")
    half = cl.ops.TwentySame(x=cl.streams.Stride(column, [2]))
    sinks = [
        cl.io.Output(cl.ops.TwentySame(x=column), [first]),
        cl.io.Output(half, [sp.NamedStream(cl, "second")]),
    ]
    with pytest.raises(sp.ScannerException, match=r"(?s)30.*15|15.*30"):
        cl.run(sinks, PERF, cache_mode=sp.CacheMode.Overwrite, show_progress=False)
    assert list(first.load()) == list(range(30))
    assert not sp.NamedStream(cl, "second").exists()


@sp.register_python_op()
def TwentyNumber(config, frame: sp.FrameType) -> Any:
    return number_of(frame)


def test_12_either_handle_holds_blobs_or_frames(cl, clip):
    """What is stored follows the op's column, not the handle's class."""
    frames = cl.io.Input([sp.NamedVideoStream(cl, "v", path=clip(12))])
    numbers = stored(cl, cl.ops.TwentyNumber(frame=frames), "numbers", kind=sp.NamedVideoStream)
    assert list(numbers.load()) == list(range(12))
    pictures = stored(cl, frames, "pictures", kind=sp.NamedStream)
    assert [number_of(frame) for frame in pictures.load()] == list(range(12))
    again = cl.io.Input([sp.NamedStream(cl, "pictures")])
    assert loaded(cl, cl.ops.TwentyNumber(frame=again), "again") == list(range(12))


def test_13_reading_an_uncommitted_stream_fails_at_the_first_next(cl):
    """`load()` itself only makes the generator."""
    rows = sp.NamedStream(cl, "nothing of the kind").load()
    assert inspect.isgenerator(rows) or hasattr(rows, "__next__")
    with pytest.raises(sp.ScannerException, match="nothing of the kind"):
        next(rows)


@sp.register_python_op()
def TwentyNone(config, x: Any) -> Any:
    return None if x % 2 else x


def test_14_an_op_may_return_none_which_is_not_null(cl):
    """None is a value; a null is a `NullElement`, and an op never sees it."""
    column = blobs(cl, "in", 4)
    assert loaded(cl, cl.ops.TwentyNone(x=column), "nones") == [0, None, 2, None]
    spaced = cl.streams.RepeatNull(column, [2])
    got = loaded(cl, cl.ops.TwentyNone(x=spaced), "nulls")
    assert [isinstance(value, sp.NullElement) for value in got] == [False, True] * 4
    assert got[::2] == [0, None, 2, None]


def test_15_tables_are_numbered_from_0_in_order_of_creation(cl, clip):
    """Ingested and made tables share one sequence of ids; an ingested video has the columns index and frame."""
    cl.ingest_videos([("first", clip(12)), ("second", clip(17))])
    assert [cl.table(name).id() for name in ("first", "second")] == [0, 1]
    assert cl.table("first").column_names() == ["index", "frame"]
    assert cl.new_table("third", ["column"], [[b"x"]]).id() == 2
    stored(cl, cl.io.Input([sp.NamedStream(cl, "third")]), "fourth")
    assert cl.table("fourth").id() == 3
    cl.delete_table("fourth")
    assert cl.new_table("fifth", ["column"], [[b"x"]]).id() == 4
    assert [int.from_bytes(index, "little") for (index,) in cl.table("first").load(["index"])] == list(range(12))


def test_16_an_unknown_op_fails_when_it_is_named(cl):
    """`cl.ops.Nothing` raises ScannerException, yet `hasattr` answers; so for sources and sinks."""
    for generator in (cl.ops, cl.sources, cl.sinks):
        with pytest.raises(sp.ScannerException, match="TwentyMissing"):
            _ = generator.TwentyMissing
        assert not hasattr(generator, "TwentyMissing")
    assert hasattr(cl.ops, "TwentySame")


def test_17_workers_start_with_the_first_run_and_none_at_all_ends_after_a_while(config):
    """An empty list of workers waits `no_workers_timeout` seconds, then the run fails, naming the time."""
    with sp.Client(config=config, workers=[], no_workers_timeout=1) as cl:
        column = blobs(cl, "in", 12)
        began = time.monotonic()
        with pytest.raises(sp.ScannerException, match=r"no workers .* after 1 seconds \(no_workers_timeout\)"):
            stored(cl, cl.ops.TwentySame(x=column))
        assert time.monotonic() - began >= 1
        assert not sp.NamedStream(cl, "out").committed()


@sp.register_python_op(batch=4)
def TwentyBatch(config, x: Sequence[Any]) -> Sequence[Any]:
    return [list(x)] * len(x)


def test_18_a_batch_never_spans_tasks_and_a_giant_one_sees_the_whole_packet(cl):
    """Rows of a batch belong to one task; with a packet for everything, one call gets all."""
    column = blobs(cl, "in", 12)
    got = loaded(cl, cl.ops.TwentyBatch(x=column), "batches", sp.PerfParams.manual(6, 6))
    assert got[0] == [0, 1, 2, 3]
    assert got[4] == [4, 5]
    assert got[6] == [6, 7, 8, 9]
    giant = cl.ops.TwentyBatch(x=column, batch=10_000_000)
    assert loaded(cl, giant, "giant", sp.PerfParams.manual(12, 12)) == [list(range(12))] * 12
    assert loaded(cl, giant, "wider", sp.PerfParams.manual(100, 100)) == [list(range(12))] * 12


def test_19_all_keywords_of_a_function_op_are_in_config_args(cl):
    """Any picklable value travels."""

    @sp.register_python_op(name="TwentyArgs")
    def twenty_args(config, x: Any) -> Any:
        return sorted(config.args.items())

    words = {"number": 3, "names": ["a", "b"], "table": {"k": (1, None)}}
    assert loaded(cl, cl.ops.TwentyArgs(x=blobs(cl, "in", 1), **words)) == [sorted(words.items())]
    assert loaded(cl, cl.ops.TwentyArgs(x=cl.io.Input([sp.NamedStream(cl, "in")])), "none") == [[]]


@sp.register_python_op()
class TwentyTasks(sp.Kernel):
    def reset(self):
        self.rows = 0

    def execute(self, x: Any) -> Tuple[Any, Any]:
        self.rows += 1
        return x, self.rows


def test_20_a_slice_group_is_one_task_whatever_the_packet_sizes(cl):
    """Rows are counted since the last reset: each group counts from 1 to its end, though packets hold 2 rows."""
    sliced = cl.streams.Slice(blobs(cl, "in", 12), [cl.partitioner.ranges([(0, 5), (3, 10)])])
    _, counted = cl.ops.TwentyTasks(x=sliced)
    got = loaded(cl, cl.streams.Unslice(counted), perf=sp.PerfParams.manual(1, 2))
    assert got == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 7]
