"""What a run will cost, said before it runs."""

from __future__ import annotations

import pickle

from scannerpy._graph.build import build
from scannerpy._plan.decode import DecodeCost
from scannerpy._plan.explain import explain
from scannerpy._plan.plan import make_plan
from tests.scannerpy.plan import programs as g


def gops_of_ten(job, source, rows):
    """A video whose every tenth row is a keyframe, 100 bytes a frame: decoded from there to the last row wanted."""
    frames = sum(int(rows[rows // 10 == gop].max()) % 10 + 1 for gop in set((rows // 10).tolist()))
    return DecodeCost(frames, frames, 100 * frames, len(set((rows // 10).tolist())))


def plan(io=20):
    read = g.source(jobs=2, where=g.at(3))
    picked = g.sample("Stride", read, {"stride": 2}, {"stride": 5}, where=g.at(4))
    graph, jobs = build([g.sink(g.op(picked, name="Track", warmup=3, where=g.at(5)), jobs=2, where=g.at(6))])
    return make_plan(graph, jobs, [[100], [50]], io, 5)


def test_rows_frames_and_tasks_are_counted_per_job_and_in_all():
    it = explain(plan(), gops_of_ten)
    first, second = it.jobs
    assert (first.rows, first.tasks, second.rows, second.tasks) == (50, 3, 10, 1)
    assert first.ops[0].rows == 20 + 23 + 13  # each later task warms up with three rows
    assert (first.ops[0].warmup, first.ops[0].kept) == (6, 50)
    assert first.reads[0].stored == 100
    assert first.reads[0].rows == 56
    assert (it.rows, it.tasks) == (60, 4)
    assert it.ops[0].rows == 66
    assert it.reads[0].stored == 150
    assert it.decode == DecodeCost(120, 120, 12000, 15)  # what tasks share is decoded once


def test_smaller_tasks_cost_more():
    assert explain(plan(io=5)).ops[0].rows > explain(plan(io=50)).ops[0].rows


def test_tasks_that_begin_anew_decode_anew():
    """With unbounded state every task reads from row 0; the decoder cannot stay where the task before has left it."""
    read = g.source()
    graph, jobs = build([g.sink(g.op(read, name="Count", unbounded=True))])
    it = explain(make_plan(graph, jobs, [[100]], 25, 5), gops_of_ten)
    assert it.ops[0].rows == 25 + 50 + 75 + 100
    assert it.decode is not None
    assert it.decode.frames == 25 + 50 + 75 + 100


def test_a_run_up_that_the_decoder_does_not_remember_is_decoded_again():
    """The second task reaches back from row 50 to row 20, where a group of pictures begins."""
    graph, jobs = build([g.sink(g.op(g.source(), name="Smooth", warmup=30))])
    it = explain(make_plan(graph, jobs, [[100]], 50, 5), gops_of_ten)
    assert it.decode is not None
    assert it.decode.frames == 50 + 80


def test_memory_is_told_where_sizes_are_known():
    assert explain(plan()).peak_bytes is None
    assert explain(plan(), sizes=[1000, 1000, 10, 0]).peak_bytes == 8 * 2000 + 8 * 10


def test_it_reads_as_a_page():
    text = str(explain(plan(), gops_of_ten, [1 << 20, 1 << 20, 10, 0]))
    assert text.splitlines() == [
        "0  Column                          program.py:3",
        "1  Stride  ← 0                     program.py:4",
        "2  Track   ← 1  state over 3 rows  program.py:5",
        "3  Column  ← 2                     program.py:6",
        "",
        "60 rows to store from 2 streams in 4 tasks (io_packet_size 20, work_packet_size 5)",
        "120 frames to decode of 150 stored, in 15 groups of pictures; 11.7 KiB to read",
        "about 16.0 MiB of elements held at once by each pipeline instance",
        "",
        "source                 rows stored  rows read  frames decoded  GOPs  bytes",
        "Column (program.py:3)  150          66         120             15    11.7 KiB",
        "",
        "op                    rows executed  to warm up",
        "Track (program.py:5)  66             6",
        "",
        "stream  rows  tasks  rows read  frames decoded  GOPs  bytes",
        "0       50    3      56         90              10    8.8 KiB",
        "1       10    1      10         30              5     2.9 KiB",
    ]


def test_what_is_not_known_is_left_out():
    text = str(explain(plan()))
    assert "decode" not in text
    assert "held" not in text


def test_many_streams_are_summed_and_few_are_listed():
    read = g.source(jobs=500)
    graph, jobs = build([g.sink(read, jobs=500)])
    text = str(explain(make_plan(graph, jobs, [[3]] * 500, 10, 10)))
    assert "1,500 rows to store from 500 streams" in text
    assert "… and 480 more" in text
    assert len(text.splitlines()) < 40


def test_a_run_of_nothing_is_explained_too():
    graph, jobs = build([g.sink(g.source())])
    assert "0 rows to store" in str(explain(make_plan(graph, jobs, [[0]], 10, 10), gops_of_ten))


def test_explanations_are_plain_data():
    it = explain(plan(), gops_of_ten)
    assert pickle.loads(pickle.dumps(it)) == it
