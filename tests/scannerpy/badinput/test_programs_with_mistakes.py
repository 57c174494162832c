"""Bad programs: kernels that return something wrong, samplers that mean nothing, graphs that cannot be run. Each gets
one ScannerException that points to the user's own line; the outputs stay as they were.
"""

import logging
import pickle
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any, Sequence  # noqa: UP035 -- as programs for 0.3.0 annotate

import numpy as np
import pytest

import scannerpy as sp
from scannerpy import errors

PERF = sp.PerfParams.manual(5, 10)
HERE = Path(__file__).name


def blobs(cl, name, count):
    cl.new_table(name, ["column"], [[pickle.dumps(row)] for row in range(count)])
    return cl.io.Input([sp.NamedStream(cl, name)])


def run(cl, column, name="out", **words):
    stream = sp.NamedStream(cl, name)
    job = cl.run(cl.io.Output(column, [stream]), PERF, show_progress=False, **words)
    return stream, job


@sp.register_python_op()
def BadSame(config, x: Any) -> Any:
    return x


@sp.register_python_op(batch=4)
def BadCount(config, x: Sequence[Any]) -> Sequence[Any]:
    return {"too few": x[:-1], "too many": [*x, 1], "none at all": None, "not a sequence": 7}[config.args["how"]]


@sp.register_python_op()
def BadColumns(config, x: Any) -> tuple[Any, Any]:
    return {"three": (1, 2, 3), "one": 1}[config.args["how"]]


@sp.register_python_op()
def BadFrame(config, x: Any) -> sp.FrameType:
    good = np.zeros((4, 4, 3), np.uint8)
    shapes = {
        "four dimensions": np.zeros((1, 4, 4, 3), np.uint8),
        "complex": np.zeros((4, 4, 3), np.complex128),
        "text": "a frame, honestly",
        "none": None,
        "another size": np.zeros((4 + x % 2, 4, 3), np.uint8),
        "another type": good.astype(np.float32) if x % 2 else good,
    }
    return shapes[config.args["how"]]


@sp.register_python_op()
def BadBytes(config, x: Any) -> bytes:
    return {"number": 7, "none": None, "list": [b"x"]}[config.args["how"]]


@sp.register_python_op()
def BadPickle(config, x: Any) -> Any:
    return threading.Lock()


@sp.register_python_op()
def BadRaise(config, x: Any) -> Any:
    raise ZeroDivisionError("of all things")


CASES = [
    *[("BadCount", how) for how in ("too few", "too many", "none at all", "not a sequence")],
    *[("BadColumns", how) for how in ("three", "one")],
    *[("BadFrame", how) for how in ("four dimensions", "complex", "text", "none", "another size", "another type")],
    *[("BadBytes", how) for how in ("number", "none", "list")],
    ("BadPickle", "a lock"),
    ("BadRaise", "raises"),
]


@pytest.mark.parametrize(("op", "how"), CASES)
def test_a_kernel_that_returns_something_wrong(cl, caplog, op, how):
    """The job fails, nothing is committed, and the report names stream, op and row."""
    logging.getLogger("scanner").propagate = True
    try:
        column = getattr(cl.ops, op)(x=blobs(cl, "in", 12), how=how)
        for made in column if isinstance(column, tuple) else (column,):
            stream, job = run(cl, made)
            assert not stream.committed()
            status = cl.wait_on_job(job, show_progress=False)
            assert status.jobs_failed == 1
            break
    finally:
        logging.getLogger("scanner").propagate = False
    said = caplog.text + repr(getattr(status, "failures", ""))
    assert op in said or (how.startswith("another") and HERE in said)  # found where it is stored: at the io.Output
    assert "out" in said
    (failure,) = status.failures
    assert failure.op
    assert failure.reason
    if op == "BadRaise":
        assert "ZeroDivisionError" in failure.traceback
        assert HERE in failure.traceback


def sampler_cases(cl, column):
    streams, partitioner = cl.streams, cl.partitioner
    return {
        "reversed range": lambda: streams.Range(column, [(8, 3)]),
        "negative start": lambda: streams.Range(column, [(-2, 3)]),
        "negative end": lambda: streams.Range(column, [(-9, -3)]),
        "reversed among many": lambda: streams.Ranges(column, [[(0, 3), (8, 3)]]),
        "reversed strided": lambda: streams.StridedRange(column, [(8, 3, 1)]),
        "stride of 0": lambda: streams.Stride(column, [0]),
        "negative stride": lambda: streams.Stride(column, [-2]),
        "range stride of 0": lambda: streams.StridedRange(column, [(0, 5, 0)]),
        "negative row": lambda: streams.Gather(column, [[0, -1]]),
        "spacing of 0": lambda: streams.Repeat(column, [0]),
        "null spacing of 0": lambda: streams.RepeatNull(column, [0]),
        "text for a number": lambda: streams.Stride(column, ["two"]),
        "too many arguments": lambda: streams.Range(column, [(0, 1, 2, 3)]),
        "an unknown keyword": lambda: streams.Range(column, [{"start": 0, "stop": 4}]),
        "partition reversed": lambda: streams.Slice(column, [partitioner.range(8, 3)]),
        "partition overrun": lambda: streams.Slice(column, [partitioner.ranges([(0, 5), (5, 500)])]),
        "partition stride of 0": lambda: streams.Slice(column, [partitioner.strided(0)]),
        "group size of 0": lambda: streams.Slice(column, [partitioner.all(0)]),
        "partition of missing rows": lambda: streams.Slice(column, [partitioner.gather([[0, 99]])]),
    }


NAMES = list(sampler_cases(type("C", (), {"streams": None, "partitioner": None}), None))


@pytest.mark.parametrize("name", NAMES)
def test_a_sampler_or_partition_that_means_nothing(cl, name):
    """One GraphError that points to the user's own line, and no output is made."""
    column = blobs(cl, "in", 12)

    def program():
        chosen = cl.ops.BadSame(x=sampler_cases(cl, column)[name]())
        run(cl, cl.streams.Unslice(chosen) if "partition" in name or "group" in name else chosen)

    with pytest.raises(errors.GraphError) as caught:
        program()
    assert HERE in str(caught.value)
    assert not cl.has_table("out")


def graph_cases(cl, column):
    other = cl.io.Input([sp.NamedStream(cl, "in"), sp.NamedStream(cl, "in")])
    sliced = cl.streams.Slice(column, [cl.partitioner.all(5)])
    pair = cl.ops.BadTwo
    same = cl.ops.BadSame
    out = lambda op, *names: cl.io.Output(op, [sp.NamedStream(cl, name) for name in names or ("out",)])  # noqa: E731
    return {
        "a missing input": lambda: pair(x=column),
        "rows disagree at an op": lambda: out(pair(x=column, y=cl.streams.Stride(column, [2]))),
        "slice levels disagree": lambda: out(cl.streams.Unslice(pair(x=column, y=sliced))),
        "streams disagree": lambda: out(pair(x=column, y=other)),
        "outputs disagree": lambda: out(same(x=column), "out", "out2"),
        "a sliced sink": lambda: out(same(x=sliced)),
        "a slice in a slice": lambda: out(cl.streams.Unslice(cl.streams.Slice(sliced, [cl.partitioner.all(2)]))),
        "an unslice of nothing": lambda: out(cl.streams.Unslice(column)),
        "a stencil on an op without": lambda: out(same(x=column, stencil=[0, 1])),
        "a batch on an op without": lambda: out(same(x=column, batch=4)),
        "a device it has no kernel for": lambda: out(same(x=column, device=sp.DeviceType.GPU)),
        "one output twice": lambda: [out(same(x=column)), out(same(x=column))],
        "no streams": lambda: cl.io.Input([]),
        "no list": lambda: cl.io.Input(sp.NamedStream(cl, "in")),
        "compress blobs": lambda: out(same(x=column).compress_video()),
        "an argument of a slice too few": lambda: out(
            cl.streams.Unslice(cl.streams.Range(sliced, [sp.SliceList([(0, 1)])]))
        ),
        "an unknown argument": lambda: out(cl.ops.BadClass(x=column, colour="red")),
    }


@sp.register_python_op()
def BadTwo(config, x: Any, y: Any) -> Any:
    return x


@sp.register_python_op()
class BadClass(sp.Kernel):
    def __init__(self, config, size=1):
        self.size = size

    def execute(self, x: Any) -> Any:
        return x


GRAPHS = [
    "a missing input",
    "rows disagree at an op",
    "slice levels disagree",
    "streams disagree",
    "outputs disagree",
    "a sliced sink",
    "a slice in a slice",
    "an unslice of nothing",
    "a stencil on an op without",
    "a batch on an op without",
    "a device it has no kernel for",
    "one output twice",
    "no streams",
    "no list",
    "compress blobs",
    "an argument of a slice too few",
    "an unknown argument",
]


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_that_cannot_be_run(cl, name):
    """One ScannerException that points to the user's own line; the outputs are untouched."""
    column = blobs(cl, "in", 12)
    with pytest.raises(errors.ScannerException) as caught:
        cl.run(graph_cases(cl, column)[name](), PERF, show_progress=False)
    assert HERE in str(caught.value) or name in ("no streams", "no list", "outputs disagree", "one output twice")
    assert not cl.has_table("out")


def test_registration_that_breaks_the_rules():
    """Named at the decorator, where the mistake is."""
    with pytest.raises(errors.RegistrationError, match="BadNoAnnotation"):

        @sp.register_python_op()
        def BadNoAnnotation(config, x):
            return x

    with pytest.raises(errors.RegistrationError, match="BadNotSequence"):

        @sp.register_python_op(batch=4)
        def BadNotSequence(config, x: Any) -> Any:
            return x

    with pytest.raises(errors.RegistrationError, match="BadBothStates"):

        @sp.register_python_op(bounded_state=1, unbounded_state=True)
        class BadBothStates(sp.Kernel):
            def execute(self, x: Any) -> Any:
                return x

    with pytest.raises(errors.RegistrationError, match="Decimal"):

        @sp.register_python_op()
        def BadType(config, x: Decimal) -> Any:
            return x


@pytest.mark.parametrize(("work", "io"), [(3, 10), (0, 10), (5, 0), (-4, -1)])
def test_packet_sizes_that_do_not_fit(cl, work, io):
    """`io` is a multiple of `work`, both positive."""
    column = cl.ops.BadSame(x=blobs(cl, "in", 12))
    with pytest.raises(errors.ScannerException, match=r"packet"):
        cl.run(cl.io.Output(column, [sp.NamedStream(cl, "out")]), sp.PerfParams.manual(work, io), show_progress=False)
    assert not cl.has_table("out")


def test_registration_of_what_cannot_be_an_op():
    """A forgotten pair of parentheses, async, yield, a stencil that is none: each is told as what it is."""
    with pytest.raises(errors.RegistrationError, match=r"BadBare .*@register_python_op\(\)"):

        @sp.register_python_op
        def BadBare(config, x: Any) -> Any:
            return x

    with pytest.raises(errors.RegistrationError, match="async"):

        @sp.register_python_op()
        class BadAsync(sp.Kernel):
            async def execute(self, x: Any) -> Any:
                return x

    with pytest.raises(errors.RegistrationError, match="return instead of yield"):

        @sp.register_python_op()
        def BadYield(config, x: Any) -> Any:
            yield x

    with pytest.raises(errors.RegistrationError, match="stencil=1: give a list"):

        @sp.register_python_op(stencil=1)
        def BadStencil(config, x: Any) -> Any:
            return x

    with pytest.raises(errors.RegistrationError, match=r"'BadEmpty' has no execute"):

        @sp.register_python_op()
        class BadEmpty(sp.Kernel):
            pass


def test_an_argument_that_is_no_data_is_named(cl):
    """Which op, which argument; not only of which type it is."""
    column = cl.ops.BadSame(x=blobs(cl, "in", 3), lock=threading.Lock())
    with pytest.raises(errors.SerializationError, match=rf"BadSame \(.*{HERE}:\d+\) was given lock="):
        run(cl, column)


def test_settings_that_mean_nothing(cl):
    """No instances; a misspelt one, told where it is written rather than where the graph is run."""
    column = cl.ops.BadSame(x=blobs(cl, "in", 3))
    with pytest.raises(errors.ConfigError, match="pipeline_instances_per_node is 0"):
        cl.run(cl.io.Output(column, [sp.NamedStream(cl, "out")]), sp.PerfParams(1, 1, pipeline_instances_per_node=0))
    for make in (lambda: sp.PerfParams.manual(1, 1, pipelines=2), lambda: sp.PerfParams.estimate(pipelines=2)):
        with pytest.raises(TypeError, match="pipelines"):
            make()


@pytest.mark.parametrize(
    "videos",
    ["a.mp4", ("t", "a.mp4"), ["a.mp4"], [("t", "a.mp4", 1)], {"t": "a.mp4"}, 5, [(5, "a.mp4")], [("t", b"a.mp4")]],
)
def test_videos_that_are_no_pairs(cl, videos):
    """The form wanted is shown."""
    with pytest.raises(errors.IngestError, match=r"ingest_videos was given .*pairs, as in"):
        cl.ingest_videos(videos)


def test_a_name_where_names_are_wanted_deletes_nothing(cl):
    """Its letters are not taken for names."""
    cl.new_table("t", ["column"], [[b"x"]])
    with pytest.raises(errors.ScannerException, match="list of names"):
        cl.delete_tables("t")
    assert cl.has_table("t")


@pytest.mark.parametrize("rows", [5, slice(0, 3), "01"])
def test_rows_that_are_no_list(cl, rows):
    """One number, a slice: the form wanted is shown."""
    cl.new_table("t", ["column"], [[b"x"]] * 9)
    with pytest.raises(errors.GraphError, match="rows must be a list of row numbers"):
        list(cl.table("t").column("column").load(rows=rows))


def test_a_client_that_is_given_other_things(config):
    """A path for a configuration, a number or one address for a list of them."""
    with pytest.raises(errors.ConfigError, match="config_path"):
        sp.Client(config="config.toml")
    for workers in (4, "localhost:5002"):
        with pytest.raises(errors.ConfigError, match="list of addresses"):
            sp.Client(config=config, workers=workers)


def test_a_misspelt_sampler_is_known_to_python(cl):
    """An uncaught AttributeError prints "Did you mean"; for that it has to know who was asked for what."""
    with pytest.raises(AttributeError) as caught:
        _ = cl.streams.stride
    assert (caught.value.name, caught.value.obj) == ("stride", cl.streams)


def test_a_failed_overwrite_says_what_stays(cl, caplog):
    """`committed` goes on speaking of the earlier result, so the report must not leave one in the dark."""
    run(cl, cl.ops.BadSame(x=blobs(cl, "in", 3)))
    logging.getLogger("scanner").propagate = True
    try:
        run(cl, cl.ops.BadRaise(x=cl.io.Input([sp.NamedStream(cl, "in")])), cache_mode=sp.CacheMode.Overwrite)
    finally:
        logging.getLogger("scanner").propagate = False
    assert "its earlier result stays as it was" in caplog.text
    assert list(sp.NamedStream(cl, "out").load()) == [0, 1, 2]
