"""Files as streams: on a disk and in a bucket."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import scannerpy as sp
from scannerpy import errors
from scannerpy.backends.audio import AudioStream
from scannerpy.backends.captions import CaptionStream
from scannerpy.backends.files import FilesStorage, FilesStream
from scannerpy.backends.packed import PackedStream
from scannerpy.backends.places import LocalFiles
from scannerpy.testing.backends import InputContract, OutputContract

NAMES = ["a", "b c", "ü.bin", "d", "e"]
PERF = sp.PerfParams.manual(2, 2)


def written(folder, contents=(b"one", b"", b"three", b"\x00\xff" * 1000, b"five")):
    for name, data in zip(NAMES, contents, strict=True):
        (Path(folder) / name).write_bytes(data)
    return [str(Path(folder) / name) for name in NAMES]


def below(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


class TestFilesAreRead(InputContract):
    def stream(self, folder):
        return FilesStream(written(folder))

    def elements(self):
        return [b"one", b"", b"three", b"\x00\xff" * 1000, b"five"]

    def missing(self, folder):
        return FilesStream([str(folder / "none")])


class TestFilesAreWritten(OutputContract):
    def stream(self, folder, rows):
        return FilesStream([str(folder / "out" / f"{row}.bin") for row in range(rows)])


class TestFilesInABucket(OutputContract):
    """Written and read back through S3's protocol."""

    @pytest.fixture(autouse=True)
    def _bucket(self, bucket):
        self.bucket = bucket

    def stream(self, folder, rows):
        storage = FilesStorage("s3", bucket=self.bucket.name, region="us-east-1", endpoint=self.bucket.endpoint)
        return FilesStream([f"{folder.name}/{row}.bin" for row in range(rows)], storage)


def run(sc, values, stream, mode=sp.CacheMode.Error):
    sc.new_table("in", ["column"], [[value] for value in values], force=True)
    column = sc.io.Input([sp.NamedStream(sc, "in")])
    return sc.run(sc.io.Output(column, [stream]), PERF, mode, show_progress=False)


def test_a_client_may_be_given_first(sc, tmp_path):
    paths = written(tmp_path)
    for stream in (FilesStream(sc, paths), FilesStream(sc, paths=paths), FilesStream(paths=paths)):
        assert list(stream.load(rows=[0])) == [b"one"]


def test_relative_paths_are_meant_from_where_the_program_is(sc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(sc, [b"1", b"2"], FilesStream(["x/1", "x/2"]))
    assert below(tmp_path / "x") == ["1", "2"]


def test_nothing_shows_before_all_of_it_is_there(sc, tmp_path, monkeypatch):
    """Half a stream, or half a file, is never seen under its name."""
    seen = []
    stage = LocalFiles.stage

    def watched(self, path, data):
        seen.append([name for name in below(tmp_path / "out") if not name.startswith(".")])
        stage(self, path, data)

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(LocalFiles, "stage", watched)
    run(sc, [b"%d" % row for row in range(5)], FilesStream([str(tmp_path / "out" / str(row)) for row in range(5)]))
    assert seen == [[]] * 5
    assert below(tmp_path / "out") == ["0", "1", "2", "3", "4"]


def test_a_failed_run_leaves_no_files(sc, tmp_path):
    sc.new_table("in", ["column"], [[b"%d" % row] for row in range(6)])
    refused = sc.ops.ContractRefuse(element=sc.io.Input([sp.NamedStream(sc, "in")]), refused=b"4")
    stream = FilesStream([str(tmp_path / "out" / str(row)) for row in range(6)])
    job = sc.run(sc.io.Output(refused, [stream]), PERF, show_progress=False)
    assert below(tmp_path / "out") == []
    (failure,) = sc.job_status(job).failures
    assert failure.rows_kept == 0


def test_existing_files_of_any_kind_are_refused_and_then_overwritten(sc, tmp_path):
    (tmp_path / "2").write_text("the user's own")
    stream = FilesStream([str(tmp_path / "1"), str(tmp_path / "2")])
    assert stream.exists()
    assert not stream.committed()
    with pytest.raises(errors.StreamExists, match="not all of it"):
        run(sc, [b"x", b"y"], stream)
    assert (tmp_path / "2").read_text() == "the user's own"
    run(sc, [b"x", b"y"], stream, sp.CacheMode.Overwrite)
    assert list(stream.load()) == [b"x", b"y"]


def test_deleting_deletes_nothing(sc, tmp_path):
    stream = FilesStream(written(tmp_path))
    stream.delete(sc)
    assert stream.committed()


def test_worker_processes_read_and_write(config, tmp_path):
    paths, results = written(tmp_path), [str(tmp_path / "out" / str(row)) for row in range(5)]
    with sp.Client(config=config, workers=["localhost:6001"]) as sc:
        sc.run(sc.io.Output(sc.io.Input([FilesStream(paths)]), [FilesStream(results)]), PERF, show_progress=False)
    assert [Path(path).read_bytes() for path in results] == [Path(path).read_bytes() for path in paths]


@sp.register_python_op()
def DieOnce(config, data: bytes) -> bytes:
    marker = Path(config.args["marker"])
    if data == b"three" and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return data


@pytest.mark.slow
def test_a_worker_that_dies_in_the_middle_changes_nothing(config, tmp_path):
    paths, results = written(tmp_path), [str(tmp_path / "out" / str(row)) for row in range(5)]
    with sp.Client(config=config, workers=["localhost:6001"]) as sc:
        data = sc.ops.DieOnce(data=sc.io.Input([FilesStream(paths)]), marker=str(tmp_path / "died"))
        sc.run(sc.io.Output(data, [FilesStream(results)]), PERF, show_progress=False)
    assert (tmp_path / "died").exists()
    assert [Path(path).read_bytes() for path in results] == [Path(path).read_bytes() for path in paths]
    assert below(tmp_path / "out") == ["0", "1", "2", "3", "4"]


PROGRAM = """
import os, signal, sys
import scannerpy as sp
from scannerpy.backends import FilesStream, PythonStream

@sp.register_python_op()
def Die(config, data: bytes) -> bytes:
    if data == b"4" and config.args["die"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return data * 2

cl = sp.Client(config=sp.Config(db_path="db"), debug=True)
data = cl.ops.Die(data=cl.io.Input([PythonStream([b"%d" % row for row in range(6)])]), die=sys.argv[1] == "die")
out = FilesStream([f"out/{row}" for row in range(6)])
cl.run(cl.io.Output(data, [out]), sp.PerfParams.manual(1, 2), sp.CacheMode.Overwrite, show_progress=False)
"""


@pytest.mark.slow
def test_a_program_that_is_killed_leaves_the_old_files_and_no_half_ones(tmp_path):
    """And the next run leaves nothing of it behind."""
    (tmp_path / "out").mkdir()
    for row in range(6):
        (tmp_path / "out" / str(row)).write_text("old")

    def run(how):
        environment = {**os.environ, "HOME": str(tmp_path)}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, how], cwd=tmp_path, env=environment, check=False
        ).returncode

    def seen():
        return [(tmp_path / "out" / str(row)).read_text() for row in range(6)]

    assert run("die") == -signal.SIGKILL
    assert seen() == ["old"] * 6
    assert [name for name in below(tmp_path / "out") if name.startswith(".")]
    assert run("live") == 0
    assert seen() == ["00", "11", "22", "33", "44", "55"]
    assert below(tmp_path / "out") == ["0", "1", "2", "3", "4", "5"]


def test_a_changed_file_is_another_input(sc, tmp_path):
    """What an interrupted run has finished is used again only where the files are the same."""
    paths = written(tmp_path)
    before = sc.sources.Files(paths=[paths]).output.node
    reader = sp.source.SOURCES["Files"].reader
    first = reader(**before.per_job[0]).identity()
    os.utime(paths[0], ns=(1, 1))
    assert reader(**before.per_job[0]).identity() != first


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_bucket_that_refuses_is_named(sc, bucket, mode):
    storage = FilesStorage("s3", bucket=bucket.name, region="us-east-1", endpoint=bucket.endpoint)
    bucket.objects["x"] = b"1"
    stream = FilesStream(["x"], storage)
    assert list(stream.load()) == [b"1"]
    bucket.refuse = True
    with pytest.raises(errors.StorageError, match=r"s3://films/x.*credentials"):
        list(stream.load_bytes()) if mode == "read" else storage.files.stage("x", b"")


# Mistakes


def test_a_missing_file_is_named(sc, tmp_path):
    paths = written(tmp_path)
    (tmp_path / "d").unlink()
    (tmp_path / "e").unlink()
    with pytest.raises(errors.StorageError, match=r"/d does not exist \(nor do 1 others of 5\)"):
        sc.run(sc.io.Output(sc.io.Input([FilesStream(paths)]), [sp.NamedStream(sc, "out")]), PERF)
    assert not sc.has_table("out")


@pytest.mark.parametrize(
    "open_it",
    [
        lambda path: list(FilesStream([path]).load()),
        lambda path: AudioStream(path, 1.0).len(),
        lambda path: CaptionStream(path, 1.0, 9).len(),
        lambda path: PackedStream(path).len(),
    ],
    ids=["file", "sound", "captions", "packed"],
)
def test_a_pipe_is_refused_at_once_not_waited_for(tmp_path, open_it):
    """As an input of any kind: nobody may ever write to it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(errors.StorageError, match=r"pipe.*it is a pipe or a device, not a file"):
        open_it(str(pipe))


def test_the_number_of_paths_must_be_that_of_the_rows(sc, tmp_path):
    with pytest.raises(errors.GraphError, match="3 rows, but the FilesStream has 2 paths"):
        run(sc, [b"1", b"2", b"3"], FilesStream([str(tmp_path / "1"), str(tmp_path / "2")]))
    assert below(tmp_path / "db" / "nothing") == []


def test_one_path_for_two_elements_is_refused(sc, tmp_path):
    with pytest.raises(errors.GraphError, match="two elements would be written to"):
        run(sc, [b"1", b"2"], FilesStream([str(tmp_path / "1"), str(tmp_path / "1")]))


def test_frames_are_no_files(sc, clip, tmp_path):
    frames = sc.io.Input([sp.NamedVideoStream(sc, "film", path=clip(3))])
    with pytest.raises(errors.GraphError, match="ImageEncoder"):
        sc.io.Output(frames, [FilesStream([str(tmp_path / str(row)) for row in range(3)])])


def test_a_null_is_no_file(sc, tmp_path):
    sc.new_table("in", ["column"], [[b"1"]])
    spaced = sc.streams.RepeatNull(sc.io.Input([sp.NamedStream(sc, "in")]), [2])
    job = sc.run(sc.io.Output(spaced, [FilesStream([str(tmp_path / "1"), str(tmp_path / "2")])]), show_progress=False)
    assert "row 1 is null" in sc.job_status(job).failures[0].reason
    assert below(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: FilesStream([]), "no path"),
        (lambda: FilesStream("a.jpg"), "list of paths"),
        (lambda: FilesStream([1]), "list of paths"),
        (lambda: FilesStorage("ftp"), "'ftp' is not known"),
        (lambda: FilesStorage("s3"), "needs a bucket"),
    ],
)
def test_a_stream_that_cannot_be_is_refused_when_it_is_made(make, says):
    with pytest.raises(sp.ScannerException, match=says):
        make()


def test_a_folder_without_permission_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(errors.StorageError, match=r"Cannot write .*file/x"):
        LocalFiles().stage(str(tmp_path / "file" / "x"), b"")


def test_pictures_in_and_out(sc, tmp_path):
    """Images are decoded to frames, and frames encoded to image files."""
    import cv2

    picture = np.random.default_rng(1).integers(0, 255, (8, 6, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "in.png"), picture)
    frames = sc.ops.ImageDecoder(img=sc.io.Input([FilesStream([str(tmp_path / "in.png")])]))
    images = sc.ops.ImageEncoder(frame=frames, format="png")
    sc.run(sc.io.Output(images, [FilesStream([str(tmp_path / "out.png")])]), show_progress=False)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "out.png")), picture)
