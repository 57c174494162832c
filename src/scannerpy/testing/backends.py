"""What a storage backend promises, as tests to subclass: `InputContract` and `OutputContract`.

Say how a stream is made and what it holds, and give pytest a client as the fixture ``sc``; the tests are inherited::

    import pytest
    import scannerpy
    from scannerpy.testing.backends import InputContract

    @pytest.fixture
    def sc(tmp_path):
        with scannerpy.Client(config=scannerpy.Config(db_path=str(tmp_path / "db")), debug=True) as client:
            yield client

    class TestMyStream(InputContract):
        def stream(self, folder):
            return MyStream(folder / "file")

        def elements(self):
            return [b"one", b"two", b"three", b"four"]

The backends that come with Scanner pass the same tests.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from scannerpy.common import CacheMode, PerfParams
from scannerpy.errors import ScannerException, StreamExists
from scannerpy.kernel import KernelConfig
from scannerpy.op import register_python_op
from scannerpy.sink import SINKS
from scannerpy.source import SOURCES
from scannerpy.storage import NamedStream, StorageBackend, StoredStream

CUTS = ((1, 1), (2, 2), (2, 4), (50, 100))
"""Sizes of packets and tasks; whatever they are, streams are the same."""


@register_python_op(name="ContractRefuse")
def refuse(config: KernelConfig, element: bytes) -> bytes:
    """Pass elements on, and fail at the one that is ``refused``."""
    if element == config.args["refused"]:
        raise ValueError("refused, as the test wants it")
    return element


def same(found: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Whether elements (bytes, arrays, nulls) are the same ones, in the same order."""
    return len(found) == len(expected) and all(_is_same(*pair) for pair in zip(found, expected, strict=True))


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return type(one) is type(other) and bool(one == other)


class InputContract(ABC):
    """A stream that a graph can read."""

    @abstractmethod
    def stream(self, folder: Path) -> StoredStream:
        """Make a stream that holds `elements`, with what it needs in the empty `folder`."""

    @abstractmethod
    def elements(self) -> list[Any]:
        """Return four or more elements, all different: bytes or arrays, as a graph gets them."""

    def missing(self, folder: Path) -> StoredStream | None:
        """Make a stream of which nothing is there; None if there is no such thing."""
        del folder
        return None

    def test_it_is_there(self, tmp_path: Path) -> None:
        """The handle knows its storage, its length, and that it is complete."""
        stream = self.stream(tmp_path)
        assert isinstance(stream.storage(), StorageBackend)
        assert stream.exists()
        assert stream.committed()
        assert stream.len() == len(stream) == len(self.elements())
        assert stream.name()

    def test_it_loads(self, tmp_path: Path) -> None:
        """`load_bytes` yields the elements, whether or not they are then turned into values."""
        stream = self.stream(tmp_path)
        assert same(list(stream.load_bytes()), self.elements())
        assert len(list(stream.load())) == len(self.elements())

    def test_it_loads_rows_in_any_order(self, tmp_path: Path) -> None:
        """Rows are loaded as they are asked for, with duplicates; none that is not there."""
        stream, elements = self.stream(tmp_path), self.elements()
        rows = [len(elements) - 1, 0, 2, 0]
        assert same(list(stream.load_bytes(rows=rows)), [elements[row] for row in rows])
        for row in (-1, len(elements)):
            assert _raises(ScannerException, lambda row=row: list(stream.load_bytes(rows=[row])))

    def test_a_graph_reads_it_however_it_is_cut(self, sc: Any, tmp_path: Path) -> None:
        """Every element arrives, whatever the sizes of packets and tasks."""
        for cut in CUTS:
            assert same(self._stored(sc, sc.io.Input([self.stream(tmp_path)]), cut), self.elements())

    def test_a_graph_reads_chosen_rows(self, sc: Any, tmp_path: Path) -> None:
        """Samplers get the rows they choose: sparse, backwards, twice."""
        elements = self.elements()
        rows = [len(elements) - 1, 1, 1, 0]
        column = sc.streams.Gather(sc.io.Input([self.stream(tmp_path)]), [rows])
        for cut in CUTS:
            assert same(self._stored(sc, column, cut), [elements[row] for row in rows])

    def test_a_graph_reads_two_of_them(self, sc: Any, tmp_path: Path) -> None:
        """Streams are told apart."""
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        results = [NamedStream(sc, folder.name) for folder in folders]
        column = sc.streams.Range(sc.io.Input([self.stream(folder) for folder in folders]), [(0, 2), (1, 3)])
        sc.run(sc.io.Output(column, results), show_progress=False)
        assert same(list(results[0].load_bytes()), self.elements()[:2])
        assert same(list(results[1].load_bytes()), self.elements()[1:3])

    def test_its_reader_travels(self, sc: Any, tmp_path: Path) -> None:
        """Reader class and arguments reach another process, and the same content has the same identity there."""
        cls, arguments = self._reader(sc, tmp_path)
        other, sent = cloudpickle.loads(cloudpickle.dumps((cls, arguments)))
        here, there = cls(**arguments), other(**sent)
        rows = list(range(len(self.elements())))
        assert len(here) == len(there) == len(rows)
        assert same(list(there.read(rows)), list(here.read(rows)))
        if hasattr(here, "identity"):
            assert here.identity() == there.identity()
        _close(here, there)

    def test_its_reader_goes_back_and_forth(self, sc: Any, tmp_path: Path) -> None:
        """One reader is asked again and again, also for earlier rows, also when it was not read to the end."""
        cls, arguments = self._reader(sc, tmp_path)
        reader, elements = cls(**arguments), self.elements()
        for rows in ([2, 3], [0], [1, 3], [0, 1, 2]):
            assert same(list(reader.read(rows)), [elements[row] for row in rows])
        next(iter(reader.read([0, 1])))
        assert same(list(reader.read([1])), elements[1:2])
        _close(reader)

    def test_what_is_missing_is_told_before_anything_runs(self, sc: Any, tmp_path: Path) -> None:
        """A stream that is not there is refused, in Scanner's words, and no output is touched."""
        stream = self.missing(tmp_path)
        if stream is None:
            return
        assert not stream.exists()
        assert _raises(ScannerException, lambda: next(iter(stream.load())))
        assert _raises(ScannerException, lambda: self._stored(sc, sc.io.Input([stream]), CUTS[0]))
        assert not sc.has_table("contract")

    def _stored(self, sc: Any, column: Any, cut: tuple[int, int]) -> list[Any]:
        result = NamedStream(sc, "contract")
        sc.run(sc.io.Output(column, [result]), PerfParams.manual(*cut), CacheMode.Overwrite, show_progress=False)
        return list(result.load_bytes())

    def _reader(self, sc: Any, folder: Path) -> tuple[Any, dict[str, Any]]:
        node = sc.io.Input([self.stream(folder)]).output.node
        return SOURCES[node.name].reader, {**node.args, **node.per_job[0]}


class OutputContract(ABC):
    """A stream that a graph can write."""

    @abstractmethod
    def stream(self, folder: Path, rows: int) -> StoredStream:
        """Make a stream for `rows` elements that does not exist yet; again for the same folder: the same stream."""

    def element(self, row: int) -> bytes:
        """Return something to be stored, different for every `row`."""
        return b"element %d" % row

    def stored(self, stream: StoredStream) -> list[Any]:
        """Return what is stored, as it was given."""
        return list(stream.load(fn=bytes))

    def test_it_is_not_there_yet(self, tmp_path: Path) -> None:
        """A new stream neither exists nor is complete."""
        stream = self.stream(tmp_path, 5)
        assert not stream.exists()
        assert not stream.committed()
        assert stream.name()

    def test_what_is_written_is_there_however_it_is_cut(self, sc: Any, tmp_path: Path) -> None:
        """Every element is stored, once, whatever the sizes of packets and tasks."""
        for number, cut in enumerate(CUTS):
            folder = tmp_path / str(number)
            folder.mkdir()
            stream = self.stream(folder, 5)
            self._write(sc, stream, range(5), cut=cut)
            assert stream.exists()
            assert stream.committed()
            assert same(self.stored(stream), self._elements(range(5)))

    def test_it_is_not_written_again_by_mistake(self, sc: Any, tmp_path: Path) -> None:
        """What exists is refused by default, and left by CacheMode.Ignore."""
        stream = self.stream(tmp_path, 5)
        self._write(sc, stream, range(5))
        assert _raises(StreamExists, lambda: self._write(sc, stream, range(5, 10)))
        assert self._write(sc, stream, range(5, 10), mode=CacheMode.Ignore) is None
        assert same(self.stored(stream), self._elements(range(5)))

    def test_overwrite_replaces_it(self, sc: Any, tmp_path: Path) -> None:
        """CacheMode.Overwrite leaves the new elements and none of the old."""
        stream = self.stream(tmp_path, 5)
        self._write(sc, stream, range(5))
        self._write(sc, stream, range(5, 10), mode=CacheMode.Overwrite)
        assert stream.committed()
        assert same(self.stored(stream), self._elements(range(5, 10)))

    def test_a_failed_job_does_not_count_and_is_done_again(self, sc: Any, tmp_path: Path) -> None:
        """A stream whose job was given up is not complete; CacheMode.Ignore makes it so."""
        stream = self.stream(tmp_path, 5)
        job = self._write(sc, stream, range(5), refused=self.element(3))
        assert len(sc.job_status(job).failures) == 1
        assert not stream.committed()
        self._write(sc, stream, range(5), mode=CacheMode.Ignore)
        assert stream.committed()
        assert same(self.stored(stream), self._elements(range(5)))

    def test_a_failed_overwrite_is_done_again(self, sc: Any, tmp_path: Path) -> None:
        """After an overwrite that was given up there is all of the old stream or none, and then the new one."""
        stream = self.stream(tmp_path, 5)
        self._write(sc, stream, range(5))
        self._write(sc, stream, range(5, 10), mode=CacheMode.Overwrite, refused=self.element(8))
        assert not stream.committed() or same(self.stored(stream), self._elements(range(5)))
        self._write(sc, stream, range(5, 10), mode=CacheMode.Overwrite)
        assert same(self.stored(stream), self._elements(range(5, 10)))

    def test_a_task_may_be_done_again(self, sc: Any, tmp_path: Path) -> None:
        """A task whose worker died is written anew: in the middle, or when it had just finished."""
        stream = self.stream(tmp_path, 5)
        cls, arguments = self._writer(sc, stream)
        results = {}
        for start, stop, finish in ((0, 3, False), (0, 3, True), (0, 3, True), (3, 5, True)):
            writer = cls(**arguments)
            for row in range(start, stop):
                writer.write(row, [self.element(row)])
            if finish:
                results[start] = writer.finish()
        if hasattr(cls, "commit"):
            assert not stream.committed()
            cls.commit(list(results.values()), **arguments)
            cls.commit(list(results.values()), **arguments)
        assert stream.committed()
        assert same(self.stored(stream), self._elements(range(5)))

    def test_a_task_that_is_broken_off_leaves_nothing_that_counts(self, sc: Any, tmp_path: Path) -> None:
        """What was written and not finished is not a stream, whether `abort` is called or the worker just dies."""
        stream = self.stream(tmp_path, 5)
        cls, arguments = self._writer(sc, stream)
        for _ in range(2):
            writer = cls(**arguments)
            writer.write(0, self._elements(range(5)))
            if hasattr(writer, "abort"):
                writer.abort()
        assert not stream.committed()
        if hasattr(cls, "discard"):
            cls.discard(**arguments)
            assert not stream.exists()

    def test_its_writer_travels(self, sc: Any, tmp_path: Path) -> None:
        """Writer class and arguments reach another process, and what `finish` returns comes back."""
        stream = self.stream(tmp_path, 5)
        cls, arguments = cloudpickle.loads(cloudpickle.dumps(self._writer(sc, stream)))
        writer = cls(**arguments)
        writer.write(0, self._elements(range(5)))
        cloudpickle.loads(cloudpickle.dumps(writer.finish()))

    def _elements(self, rows: range) -> list[bytes]:
        return [self.element(row) for row in rows]

    def _write(
        self,
        sc: Any,
        stream: StoredStream,
        rows: range,
        mode: CacheMode = CacheMode.Error,
        cut: tuple[int, int] = (2, 2),
        refused: bytes = b"",
    ) -> Any:
        column = sc.ops.ContractRefuse(element=self._input(sc, rows), refused=refused)
        return sc.run(sc.io.Output(column, [stream]), PerfParams.manual(*cut), mode, show_progress=False)

    def _input(self, sc: Any, rows: range) -> Any:
        sc.new_table("contract", ["column"], [[element] for element in self._elements(rows)], force=True)
        return sc.io.Input([NamedStream(sc, "contract")])

    def _writer(self, sc: Any, stream: StoredStream) -> tuple[Any, dict[str, Any]]:
        node = sc.io.Output(self._input(sc, range(5)), [stream]).node
        cls: Any = SINKS[node.name].writer
        arguments = copy.deepcopy({**node.args, **node.per_job[0]})
        if hasattr(cls, "check"):
            cls.check(5, **arguments)
        return cls, arguments


def _close(*readers: Any) -> None:
    for reader in readers:
        if hasattr(reader, "close"):
            reader.close()


def _raises(kind: type[Exception], act: Any) -> bool:
    try:
        act()
    except kind as error:
        return len(str(error)) > 10  # a sentence, not a word
    return False
