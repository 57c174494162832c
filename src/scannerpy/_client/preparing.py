"""Prepares a run: from the sinks given to `Client.run` to a checked plan of the jobs that are needed.

Everything that can be refused is refused here, before any output is touched.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

from scannerpy import types
from scannerpy._client import backend_outputs
from scannerpy._client.caching import Status, jobs_to_run
from scannerpy._client.database import Database
from scannerpy._client.gops import align_packets
from scannerpy._client.outputs import TABLE_SINKS, TableOutput, output_args, table_outputs, table_status
from scannerpy._client.recipes import Recipe
from scannerpy._client.sources import ResolvedSource, resolve
from scannerpy._graph.build import build, nodes_above
from scannerpy._graph.graph import Graph, JobArgs
from scannerpy._graph.node import Node, SourceNode
from scannerpy._plan.plan import Plan, make_plan
from scannerpy._store.catalog import State
from scannerpy._store.fingerprint import fingerprint
from scannerpy.common import CacheMode, PerfParams, log, pool_bytes
from scannerpy.errors import ConfigError, SerializationError, StreamExists
from scannerpy.sink import Sink
from scannerpy.storage import StoredStream, label

KEY_FORMAT = 1
"""Part of every key: raise it when the same graph would store other bytes than before."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRun:
    """A run ready to begin. Its jobs are numbered anew, those that need not run left out.

    ``outputs[i]`` is a table to be made, ``keys[i]`` the name of the folder for its chunks. ``labels[j]`` names job j's
    outputs for messages; ``numbers[j]`` is its number in the program's lists. ``asked[j]`` are its arguments as the
    program gave them. `overwrite`: committed outputs are replaced.
    """

    asked: Sequence[JobArgs]
    overwrite: bool
    graph: Graph
    plan: Plan
    params: PerfParams
    outputs: Sequence[TableOutput]
    keys: Sequence[str]
    labels: Sequence[str]
    numbers: Sequence[int]


def prepare(database: Database, sinks: Sequence[Sink], perf_params: Any, mode: CacheMode) -> PreparedRun | None:
    """Check and plan a run; None when nothing is left to do (CacheMode.Ignore).

    Raises GraphError, NotCommitted, StreamExists, ConfigError.
    """
    graph, all_jobs = build([sink.node for sink in sinks])
    state = database.catalog.state()
    all_outputs = table_outputs(graph, all_jobs)
    needed = jobs_to_run(mode, _statuses(graph, all_jobs, sinks, state), _namer(sinks))
    if not needed:
        return None
    _refuse_to_replace_videos([output for output in all_outputs if output.job in set(needed)], state)
    jobs = [all_jobs[j] for j in needed]
    sources = resolve(graph, jobs, state)
    params = _cut(perf_params, sinks, graph, jobs, sources, database)
    plan = _planned(graph, jobs, sources, params)
    backend_outputs.check_rows(graph, plan)
    outputs = _renumbered(all_outputs, needed)
    return PreparedRun(
        jobs, mode is CacheMode.Overwrite, graph, plan, params, outputs,
        _keys(graph, plan, sources, outputs, state), [_labels(sinks, j) for j in needed], needed,
    )  # fmt: skip


def prepare_again(database: Database, recipe: Recipe, needed: Sequence[int], *, overwrite: bool) -> PreparedRun:
    """Plan jobs `needed` of an earlier run once more, cut as they were; the same keys if code and inputs are the same.

    Raises GraphError, NotCommitted, StreamExists, ConfigError.
    """
    graph, params, state = recipe.graph, recipe.params, database.catalog.state()
    jobs = [recipe.jobs[j] for j in needed]
    sources = resolve(graph, jobs, state)
    plan = _planned(graph, jobs, sources, params)
    backend_outputs.check_rows(graph, plan)
    outputs = table_outputs(graph, jobs)
    keys = _keys(graph, plan, sources, outputs, state)
    return PreparedRun(jobs, overwrite, graph, plan, params, outputs, keys, [recipe.labels[j] for j in needed], needed)


def plan_only(database: Database, sinks: Sequence[Sink], perf_params: Any) -> tuple[Plan, list[list[ResolvedSource]]]:
    """Plan all jobs of a graph whatever exists, for `Client.explain`."""
    graph, jobs = build([sink.node for sink in sinks])
    sources = resolve(graph, jobs, database.catalog.state())
    params = _cut(perf_params, sinks, graph, jobs, sources, database)
    return _planned(graph, jobs, sources, params), sources


def _cut(
    perf_params: Any,
    sinks: Sequence[Sink],
    graph: Graph,
    jobs: Sequence[JobArgs],
    sources: Sequence[Sequence[ResolvedSource]],
    database: Database,
) -> PerfParams:
    rows = [[source.rows for source in job] for job in sources]
    placed = [_with_sources(graph, args, job) for args, job in zip(jobs, sources, strict=True)]

    def plan_with(io: int, work: int) -> Plan:
        return make_plan(graph, placed, rows, io, work)

    return align_packets(choose_packets(perf_params, sinks), graph, sources, database, plan_with)


def _planned(
    graph: Graph, jobs: Sequence[JobArgs], sources: Sequence[Sequence[ResolvedSource]], params: PerfParams
) -> Plan:
    rows = [[source.rows for source in job] for job in sources]
    placed = [_with_sources(graph, args, job) for args, job in zip(jobs, sources, strict=True)]
    return make_plan(graph, placed, rows, params.io_packet_size, params.work_packet_size)


def _with_sources(graph: Graph, args: JobArgs, sources: Sequence[ResolvedSource]) -> JobArgs:
    return {**args, **{vertex.number: source.args for vertex, source in zip(graph.sources, sources, strict=True)}}


# Which outputs exist


def _statuses(graph: Graph, jobs: Sequence[JobArgs], sinks: Sequence[Sink], state: State) -> list[list[Status]]:
    by_number = list(zip(graph.sinks, _distinct(sinks), strict=True))
    return [
        [
            table_status(state.table(output_args(args, vertex)["table_name"]))
            if vertex.name in TABLE_SINKS
            else backend_outputs.status(sink.streams[j] if sink.streams else None)
            for vertex, sink in by_number
        ]
        for j, args in enumerate(jobs)
    ]


def _distinct(sinks: Sequence[Sink]) -> list[Sink]:
    """A sink given twice is one vertex."""
    return list({sink.node: sink for sink in sinks}.values())


def _namer(sinks: Sequence[Sink]) -> Callable[[int, int], str]:
    def name(job: int, sink: int) -> str:
        one = _distinct(sinks)[sink]
        if not one.streams:
            return f"output {job} of {one.name}"
        stream = one.streams[job]
        return f"{type(stream).__name__} {label(stream)!r}"

    return name


def _refuse_to_replace_videos(outputs: Sequence[TableOutput], state: State) -> None:
    """A result can be computed again, a video whose file is gone cannot; so no mode of caching replaces one."""
    for output in outputs:
        at = state.table(output.name)
        if at is not None and at.source is not None:
            raise StreamExists(
                f"the output {output.name!r} is a video that was ingested, which a run never replaces: give the result "
                f"a name of its own, or delete the video first (client.delete_table({output.name!r}))"
            )


def _labels(sinks: Sequence[Sink], job: int) -> str:
    return ", ".join(label(sink.streams[job]) if sink.streams else sink.name for sink in _distinct(sinks))


def _renumbered(outputs: Sequence[TableOutput], needed: Sequence[int]) -> list[TableOutput]:
    numbers = {j: number for number, j in enumerate(needed)}
    return [replace(output, job=numbers[output.job]) for output in outputs if output.job in numbers]


# How it is cut


def choose_packets(perf_params: Any, sinks: Sequence[Sink]) -> PerfParams:
    """Return the packet sizes a program asked for: a PerfParams, a callable that makes one, or None (an estimate).

    Raises ConfigError for any other, and for numbers and sizes that cannot be.
    """
    if isinstance(perf_params, PerfParams):
        return _checked(perf_params)
    make = PerfParams.estimate() if perf_params is None else perf_params
    if not callable(make):
        raise ConfigError(
            f"perf_params is {perf_params!r}: pass PerfParams.manual(work, io), PerfParams.estimate(), or leave it out"
        )
    nodes = nodes_above([sink.node for sink in sinks])
    chosen = make(inputs=_input_streams(nodes), ops=nodes)
    if not isinstance(chosen, PerfParams):
        raise ConfigError(f"perf_params returned {chosen!r}, which is no PerfParams")
    log.debug("%r", chosen)
    return _checked(chosen)


def _checked(params: PerfParams) -> PerfParams:
    for name in ("work_packet_size", "io_packet_size", "queue_size_per_pipeline", "pipeline_instances_per_node"):
        value = getattr(params, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, Integral)):
            raise ConfigError(f"{name} is {value!r}: give a whole number")
    if params.pipeline_instances_per_node is not None and params.pipeline_instances_per_node < 1:
        raise ConfigError(
            f"pipeline_instances_per_node is {params.pipeline_instances_per_node}: give 1 or more, or None to have it "
            "chosen"
        )
    pool_bytes(params.cpu_pool, pinned_allowed=True)
    pool_bytes(params.gpu_pool)
    return params


def _input_streams(nodes: Sequence[Node]) -> list[list[StoredStream]]:
    return [list(node.streams) for node in nodes if isinstance(node, SourceNode) and node.streams]


# What names the work


def _keys(
    graph: Graph, plan: Plan, sources: Sequence[Sequence[ResolvedSource]], outputs: Sequence[TableOutput], state: State
) -> list[str]:
    """Return a key per output: equal exactly for runs that would store equal bytes in the same place.

    Ops come in by their code and arguments, inputs by their content, tasks by their cut; a committed table that is to
    be replaced comes in by its id, so that the old chunks are never mistaken for the new.
    """
    try:
        common = fingerprint((KEY_FORMAT, _described(graph), plan.io_packet_size))
        return [_key(common, graph, plan, sources[output.job], output, state) for output in outputs]
    except SerializationError as error:
        raise _naming_the_argument(graph, plan, error) from error


def _naming_the_argument(graph: Graph, plan: Plan, error: SerializationError) -> SerializationError:
    """Say which argument of which op it is that cannot be named; the error itself where it is no argument."""
    for vertex in graph.vertices:
        for args in (vertex.args, *(job.args.get(vertex.number) for job in plan.jobs)):
            for name, value in args.items() if isinstance(args, Mapping) else ():
                try:
                    fingerprint(value)
                except SerializationError as fault:
                    return SerializationError(f"{vertex.label} was given {name}={value!r:.60}: {fault}")
    return error


def _key(
    common: str, graph: Graph, plan: Plan, sources: Sequence[ResolvedSource], output: TableOutput, state: State
) -> str:
    named = {vertex.number for vertex in (*graph.sources, *graph.sinks)}
    args = {number: value for number, value in plan.jobs[output.job].args.items() if number not in named}
    identities = [source.identity for source in sources]
    at = state.table(output.name)
    replaced = at.id if at is not None and at.committed else None
    unknown = uuid.uuid4().hex if None in identities else ""
    return fingerprint((common, args, identities, output.sink, output.name, output.column, replaced, unknown))


def _described(graph: Graph) -> list[Mapping[str, Any]]:
    """A graph with all that matters to its results, so the code of its types too, but not lines and registrations."""
    return [
        {
            "kind": vertex.kind,
            "name": vertex.name,
            "inputs": vertex.inputs,
            "args": vertex.args,
            "op": (vertex.stencil, vertex.batch, vertex.warmup, vertex.unbounded, vertex.device),
            "signature": None if vertex.signature is None else replace(vertex.signature, unique_id=""),
            "types": [] if vertex.signature is None else [_type(c.type_name) for c in vertex.signature.outputs],
        }
        for vertex in graph.vertices
    ]


def _type(name: str) -> Any:
    """The code that writes values of a registered type; nothing for frames and plain bytes."""
    return types.get_type_info_cpp(name).serialize if name else None
