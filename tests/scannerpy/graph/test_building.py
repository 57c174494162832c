"""From nodes to a graph: numbering, what is shared, what each job has of its own."""

from __future__ import annotations

import pickle

import pytest

from scannerpy._graph.build import build
from scannerpy._graph.node import Compression, Output, Partition, PerGroup, SampleNode, SinkNode
from scannerpy.errors import GraphError
from tests.scannerpy.plan import programs as g


def names(graph):
    return [vertex.name for vertex in graph.vertices]


def test_inputs_come_before_what_takes_them_and_numbers_count_up():
    read = g.source()
    graph, _ = build([g.sink(g.op(g.sample("Stride", read, {"stride": 2}), name="Blur"))])
    assert names(graph) == ["Column", "Stride", "Blur", "Column"]
    assert [vertex.number for vertex in graph.vertices] == [0, 1, 2, 3]
    assert [[edge.vertex for edge in vertex.inputs] for vertex in graph.vertices] == [[], [0], [1], [2]]


def test_a_node_reached_twice_is_one_vertex():
    read = g.source()
    left, right = g.op(read, name="Left"), g.op(read, name="Right")
    graph, _ = build([g.sink(g.op(left, right, left, name="Join"))])
    assert names(graph) == ["Column", "Left", "Right", "Join", "Column"]
    assert [edge.vertex for edge in graph.vertices[3].inputs] == [1, 2, 1]


def test_equal_calls_are_two_vertices():
    read = g.source()
    graph, _ = build([g.sink(g.op(g.op(read), g.op(read)))])
    assert names(graph).count("Op") == 3


def test_what_no_sink_needs_is_left_out():
    read = g.source()
    g.op(read, name="Unused")
    kept = g.sink(g.op(read, name="Used"))
    graph, _ = build([kept])
    assert names(graph) == ["Column", "Used", "Column"]


def test_several_sinks_share_what_they_have_in_common():
    seen = g.op(g.source())
    graph, _ = build([g.sink(seen, name="First"), g.sink(seen, name="Second")])
    assert names(graph) == ["Column", "Op", "First", "Second"]
    assert [sink.name for sink in graph.sinks] == ["First", "Second"]


def test_a_sink_given_twice_is_one_sink():
    one = g.sink(g.source())
    assert len(build([one, one])[0].sinks) == 1


def test_the_same_program_gives_an_equal_graph():
    def program():
        read = g.source()
        return [g.sink(g.op(read, g.op(read, name="Other"), signature=SIGNATURE))]

    SIGNATURE = g.signature(2)  # noqa: N806
    one, two = build(program())[0], build(program())[0]
    assert [v.inputs for v in one.vertices] == [v.inputs for v in two.vertices]
    assert names(one) == names(two)


def test_a_very_deep_graph_needs_no_recursion():
    node = g.source()
    for _ in range(5000):
        node = g.op(node)
    assert len(build([g.sink(node)])[0].vertices) == 5002


def test_an_edge_keeps_the_compression_asked_of_its_column():
    frames = g.source()
    raw = Output(node=frames, column="frame", is_video=True, compression=Compression("raw"))
    graph, _ = build([SinkNode(name="FrameColumn", inputs=(raw,), per_job=({},))])
    edge = graph.sinks[0].inputs[0]
    assert (edge.column, edge.is_video, edge.compression.codec) == ("frame", True, "raw")


def test_slices_raise_the_level_until_they_are_joined():
    part = g.sliced(g.source(), Partition("all", {"group_size": 3}))
    graph, _ = build([g.sink(g.unsliced(g.op(part)))])
    assert [vertex.level for vertex in graph.vertices] == [0, 1, 1, 0, 0]


def test_per_job_arguments_are_split_off_by_vertex():
    read = g.source(jobs=2)
    picked = g.sample("Stride", read, {"stride": 2}, {"stride": 5})
    seen = g.op(picked, job_args=[{"level": 1}, {"level": 2}], args={"width": 9})
    graph, jobs = build([g.sink(seen, jobs=2)])
    assert jobs == [
        {0: {}, 1: {"stride": 2}, 2: {"level": 1}, 3: {}},
        {0: {}, 1: {"stride": 5}, 2: {"level": 2}, 3: {}},
    ]
    assert graph.vertices[2].args == {"width": 9}
    assert [vertex.has_job_args for vertex in graph.vertices] == [True, True, True, True]


def test_ops_and_all_need_no_per_job_arguments():
    read = g.source(jobs=3)
    graph, jobs = build([g.sink(g.op(g.sample("All", read)), jobs=3)])
    assert len(jobs) == 3
    assert not graph.vertices[1].has_job_args


def test_a_sampler_may_have_one_argument_for_all_jobs():
    read = g.source(jobs=2)
    common = SampleNode(name="StridedRanges", inputs=(g.out(read),), args={"intervals": [(0, 4)], "stride": 2})
    graph, jobs = build([g.sink(common, jobs=2)])
    assert graph.vertices[1].args == {"intervals": [(0, 4)], "stride": 2}
    assert jobs == [{0: {}, 2: {}}, {0: {}, 2: {}}]


def test_a_wrong_number_of_arguments_names_the_op_its_line_and_both_counts():
    read = g.source(jobs=3, where=g.at(3))
    picked = g.sample("Stride", read, {"stride": 2}, {"stride": 5}, where=g.at(7))
    with pytest.raises(GraphError) as error:
        build([g.sink(picked, jobs=3)])
    assert "Stride (program.py:7) has arguments for 2 streams, but 3 are expected" in str(error.value)
    assert "Column (program.py:3)" in str(error.value)


@pytest.mark.parametrize(
    "sink",
    [
        pytest.param(lambda: g.sink(g.source(2), jobs=1), id="too few outputs"),
        pytest.param(lambda: g.sink(g.source(2), jobs=0), id="no outputs"),
        pytest.param(lambda: g.sink(g.source(0), jobs=2), id="no inputs"),
        pytest.param(lambda: g.sink(g.source(0), jobs=0), id="no streams at all"),
        pytest.param(lambda: g.sink(g.sample("Gather", g.source())), id="an empty list for a sampler"),
        pytest.param(lambda: g.sink(g.op(g.source(2), job_args=[{}]), jobs=2), id="too few op arguments"),
        pytest.param(lambda: g.sink(g.unsliced(g.sliced(g.source()))), id="no partition"),
    ],
)
def test_every_list_must_have_one_element_per_stream(sink):
    with pytest.raises(GraphError, match="streams"):
        build([sink()])


def test_two_outputs_may_not_have_one_name():
    read = g.source(jobs=2)
    first = g.sink(read, per_job=({"table_name": "a"}, {"table_name": "b"}), where=g.at(1))
    second = g.sink(read, per_job=({"table_name": "c"}, {"table_name": "a"}), where=g.at(2))
    with pytest.raises(GraphError, match=r"program.py:2\), stream 1: 'a' is already the output of .*1\), stream 0"):
        build([first, second])


def test_graphs_and_jobs_travel_by_pickle():
    part = g.sliced(g.source(), Partition("all", {"group_size": 3}))
    seen = g.op(part, job_args=[PerGroup([{"level": 1}])])
    graph, jobs = build([g.sink(g.unsliced(seen))])
    assert pickle.loads(pickle.dumps((graph, jobs))) == (graph, jobs)
