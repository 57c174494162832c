"""Calling ops: where each keyword goes, and what is said about calls that are wrong."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from scannerpy._graph.node import OpNode, Output, PerGroup
from scannerpy.common import DeviceType
from scannerpy.errors import GraphError, ScannerException, UnknownOp
from scannerpy.kernel import Kernel
from scannerpy.op import Op, OpColumn, OpGenerator, SliceList, collect_per_stream_args, register_python_op, user_line
from scannerpy.protobufs import protobufs
from scannerpy.types import FrameType


@pytest.fixture(autouse=True)
def _some_ops():
    @register_python_op()
    def Two(config, frame: FrameType, mask: bytes) -> tuple[bytes, FrameType]: ...

    @register_python_op()
    class Tuned(Kernel):
        def __init__(self, config, threshold, size=3): ...

        def execute(self, frame: FrameType) -> bytes: ...

    @register_python_op()
    class Streamed(Kernel):
        def new_stream(self, width, height=0): ...

        def execute(self, frame: FrameType) -> FrameType: ...

    @register_python_op()
    class Relaxed(Kernel):
        def new_stream(self, width=0): ...

        def execute(self, frame: FrameType) -> FrameType: ...

    @register_python_op(stencil=[-1, 0], batch=8, bounded_state=5)
    def Windowed(config, frame: Sequence[Sequence[FrameType]]) -> Sequence[bytes]: ...

    @register_python_op()
    def Many(config, *frames: FrameType) -> bytes: ...

    @register_python_op(device_type=DeviceType.GPU)
    def OnGpu(config, frame: FrameType) -> bytes: ...

    @register_python_op()
    def Plain(config, frame: FrameType) -> bytes: ...


def node(column: Any) -> OpNode:
    made = column.output.node
    assert isinstance(made, OpNode)
    return made


def wrong(call, *words):
    """The call must fail with a GraphError that holds all words and this file's name."""
    with pytest.raises(GraphError) as told:
        call()
    assert isinstance(told.value, ScannerException)
    for word in (*words, __file__):
        assert word in str(told.value)


# Inputs


def test_inputs_go_by_keyword_or_in_order(ops, frame, blob):
    for columns in (ops.Two(frame=frame, mask=blob), ops.Two(frame, blob), ops.Two(frame, mask=blob)):
        assert node(columns[0]).inputs == (frame.output, blob.output)


def test_several_outputs_are_a_tuple_of_columns_of_one_node(ops, frame, blob):
    first, second = ops.Two(frame=frame, mask=blob)
    assert [column.output.column for column in (first, second)] == ["ret0", "ret1"]
    assert [column.output.is_video for column in (first, second)] == [False, True]
    assert first.output.node is second.output.node


def test_one_output_is_one_column(ops, frame):
    assert isinstance(ops.Plain(frame=frame), OpColumn)


def test_two_equal_calls_are_two_nodes(ops, frame):
    assert ops.Plain(frame=frame).output.node is not ops.Plain(frame=frame).output.node


def test_the_line_of_the_program_is_remembered(ops, frame):
    column = ops.Plain(frame=frame)
    here = user_line()
    where = node(column).where
    assert where.file == here.file == __file__
    assert where.line == here.line - 1
    assert repr(column) == f"<column 'ret0' of Plain ({where})>"


def test_a_missing_input_is_told(ops, frame):
    wrong(lambda: ops.Two(frame=frame), "Two (", "missing input 'mask'", "frame, mask")
    wrong(lambda: ops.Two(frame=frame, mask=None), "missing input 'mask'")
    wrong(ops.Plain, "missing input 'frame'")


def test_too_many_inputs_are_told(ops, frame, blob):
    wrong(lambda: ops.Plain(frame, blob), "2 positional inputs", "frame")
    wrong(lambda: ops.Plain(frame, frame=frame), "input 'frame' twice")


def test_an_input_is_a_column(ops, frame, blob):
    both = ops.Two(frame=frame, mask=blob)
    wrong(lambda: ops.Plain(frame=both), "gives a tuple of columns: pass one of them")
    wrong(lambda: ops.Plain(frame="clip"), "'clip' as input frame", "io.Input")


def test_a_variadic_op_takes_its_inputs_by_position(ops, frame):
    assert len(node(ops.Many(frame, frame, frame)).inputs) == 3
    wrong(ops.Many, "no inputs", "positionally")
    wrong(lambda: ops.Many(frame, other=frame), "no input 'other'", "given a column")


# Init arguments


def test_other_keywords_are_init_arguments(ops, frame):
    assert node(ops.Tuned(frame=frame, threshold=1)).args == {"threshold": 1}
    assert node(ops.Plain(frame=frame, anything={"at": "all"})).args == {"anything": {"at": "all"}}


def test_args_may_be_given_as_a_dict(ops, frame):
    assert node(ops.Tuned(frame=frame, args={"threshold": 1}, size=2)).args == {"threshold": 1, "size": 2}
    wrong(lambda: ops.Tuned(frame=frame, args=b"message"), "give a dict")


def test_args_may_be_given_as_a_message(ops, frame):
    """Of a protobuf message, the fields that are set are init arguments."""
    encoder = protobufs.ImageEncoderArgs
    assert node(ops.ImageEncoder(frame=frame, args=encoder(format="jpg"))).args == {"format": "jpg"}
    assert node(ops.ImageEncoder(frame=frame, args=encoder())).args == {}
    wrong(lambda: ops.Tuned(frame=frame, args=protobufs.Point(x=1)), "'x'")


def test_unknown_and_missing_init_arguments_are_told(ops, frame):
    wrong(lambda: ops.Tuned(frame=frame, threshold=1, colour=2), "no input or argument 'colour'", "threshold, size")
    wrong(lambda: ops.Tuned(frame=frame), "missing argument 'threshold'")


# Per-stream arguments


def test_per_stream_arguments_are_lists(ops, frame):
    column = ops.Streamed(frame=frame, width=[1, 2], height=[3, 4])
    assert node(column).per_job == ({"width": 1, "height": 3}, {"width": 2, "height": 4})
    assert node(ops.Streamed(frame=frame, width=[1], height=None)).per_job == ({"width": 1},)


def test_a_slice_list_gives_one_value_per_group(ops, frame):
    column = ops.Streamed(frame=frame, width=[SliceList([1, 2])], height=[5])
    assert node(column).per_job == (PerGroup([{"width": 1, "height": 5}, {"width": 2, "height": 5}]),)
    assert isinstance(node(column).per_job[0], PerGroup)


def test_an_op_whose_per_stream_arguments_have_defaults_needs_none(ops, frame):
    assert node(ops.Relaxed(frame=frame)).per_job == ()


def test_wrong_per_stream_arguments_are_told(ops, frame):
    wrong(lambda: ops.Streamed(frame=frame), "missing per-stream argument 'width'", "a list")
    wrong(lambda: ops.Streamed(frame=frame, width=3), "width=3", "width=[…]")
    wrong(lambda: ops.Streamed(frame=frame, width="ab"), "width=[…]")
    wrong(lambda: ops.Streamed(frame=frame, width=SliceList([1])), "width=[…]")
    wrong(lambda: ops.Streamed(frame=frame, width=[1], height=[1, 2]), "width has 1, height has 2")
    wrong(lambda: ops.Streamed(frame=frame, width=[]), "width has 0")
    wrong(lambda: ops.Streamed(frame=frame, width=[SliceList([1]), 2]), "SliceList for every stream, or for none")
    two, three = SliceList([1, 2]), SliceList([1, 2, 3])
    wrong(lambda: ops.Streamed(frame=frame, width=[two], height=[three]), "for stream 0, width has 2, height has 3")


# Settings


def test_settings_default_to_the_ops_own(ops, frame):
    made = node(ops.Windowed(frame=frame))
    assert (made.stencil, made.batch, made.warmup, made.unbounded) == ((-1, 0), 8, 5, False)
    assert made.device is DeviceType.CPU


def test_settings_can_be_chosen(ops, frame):
    made = node(
        ops.Windowed(frame=frame, stencil=[0, 1, 2], batch=3, bounded_state=0, extra="x", device=DeviceType.CPU)
    )
    assert (made.stencil, made.batch, made.warmup) == ((0, 1, 2), 3, 0)


def test_a_stencil_of_zero_is_always_allowed(ops, frame):
    assert node(ops.Plain(frame=frame, stencil=[0])).stencil == (0,)
    wrong(lambda: ops.Plain(frame=frame, stencil=[0, 1]), "stencil=[0, 1] but cannot stencil")


def test_warm_up_means_nothing_to_an_op_without_bounded_state(ops, frame):
    assert node(ops.Plain(frame=frame, bounded_state=3)).warmup is None


def test_wrong_settings_are_told(ops, frame):
    wrong(lambda: ops.Plain(frame=frame, batch=2), "batch=2 but cannot batch")
    wrong(lambda: ops.Windowed(frame=frame, batch=0), "batch=0")
    wrong(lambda: ops.Windowed(frame=frame, batch="4"), "batch='4'")
    wrong(lambda: ops.Windowed(frame=frame, bounded_state=-2), "bounded_state=-2")
    wrong(lambda: ops.Windowed(frame=frame, stencil=3), "stencil=3")
    wrong(lambda: ops.Windowed(frame=frame, stencil=[0.5]), "[0.5]")
    wrong(lambda: ops.Plain(frame=frame, device=DeviceType.GPU), "no kernel for GPU: it has one for CPU")
    wrong(lambda: ops.Plain(frame=frame, device="gpu"), "DeviceType.CPU or DeviceType.GPU")
    wrong(lambda: ops.OnGpu(frame=frame), "no kernel for CPU: it has one for GPU")


def test_an_input_may_be_named_like_a_setting(ops, frame):
    @register_python_op()
    def Odd(config, batch: FrameType) -> bytes: ...

    assert node(ops.Odd(batch=frame)).inputs == (frame.output,)


# Finding ops


def test_an_unknown_op_is_told_at_access(ops):
    with pytest.raises(UnknownOp, match=r"'Plane'.*did you mean Plain"):
        _ = ops.Plane
    assert not hasattr(ops, "Nothing")


def test_what_python_itself_asks_for_is_no_op(ops, sc):
    assert not hasattr(ops, "_repr_html_")
    assert copy.copy(ops)._sc is sc
    assert "Plain" in dir(ops)


def test_an_op_can_be_made_by_its_documented_constructor(sc, frame):
    op = Op(sc, "Windowed", [frame], DeviceType.CPU, batch=2, warmup=1, stencil=[0, 1], args={"a": 1}, extra="x")
    assert isinstance(op.node, OpNode)
    assert (op.node.batch, op.node.warmup, op.node.stencil, op.node.args) == (2, 1, (0, 1), {"a": 1})
    assert (op.name, op.device, op.extra) == ("Windowed", DeviceType.CPU, "x")
    assert op.outputs().output.node is op.node
    made = Op(sc, "Streamed", [frame], DeviceType.CPU, stream_args=[{"width": 1}, [{"width": 2}]]).node
    assert made.per_job == ({"width": 1}, PerGroup([{"width": 2}]))
    wrong(lambda: Op(sc, "Two", [frame], DeviceType.CPU), "has 2 inputs and was given 1")
    with pytest.raises(UnknownOp):
        Op(sc, "Nothing", [frame], DeviceType.CPU)


def test_an_op_around_any_node(sc, frame):
    op = Op.of_node(sc, frame.output.node)
    assert (op.name, op.device) == ("Column", DeviceType.CPU)
    assert repr(op) == "<Op Column>"


# Compression


def options(column: OpColumn) -> tuple[str, dict[str, int]]:
    return column.output.compression.codec, dict(column.output.compression.options)


def test_annotations_return_a_new_column(frame):
    frame._streams = ["a stream"]
    better = frame.compress_video(quality=18, keyframe_distance=30)
    assert options(better) == ("video", {"quality": 18, "keyframe_distance": 30})
    assert options(frame) == ("default", {})
    assert better.output.node is frame.output.node
    assert better._streams == frame._streams


def test_every_way_to_say_it(frame):
    assert options(frame.compress()) == ("video", {})
    assert options(frame.compress("video", bitrate=9000)) == ("video", {"bitrate": 9000})
    assert options(frame.compress("raw")) == options(frame.lossless()) == ("raw", {})
    assert options(frame.lossless().compress("default")) == options(frame.compress_default()) == ("default", {})


def test_only_frames_are_compressed(blob):
    for method in (blob.compress, blob.compress_video, blob.compress_default, blob.lossless):
        with pytest.raises(GraphError, match="'column' of Column holds no frames"):
            method()


def test_unknown_codecs_and_options_are_told(frame):
    with pytest.raises(GraphError, match=r"compress\('vp9'\)"):
        frame.compress("vp9")
    with pytest.raises(GraphError, match="only 'video' takes quality"):
        frame.compress("raw", quality=3)
    with pytest.raises(GraphError, match="quality='high'"):
        frame.compress_video(quality="high")
    with pytest.raises(GraphError, match="bitrate=-5"):
        frame.compress_video(bitrate=-5)
    for refused in ({"quality": 99}, {"bitrate": 5}, {"keyframe_distance": 0}, {"quality": 20, "bitrate": 90_000}):
        with pytest.raises(GraphError, match=r"compress_video was given .*:"):  # not an hour later, by the encoder
            frame.compress_video(**refused)


# For sources and sinks


def test_per_stream_arguments_of_a_source_are_collected():
    arguments = {"paths": [["a"], ["b"]], "bucket": "c", "region": None, "width": 3}
    streams = collect_per_stream_args("Files", ["paths", "bucket", "region"], arguments)
    assert streams == [{"paths": ["a"], "bucket": "c"}, {"paths": ["b"], "bucket": "c"}]
    assert arguments == {"width": 3}


def test_the_names_may_come_from_a_message():
    assert collect_per_stream_args("X", "Point", {"x": [1, 2], "y": 3}) == [{"x": 1, "y": 3}, {"x": 2, "y": 3}]


def test_no_list_says_no_number_of_streams():
    with pytest.raises(GraphError, match=r"no per-stream argument.*paths"):
        collect_per_stream_args("Files", ["paths"], {"paths": "a", "x": [1]})
    with pytest.raises(GraphError, match="a has 1, b has 2"):
        collect_per_stream_args("Files", ["a", "b"], {"a": [1], "b": [1, 2]})


def test_a_generator_names_itself(ops: OpGenerator):
    assert ops.Plain.__name__ == "Plain"


def test_a_column_knows_its_output(frame):
    assert isinstance(frame.output, Output)


def test_help_says_how_an_op_is_called_and_what_its_author_says(ops):
    @register_python_op()
    class Counted(Kernel):
        """Counts what is red."""

        def __init__(self, config, model, threshold=3): ...

        def new_stream(self, limit): ...

        def execute(self, frame: FrameType) -> bytes: ...

    assert ops.Counted.__doc__ == "Counted(frame, model, threshold=…, limit=[…])\n\nCounts what is red."
    assert ops.Two.__doc__ == "Two(frame, mask)", "nothing is said of it, and nothing of its base class"
    assert ops.Resize.__doc__.startswith("Resize(frame, width=[…], height=[…]")
    assert "Counted" in repr(ops)


def test_a_cell_of_a_notebook_is_called_what_the_notebook_calls_it(monkeypatch):
    """With a fake shell, which knows the file of its third cell only."""
    cells = {"/tmp/ipykernel_7/1095606713.py": ("Cell", "In[3]")}  # noqa: S108  # no file is there
    shell = SimpleNamespace(compile=SimpleNamespace(format_code_name=cells.get))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    found = {}
    for file in (*cells, "film.py"):
        exec(compile("\nline = user_line()", file, "exec"), {"__name__": "__main__", "user_line": user_line}, found)  # noqa: S102  # a cell is code that is executed
        found[file] = str(found["line"])
    assert found["/tmp/ipykernel_7/1095606713.py"] == "Cell In[3]:2"  # noqa: S108  # as IPython names it; nothing is there
    assert found["film.py"] == "film.py:2"
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert user_line().file == __file__, "IPython imported, but no notebook"
