"""Names and forms of call that are gone say what replaced them, wherever a program meets them."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import scannerpy as sp
import scannertools
from scannerpy import older
from scannerpy.errors import GraphError, RegistrationError, Removed, RemovedModule


@pytest.fixture
def column(cl):
    cl.new_table("in", ["column"], [[b"x"]])
    return cl.io.Input([sp.NamedStream(cl, "in")])


# The package


def test_database_is_client() -> None:
    with pytest.raises(Removed, match=r"scannerpy\.Database is gone: use scannerpy\.Client"):
        sp.Database()
    with pytest.raises(RemovedModule, match=r"use scannerpy\.Client"):
        from scannerpy import Database  # noqa: F401
    assert not hasattr(sp, "Database")


def test_the_generator_of_messages_is_made_already() -> None:
    with pytest.raises(Removed, match=r"use scannerpy\.protobufs"):
        _ = sp.ProtobufGenerator
    with pytest.raises(ImportError, match=r"use scannerpy\.protobufs"):
        from scannerpy import ProtobufGenerator  # noqa: F401
    from scannerpy.protobuf_generator import ProtobufGenerator as Kept

    assert Kept().BoundingBox is sp.protobufs.BoundingBox


@pytest.mark.parametrize("module", ["scannerpy.stdlib", "scannerpy.stdlib.readers", "scannerpy.stdlib.parsers"])
def test_the_standard_library_is_scannertools(module: str) -> None:
    with pytest.raises(RemovedModule, match=r"scannerpy\.stdlib is gone: its ops are cl\.ops.*scannertools"):
        importlib.import_module(module)
    with pytest.raises(ImportError, match="scannertools"):
        from scannerpy.stdlib import NetDescriptor  # noqa: F401


def test_a_name_that_never_was_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="'scannerpy' has no attribute 'Nothing'"):
        _ = sp.Nothing
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        from scannerpy import Nothing  # noqa: F401


def test_what_a_user_reads() -> None:
    """The sentence is the last line of the traceback, as an error of the user's own import."""
    told = subprocess.run([sys.executable, "-c", "from scannerpy import Database, Job"], capture_output=True, text=True)  # noqa: PLW1510
    assert told.returncode == 1
    assert told.stderr.splitlines()[-1] == (
        "scannerpy.errors.RemovedModule: scannerpy.Database is gone: use scannerpy.Client, which takes its place"
    )


# Sources, sinks, jobs


def test_sources_and_sinks_without_streams_are_io(cl, column) -> None:
    with pytest.raises(GraphError, match=r"FrameColumn at .*test_older.*cl\.io\.Input\("):
        cl.sources.FrameColumn()
    with pytest.raises(GraphError, match=r"Column at .*test_older.*cl\.io\.Output\("):
        cl.sinks.Column(columns={"x": column})


RUN = {
    "output": "called outputs",
    "jobs": r"cl\.io\.Input\(\[a, b\]\)",
    "force": r"CacheMode\.Overwrite",
    "work_packet_size": r"PerfParams\.manual",
    "io_packet_size": r"PerfParams\.manual",
    "pipeline_instances_per_node": r"PerfParams\.manual",
}


@pytest.mark.parametrize("keyword", RUN)
def test_a_keyword_of_run_that_is_gone(cl, column, keyword: str) -> None:
    out = sp.NamedStream(cl, "out")
    with pytest.raises(Removed, match=f"{keyword}=: .*{RUN[keyword]}"):
        cl.run(cl.io.Output(column, [out]), **{keyword: 1})
    assert not out.exists()


def test_a_whole_call_of_the_older_form_names_all_that_changed(cl) -> None:
    with pytest.raises(Removed) as told:
        cl.run(output="o", jobs=[sp.Job(op_args={})], force=True)
    assert all(f"{keyword}=" in str(told.value) for keyword in ("output", "jobs", "force"))
    with pytest.raises(TypeError, match="nonsense"):
        cl.run([], nonsense=1)
    assert list(inspect.signature(sp.Client.run).parameters)[:2] == ["self", "outputs"]


# Columns and samplers


@pytest.mark.parametrize(("name", "now"), [("sample", "Range"), ("slice", "Slice"), ("unslice", "Unslice")])
def test_columns_are_sampled_by_streams(column, name: str, now: str) -> None:
    with pytest.raises(Removed, match=rf"OpColumn\.{name} is gone: use cl\.streams.*\b{now}\("):
        getattr(column, name)()
    assert not hasattr(column, name)


SAMPLERS = ["all", "strided", "range", "ranges", "strided_range", "strided_ranges", "gather", "space_null"]


@pytest.mark.parametrize("name", [*SAMPLERS, "space_repeat"])
def test_samplers_are_streams(cl, name: str) -> None:
    with pytest.raises(Removed, match=rf"Sampler\.{name} is gone: use cl\.streams"):
        getattr(cl.sampler, name)(0, 10)
    with pytest.raises(Removed, match=rf"StreamsGenerator\.{name} is gone: use cl\.streams"):
        getattr(cl.streams, name)(0, 10)


KEYWORDS = [("Range", "start"), ("Range", "end"), ("Stride", "stride"), ("StridedRange", "stride"), ("Gather", "rows")]


@pytest.mark.parametrize(("sampler", "keyword"), [*KEYWORDS, ("Repeat", "spacing"), ("Slice", "partitioner")])
def test_samplers_take_a_list_with_one_argument_per_stream(cl, column, sampler: str, keyword: str) -> None:
    with pytest.raises(Removed, match=rf"{sampler}\(\) was called in an older form\. {keyword}=: (a list|see start)"):
        getattr(cl.streams, sampler)(column, **{keyword: 3})


def test_what_the_sentences_say_to_write_works(cl) -> None:
    """Each advice about samplers is run as it stands."""
    cl.new_table("rows", ["column"], [[bytes([n + 1])] for n in range(120)])
    column = cl.io.Input([sp.NamedStream(cl, "rows")])
    advised = {name: older.NAMES["Sampler"][name].rpartition(": ")[2] for name in older.NAMES["Sampler"]}
    made = {name: eval(code, {"cl": cl, "column": column}) for name, code in advised.items()}  # noqa: S307 — our words
    lengths = {}
    for name, chosen in made.items():
        cl.run(cl.io.Output(chosen, [sp.NamedStream(cl, name)]), show_progress=False)
        lengths[name] = len(sp.NamedStream(cl, name))
    assert lengths == {
        "all": 120, "strided": 15, "range": 100, "ranges": 20, "strided_range": 13, "strided_ranges": 10, "gather": 3,
        "space_null": 960, "space_repeat": 960,
    }  # fmt: skip


# Profiles, collections, kernels


def test_a_profiler_is_a_profile(cl, column) -> None:
    with pytest.raises(Removed, match=r"Client\.profiler is gone: use get_profile\(job\)"):
        cl.profiler(0)
    job = cl.run(cl.io.Output(column, [sp.NamedStream(cl, "out")]), show_progress=False)
    assert cl.table("out").profiler().statistics() == cl.get_profile(job).statistics()


@pytest.mark.parametrize("name", ["collection", "new_collection", "delete_collection", "ingest_video_collection"])
def test_collections_are_lists(cl, name: str) -> None:
    with pytest.raises(Removed, match="collections are gone: keep the streams in a list"):
        getattr(cl, name)


def test_a_client_has_no_other_attributes(cl) -> None:
    with pytest.raises(AttributeError, match="'Client' has no attribute 'nothing'"):
        _ = cl.nothing


def test_a_kernel_over_untyped_columns_names_its_inputs() -> None:
    with pytest.raises(RegistrationError, match=r"execute\(self, columns\) is an older form: name and annotate"):

        @sp.register_python_op()
        class Old(sp.Kernel):
            def execute(self, columns): ...


# scannertools


def test_videos_are_streams() -> None:
    with pytest.raises(Removed, match=r"scannertools\.Video is gone: use scannerpy\.NamedVideoStream"):
        scannertools.Video("a.mp4")
    with pytest.raises(RemovedModule, match="NamedVideoStream"):
        from scannertools import Video  # noqa: F401


@pytest.mark.parametrize("name", ["detect_faces", "detect_shots"])
def test_functions_over_videos_are_ops(name: str) -> None:
    with pytest.raises(Removed, match=r"use the ops, as in cl\.ops\.Histogram"):
        getattr(scannertools, name)
