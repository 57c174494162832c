"""Row counts, and how jobs are cut into tasks: `make_plan`."""

from __future__ import annotations

import pickle

import pytest

from scannerpy._graph.build import build
from scannerpy._graph.node import Partition, PerGroup
from scannerpy._plan.plan import demand, make_plan
from scannerpy._plan.task import Task
from scannerpy.errors import ConfigError, GraphError
from tests.scannerpy.plan import programs as g


def halves(*intervals):
    return Partition("ranges", {"intervals": list(intervals)})


def tasks(sinks, rows, io=4, work=2):
    return [(task.group, task.start, task.end) for task in g.planned(sinks, rows, io, work)[1].tasks]


def refused(sinks, rows, text, io=4, work=2):
    with pytest.raises(GraphError, match=text) as error:
        g.planned(sinks, rows, io, work)
    return str(error.value)


def test_tasks_are_io_packets_of_sink_rows():
    read = g.source()
    assert tasks([g.sink(g.sample("Repeat", read, {"spacing": 2}))], [5]) == [(0, 0, 4), (0, 4, 8), (0, 8, 10)]


def test_an_io_packet_of_minus_one_is_a_work_packet():
    assert tasks([g.sink(g.source())], [5], io=-1, work=3) == [(0, 0, 3), (0, 3, 5)]


@pytest.mark.parametrize(("io", "work"), [(5, 2), (0, 1), (-2, 1), (4, 0), (-1, -1)])
def test_impossible_packet_sizes_are_refused(io, work):
    with pytest.raises(ConfigError, match="packet_size"):
        g.planned([g.sink(g.source())], [5], io, work)


def test_every_group_with_rows_is_one_task_whatever_the_packet_size():
    part = g.sliced(g.source(), halves((0, 3), (3, 3), (3, 20), (1, 2)))
    assert tasks([g.sink(g.unsliced(part))], [20]) == [(0, 0, 3), (2, 3, 20), (3, 20, 21)]


def test_an_op_that_wants_all_rows_makes_the_job_one_task():
    assert tasks([g.sink(g.op(g.source(), batch=1_000_000))], [50]) == [(0, 0, 50)]


def test_an_op_that_wants_all_rows_of_its_slice_leaves_groups_parallel():
    part = g.sliced(g.source(), halves((0, 3), (3, 9)))
    assert tasks([g.sink(g.unsliced(g.op(part, batch=10_000_000)))], [9]) == [(0, 0, 3), (1, 3, 9)]


@pytest.mark.parametrize(
    "make",
    [
        lambda read: g.sample("Gather", read, {"rows": []}),
        lambda read: g.sample("Range", read, {"start": 70, "end": 90}),
        lambda read: g.op(g.sample("Ranges", read, {"intervals": []}), batch=1_000_000),
        lambda read: g.unsliced(g.op(g.sliced(read, halves()))),
        lambda read: g.unsliced(g.sample("Stride", g.sliced(read, halves()), PerGroup())),
        lambda read: g.unsliced(g.sliced(read, halves((3, 3), (4, 4)))),
    ],
)
def test_a_job_without_rows_has_no_tasks(make):
    assert tasks([g.sink(make(g.source()))], [9]) == []


@pytest.mark.parametrize("name", ["Stride", "Repeat"])
def test_streams_of_no_rows_are_fine(name):
    argument = {"stride": 2} if name == "Stride" else {"spacing": 2}
    assert tasks([g.sink(g.op(g.sample(name, g.source(), argument), stencil=(-1, 0)))], [0]) == []


def test_domains_are_those_of_each_group():
    read = g.source()
    part = g.sliced(read, halves((0, 6), (2, 6)))
    thin = g.sample("Stride", part, PerGroup([{"stride": 2}, {"stride": 3}]))
    _, job = g.planned([g.sink(g.unsliced(g.op(thin)))], [10])
    assert job.domains == ((10,), (6, 4), (3, 2), (3, 2), (5,), (5,))
    assert (job.rows, job.source_rows) == (5, (10,))


def test_all_sinks_must_get_the_same_number_of_rows():
    read = g.source()
    few = g.sample("Range", read, {"start": 0, "end": 15})
    text = refused([g.sink(read, where=g.at(4)), g.sink(few, where=g.at(5), name="Files")], [30], "stream 0")
    assert "Column (program.py:4) gets 30, Files (program.py:5) gets 15" in text


def test_all_inputs_of_an_op_must_have_the_same_rows():
    read = g.source()
    few = g.sample("Stride", read, {"stride": 2})
    refused([g.sink(g.op(read, few, where=g.at(8)))], [30], r"^Op \(program.py:8\), stream 0: .* column 30, column 15")


def test_groups_must_match_where_slices_meet():
    read = g.source()
    one, two = g.sliced(read, halves((0, 3), (3, 9))), g.sliced(read, halves((0, 4), (4, 9)))
    refused([g.sink(g.unsliced(g.op(one, two)))], [9], r"column 3 \+ 6, column 4 \+ 5")


def test_all_slices_of_a_job_make_as_many_groups():
    read = g.source()
    one, two = g.sliced(read, halves((0, 9)), where=g.at(1)), g.sliced(read, halves((0, 4), (4, 9)), where=g.at(2))
    text = refused([g.sink(g.unsliced(one)), g.sink(g.unsliced(two))], [9], "makes 2 groups")
    assert text.startswith("Slice (program.py:2), stream 0")
    assert "Slice (program.py:1) makes 1" in text


def test_sinks_of_slices_must_be_cut_alike():
    read = g.source()
    one, two = g.sliced(read, halves((0, 3), (3, 9))), g.sliced(read, halves((0, 4), (4, 9)))
    refused([g.sink(g.unsliced(one)), g.sink(g.unsliced(two))], [9], "groups have other sizes")


def test_a_sampler_in_a_slice_needs_one_argument_per_group():
    part = g.sliced(g.source(), halves((0, 3), (3, 9)))
    text = refused([g.sink(g.unsliced(g.sample("Stride", part, {"stride": 2}, where=g.at(6))))], [9], "SliceList")
    assert text.startswith("Stride (program.py:6), stream 0: it is inside a slice of 2 groups")


def test_one_argument_will_do_for_one_group():
    part = g.sliced(g.source(), halves((0, 9)))
    assert tasks([g.sink(g.unsliced(g.sample("Stride", part, {"stride": 2})))], [9]) == [(0, 0, 5)]


def test_a_slice_list_must_have_as_many_arguments_as_groups():
    part = g.sliced(g.source(), halves((0, 3), (3, 9)))
    three = PerGroup([{"stride": 2}] * 3)
    refused([g.sink(g.unsliced(g.sample("Stride", part, three)))], [9], "SliceList of 3 .* slice of 2 groups")
    refused([g.sink(g.unsliced(g.op(part, job_args=[three])))], [9], "SliceList of 3 .* slice of 2 groups")


def test_one_op_argument_applies_to_all_groups():
    part = g.sliced(g.source(), halves((0, 3), (3, 9)))
    assert len(tasks([g.sink(g.unsliced(g.op(part, job_args=[{"level": 1}])))], [9])) == 2


def test_a_slice_list_outside_of_slices_is_refused():
    two = PerGroup([{"level": 1}] * 2)
    refused([g.sink(g.op(g.source(), job_args=[two]))], [9], "SliceList of 2 arguments, but is inside no slice")


def test_errors_name_the_stream():
    read = g.source(jobs=3)
    picked = g.sample("Range", read, *({"start": start, "end": 5} for start in (0, 5, 7)), where=g.at(9))
    graph, jobs = build([g.sink(picked, jobs=3)])
    with pytest.raises(GraphError, match=r"^Range \(program.py:9\), stream 2: the range \[7, 5\) ends before"):
        make_plan(graph, jobs, [[10]] * 3, 4, 4)


def test_errors_inside_slices_name_the_group():
    part = g.sliced(g.source(), halves((0, 3), (3, 9)))
    thin = g.sample("Stride", part, PerGroup([{"stride": 2}, {"stride": 0}]))
    refused([g.sink(g.unsliced(thin))], [9], "stream 0: in slice group 1, stride is 0; it must be at least 1")


def test_partitions_do_not_clamp():
    part = g.sliced(g.source(), halves((0, 99)), where=g.at(2))
    refused([g.sink(g.unsliced(part))], [9], r"^Slice \(program.py:2\), stream 0: the group \[0, 99\) ends beyond")


def test_each_job_has_its_own_rows():
    read, other = g.source(jobs=2), g.source(jobs=2)
    graph, jobs = build([g.sink(g.op(read, other), jobs=2)])
    plan = make_plan(graph, jobs, [[3, 3], [7, 7]], 4, 4)
    assert [job.rows for job in plan.jobs] == [3, 7]
    assert plan.tasks == 3
    with pytest.raises(GraphError, match="stream 1"):
        make_plan(graph, jobs, [[3, 3], [7, 8]], 4, 4)


def test_a_cut_is_a_sequence():
    part = g.sliced(g.source(), halves((0, 3), (2, 2), (3, 9)))
    for sinks, ends in (([g.sink(g.source())], [4, 8, 9]), ([g.sink(g.unsliced(part))], [3, 9])):
        cut = g.planned(sinks, [9], 4, 4)[1].tasks
        assert [task.end for task in cut] == ends
        assert cut.starts().tolist() == [task.start for task in cut]
        assert cut[-1] == cut[len(cut) - 1]
        assert cut[1:] == tuple(cut)[1:]
        assert sum(task.rows for task in cut) == 9
        with pytest.raises(IndexError, match="no task"):
            cut[len(cut)]


def test_plans_travel_by_pickle_and_show_themselves_briefly():
    part = g.sliced(g.source(), halves((0, 3), (3, 9)))
    graph, jobs = build([g.sink(g.unsliced(g.op(part, warmup=2)))])
    plan = pickle.loads(pickle.dumps(make_plan(graph, jobs, [[9]], 4, 2)))
    assert list(plan.jobs[0].tasks) == [Task(0, 0, 3), Task(1, 3, 9)]
    it = pickle.loads(pickle.dumps(demand(plan.graph, plan.jobs[0], Task(1, 3, 9), 2)))
    assert it.vertices[0].rows.tolist() == [3, 4, 5, 6, 7, 8]
    assert repr(plan) == "Plan(5 vertices, 1 jobs, 9 rows in 2 tasks, work_packet_size=2, io_packet_size=4)"
    assert repr(plan.jobs[0]) == "JobPlan(source_rows=(9,), rows=9, tasks=2)"
