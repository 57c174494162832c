"""The Client beyond runs: tables, ingest, explanations, profiles, detached runs, and what is not supported."""

from __future__ import annotations

import json
import shutil
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

import scannerpy as sp
from scannerpy._client.cluster import check_local, host
from scannerpy._client.database import BlobTable
from scannerpy.errors import (
    ConfigError,
    GraphError,
    IngestError,
    NotCommitted,
    NotSupported,
    ScannerException,
    StreamExists,
)

PARAMS = sp.PerfParams.manual(5, 10)


def passed(cl, clip, name="out"):
    """A run that stores a clip's histograms as `name`; its sink."""
    frame = cl.io.Input([sp.NamedVideoStream(cl, "clip", path=clip(30))])
    return cl.io.Output(cl.ops.Histogram(frame=frame), [sp.NamedStream(cl, name)])


# Tables


def test_an_empty_database_says_so(cl) -> None:
    assert cl.summarize() == "The database has no tables."


def test_summarize_lists_tables_in_order_of_creation(cl) -> None:
    cl.new_table("b", ["column"], [[b"x"]])
    cl.new_table("a", ["one", "two"], [[b"x", b"y"], [b"", b"z"]])
    lines = [[cell.strip() for cell in line.split("|")] for line in cl.summarize().splitlines()]
    assert lines[2:] == [["0", "b", "1", "column", "true"], ["1", "a", "2", "one, two", "true"]]


def test_tables_are_named_by_their_values_and_by_where_one_ends() -> None:
    """Two names for one content would store it twice; one name for two contents would lose one of them."""

    def named(*rows, columns=("c",)):
        return BlobTable("any", columns, rows).digest()

    assert named((b"ab",), (b"c",)) == named((b"ab",), (b"c",))
    others = [named((b"a",), (b"bc",)), named((b"abc",)), named((b"",), (b"abc",)), named((None,), (b"abc",))]
    others += [named((b"ab", b"c"), columns=("c", "d")), named((b"ab",), (b"c",), columns=("d",))]
    assert len({named((b"ab",), (b"c",)), *others}) == 7


def test_an_unknown_table_is_a_handle_that_does_not_exist(cl) -> None:
    table = cl.table("nobody")
    assert (table.exists(), table.committed(), cl.has_table("nobody")) == (False, False, False)
    assert not cl.table(17).exists()
    with pytest.raises(NotCommitted, match=r"'nobody' does not exist.*summarize"):
        table.num_rows()
    with pytest.raises(ScannerException, match="by its name or its number"):
        cl.table(1.5)


def test_tables_are_found_by_number(cl) -> None:
    made = cl.new_table("t", ["column"], [[b"x"]])
    assert cl.table(made.id()).name() == "t"


def test_deleting_what_is_not_there_is_fine_and_numbers_are_never_used_again(cl) -> None:
    cl.new_table("t", ["column"], [[b"x"]])
    cl.delete_tables(["t", "nobody"])
    cl.delete_table("t")
    assert cl.new_table("t", ["column"], [[b"x"]]).id() == 1


def test_deleting_a_table_removes_its_bytes(cl) -> None:
    cl.new_table("t", ["column"], [[b"secret"]])
    cl.delete_table("t")
    stored = [p for p in Path(cl._db_path).rglob("*") if p.is_file() and b"secret" in p.read_bytes()]
    assert stored == []


def test_new_table_refuses_a_taken_name_unless_forced(cl) -> None:
    cl.new_table("t", ["column"], [[b"old"]])
    with pytest.raises(StreamExists, match=r"'t' exists already.*force=True"):
        cl.new_table("t", ["column"], [[b"new"]])
    cl.new_table("t", ["column"], [[b"new"]], force=True)
    assert list(sp.NamedStream(cl, "t").load()) == [b"new"]


def test_new_table_serializes_with_one_function_per_column(cl) -> None:
    rows = [[1, "a"], [2, "b"]]
    cl.new_table("t", ["n", "s"], rows, fns=[lambda v, _: struct.pack("=q", v), lambda v, _: v.encode()])
    assert list(cl.table("t").load(["s", "n"])) == [(b"a", struct.pack("=q", 1)), (b"b", struct.pack("=q", 2))]
    assert list(cl.table("t").load(["s"], fn=lambda row, client: (row[0], client is cl), rows=[1])) == [(b"b", True)]


@pytest.mark.parametrize(
    ("columns", "rows", "fns", "says"),
    [
        ([], [], None, "distinct names"),
        (["a", "a"], [], None, "distinct names"),
        (["a"], [[b"x", b"y"]], None, "row 0 has 2 values"),
        (["a"], [[b"x"], [3]], None, r"row 1 holds int.*serialize it"),
        (["a", "b"], [], [str], "1 serializers for 2 columns"),
    ],
)
def test_new_table_says_what_is_wrong(cl, columns, rows, fns, says) -> None:
    with pytest.raises(ScannerException, match=says):
        cl.new_table("t", columns, rows, fns=fns)
    assert not cl.has_table("t")


def test_rows_that_do_not_exist_are_named(cl) -> None:
    cl.new_table("t", ["column"], [[b"x"]])
    with pytest.raises(ScannerException, match="row 1 does not exist; the rows are 0 to 0"):
        list(sp.NamedStream(cl, "t").load(rows=[0, 1]))
    with pytest.raises(ScannerException, match="no column 'nope'; it has column"):
        cl.table("t").column("nope")


# Ingest


def test_an_unchanged_file_is_the_same_table_and_a_changed_one_is_not(cl, clip, tmp_path) -> None:
    path = tmp_path / "v.mp4"
    shutil.copy(clip(12), path)
    stream = sp.NamedVideoStream(cl, "v", path=str(path))
    assert (len(stream), cl.table("v").id()) == (12, 0)
    assert len(sp.NamedVideoStream(cl, "v", path=str(path))) == 12
    assert cl.table("v").id() == 0
    shutil.copy(clip(18), path)
    assert len(sp.NamedVideoStream(cl, "v", path=str(path))) == 18
    assert cl.table("v").id() == 1


def test_one_video_may_be_the_input_of_several_jobs(cl, clip) -> None:
    """Also by handles of their own; but a name is one file."""
    streams = [sp.NamedVideoStream(cl, "v", path=clip(12)) for _ in range(2)]
    outputs = [sp.NamedStream(cl, name) for name in ("one", "two")]
    some = cl.streams.Range(cl.io.Input(streams), [(0, 3), (5, 12)])
    cl.run(cl.io.Output(cl.ops.Histogram(frame=some), outputs), PARAMS, show_progress=False)
    assert [out.len() for out in outputs] == [3, 7]
    twins = [sp.NamedVideoStream(cl, "w", path=clip(frames)) for frames in (12, 18)]
    with pytest.raises(StreamExists, match=r"two streams are named 'w'.*a name of its own"):
        cl.run(cl.io.Output(cl.io.Input(twins), [sp.NamedStream(cl, name) for name in ("3", "4")]), PARAMS)


def test_an_ingested_table_has_row_numbers_beside_its_frames(cl, clip) -> None:
    ((table,), failures) = cl.ingest_videos([("v", clip(12))])
    assert (failures, table.column_names(), table.num_rows()) == ([], ["index", "frame"], 12)
    assert list(table.column("index").load(rows=[0, 11])) == [struct.pack("=Q", 0), struct.pack("=Q", 11)]
    assert table.column("frame").keyframes() == [0]


def test_the_row_numbers_can_be_an_input(cl, clip) -> None:
    cl.ingest_videos([("v", clip(12))])
    index = cl.sources.Column(table_name=["v"], column_name=["index"])
    out = sp.NamedStream(cl, "out")
    cl.run(cl.io.Output(cl.streams.Gather(index, [[3, 1]]), [out]), PARAMS, show_progress=False)
    assert list(out.load()) == [struct.pack("=Q", 3), struct.pack("=Q", 1)]


def test_broken_files_are_set_aside_with_the_reason(cl, clip, tmp_path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    tables, failures = cl.ingest_videos([("a", clip(12)), ("b", str(text)), ("c", str(tmp_path / "gone.mp4"))])
    assert [table.name() for table in tables] == ["a"]
    assert [path for path, _ in failures] == [str(text), str(tmp_path / "gone.mp4")]
    assert "does not exist" in failures[1][1]


def test_when_all_files_fail_that_is_an_error(cl, tmp_path) -> None:
    with pytest.raises(IngestError, match="the only video failed"):
        cl.ingest_videos([("a", str(tmp_path / "gone.mp4"))])


def test_ingest_refuses_nothing_duplicates_and_taken_names(cl, clip) -> None:
    with pytest.raises(IngestError, match="no videos"):
        cl.ingest_videos([])
    with pytest.raises(StreamExists, match="two videos are to become table 'v'"):
        cl.ingest_videos([("v", clip(12)), ("v", clip(12))])
    cl.ingest_videos([("v", clip(12))])
    with pytest.raises(StreamExists, match="'v' exists already; pass force=True"):
        cl.ingest_videos([("v", clip(18))])
    cl.ingest_videos([("v", clip(18))], force=True)
    assert cl.table("v").num_rows() == 18


def test_video_descriptors_tell_what_is_stored(cl, clip) -> None:
    cl.ingest_videos([("v", clip(12))], inplace=True)
    (descriptor,) = cl.bulk_fetch_video_metadata([cl.table("v")])
    assert (descriptor.frames, descriptor.width, descriptor.height, descriptor.inplace) == (12, 64, 48, True)
    assert (descriptor.data_path, descriptor.codec_type, descriptor.chroma_format) == (clip(12), 0, 0)
    assert sum(descriptor.sample_sizes) == sum(descriptor.size_per_video) < Path(clip(12)).stat().st_size
    out = sp.NamedVideoStream(cl, "made")
    cl.run(cl.io.Output(cl.io.Input([sp.NamedVideoStream(cl, "v")]), [out]), PARAMS, show_progress=False)
    (made,) = cl.bulk_fetch_video_metadata([cl.table("made")])
    assert (made.num_encoded_videos, list(made.frames_per_video), list(made.keyframe_indices)) == (2, [10, 2], [0, 10])
    assert len(made.sample_offsets) == len(made.sample_sizes) == 12
    cl.run(cl.io.Output(cl.io.Input([out]).lossless(), [sp.NamedVideoStream(cl, "raw")]), PARAMS, show_progress=False)
    cl.new_table("t", ["column"], [[b"x"]])
    for name in ("t", "raw"):
        with pytest.raises(ScannerException, match="not stored as video"):
            cl.bulk_fetch_video_metadata([cl.table(name)])


@pytest.mark.parametrize("mode", [sp.CacheMode.Overwrite, sp.CacheMode.Error])
def test_no_run_replaces_an_ingested_video(cl, clip, mode) -> None:
    """Its file may be gone, and what is slipped in for it is most often a mistake: the input given as the output."""
    film = sp.NamedVideoStream(cl, "clip", path=clip(30))
    output = cl.io.Output(cl.ops.Blur(frame=cl.io.Input([film]), kernel_size=3), [film])
    with pytest.raises(StreamExists, match="clip"):
        cl.run(output, PARAMS, cache_mode=mode, show_progress=False)
    assert len(film) == 30
    assert cl.run(output, PARAMS, cache_mode=sp.CacheMode.Ignore, show_progress=False) is None, "it is there"


# Plans, profiles, detached runs


def test_explain_says_what_will_be_decoded_and_runs_nothing(cl, clip) -> None:
    frame = cl.streams.Range(cl.io.Input([sp.NamedVideoStream(cl, "clip", path=clip(36))]), [(12, 14)])
    out = sp.NamedStream(cl, "out")
    explanation = cl.explain(cl.io.Output(cl.ops.Histogram(frame=frame), [out]), PARAMS)
    (job,) = explanation.jobs
    assert (job.rows, job.reads[0].stored, job.reads[0].rows) == (2, 36, 2)
    assert job.reads[0].decode.gops == 1
    assert job.reads[0].decode.frames < 12
    assert not out.exists()


def test_a_stream_is_one_task_where_an_op_needs_all_rows_before(cl, clip) -> None:
    """Cut, each task would begin at row 0 again: a tracker over a film of two hours would never come to its end."""
    frame = cl.io.Input([sp.NamedVideoStream(cl, "clip", path=clip(60))])
    grid = cl.ops.Montage(frame=frame, num_frames=60, target_width=16, frames_per_row=8)
    sink = cl.io.Output(grid, [sp.NamedVideoStream(cl, "grid")])
    whole, cut = cl.explain(sink), cl.explain(sink, PARAMS)
    assert (whole.tasks, whole.ops[0].rows, whole.decode.frames) == (1, 60, 60)
    assert (cut.tasks, cut.ops[0].rows) == (6, 10 + 20 + 30 + 40 + 50 + 60), "sizes that are given are kept"
    assert cl.run(sink, show_progress=False) is not None
    assert len(sp.NamedVideoStream(cl, "grid")) == 60


def test_a_profile_is_kept_with_every_run(cl, clip, tmp_path) -> None:
    job = cl.run(passed(cl, clip), PARAMS, show_progress=False)
    profile = cl.get_profile(job)
    assert float(profile.statistics()["eval"]["Histogram"]) > 0
    start, end = profile.total_time_interval()
    assert start < end
    path = profile.write_trace(str(tmp_path / "a.b" / ".." / "run.trace")) if (tmp_path / "a.b").mkdir() is None else ""
    events = json.loads(Path(path).read_text())
    assert {"ph", "pid", "name"} <= set(events[0])
    archive = cl.get_profile("out").write_trace(str(tmp_path / "run.tar.gz"))
    with tarfile.open(archive) as tar:
        assert tar.getnames() == ["run.trace"]
    with pytest.raises(ScannerException, match=r"trace or \.tar\.gz"):
        profile.write_trace(str(tmp_path / "run.json"))


def test_a_profile_that_is_not_there_is_said_to_be_missing(cl) -> None:
    with pytest.raises(ScannerException, match="no profile of job 7"):
        cl.get_profile(7)
    with pytest.raises(NotCommitted, match="'nobody'"):
        cl.get_profile("nobody")


def test_a_detached_run_is_waited_for(cl, clip) -> None:
    sink = passed(cl, clip)
    job = cl.run(sink, PARAMS, detach=True)
    status = cl.wait_on_job(job, show_progress=False)
    assert (status.finished, status.result.success, status.tasks_done, status.total_tasks) == (True, True, 3, 3)
    assert cl.get_active_jobs() == []
    assert sp.NamedStream(cl, "out").committed()


def test_a_status_is_that_of_a_run_there_was(cl) -> None:
    with pytest.raises(ScannerException, match="there is no job 3"):
        cl.job_status(3)
    with pytest.raises(ScannerException, match="job 3 was not run by this client"):
        cl.wait_on_job(3)


def test_a_video_column_of_changing_sizes_fails_its_job_wherever_it_is_cut(cl, clip) -> None:
    frame = cl.io.Input([sp.NamedVideoStream(cl, "clip", path=clip(30))])
    grown = cl.ops.Growing(frame=frame)
    for params in (sp.PerfParams.manual(30, 30), sp.PerfParams.manual(15, 15)):
        out = sp.NamedVideoStream(cl, "out")
        job = cl.run(cl.io.Output(grown, [out]), params, show_progress=False)
        assert not out.committed()
        assert "lossless()" in cl.job_status(job).failures[0].reason
    lossless = sp.NamedVideoStream(cl, "raw")
    cl.run(cl.io.Output(grown.lossless(), [lossless]), PARAMS, show_progress=False)
    assert [frame.shape[0] for frame in lossless.load(rows=[0, 29])] == [48, 24]


@sp.register_python_op()
class Growing(sp.Kernel):
    """Halves frames from the one whose number is 15 on."""

    def execute(self, frame: sp.FrameType) -> sp.FrameType:
        from tests.clips import number_of

        return frame if number_of(frame) < 15 else frame[::2]


# Arguments


@pytest.mark.parametrize(("value", "says"), [(3, "perf_params is 3"), (lambda **_: 3, "returned 3")])
def test_perf_params_of_another_kind_are_refused(cl, clip, value, says) -> None:
    with pytest.raises(ConfigError, match=says):
        cl.run(passed(cl, clip), value)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        (sp.PerfParams("a", 4), "work_packet_size is 'a': give a whole number"),
        (sp.PerfParams.manual(2, 4.0), "io_packet_size is 4.0"),
        (sp.PerfParams.manual(2, 4, pipeline_instances_per_node=True), "pipeline_instances_per_node is True"),
        (sp.PerfParams.manual(2, 4, cpu_pool="4X"), "'4X' is not a pool size"),
        (sp.PerfParams.manual(2, 4, gpu_pool="p1G"), "'p1G' is not a pool size"),
    ],
)
def test_wrong_numbers_are_refused_before_an_output_is_touched(cl, clip, params, says) -> None:
    with pytest.raises(ConfigError, match=says):
        cl.run(passed(cl, clip), params)
    assert not cl.has_table("out")


def test_what_is_run_is_what_output_returned(cl, clip) -> None:
    sink = passed(cl, clip)
    for outputs in (sp.NamedStream(cl, "out"), [sink, "out"], {sink: 1}, None):
        with pytest.raises(GraphError, match=r"outputs must be what cl\.io\.Output returned"):
            cl.run(outputs)


def test_a_cache_mode_of_another_kind_is_refused(cl, clip) -> None:
    with pytest.raises(ConfigError, match=r"CacheMode\.Overwrite"):
        cl.run(passed(cl, clip), PARAMS, cache_mode="overwrite")


@pytest.mark.parametrize("address", ["localhost", "localhost:", ":5001", "localhost:http"])
def test_an_address_is_host_and_port(address) -> None:
    with pytest.raises(ConfigError, match="host:port"):
        check_local(address, None, start_cluster=True)


def test_hosts_are_read_from_addresses() -> None:
    assert [host(a) for a in ("localhost:1", "[::1]:5001", "example.org:80")] == ["localhost", "::1", "example.org"]


def test_other_machines_are_not_supported_yet_and_that_is_said() -> None:
    for call in (
        lambda: sp.Client(master="example.org:5001"),
        lambda: sp.Client(workers=["localhost:5002", "node7:5002"]),
        lambda: sp.Client(start_cluster=False),
        sp.start_master,
        lambda: sp.start_worker("localhost:5001"),
    ):
        with pytest.raises(NotSupported, match="not supported yet"):
            call()


def test_native_libraries_are_not_supported_yet_and_that_is_said(cl) -> None:
    with pytest.raises(NotSupported, match="register_python_op"):
        cl.load_op("libops.so")


# Streams as sequences


def test_a_stream_is_indexed_sliced_and_iterated_like_a_list(cl, clip) -> None:
    film = sp.NamedVideoStream(cl, "clip", path=clip(30))
    frames = list(film.load())
    for row in (0, 12, 29, -1, -30, np.int64(7)):
        assert np.array_equal(film[row], frames[row])
    for rows in (slice(3, 9, 2), slice(None, None, -7), slice(28, 99), slice(5, 5)):
        assert len(film[rows]) == len(frames[rows])
        assert all(map(np.array_equal, film[rows], frames[rows]))
    assert all(map(np.array_equal, film, frames))
    assert sum(1 for _ in film) == 30


@pytest.mark.parametrize("row", [30, -31])
def test_a_row_that_is_not_there_is_an_index_error(cl, clip, row) -> None:
    film = sp.NamedVideoStream(cl, "clip", path=clip(30))
    with pytest.raises(IndexError, match=rf"no row {row}: stream 'clip' has 30, counted from 0"):
        film[row]
    with pytest.raises(TypeError):
        film["3"]


def test_an_element_of_a_stream_that_is_not_stored_is_refused(cl) -> None:
    with pytest.raises(NotCommitted, match="does not exist"):
        sp.NamedStream(cl, "nothing")[0]
