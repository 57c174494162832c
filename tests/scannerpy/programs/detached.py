"""`run(detach=True)`, waiting by generator, a profile, and kernels that write into what they were given."""

import os
import sys

import cv2

import scannerpy as sp


@sp.register_python_op()
def DrawOn(config, frame: sp.FrameType) -> sp.FrameType:
    cv2.rectangle(frame, (2, 2), (20, 20), (255, 0, 0), -1)
    return frame


@sp.register_python_op()
def Corner(config, frame: sp.FrameType) -> bytes:
    return bytes(frame[5, 5].tolist())


def main():
    sc = sp.Client()
    frames = sc.io.Input([sp.NamedVideoStream(sc, "example", path=sys.argv[1])])
    drawn, untouched = sp.NamedStream(sc, "drawn"), sp.NamedStream(sc, "untouched")
    painted = sc.ops.DrawOn(frame=frames)
    sinks = [
        sc.io.Output(sc.ops.Corner(frame=painted), [drawn]),
        sc.io.Output(sc.ops.Corner(frame=frames), [untouched]),
    ]
    job = sc.run(sinks, sp.PerfParams.manual(5, 10), detach=True)
    steps = list(sc.wait_on_job_gen(job, show_progress=False))
    status = steps[-1]
    print(status.finished, status.result.success, status.tasks_done == status.total_tasks, status.jobs_failed)
    print(set(drawn.load()) == {b"\xff\x00\x00"}, b"\xff\x00\x00" in set(untouched.load()))
    print(sc.get_active_jobs())
    path = sc.get_profile(job).write_trace("./run.trace")
    print(os.path.getsize(path) > 100, sorted(sc.get_profile(job).statistics()) != [])


if __name__ == "__main__":
    main()
