"""Programs that go through the documented behaviour section by section, run as `test_programs.py` runs its own."""

import pytest

import scannerpy as sp
from scannerpy.errors import SerializationError


def test_low_level(run, clip):
    """Ops registered by the names of their columns; `cl.sources` and `cl.sinks` used directly."""
    assert run("low_level", clip(30)) == [
        "30 True",
        "30 0.0 True",
        "[0, 7]",
        "['frame'] (48, 64, 3)",
        r"b'\xff\xd8\xff'",
        "one stream",
        "True",
    ]


def test_user_types(run, clip, config, tmp_path):
    """Types a program makes travel to workers; a process that has not registered one says which is missing."""
    assert run("user_types", clip(30)) == [
        "True True Pose",
        "True True",
        "64.0 [64.0, 48.0] {64.0}",
        "[[0.0, 0.0], [64.0, 0.0], [64.0, 48.0]] 6",
        "True",
        "True",
    ]
    with sp.Client(config=sp.Config(db_path=str(tmp_path / "db")), debug=True) as cl:
        with pytest.raises(SerializationError, match=r"'Pose'.*import the module that defines it"):
            next(sp.NamedStream(cl, "poses").load())
        assert next(sp.NamedStream(cl, "poses").load(fn=bytes))
        assert len(list(sp.NamedStream(cl, "rights").load())) == 30


TRACK = """
syntax = "proto3";
package mine;
enum Side { LEFT = 0; RIGHT = 1; }
message Box { float x1 = 1; }
message Track { repeated int32 joints = 1; Box box = 2; }
message TrackArgs { int32 times = 1; repeated int32 more = 2; }
"""


def test_user_messages(run, tmp_path):
    """Section 17: a module that protoc generated is known in the workers too."""
    from grpc_tools import protoc

    (tmp_path / "track.proto").write_text(TRACK, encoding="utf-8")
    assert protoc.main(["protoc", f"-I{tmp_path}", f"--python_out={tmp_path}", f"{tmp_path}/track.proto"]) == 0
    assert run("user_messages", tmp_path / "track_pb2.py") == [
        "[3, 3, 9] 3.0 True 3.0 1",
        "2.0",
        "Box ['more', 'times']",
    ]


def test_rows(run):
    """Sections 2.2, 6.1 to 6.5: what each sampler and each partition gives, in each form of its arguments."""
    assert run("rows") == [
        f"all: {' '.join(map(str, range(20)))}",
        "stride: 0 6 12 18",
        "stride dict: 0 6 12 18",
        "range: 17 18 19",
        "range dict: 0 1",
        "ranges: 0 1 18 19 4",
        "strided range: 1 8 15",
        "strided ranges: 0 2 4 10 12",
        "strided ranges per stream: 0 3 10 13",
        "gather: 5 1 1 19",
        "gather range: 0 9 18",
        "repeat: 0 0 0 1 1 1",
        "repeat dict: 0 0 1 1",
        "repeat null: 0 - - 1 - -",
        "nothing: ",
        "chain: 4 10",
        "sampler: 15 0",
        "sampler range: 0 9",
        "groups: 0 8 9 19",
        "strided groups: 0 5 10 15",
        "one group: 3 5",
        "overlapping: 0 1 2 1 2 3",
        "strided range group: 0 4 8",
        "strided range groups: 0 3 10 13",
        "gathered groups: 9 1 4",
        "False",
    ]


def test_state(run):
    """Section 7: windows, state and batches. Small packets show in ops only that count rows or calls."""
    assert run("state") == [
        "bounded: [0, 3, 3, 4, 5], and in small packets [0, 3, 3, 4, 3]",
        "bounded, by call: [0, 1, 1, 2, 3], and in small packets [0, 1, 1, 2, 1]",
        "honest: [[0], [0, 1], [8, 9, 10], [23, 24, 25], [24, 25, 26], [25, 26, 27]]",
        "unbounded: [0, 55, 435]",
        "unbounded after sampling: [0, 10, 35, 61, 88]",
        "window: [[0, 0, 1], [28, 29, 29]]",
        "window after sampling: [[0, 0, 1], [0, 1, 2], [1, 2, 2]]",
        "window, by call: [[0, 0], [0, 0], [3, 4]]",
        "wide window: [[20, 0], [29, 0], [29, 9]]",
        "one row: [[4, 4, 4]]",
        "batch and stencil: [(3, 1), (3, 3), (3, 5), (1, 6)], and in small packets [(2, 1), (2, 3), (2, 5), (2, 6)]",
        "state and batch: [3, 20]",
        "chained: [[3, 3]]",
    ]


def test_frames(run, clip):
    """Section 8: only what is stored as video loads in BGR; kernels always see RGB."""
    video, raw = "uint8 strongest 2, in a kernel 0", "strongest 0, in a kernel 0; 12 keyframes True"
    assert run("frames", clip(30)) == [
        f"default: (48, 64, 3) {video}; 1 keyframes True",
        f"compressed: (48, 64, 3) {video}; 3 keyframes True",
        f"compress(): (48, 64, 3) {video}; 1 keyframes True",
        f"raw: (48, 64, 3) uint8 {raw}",
        f"compress(raw): (48, 64, 3) uint8 {raw}",
        f"floats: (48, 64, 3) float32 {raw}",
        f"doubles: (48, 64, 3) float64 {raw}",
        "gray: (48, 64, 1) uint8 strongest -1, in a kernel 0; 12 keyframes True",
        "flat: (64,) float64 strongest -1, in a kernel 0; 12 keyframes True",
        f"again: (48, 64, 3) {video}; 1 keyframes True",
        "raw frames are no mp4",
        "None True",
        "30 30 True None True",
        "only frames are compressed",
        "only frames are compressed",
    ]


def test_several(run):
    """Sections 2 and 4: jobs, diamonds, cache modes with several sinks, and what is refused before anything runs."""
    assert run("several") == [
        "True [[101, 103, 105, 107, 109], [301, 303, 305, 307, 309]]",
        "[30, 30, 31, 31, 31] [6, 8, 0, 2, 4] [1, 3, 5, 7, 9]",
        "None",
        "True True",
        "StreamExists StreamExists",
        "True True",
        "True",
        " ".join(["GraphError"] * 6 + ["ConfigError"] + ["NotCommitted"] * 2 + ["GraphError"] * 2 + ["UnknownOp"]),
        "[False, False, False]",
        "[5, 5]",
    ]


def test_reading(run, clip):
    """Sections 1, 10.4 and 15: tables, columns, many tables in other processes, metadata, profiles and traces."""
    assert run("reading", clip(30), clip(12)) == [
        "[0, 1] [] True []",
        "True",
        "frame 1 None [0, 12, 24] (48, 64, 3)",
        "[0, 1, 2] ['column']",
        "a video has no parents",
        "['seen-one means 10', 'seen-one means 20', 'seen-two means 12']",
        "True",
        "30 (64, 48, 3) True True",
        "[0, 12, 24] True True",
        "12 (64, 48, 3) True True",
        "[0] True True",
        "./a.trace True True",
        "set() True",
        "True",
        "[]",
        "True True",
        "b.tar.gz",
        "['b.trace'] True",
        "[['2', 'one means', '30', 'column', 'true']]",
    ]
