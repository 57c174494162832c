"""The small things programs lean on: log lines, helpers, and what the base classes of storage say."""

from __future__ import annotations

import io
import logging
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import scannerpy as sp
from scannerpy import common, util
from scannerpy.errors import NotCommitted, NotSupported, ScannerException, StorageError
from scannerpy.storage import NamedStorage, NamedVideoStorage, StorageBackend, StoredStream

# Log lines


def test_a_log_line_has_a_letter_a_date_a_place_and_the_text() -> None:
    record = logging.LogRecord("scanner", logging.WARNING, "/somewhere/file.py", 42, "%d of %s", (3, "x"), None)
    line = common.CustomFormatter().format(record)
    assert re.fullmatch(r"W \d\d-\d\d-\d\d \d\d:\d\d:\d\d file\.py:042\] 3 of x", line)
    assert common.CustomFormatter("%(message)s", "%H", "%").format(record) == "3 of x"


def test_the_log_is_ones_own() -> None:
    """Level INFO, one handler, nothing handed on to the root; so in a program that configures nothing."""
    code = (
        "import logging, scannerpy\nlog = logging.getLogger('scanner')\n"
        "print(log is scannerpy.common.log, log.level == logging.INFO, log.propagate, len(log.handlers))\n"
        "logging.basicConfig(level=0)\nlog.info('told once')"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "True True False 1\n"
    assert re.fullmatch(r"I [-\d]{8} [:\d]{8} <string>:005\] told once\n", told.stderr)


# Helpers


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_downloads_are_kept_in_the_home_folder(home: Path) -> None:
    assert util.temp_directory() == str(home / ".scanner" / "resources")
    source = home / "weights.bin"
    source.write_bytes(b"1234")
    kept = util.download_temp_file(source.as_uri())
    assert (Path(kept).read_bytes(), Path(kept).parent) == (b"1234", Path(util.temp_directory()))
    source.unlink()
    assert util.download_temp_file(source.as_uri()) == kept, "it is not fetched again"
    with pytest.raises(StorageError, match=r"cannot download .*other\.bin.*put the file at"):
        util.download_temp_file((home / "other.bin").as_uri(), local_path="here.bin")


def test_archives_are_unpacked_to_a_folder(home: Path) -> None:
    with tarfile.open(home / "model.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("model/weights")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    folder = Path(util.download_temp_file((home / "model.tar.gz").as_uri(), untar=True))
    assert (folder / "model" / "weights").read_bytes() == b"abc"
    assert folder == Path(util.temp_directory()) / "model"


def test_default_sets_what_is_missing() -> None:
    options: dict[str, object] = {"a": 1}
    assert [util.default(options, "a", 2), util.default(options, "b", 3), util.default(options, "c", list)] == [
        1,
        3,
        [],
    ]
    assert options == {"a": 1, "b": 3, "c": []}


# Storage


class Words(StoredStream):
    """A stream of a program's own, that can only be read."""

    def __init__(self, *words: object, complete: bool = True) -> None:
        self.words, self.complete = words, complete

    def committed(self) -> bool:
        return self.complete

    def exists(self) -> bool:
        return True

    def type(self) -> None:
        return None

    def load_bytes(self, rows=None):
        yield from (self.words[row] for row in (range(len(self.words)) if rows is None else rows))


class Upper:
    @staticmethod
    def deserialize(data: bytes) -> str:
        return data.decode().upper()


def test_a_stream_says_what_its_class_does_not_define() -> None:
    for method in ("committed", "exists", "storage", "len", "name", "type", "estimate_size"):
        with pytest.raises(NotImplementedError, match=rf"StoredStream\.{method}"):
            getattr(StoredStream(), method)()
    with pytest.raises(ScannerException, match=r"cannot be loaded: it does not define load_bytes"):
        next(StoredStream().load_bytes())


def test_a_backend_says_what_its_class_does_not_define(cl) -> None:
    backend = StorageBackend()
    calls = {"source": (cl, []), "sink": (cl, None, []), "delete": (cl, [])}
    for method, arguments in calls.items():
        with pytest.raises(ScannerException, match=rf"StorageBackend can.*does not define {method}\(\)"):
            getattr(backend, method)(*arguments)


def test_loading_turns_bytes_into_values_and_leaves_the_rest() -> None:
    null, array = sp.NullElement(), [1.5]
    stream = Words(b"a", null, b"b", array)
    assert list(stream.load()) == [b"a", null, b"b", array]
    assert list(stream.load(fn=len)) == [1, null, 1, array]
    assert list(stream.load(ty=Upper)) == ["A", null, "B", array]
    assert list(stream.load(ty=Upper, fn=len, rows=[2, 0])) == [1, 1], "fn goes before ty"


def test_an_incomplete_stream_is_told_at_the_first_element() -> None:
    rows = Words(b"a", complete=False).load()
    with pytest.raises(NotCommitted, match="'Words' cannot be loaded: it is not committed"):
        next(rows)


def test_named_streams_are_cheap_handles(cl) -> None:
    stream = sp.NamedVideoStream(cl, "nobody")
    assert (stream.exists(), stream.committed(), stream.name()) == (False, False, "nobody")
    assert isinstance(stream.storage(), NamedVideoStorage)
    assert isinstance(sp.NamedStream(cl, "x", storage=NamedStorage()).storage(), NamedStorage)
    stream.delete(cl)
    with pytest.raises(NotSupported, match=r"load\(rows="):
        stream.as_hwang()
    for name in ("", None, 3):
        with pytest.raises(ScannerException, match="non-empty string"):
            sp.NamedStream(cl, name)


def test_a_video_is_ingested_when_its_stream_is_first_used(cl, clip) -> None:
    for name, use in {
        "exists": lambda stream: stream.exists(),
        "committed": lambda stream: stream.committed(),
        "len": lambda stream: stream.len() == 12,
        "load": lambda stream: next(stream.load()).shape == (48, 64, 3),
        "size": lambda stream: stream.estimate_size() == 48 * 64 * 3,
    }.items():
        stream = sp.NamedVideoStream(cl, name, path=clip(12))
        assert not cl.has_table(name)
        assert use(stream)
        assert cl.table(name).column_names() == ["index", "frame"]
    NamedVideoStorage().ingest(cl, [sp.NamedVideoStream(cl, "b", path=clip(12))], batch=1)
    assert cl.has_table("b")


def test_empty_bytes_are_not_null(cl) -> None:
    cl.new_table("t", ["column"], [[b""], [b"x"]])
    column = cl.io.Input([sp.NamedStream(cl, "t")])
    out = sp.NamedStream(cl, "out")
    cl.run(cl.io.Output(cl.streams.RepeatNull(column, [2]), [out]), show_progress=False)
    assert list(out.load()) == [b"", sp.NullElement(), b"x", sp.NullElement()]


# The client


def test_a_client_lives_as_long_as_it_is_used(config) -> None:
    """It makes its database, serves several clients, and starts again after it was stopped."""
    assert not Path(config.db_path).exists()
    with sp.Client(config=config, debug=True) as first, sp.Client(config=config, debug=True) as second:
        assert Path(config.db_path).is_dir()
        first.start_master("localhost:5001")
        first.start_workers(["localhost:5002"])
        first.new_table("t", ["column"], [[b"x"]])
        assert second.has_table("t")
        for name in ("one", "two"):
            first.run(first.io.Output(first.io.Input([sp.NamedStream(first, "t")]), [sp.NamedStream(first, name)]))
            first.stop_cluster()
    first.stop_cluster()
    assert sp.Client(config_path=config.config_path, debug=True).has_table("two")


def test_perf_params_are_asked_with_the_inputs_and_the_ops(cl) -> None:
    cl.new_table("t", ["column"], [[b"x"]] * 4)
    stream, asked = sp.NamedStream(cl, "t"), []

    def choose(inputs, ops):
        asked.append((inputs, ops))
        return sp.PerfParams(1, 2)

    column = cl.io.Input([stream])
    sink = cl.io.Output(cl.streams.Stride(column, [2]), [sp.NamedStream(cl, "out")])
    assert (column._streams, [s.name() for s in sink._streams]) == ([stream], ["out"])
    cl.run(outputs=sink, perf_params=choose, show_progress=False)
    ((inputs, ops),) = asked
    assert inputs == [[stream]]
    assert [op.name for op in ops] == ["Column", "Stride", "Column"]


def test_a_detached_run_is_active_until_it_has_ended(cl) -> None:
    cl.new_table("t", ["column"], [[b"x"]] * 4)
    sink = cl.io.Output(cl.io.Input([sp.NamedStream(cl, "t")]), [sp.NamedStream(cl, "out")])
    job = cl.run(sink, detach=True)
    *steps, status = cl.wait_on_job_gen(job, show_progress=False)
    assert set(steps) <= {None}
    assert (status.finished, status.result.success, status.result.msg) == (True, True, "")
    assert (status.jobs_done, status.jobs_failed, status.total_jobs, status.failed_workers) == (1, 0, 1, 0)
    assert cl.get_active_jobs() == []
