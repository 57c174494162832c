"""Writing a backend: what the engine does with a class, and what it says about mistakes in one."""

import json
from pathlib import Path

import numpy as np
import pytest

import scannerpy as sp
from scannerpy import errors

PERF = sp.PerfParams.manual(2, 2)


@sp.register_source("Countdown", stream_params=("start",), column="number")
class Countdown:
    def __init__(self, start, step=1):
        self.numbers = range(start, 0, -step)

    def __len__(self):
        return len(self.numbers)

    def read(self, rows):
        return (bytearray(b"%d" % self.numbers[row]) for row in rows)


@sp.register_source("Wrong", stream_params=("kind",))
class Wrong:
    def __init__(self, kind):
        if kind == "init":
            raise FileNotFoundError("no such thing")
        self.kind = kind

    def __len__(self):
        return 4

    def read(self, rows):
        for row in rows:
            if self.kind == "few" and row == 3:
                return
            if self.kind == "raises" and row == 2:
                raise OSError("the disk is gone")
            yield "text" if self.kind == "text" and row == 1 else b"%d" % row


@sp.register_source("WrongFrames", stream_params=("dtype",), is_video=True)
class WrongFrames:
    def __init__(self, dtype):
        self.dtype = dtype

    def __len__(self):
        return 2

    def read(self, rows):
        return (np.zeros((4, 4, 3), self.dtype) if self.dtype else b"bytes" for _ in rows)


@sp.register_sink("Folder", stream_params=("folder",))
class Folder:
    """Notes in its folder whatever is called, and stores lines."""

    def __init__(self, folder, refuse_commit=False):
        self.folder = Path(folder)
        self.lines = {}

    def write(self, start, elements):
        for row, element in enumerate(elements, start):
            if element == b"2" and (self.folder / "refuse").exists():
                raise OSError("the disk is full")
            self.lines[row] = [each.decode() for each in element] if isinstance(element, tuple) else element.decode()

    def finish(self):
        return self.lines

    @classmethod
    def check(cls, rows, folder, refuse_commit=False):
        if rows > 9:
            raise sp.ScannerException(f"{folder} takes 9 rows at most, not {rows}")

    @classmethod
    def commit(cls, results, folder, refuse_commit=False):
        if refuse_commit:
            raise ValueError("not today")
        lines = {row: line for result in results for row, line in result.items()}
        (Path(folder) / "lines").write_text(json.dumps(lines))

    @classmethod
    def discard(cls, folder, refuse_commit=False):
        (Path(folder) / "discarded").touch()


def stored(sc, column):
    result = sp.NamedStream(sc, "out")
    job = sc.run(sc.io.Output(column, [result]), PERF, show_progress=False)
    return list(result.load()) if result.committed() else sc.job_status(job).failures[0].reason


def test_a_source_is_a_class_with_a_length_and_rows(sc):
    column = sc.sources.Countdown(start=[5])
    assert column.output.column == "number"
    assert stored(sc, column) == [b"5", b"4", b"3", b"2", b"1"]
    assert "Countdown" in dir(sc.sources)
    assert {"Files", "Audio", "Captions", "Python", "PackedFile", "SQL"} <= set(dir(sc.sources))
    assert {"Files", "SQL", "Folder", "Column"} <= set(dir(sc.sinks))


def test_a_source_and_a_sink_in_a_program_work_in_processes(config, tmp_path):
    with sp.Client(config=config, workers=["localhost:6001"]) as sc:
        sink = sc.sinks.Folder(input=sc.sources.Countdown(start=[6], step=2), folder=[str(tmp_path)])
        sc.run(sink, PERF, show_progress=False)
    assert json.loads((tmp_path / "lines").read_text()) == {"0": "6", "1": "4", "2": "2"}


def test_a_sink_is_committed_once_all_tasks_are_done(sc, tmp_path):
    column = sc.sources.Countdown(start=[5])
    assert sc.run(sc.sinks.Folder(input=column, folder=[str(tmp_path)]), PERF, show_progress=False) is not None
    assert json.loads((tmp_path / "lines").read_text()) == {str(row): str(5 - row) for row in range(5)}
    assert not (tmp_path / "discarded").exists()


def test_a_sink_may_take_several_columns(sc, tmp_path):
    column = sc.sources.Countdown(start=[2])
    sc.run(sc.sinks.Folder(columns={"a": column, "b": column}, folder=[str(tmp_path)]), PERF, show_progress=False)
    assert json.loads((tmp_path / "lines").read_text()) == {"0": ["2", "2"], "1": ["1", "1"]}


def test_a_sink_whose_job_fails_is_discarded(sc, tmp_path):
    (tmp_path / "refuse").touch()
    sink = sc.sinks.Folder(input=sc.sources.Countdown(start=[5]), folder=[str(tmp_path)])
    job = sc.run(sink, PERF, show_progress=False)
    assert "the disk is full" in sc.job_status(job).failures[0].reason
    assert (tmp_path / "discarded").exists()
    assert not (tmp_path / "lines").exists()


def test_a_sink_that_cannot_be_committed_is_a_failed_stream(sc, tmp_path):
    """Beside a table, which then does not count either."""
    column = sc.sources.Countdown(start=[3])
    table = sp.NamedStream(sc, "beside")
    sinks = [sc.sinks.Folder(input=column, folder=[str(tmp_path)], refuse_commit=True), sc.io.Output(column, [table])]
    job = sc.run(sinks, PERF, show_progress=False)
    assert "could not be committed: ValueError: not today" in sc.job_status(job).failures[0].reason
    assert not table.committed()
    assert (tmp_path / "discarded").exists()


def test_what_a_sink_cannot_hold_is_refused_before_anything_runs(sc, tmp_path):
    sink = sc.sinks.Folder(input=sc.sources.Countdown(start=[10]), folder=[str(tmp_path)])
    with pytest.raises(errors.GraphError, match=r"Folder \(.*stream 0: .* takes 9 rows at most, not 10"):
        sc.run(sink, PERF)
    assert list(tmp_path.glob("lines")) == []


# Mistakes of who uses a backend


def test_arguments_are_looked_at_where_they_are_given(sc, tmp_path):
    with pytest.raises(errors.GraphError, match=r"test_registering.py:\d+: .*pace.*Countdown takes start, step"):
        sc.sources.Countdown(start=[5], pace=2)
    with pytest.raises(errors.GraphError, match="give at least one of start as a list"):
        sc.sources.Countdown(step=2)
    with pytest.raises(errors.GraphError, match="lists of start are empty"):
        sc.sources.Countdown(start=[])
    with pytest.raises(errors.GraphError, match="colour"):
        sc.sinks.Folder(input=sc.sources.Countdown(start=[5]), folder=[str(tmp_path)], colour="red")


@pytest.mark.parametrize("kind", ["sources", "sinks"])
def test_an_unknown_name_says_what_there_is(sc, kind):
    with pytest.raises(errors.UnknownOp, match=r"'Nowhere'; there are .*Files.*register_"):
        getattr(getattr(sc, kind), "Nowhere")  # noqa: B009 — asking is what is tested


# Mistakes of who writes one


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("text", "source Wrong gave a str for row 1, but its elements are bytes"),
        ("few", "ended before row 3"),
        ("raises", "the disk is gone"),
    ],
)
def test_a_mistake_in_a_source_is_told_with_its_row(sc, kind, says):
    assert says in stored(sc, sc.sources.Wrong(kind=[kind]))


@pytest.mark.parametrize("dtype", ["int16", ""])
def test_what_is_no_frame_is_told(sc, dtype):
    reason = stored(sc, sc.sources.WrongFrames(dtype=[dtype]))
    assert "source WrongFrames gave a" in reason
    assert "elements are frames" in reason


def test_a_source_that_cannot_be_opened_is_told_before_anything_runs(sc):
    with pytest.raises(errors.StorageError, match=r"Wrong \(.*cannot be opened: FileNotFoundError: no such thing"):
        stored(sc, sc.sources.Wrong(kind=["init"]))
    assert not sc.has_table("out")


def test_a_class_without_the_methods_is_refused():
    with pytest.raises(errors.RegistrationError, match=r"source 'Half': .*Half has no __len__\(\)"):
        sp.register_source("Half", stream_params=("x",))(type("Half", (), {}))
    with pytest.raises(errors.RegistrationError, match=r"sink 'Half': .*has no finish\(\)"):
        sp.register_sink("Half", stream_params=("x",))(type("Half", (), {"write": print}))


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(errors.RegistrationError, match=r"'Files' is registered already, by scannerpy\.backends\.files"):
        sp.register_source("Files", stream_params=("x",))(Countdown)
    with pytest.raises(errors.RegistrationError, match="'Column' is registered already, by scannerpy"):
        sp.register_sink("Column", stream_params=("x",))(Folder)
