"""Several inputs, outputs and streams in one run: how jobs are counted, and what cache modes do to each."""

import pickle
from typing import Any, Tuple

import scannerpy as sp


@sp.register_python_op()
def Add(config, a: Any, b: Any) -> Any:
    return a + b + config.args.get("more", 0)


@sp.register_python_op(device_sets=[(sp.DeviceType.CPU, 0), (sp.DeviceType.GPU, 1)])
class Split(sp.Kernel):
    def __init__(self, config, by=10):
        self.by = by
        assert [d.type for d in config.devices] == [sp.DeviceType.CPU.value]

    def new_stream(self, offset=0):
        self.offset = offset

    def execute(self, x: Any) -> Tuple[Any, Any]:
        return (x + self.offset) // self.by, (x + self.offset) % self.by


def refused(call):
    try:
        call()
    except sp.ScannerException as error:
        return type(error).__name__
    return "not refused"


def main():
    sc = sp.Client(debug=True)
    for name, start in {"a": 0, "b": 100, "c": 200, "short": 0}.items():
        rows = 3 if name == "short" else 5
        sc.new_table(name, ["column"], [[pickle.dumps(start + n)] for n in range(rows)])
    perf = sp.PerfParams(2, 4)  # an instance will do

    def streams(*names):
        return [sp.NamedStream(sc, name) for name in names]

    def run(outputs, *args, **kwargs):
        return sc.run(outputs, *args, show_progress=False, **kwargs)

    left, right = sc.io.Input(streams("a", "b")), sc.io.Input(streams("b", "c"))
    added = sc.ops.Add(a=left, b=right, more=1)
    tens, ones = sc.ops.Split(x=added, offset=[0, 5], device=sp.DeviceType.CPU)
    sums, high, low = streams("s0", "s1"), streams("h0", "h1"), streams("l0", "l1")
    sinks = [sc.io.Output(added, sums), sc.io.Output(tens, high), sc.io.Output(ones, low)]
    job = run(sinks, perf)
    print(isinstance(job, int), [list(s.load()) for s in sums])
    print(list(high[1].load()), list(low[1].load()), list(low[0].load()))

    # cache modes: each job is looked at by itself, and the sinks of a job must agree
    print(run(sinks, perf, cache_mode=sp.CacheMode.Ignore))
    sc.delete_tables(["s1", "h1", "l1"])
    print(
        run(sinks, perf, cache_mode=sp.CacheMode.Ignore) is not None, list(sums[1].load()) == [301, 303, 305, 307, 309]
    )
    sc.delete_table("h0")
    print(refused(lambda: run(sinks, perf, cache_mode=sp.CacheMode.Ignore)), refused(lambda: run(sinks, perf)))
    before = sc.table("l1").id()
    print(run(sinks, perf, cache_mode=sp.CacheMode.Overwrite) is not None, sc.table("l1").id() > before)

    # one column may feed two sinks, a sink may be given twice, and only what is asked for is computed
    twice = [sc.io.Output(added, streams("t0", "t1")), sc.io.Output(added, streams("u0", "u1"))]
    run([*twice, twice[0]], perf)
    print(list(sp.NamedStream(sc, "t1").load()) == list(sp.NamedStream(sc, "u1").load()))

    out = streams("x", "y")
    both = sc.io.Input(streams("a", "short"))
    print(
        refused(lambda: run(sc.io.Output(sc.streams.Range(left, [(0, 1)]), out), perf)),
        refused(lambda: run(sc.io.Output(left, streams("x")), perf)),
        refused(lambda: run(sc.io.Output(sc.ops.Add(a=left, b=both), out), perf)),
        refused(lambda: run([sc.io.Output(left, streams("x", "y")), sc.io.Output(right, streams("y", "z"))], perf)),
        refused(lambda: run(sc.io.Output(sc.ops.Split(x=left, offset=3)[0], out), perf)),
        refused(lambda: run(sc.io.Output(sc.ops.Add(a=left), out), perf)),
        refused(lambda: run(sc.io.Output(left, out), sp.PerfParams.manual(3, 10))),
        refused(lambda: run(sc.io.Output(sc.io.Input(streams("nobody")), streams("x")), perf)),
        refused(lambda: run(sc.io.Output(sc.io.Input(streams("nobody")), streams("x")), sp.PerfParams.estimate())),
        refused(lambda: sc.io.Input([])),
        refused(lambda: sc.io.Input(streams("a")[0])),
        refused(lambda: sc.ops.Nothing),
    )
    print([stream.exists() for stream in streams("x", "y", "z")])
    run(sc.io.Output(left, out), sp.PerfParams.manual(work_packet_size=2, io_packet_size=-1, cpu_pool="p1G"))
    print([len(stream) for stream in out])


if __name__ == "__main__":
    main()
