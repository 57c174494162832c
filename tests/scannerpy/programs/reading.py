"""Reading what a database holds: tables, columns, many tables at once, metadata, profiles, and what a client tells."""

import glob
import json
import os
import struct
import sys
import tarfile
from typing import Any

import scannerpy as sp


@sp.register_python_op()
def Mean(config, frame: sp.FrameType) -> Any:
    return float(frame.mean())


def remember(name, elements):
    with open(f"seen-{name}-{elements[0]:.0f}-{len(elements)}", "w") as file:
        file.write(str(os.getpid()))


def main():
    sc = sp.Client()
    tables, failures = sc.ingest_videos([("one", sys.argv[1]), ("two", sys.argv[2])], inplace=True)
    print([table.id() for table in tables], failures, sc.has_gpu() in (True, False), sc.get_active_jobs())
    frames = sc.io.Input([sp.NamedVideoStream(sc, table.name()) for table in tables])
    outputs = [sp.NamedStream(sc, f"{table.name()} means") for table in tables]
    job = sc.run(sc.io.Output(sc.ops.Mean(frame=frames), outputs), sp.PerfParams.manual(5, 10), show_progress=False)

    table = sc.table("one")
    rows = list(
        table.load(["index", "frame"], fn=lambda row, client: (row[0], row[1].shape, client is sc), rows=[4, 2])
    )
    print(rows == [(struct.pack("=Q", row), (48, 64, 3), True) for row in (4, 2)])
    column = sc.table(0).column("frame")
    print(column.name(), column.id(), column.type(), column.keyframes(), next(column.load(rows=[3], workers=2)).shape)
    print(sc.table("one means").parent_rows()[:3], sc.table("one means").column_names())
    try:
        table.parent_rows()
    except sp.ScannerException:
        print("a video has no parents")

    sc.batch_load([sc.table(stream.name()) for stream in outputs], "column", remember, batch_size=20, workers=2)
    print(sorted(name.rsplit("-", 2)[0] + " " + name.rsplit("-", 1)[1] for name in glob.glob("seen-*")))
    print(all(int(open(name).read()) != os.getpid() for name in glob.glob("seen-*")))

    for path, video in zip(sys.argv[1:3], sc.bulk_fetch_video_metadata(tables)):
        print(video.frames, (video.width, video.height, video.channels), video.inplace, video.data_path == path)
        ticks = video.time_base_denom / video.time_base_num
        print(
            list(video.keyframe_indices),
            len(video.sample_offsets) == len(video.sample_sizes) == video.frames,
            ticks > 25,
        )

    profile = sc.get_profile(job, load_threads=2)
    by_name = sc.get_profile("two means", subsample=1)
    path = profile.write_trace("./a.trace")
    events = json.load(open(path))
    names = {e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] in ("process_name", "thread_name")}
    print(path, {e["ph"] for e in events} == {"M", "X"}, {e["pid"] for e in events} <= {-1, *range(64)})
    lanes = {
        "Master",
        "EventLoop",
        "Worker 0",
        "Reader[0]",
        "Pipeline[0]:DecodeVideo",
        "Pipeline[0]:Ops[0]",
        "Writer[0]",
    }
    print(lanes - names, all(e.get("cname") == "grey" for e in events if e.get("cat") == "wait"))
    print(all(e["dur"] >= 0 and {"cat", "ts", "tid", "args"} <= set(e) for e in events if e["ph"] == "X"))
    statistics = profile.statistics()
    print([kind for kind in ("load", "eval", "save", "total_time") if kind not in statistics])
    print(float(statistics["eval"]["Mean"]) > 0, profile.total_time_interval()[0] < profile.total_time_interval()[1])
    print(by_name.write_trace("dir.d/../b.tar.gz" if os.makedirs("dir.d", exist_ok=True) else "b.tar.gz"))
    print(tarfile.open("b.tar.gz").getnames(), len(by_name.statistics()) > 0)

    lines = [[cell.strip() for cell in line.split("|")] for line in sc.summarize().splitlines()]
    print([line for line in lines if line[0] == "2"])
    sc.stop_cluster()


main()  # without a guard: neither the workers nor batch_load's processes import this file again
