"""Ops whose outputs are any Python value, several outputs at once, a diamond, and Python values as inputs."""

import pickle
from typing import Any, Tuple

import scannerpy as sp


@sp.register_python_op()
def Halves(config, number: Any) -> Tuple[Any, Any]:
    return number // 2, number % 2 or None


@sp.register_python_op()
class Describe(sp.Kernel):
    def __init__(self, config, words):
        self.words = words

    def execute(self, half: Any, odd: Any, number: Any) -> Any:
        return {"number": number, "half": half, "kind": self.words[0 if odd is None else 1]}


@sp.register_python_op()
def Join(config, *parts: bytes) -> bytes:
    return b"+".join(parts)


@sp.register_python_op()
def Spell(config, number: Any) -> bytes:
    return str(number)  # text is stored as UTF-8


def main():
    sc = sp.Client()
    sc.new_table("numbers", ["column"], [[pickle.dumps(n)] for n in range(6)])
    numbers = sc.io.Input([sp.NamedStream(sc, "numbers")])
    half, odd = sc.ops.Halves(number=numbers)
    described = sc.ops.Describe(half=half, odd=odd, number=numbers, words=("even", "odd"))
    spelled = sc.ops.Spell(number=numbers)
    joined = sc.ops.Join(spelled, sc.ops.Spell(number=half), spelled)
    described_stream, joined_stream = sp.NamedStream(sc, "described"), sp.NamedStream(sc, "joined")
    odd_stream = sp.NamedStream(sc, "odd")
    sc.run(
        [
            sc.io.Output(described, [described_stream]),
            sc.io.Output(joined, [joined_stream]),
            sc.io.Output(odd, [odd_stream]),
        ],
        sp.PerfParams.manual(2, 4),
        show_progress=False,
    )
    print(list(described_stream.load())[5])
    print(list(joined_stream.load()))
    print(list(odd_stream.load()))
    print(list(described_stream.load(fn=len))[0] > 0)


if __name__ == "__main__":
    main()
