"""State, windows and batches: what an op declares, what a call changes, and that packets never show."""

import pickle
from typing import Any, Sequence

import scannerpy as sp


@sp.register_python_op(bounded_state=3)
class Recent(sp.Kernel):
    """Counts the rows since it knew nothing."""

    def reset(self):
        self.seen = 0

    def execute(self, x: Any) -> Any:
        self.seen += 1
        return self.seen - 1


@sp.register_python_op(bounded_state=2)
class LastThree(sp.Kernel):
    """Honest: what it returns depends on this row and the two before only."""

    def reset(self):
        self.rows = []

    def execute(self, x: Any) -> Any:
        self.rows = [*self.rows[-2:], x]
        return list(self.rows)


@sp.register_python_op(unbounded_state=True)
class Total(sp.Kernel):
    def reset(self):
        self.sum = 0

    def execute(self, x: Any) -> Any:
        self.sum += x
        return self.sum


@sp.register_python_op(stencil=[-1, 0, 1])
def Window(config, x: Sequence[Any]) -> Any:
    return list(x)


@sp.register_python_op(stencil=[0], batch=3)
def Sums(config, x: Sequence[Sequence[Any]]) -> Sequence[Any]:
    return [(len(x), sum(window)) for window in x]


@sp.register_python_op(batch=5, bounded_state=2)
class Batches(sp.Kernel):
    def execute(self, x: Sequence[Any]) -> Sequence[Any]:
        return list(x)


def main():
    sc = sp.Client(debug=True)
    sc.new_table("numbers", ["column"], [[pickle.dumps(n)] for n in range(30)])
    numbers = sc.io.Input([sp.NamedStream(sc, "numbers")])
    few = sc.streams.Gather(numbers, [[0, 10, 25, 26, 27]])
    graphs = {
        "bounded": sc.streams.Gather(sc.ops.Recent(x=numbers), [[0, 10, 25, 26, 27]]),
        "bounded, by call": sc.streams.Gather(sc.ops.Recent(x=numbers, bounded_state=1), [[0, 10, 25, 26, 27]]),
        "honest": sc.streams.Gather(sc.ops.LastThree(x=numbers), [[0, 1, 10, 25, 26, 27]]),
        "unbounded": sc.streams.Gather(sc.ops.Total(x=numbers), [[0, 10, 29]]),
        "unbounded after sampling": sc.ops.Total(x=few),
        "window": sc.streams.Gather(sc.ops.Window(x=numbers), [[0, 29]]),
        "window after sampling": sc.ops.Window(x=sc.streams.Range(numbers, [(0, 3)])),
        "window, by call": sc.streams.Gather(sc.ops.Window(x=numbers, stencil=[-2, -1]), [[0, 1, 5]]),
        "wide window": sc.streams.Gather(sc.ops.Window(x=numbers, stencil=[20, -20]), [[0, 15, 29]]),
        "one row": sc.ops.Window(x=sc.streams.Range(numbers, [(4, 5)])),
        "batch and stencil": sc.ops.Sums(x=sc.streams.Range(numbers, [(0, 4)]), stencil=[0, 1]),
        "state and batch": sc.streams.Gather(sc.ops.Batches(x=numbers, batch=2), [[3, 20]]),
        "chained": sc.streams.Gather(sc.ops.Window(x=sc.ops.Recent(x=numbers), stencil=[0, 5]), [[10]]),
    }
    for name, column in graphs.items():
        seen = []
        for number, perf in enumerate([sp.PerfParams.manual(1, 2), sp.PerfParams.manual(50, 50)]):
            stream = sp.NamedStream(sc, f"{name} {number}")
            sc.run(sc.io.Output(column, [stream]), perf, show_progress=False)
            seen.append(list(stream.load()))
        depends = "" if seen[0] == seen[1] else f", and in small packets {seen[0]}"
        print(f"{name}: {seen[1]}{depends}")


if __name__ == "__main__":
    main()
