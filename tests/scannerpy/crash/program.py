"""The program that is killed: three ops over a numbered clip, two sinks, some forty tasks, started again until it is
done.

Each row of its last ops writes a line ``attempt time row`` to a log, and each stored row carries a mark that can be
found in the files of the database: so that a test can say, from outside, which rows were stored when, and which were
computed again.

    CRASH_ATTEMPT=0 python program.py CLIP LOG MODE     (MODE: Ignore, Overwrite)

While there is a file ``LOG.hold``, no row beyond the first third is computed: a test may take its time there.
"""

import hashlib
import os
import sys
import time
from pathlib import Path

import numpy as np

import scannerpy as sp
from tests.clips import number_of

TASK_ROWS = 3
HELD_FROM = 40


@sp.register_python_op()
def CrashNumber(config, frame: sp.FrameType) -> bytes:
    return b"%d" % number_of(frame)


@sp.register_python_op(bounded_state=2)
class CrashRecent(sp.Kernel):
    def reset(self):
        self.last = []

    def execute(self, number: bytes) -> bytes:
        self.last = [*self.last[-2:], number]
        return b",".join(self.last)


@sp.register_python_op()
class CrashMark(sp.Kernel):
    def __init__(self, config, log):
        self.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.hold = Path(f"{log}.hold")
        self.attempt = os.environ["CRASH_ATTEMPT"]  # no argument of the op: that would make it another computation

    def execute(self, frame: sp.FrameType, recent: bytes) -> tuple[bytes, sp.FrameType]:
        row = number_of(frame)
        while row >= HELD_FROM and self.hold.exists():
            time.sleep(0.01)
        os.write(self.log, f"{self.attempt} {time.monotonic()} {row}\n".encode())
        time.sleep(0.004)
        picture = np.zeros((4, 8, 3), np.uint8)
        mark = b"pix=%05d;" % row + hashlib.sha256(recent).digest()
        picture.reshape(-1)[: len(mark)] = np.frombuffer(mark, np.uint8)
        return b"row=%05d;" % row + recent, picture


def main():
    clip, log, mode = sys.argv[1:]
    sc = sp.Client()
    frames = sc.io.Input([sp.NamedVideoStream(sc, "clip", path=clip)])
    recent = sc.ops.CrashRecent(number=sc.ops.CrashNumber(frame=frames))
    marks, pictures = sc.ops.CrashMark(frame=frames, recent=recent, log=log)
    out, out_pictures = sp.NamedStream(sc, "marks"), sp.NamedVideoStream(sc, "pictures")
    sinks = [sc.io.Output(marks, [out]), sc.io.Output(pictures.lossless(), [out_pictures])]
    perf = sp.PerfParams.manual(TASK_ROWS, TASK_ROWS, pipeline_instances_per_node=2)
    sc.run(sinks, perf, cache_mode=sp.CacheMode[mode], show_progress=False)
    stored = hashlib.sha256()
    for mark, picture in zip(out.load(), out_pictures.load(), strict=True):
        stored.update(mark + picture.tobytes())
    sys.stdout.write(f"done {len(out)} {stored.hexdigest()}\n")


if __name__ == "__main__":
    main()
