"""What a graph must satisfy before any data is looked at (spec §4.1); every refusal names the op and its line."""

from __future__ import annotations

import pytest

from scannerpy._graph.build import build
from scannerpy._graph.node import Partition
from scannerpy.common import DeviceType
from scannerpy.errors import GraphError
from tests.scannerpy.plan import programs as g

ALL = Partition("all", {"group_size": 10})
HERE = g.at(12)


def refused(sinks, text):
    with pytest.raises(GraphError, match=text) as error:
        build(sinks)
    return str(error.value)


def refused_op(text, *above, **options):
    message = refused([g.sink(g.op(*above or (g.source(),), where=HERE, **options))], text)
    assert message.startswith("Op (program.py:12) ")


def test_a_run_needs_a_sink():
    refused([], "cl.io.Output")


def test_a_run_needs_a_source():
    refused([g.sink(g.op(signature=g.signature(0)))], "cl.io.Input")


def test_an_op_needs_inputs():
    read = g.source()
    refused([g.sink(read), g.sink(g.op(signature=g.signature(0)))], "has no input")


def test_the_number_of_inputs_must_be_the_declared_one():
    refused_op(r"takes 2 inputs \(in0, in1\), not 1", signature=g.signature(2))


def test_a_variadic_op_takes_any_number():
    read = g.source()
    build([g.sink(g.op(read, read, read, signature=g.signature(0, variadic=True)))])


def test_only_ops_registered_with_a_stencil_see_neighbours():
    refused_op(r"cannot look at its neighbours \[-1, 0\]", signature=g.signature(stencil=None), stencil=(-1, 0))


def test_no_neighbours_is_always_allowed():
    build([g.sink(g.op(g.source(), signature=g.signature(stencil=None), stencil=(0,)))])


def test_a_stencil_is_not_empty():
    refused_op("empty stencil", stencil=())


def test_only_kernels_that_can_take_batches():
    refused_op("batches of 4", signature=g.signature(batch=1), batch=4)


def test_a_batch_holds_at_least_one_row():
    refused_op("batch 0", batch=0)


def test_the_kernel_must_exist_for_the_device():
    refused_op("no kernel for GPU; there is CPU", device=DeviceType.GPU)


def test_state_is_bounded_or_unbounded():
    refused_op("both bounded and unbounded", warmup=3, unbounded=True)


def test_a_warmup_is_not_negative():
    refused_op("bounded_state -1", warmup=-1)


def test_required_stream_arguments_must_be_given():
    refused_op("needs level", signature=g.signature(stream_params=("level",), stream_required=("level",)))


def test_sinks_store_unsliced_streams_only():
    refused([g.sink(g.sliced(g.source(), ALL), where=HERE)], r"program.py:12\) gets a sliced stream; put .*Unslice")


def test_no_slice_within_a_slice():
    twice = g.sliced(g.sliced(g.source(), ALL), ALL, where=HERE)
    refused([g.sink(g.unsliced(twice))], r"Slice \(program.py:12\) slices a stream that is sliced already")


def test_only_slices_can_be_joined():
    refused([g.sink(g.unsliced(g.source(), where=HERE))], r"Unslice \(program.py:12\) .* not sliced")


def test_an_op_may_not_mix_sliced_and_unsliced_inputs():
    read = g.source()
    refused_op("mixes sliced inputs", g.sliced(read, ALL), read)


@pytest.mark.parametrize("after", ["op", "sample", "slice"])
def test_what_is_unsliced_may_only_be_stored(after):
    joined = g.unsliced(g.sliced(g.source(), ALL), where=g.at(5))
    make = {
        "op": lambda: g.op(joined, where=HERE),
        "sample": lambda: g.sample("Stride", joined, {"stride": 2}, where=HERE),
        "slice": lambda: g.unsliced(g.sliced(joined, ALL, where=HERE)),
    }
    refused([g.sink(make[after]())], r"program.py:12\) takes what Unslice \(program.py:5\) yields")


def test_types_of_columns_are_not_compared():
    frames = g.source()
    build([g.sink(g.op(frames, signature=g.signature(1)))])  # declared as a blob, fed what may be frames
