"""A kernel that fails on one row of one video: the others are kept, and the program looks at `committed()`."""

import sys

import scannerpy as sp


@sp.register_python_op()
class Fussy(sp.Kernel):
    def __init__(self, config, refuse):
        self.refuse = refuse

    def new_stream(self, name):
        self.name, self.row = name, 0

    def execute(self, frame: sp.FrameType) -> bytes:
        if self.name == self.refuse:
            raise RuntimeError(f"cannot look at {self.name}")
        return self.name.encode()


def main():
    sc = sp.Client()
    names = ["one", "two", "three"]
    frames = sc.io.Input([sp.NamedVideoStream(sc, name, path=sys.argv[1]) for name in names])
    outputs = [sp.NamedStream(sc, f"out {name}") for name in names]
    op = sc.io.Output(sc.ops.Fussy(frame=frames, refuse="two", name=names), outputs)
    sc.run(op, sp.PerfParams.manual(5, 10))
    print([(stream.exists(), stream.committed()) for stream in outputs])
    try:
        next(outputs[1].load())
    except sp.ScannerException:
        print("not readable")
    again = sc.io.Output(sc.ops.Fussy(frame=frames, refuse="", name=names), outputs)
    sc.run(again, sp.PerfParams.manual(5, 10), cache_mode=sp.CacheMode.Ignore)
    print([next(stream.load()) for stream in outputs])


if __name__ == "__main__":
    main()
