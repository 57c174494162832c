"""Bad files: what is not a video, what is damaged, full, newer or wrong. Each gets one ScannerException with what,
where and the next step; nothing half-written counts.
"""

import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import scannerpy as sp
from scannerpy import errors
from tests.clips import number_of, write_clip
from tests.conftest import write_config

PERF = sp.PerfParams.manual(5, 10)


def outcome(act):
    """Return what `act` gives, or the ScannerException it raises."""
    try:
        return act()
    except sp.ScannerException as error:
        return error


def blobs(cl, name, count):
    cl.new_table(name, ["column"], [[pickle.dumps(row)] for row in range(count)])
    return cl.io.Input([sp.NamedStream(cl, name)])


def run(cl, column, name="out", **words):
    stream = sp.NamedStream(cl, name)
    job = cl.run(cl.io.Output(column, [stream]), PERF, show_progress=False, **words)
    return stream, job


@sp.register_python_op()
def BadStored(config, x: Any) -> Any:
    return x


def write_audio(path):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 44100
        out.mux(stream.encode(sound))
        out.mux(stream.encode(None))


def write_bad(kind, path):
    match kind:
        case "directory":
            path.mkdir()
        case "empty":
            path.touch()
        case "text":
            path.write_text("nothing to see here\n" * 100)
        case "zeros":
            path.write_bytes(bytes(100_000))
        case "audio":
            write_audio(path)
        case "only a header":
            whole = write_clip(path.with_suffix(".whole.mp4"), 12).read_bytes()
            path.write_bytes(whole[:40])


@pytest.mark.parametrize("kind", ["missing", "directory", "empty", "text", "zeros", "audio", "only a header"])
def test_a_file_that_is_no_video_is_named(cl, tmp_path, kind):
    """By `ingest_videos` alone, beside a good one, and as an input of a run."""
    path = tmp_path / f"{kind}.mp4"
    write_bad(kind, path)
    with pytest.raises(errors.IngestError) as caught:
        cl.ingest_videos([("bad", str(path))])
    assert str(path) in str(caught.value)
    assert not cl.has_table("bad")
    tables, failures = cl.ingest_videos([("good", str(write_clip(tmp_path / "good.mp4", 5))), ("bad", str(path))])
    assert [table.name() for table in tables] == ["good"]
    ((failed, reason),) = failures
    assert failed == str(path)
    assert len(reason) > 10
    with pytest.raises(errors.IngestError) as caught:
        run(cl, cl.io.Input([sp.NamedVideoStream(cl, "also bad", path=str(path))]))
    assert str(path) in str(caught.value)
    assert not cl.has_table("also bad")
    assert not cl.has_table("out")


@pytest.mark.parametrize(
    ("path", "said"),
    [("http://host/a.mp4", "is a URL: download"), ("file:///a.mp4", "is a URL"), ("a\0b.mp4", "NUL character")],
)
def test_what_names_no_file_here(cl, path, said):
    """A URL is told as one, and not as a folder called http: that is missing here."""
    with pytest.raises(errors.IngestError, match=said):
        cl.ingest_videos([("t", path)])


def test_the_readable_rows_of_a_truncated_video_stay(cl, tmp_path):
    """A stream cut off in the middle gives the frames before the cut, each the right one."""
    whole = write_clip(tmp_path / "whole.mkv", 60, gop=10)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    cl.ingest_videos([("cut", str(cut))])
    frames = list(sp.NamedVideoStream(cl, "cut").load())
    assert 20 < len(frames) < 60
    assert [number_of(frame) for frame in frames] == list(range(len(frames)))


@pytest.mark.parametrize("change", ["moved", "cut"])
def test_a_file_that_is_no_longer_what_was_ingested_in_place(cl, tmp_path, change):
    """The stream is named and the file; not the object in the database that no user ever sees."""
    path = write_clip(tmp_path / "clip.mp4", 20)
    cl.ingest_videos([("talk", str(path))], inplace=True)
    path.rename(tmp_path / "elsewhere.mp4") if change == "moved" else os.truncate(path, 500)
    error = outcome(lambda: list(sp.NamedVideoStream(cl, "talk").load()))
    assert isinstance(error, errors.VideoError)
    stream, job = run(cl, cl.io.Input([sp.NamedVideoStream(cl, "talk")]))
    (failure,) = cl.wait_on_job(job, show_progress=False).failures
    for said in (str(error), failure.reason):
        assert said.startswith(f"stream 'talk': {path} ")
        assert "ingest it" in said.lower()
    assert not stream.committed()


def test_a_name_that_exists(cl, clip):
    """For ingest, for a table, for an output: the name is in the text, and what is there stays."""
    cl.ingest_videos([("taken", clip(12))])
    with pytest.raises(errors.StreamExists, match=r"(?s)taken.*force"):
        cl.ingest_videos([("taken", clip(30))])
    with pytest.raises(errors.StreamExists, match=r"(?s)taken.*force"):
        cl.new_table("taken", ["column"], [[b"x"]])
    with pytest.raises(errors.StreamExists, match=r"(?s)taken.*cache_mode"):
        run(cl, blobs(cl, "in", 3), "taken")
    assert cl.table("taken").num_rows() == 12
    with pytest.raises(errors.ScannerException, match="twice"):
        cl.ingest_videos([("twice", clip(12)), ("twice", clip(12))])
    with pytest.raises(errors.ScannerException):
        cl.ingest_videos([])


def test_an_input_that_does_not_exist(cl):
    """Named, with either way of giving packet sizes, before anything is made."""
    column = cl.io.Input([sp.NamedStream(cl, "nobody")])
    for perf in (PERF, sp.PerfParams.estimate()):
        with pytest.raises(errors.ScannerException, match="nobody"):
            cl.run(cl.io.Output(cl.ops.BadStored(x=column), [sp.NamedStream(cl, "out")]), perf, show_progress=False)
    assert not cl.has_table("out")


def damaged_files(cl, offset):
    """Flip a byte in every big file of the database, `offset` of the way through it; return how many."""
    count = 0
    for path in Path(cl.config.db_path).rglob("*"):
        if path.is_file() and path.stat().st_size > 60 and "log" not in path.parts:
            data = bytearray(path.read_bytes())
            data[int(len(data) * offset)] ^= 0x55
            path.write_bytes(bytes(data))
            count += 1
    return count


@pytest.mark.parametrize("offset", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_damaged_chunk_is_an_error_and_never_a_wrong_value(config, clip, offset):
    """One flipped byte anywhere in a stored object: reading fails, naming the object, or was not touched by it."""
    right = [bytes([row]) * 50 for row in range(20)]
    with sp.Client(config=config, debug=True) as cl:
        cl.new_table("blobs", ["column"], [[value] for value in right])
    with sp.Client(config=config, debug=True) as cl:
        assert damaged_files(cl, offset) >= 1
        got = outcome(lambda: list(sp.NamedStream(cl, "blobs").load()))
    assert got == right or isinstance(got, errors.CorruptObject)
    assert len(str(got)) > 30


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.6, 0.97])
def test_a_damaged_video_never_gives_a_wrong_frame_silently(config, clip, offset):
    """The same for frames: the packets of a copied video and its index."""
    with sp.Client(config=config, debug=True) as cl:
        cl.ingest_videos([("v", clip(30))])
    with sp.Client(config=config, debug=True) as cl:
        assert damaged_files(cl, offset) >= 1
        got = outcome(lambda: [number_of(frame) for frame in sp.NamedVideoStream(cl, "v").load()])
    assert got == list(range(30)) or isinstance(got, errors.CorruptObject | errors.VideoError)


def test_a_chunk_that_is_gone(config):
    """A deleted object: an error that names it, not an empty answer."""
    with sp.Client(config=config, debug=True) as cl:
        cl.new_table("blobs", ["column"], [[b"x" * 5000]] * 3)
    with sp.Client(config=config, debug=True) as cl:
        biggest = max((p for p in Path(cl.config.db_path).rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
        biggest.unlink()
        with pytest.raises(errors.StorageError) as caught:
            list(sp.NamedStream(cl, "blobs").load())
        assert biggest.name in str(caught.value) or "blobs" in str(caught.value)


def test_a_run_over_a_damaged_chunk_fails_and_commits_nothing(config, clip):
    """The job is given up, its output stays uncommitted, the run itself returns."""
    with sp.Client(config=config, debug=True) as cl:
        cl.new_table("blobs", ["column"], [[pickle.dumps(b"x" * 5000)]] * 3)
        damaged_files(cl, 0.5)
        got = outcome(lambda: run(cl, cl.ops.BadStored(x=cl.io.Input([sp.NamedStream(cl, "blobs")]))))
        assert isinstance(got, tuple | errors.CorruptObject)
        assert not sp.NamedStream(cl, "out").committed()


def test_a_database_of_a_newer_version(tmp_path):
    """Told apart from damage: the text says which version wrote it and what to do; nothing in it is changed."""
    path = write_config(tmp_path)
    config = sp.Config(config_path=str(path))
    with sp.Client(config=config, debug=True) as cl:
        cl.new_table("t", ["column"], [[b"x"]])
    assert _with_higher_versions(Path(config.db_path)) > 0
    before = {p: p.read_bytes() for p in Path(config.db_path).rglob("*") if p.is_file()}
    with pytest.raises(errors.NewerFormat, match=r"(?i)newer.*") as caught:
        _store_something(config)
    assert str(config.db_path) in str(caught.value)
    assert {p: p.read_bytes() for p in Path(config.db_path).rglob("*") if p.is_file()} == before


def _store_something(config):
    with sp.Client(config=config, debug=True) as cl:
        cl.new_table("u", ["column"], [[b"x"]])


def _with_higher_versions(db):
    """Raise the format wherever the first line of an object states one in JSON; return how often."""
    count = 0
    for file in db.rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        first, newline, rest = data.partition(b"\n")
        raised, here = re.subn(rb'("format":\s*)(\d+)', rb"\g<1>9999", first)
        if here:
            file.write_bytes(raised + newline + rest)
            count += here
    return count


def test_a_database_of_the_original_scanner(tmp_path):
    """Refused politely, untouched."""
    config = sp.Config(config_path=str(write_config(tmp_path)))
    db = Path(config.db_path)
    db.mkdir(exist_ok=True)
    (db / "db_metadata.bin").write_bytes(b"\x08\x01")
    with pytest.raises(errors.ScannerException, match=r"(?i)original|0\.3|upstream|older"):
        sp.Client(config=config, debug=True).new_table("t", ["column"], [[b"x"]])
    assert sorted(p.name for p in db.iterdir()) == ["db_metadata.bin"]


FULL = """
import sys
import scannerpy as sp
from scannerpy import errors
import numpy as np

@sp.register_python_op()
def Noise(config, frame: sp.FrameType) -> bytes:
    return np.random.default_rng(int(frame.sum())).bytes(200_000)

def main():
    sc = sp.Client(**eval(sys.argv[2]))
    small = sp.NamedVideoStream(sc, "clip", path=sys.argv[1])
    column = sc.ops.Noise(frame=sc.io.Input([small]))
    out = sp.NamedStream(sc, "out")
    try:
        sc.run(sc.io.Output(column, [out]), sp.PerfParams.manual(2, 4), show_progress=False)
    except sp.ScannerException as error:
        print("raised", type(error).__name__, error)
    print("committed", out.committed(), len(small))
    try:
        sc.new_table("big", ["column"], [[bytes(10_000_000)]])
    except errors.StorageFull as error:
        print("full", error)
    print("still there", len(list(small.load())), sc.has_table("big") and sc.table("big").committed())

if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
@pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("unshare"), reason="a full disk is made as a small private file system"
)
@pytest.mark.parametrize("how", ["{}", "{'debug': True}"])
def test_a_full_disk(tmp_path, clip, how):
    """StorageFull, with the folder; what was stored before stays readable, and nothing half-written counts."""
    write_config(tmp_path)
    (tmp_path / "db").mkdir()
    (tmp_path / "program.py").write_text(FULL)
    inside = f'mount -t tmpfs -o size=3m none {tmp_path}/db && exec {sys.executable} program.py "$0" "$1"'
    command = ["unshare", "-m", "sh", "-c", inside, clip(30), how]
    environment = {**os.environ, "HOME": str(tmp_path)}
    words = {"capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False, **words)
    if done.returncode and done.stderr.startswith(("mount:", "unshare:")):
        pytest.skip("this machine allows no private mounts")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "committed False 30" in lines
    assert "still there 30 False" in lines
    (full,) = [line for line in lines if line.startswith("full")]
    assert str(tmp_path / "db") in full
    assert "StorageFull" in done.stdout + done.stderr or "space" in done.stdout + done.stderr


def test_a_configuration_that_is_wrong(tmp_path):
    """The file and the key are named."""
    path = tmp_path / "config.toml"
    for text, said in (
        ('[storage]\ntype = "floppy"\ndb_path = "x"\n', "floppy"),
        ('[storage]\ntype = "posix"\n', "db_path"),
        ("storage = [", "config.toml"),
        ('[storage]\ntype = "gcs"\ndb_path = "x"\n', "bucket"),
    ):
        path.write_text(text)
        with pytest.raises(errors.ConfigError, match=said) as caught:
            sp.Config(config_path=str(path))
        assert str(path) in str(caught.value)
