"""`to_pandas`, `to_arrow` and `to_parquet`: streams as tables of other tools."""

from __future__ import annotations

import pickle
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import scannerpy as sp
from scannerpy import types
from scannerpy._tabular import cells, extras
from scannerpy.errors import NotCommitted, NotSupported, ScannerException, SerializationError, StorageError
from scannerpy.storage import NullElement, StoredStream
from tests.clips import number_of

PARAMS = sp.PerfParams.manual(5, 10)


@pytest.fixture
def film(cl, clip):
    return sp.NamedVideoStream(cl, "film", path=clip(30))


def stored(cl, column, name="out", handle=sp.NamedStream):
    out = handle(cl, name)
    cl.run(cl.io.Output(column, [out]), PARAMS, show_progress=False)
    return out


def through_parquet(stream, path):
    """Write a stream as Parquet, check that it reads back as `to_arrow` says, and return the table."""
    table = pq.read_table(stream.to_parquet(path))
    assert table.equals(stream.to_arrow())
    return table


@sp.register_python_op()
def TableUnpickled(config, column: bytes) -> Any:
    return pickle.loads(column)


@sp.register_python_op()
def TableBoxes(config, frame: sp.FrameType) -> types.BboxList:
    from scannerpy import protobufs

    return [protobufs.BoundingBox(x1=0.5, label=number) for number in range(number_of(frame) % 3)]


@sp.register_python_op()
def TableBox(config, frame: sp.FrameType) -> types.Bbox:
    from scannerpy import protobufs

    return protobufs.BoundingBox(y2=0.25, track_id=number_of(frame))


@sp.register_python_op()
def TableFloats(config, frame: sp.FrameType) -> types.NumpyArrayFloat32:
    return np.arange(number_of(frame) % 4)


# Videos


def test_a_video_has_rows_and_times_without_being_decoded(film, monkeypatch):
    from scannerpy._video.decode import Decoder

    monkeypatch.delattr(Decoder, "frames")
    table = film.to_arrow(values=False)
    assert table.schema == pa.schema([("row", pa.int64()), ("time", pa.float64())])
    assert table.num_rows == 30
    assert table["time"].to_pylist() == pytest.approx([row / 25 for row in range(30)])
    assert film.to_pandas(rows=[7, 3], values=False).to_dict("list") == {"row": [7, 3], "time": [7 / 25, 3 / 25]}


def test_frames_are_tensors_of_their_shape(film, tmp_path):
    table = film.to_arrow(rows=[20, 3])
    assert table["frame"].type == pa.fixed_shape_tensor(pa.uint8(), (48, 64, 3))
    frames = table["frame"].combine_chunks().to_numpy_ndarray()
    assert [number_of(frame) for frame in frames] == [20, 3]
    assert np.array_equal(frames, list(film.load(rows=[20, 3])))
    assert pq.read_table(film.to_parquet(tmp_path / "f.parquet", rows=[20, 3])).equals(table)
    assert [number_of(frame) for frame in film.to_pandas(rows=[20, 3])["frame"]] == [20, 3]


def test_what_ops_made_has_no_times(cl, film, tmp_path):
    out = stored(cl, cl.streams.RepeatNull(cl.streams.Range(cl.io.Input([film]), [(4, 6)]), [2]))
    table = through_parquet(out, tmp_path / "f.parquet")
    assert table.column_names == ["row", "frame"]
    assert [frame is None for frame in table["frame"].to_pylist()] == [False, True, False, True]
    assert [frame is None for frame in out.to_pandas()["frame"]] == [False, True, False, True]


@sp.register_python_op()
def TableCropped(config, frame: sp.FrameType) -> sp.FrameType:
    return frame[: 48 - 2 * number_of(frame)]


def test_frames_of_several_shapes_are_refused_with_what_to_do(cl, film):
    cropped = cl.ops.TableCropped(frame=cl.streams.Range(cl.io.Input([film]), [(0, 4)]))
    out = stored(cl, cropped.lossless())
    with pytest.raises(SerializationError, match=r"'out' holds frames of several shapes.*rows=\[…\].*values=False"):
        out.to_arrow()
    assert out.to_arrow(rows=[2]).num_rows == 1
    assert [frame.shape[0] for frame in out.to_pandas()["frame"]] == [48, 46, 44, 42]


# Types


def test_histograms_are_lists_of_lists(cl, film, tmp_path):
    out = stored(cl, cl.ops.Histogram(frame=film_head(cl, film)))
    table = through_parquet(out, tmp_path / "h.parquet")
    assert table["value"].type == pa.list_(pa.list_(pa.int32()))
    assert table["value"].to_pylist() == [[channel.tolist() for channel in each] for each in out.load()]
    first = out.to_pandas()["value"][0]
    assert [channel.dtype for channel in first] == [np.int32] * 3


def film_head(cl, film):
    return cl.streams.Range(cl.io.Input([film]), [(0, 4)])


def test_boxes_are_structs_with_all_their_fields(cl, film, tmp_path):
    table = through_parquet(stored(cl, cl.ops.TableBoxes(frame=film_head(cl, film))), tmp_path / "b.parquet")
    assert [len(each) for each in table["value"].to_pylist()] == [0, 1, 2, 0]
    assert table["value"].to_pylist()[2][1] == {
        "x1": 0.5, "y1": 0.0, "x2": 0.0, "y2": 0.0, "score": 0.0, "track_id": 0, "track_score": 0.0, "label": 1,
    }  # fmt: skip
    box = stored(cl, cl.ops.TableBox(frame=film_head(cl, film)), "box")
    assert box.to_arrow()["value"].type.field("y2").type == pa.float32()
    assert [each["track_id"] for each in box.to_pandas()["value"]] == [0, 1, 2, 3]


def test_flat_arrays_are_lists_and_images_are_their_files(cl, film, tmp_path):
    floats = through_parquet(stored(cl, cl.ops.TableFloats(frame=film_head(cl, film))), tmp_path / "f.parquet")
    assert floats["value"].type == pa.list_(pa.float32())
    assert floats["value"].to_pylist() == [[], [0], [0, 1], [0, 1, 2]]
    images = stored(cl, cl.ops.ImageEncoder(frame=film_head(cl, film)), "images")
    table = through_parquet(images, tmp_path / "i.parquet")
    assert table["value"].type == pa.binary()
    assert table["value"].to_pylist() == list(images.load(fn=bytes))
    assert images.to_pandas()["value"][0].startswith(b"\x89PNG")


def test_bytes_and_nulls(cl, tmp_path):
    cl.new_table("t", ["column"], [[b"x"], [b""]])
    out = stored(cl, cl.streams.RepeatNull(cl.io.Input([sp.NamedStream(cl, "t")]), [2]))
    table = through_parquet(out, tmp_path / "t.parquet")
    assert table.schema == pa.schema([("row", pa.int64()), ("value", pa.binary())])
    assert table["value"].to_pylist() == [b"x", None, b"", None]


@pytest.mark.parametrize(
    ("values", "arrow", "holds"),
    [
        ([1, 2.5, None], pa.float64(), [1.0, 2.5, None]),
        ([1, 2], pa.int64(), [1, 2]),
        ([np.float32(1.5), np.int64(3)], pa.float64(), [1.5, 3.0]),
        (["a", "ü"], pa.string(), ["a", "ü"]),
        ([b"a"], pa.binary(), [b"a"]),
        ([None, None], pa.null(), [None, None]),
        ([(1, 2), [3]], pa.list_(pa.int64()), [[1, 2], [3]]),
        ([np.zeros(2), np.ones(1)], pa.list_(pa.float64()), [[0, 0], [1]]),
        ([np.zeros((1, 2))], pa.list_(pa.list_(pa.float64())), [[[0, 0]]]),
        (
            [{"a": 1}, {"a": 2.5, 3: [True]}],
            pa.struct([("a", pa.float64()), ("3", pa.list_(pa.bool_()))]),
            [{"a": 1.0, "3": None}, {"a": 2.5, "3": [True]}],
        ),
        ([1, "a"], pa.string(), ["1", '"a"']),
        ([np.arange(3), {"a": np.ones(2)}], pa.string(), ["[0, 1, 2]", '{"a": [1.0, 1.0]}']),
        ([np.zeros(2000), "a"], pa.string(), [f"[{', '.join(['0.0'] * 2000)}]", '"a"']),
        ([2**70, None], pa.string(), [str(2**70), None]),
        ([{}, {}], pa.string(), ["{}", "{}"]),
        ([1j], pa.string(), ['"1j"']),
        (["\ud800"], pa.string(), ['"\\ud800"']),
    ],
    ids=str,
)
def test_any_becomes_the_narrowest_type_that_holds_all_or_text(cl, tmp_path, monkeypatch, values, arrow, holds):
    monkeypatch.setattr(cells, "MOST_ROWS", 1)  # each batch sees one value only: the type must hold for all
    cl.new_table("t", ["column"], [[pickle.dumps(value)] for value in values])
    out = stored(cl, cl.ops.TableUnpickled(column=cl.io.Input([sp.NamedStream(cl, "t")])))
    table = through_parquet(out, tmp_path / "any.parquet")
    assert table["value"].type == arrow
    assert table["value"].to_pylist() == holds
    assert len(out.to_pandas()) == len(values)


def test_numbers_and_text_are_computed_with_in_pandas(cl):
    cl.new_table("t", ["column"], [[pickle.dumps(value)] for value in (1, 2.5, None)])
    out = stored(cl, cl.ops.TableUnpickled(column=cl.io.Input([sp.NamedStream(cl, "t")])))
    frame = out.to_pandas()
    assert frame["value"].dtype == np.float64
    assert frame["value"].sum() == 3.5
    assert list(frame.columns) == ["row", "value"]


# Memory


class Long(StoredStream):
    """A stream of a storage of its own, which knows how many of its elements are held at once."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.alive = self.most = 0

    def load_bytes(self, rows: Any = None) -> Iterator[Any]:
        for row in range(self.count) if rows is None else rows:
            frame = np.full((8, 8, 3), row % 250, np.uint8)
            self.alive += 1
            self.most = max(self.most, self.alive)
            weakref.finalize(frame, self.gone)
            yield frame
            del frame

    def gone(self) -> None:
        self.alive -= 1

    def committed(self) -> bool:
        return True

    def len(self) -> int:
        return self.count

    def type(self) -> Any:
        return None


def test_memory_does_not_grow_with_the_stream(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "MOST_BYTES", 192 * 10)
    stream = Long(500)
    path = stream.to_parquet(tmp_path / "long.parquet")
    assert stream.most <= 25
    file = pq.ParquetFile(path)
    assert file.num_row_groups == 50
    assert file.metadata.num_rows == 500


def test_large_values_are_taken_a_few_at_a_time(cl, tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "MOST_BYTES", 1000)
    cl.new_table("t", ["column"], [[b"x" * 600]] * 10)
    out = sp.NamedStream(cl, "t")
    assert pq.ParquetFile(out.to_parquet(tmp_path / "t.parquet")).num_row_groups == 5


# What goes wrong


def test_an_incomplete_stream_is_refused(cl):
    for make in ("to_pandas", "to_arrow"):
        with pytest.raises(NotCommitted, match="'nobody' cannot be loaded: it does not exist"):
            getattr(sp.NamedStream(cl, "nobody"), make)()


def test_a_stream_without_a_name_is_called_by_its_class():
    with pytest.raises(ScannerException, match="stream 'Long': row 3 does not exist"):
        Long(3).to_arrow(rows=[3])


def test_a_row_that_does_not_exist_is_named(film):
    for values in (True, False):
        with pytest.raises(ScannerException, match="'film': row 30 does not exist; the rows are 0 to 29"):
            film.to_pandas(rows=[0, 30], values=values)


def test_a_file_is_replaced_only_by_a_whole_one(cl, film, tmp_path):
    out = stored(cl, cl.ops.TableCropped(frame=film_head(cl, film)).lossless())
    path = tmp_path / "t.parquet"
    path.write_bytes(b"before")
    with pytest.raises(SerializationError):
        out.to_parquet(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.glob(".t.parquet*")) == [], "nothing of the new one stays"
    with pytest.raises(StorageError, match="there is no folder"):
        out.to_parquet(tmp_path / "nowhere" / "t.parquet")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(StorageError, match="folder cannot be written"):
        out.to_parquet(folder, values=False)


@pytest.mark.parametrize(
    ("make", "package", "args"),
    [("to_pandas", "pandas", ()), ("to_arrow", "pyarrow", ()), ("to_parquet", "pyarrow", ("x.parquet",))],
)
def test_a_missing_package_is_a_sentence_with_the_command(film, monkeypatch, make, package, args):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(NotSupported, match=rf"{make}\(\) needs {package}.*pip install 'scanner-puddle\[data\]'"):
        getattr(film, make)(*args)


def test_a_broken_package_is_not_taken_for_a_missing_one(monkeypatch):
    def broken(name):
        raise ModuleNotFoundError("No module named 'dateutil'", name="dateutil")

    monkeypatch.setattr(extras.importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="dateutil"):
        extras.package("pandas", "to_pandas()")


def test_null_elements_have_no_value():
    assert cells.cell([NullElement(), np.int8(3), {"a": (1,)}]) == [None, 3, {"a": [1]}]
