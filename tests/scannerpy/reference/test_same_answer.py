"""The engine's one promise: the same answer whatever the packet sizes, batch, task split or number of instances.

Random graphs run through the client, and what is stored is compared with the reference interpreter. Each example is
one graph, up to three jobs, run once with drawn packet sizes. `SCANNER_EXAMPLES` sets how many run in all (3,200
unless given), and `SCANNER_SEED` draws others; by hand::

    SCANNER_EXAMPLES=100000 SCANNER_SEED=7 pytest tests/scannerpy/reference -n 2
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

import scannerpy as sp
from tests.clips import number_of, write_clip
from tests.conftest import write_config
from tests.scannerpy.reference import drive
from tests.scannerpy.reference.graphs import graphs, packets
from tests.scannerpy.reference.interpreter import counters
from tests.scannerpy.reference.meanings import digest

EXAMPLES = int(os.environ.get("SCANNER_EXAMPLES", "3200"))
SEED = int(os.environ.get("SCANNER_SEED", "0"))
SHARDS = 8  # of the inline examples, so that several test processes share them
BY_HAND = EXAMPLES > 3200


def examples(part: float, seed: int) -> Any:
    """Decorate a hypothesis test to run `part` of all examples, the same ones each time."""
    chosen = settings(
        max_examples=max(1, int(EXAMPLES * part)),
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: hypothesis.seed(SEED * 1000 + seed)(chosen(test))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: the store writes durably, and these thousands of runs need no disk."""
    memory = Path("/dev/shm")  # noqa: S108 -- a fresh private folder is made inside it
    path = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield path
    shutil.rmtree(path)


class World:
    """A client, the streams its graphs read, and their rows."""

    def __init__(self, folder: Path, *, debug: bool | None, video: bool = False) -> None:
        self.cl = sp.Client(config=sp.Config(config_path=str(write_config(folder))), debug=debug)
        self.stored, self.kinds = drive.make_tables(self.cl)
        if video:
            self._ingest(folder)

    def _ingest(self, folder: Path) -> None:
        """Add a copied video, one left in place, and one an op made, which lies in several pieces.

        Their frames, as the reference has them, come from one sequential pass.
        """
        for name, frames, gop, inplace in (("video11", 11, 4, False), ("video23", 23, 250, True)):
            path = write_clip(folder / f"{name}.mp4", frames, gop=gop, size=(32, 32))
            video = sp.NamedVideoStream(self.cl, name, path=str(path), inplace=inplace)
            copy = self._stored(self.cl.io.Input([video]).lossless(), f"{name} raw", 100)
            self.stored[name], self.kinds[name] = list(copy.load()), "f"
            assert [number_of(frame) for frame in self.stored[name]] == list(range(frames))
        made = self._stored(self.cl.io.Input([sp.NamedVideoStream(self.cl, "video23")]), "video made", 6)
        self.stored["video made"], self.kinds["video made"] = [frame[:, :, ::-1] for frame in made.load()], "f"
        assert [number_of(frame) for frame in self.stored["video made"]] == list(range(23))

    def _stored(self, column: Any, name: str, rows: int) -> Any:
        stream = sp.NamedVideoStream(self.cl, name)
        self.cl.run(self.cl.io.Output(column, [stream]), sp.PerfParams.manual(rows, rows), show_progress=False)
        return stream

    def try_one(self, data: Any, instances: int = 1) -> None:
        """Draw a graph, run it, compare."""
        graph, how = data.draw(graphs(self.stored, self.kinds)), data.draw(packets(instances))
        drive.check(drive.run(self.cl, graph, self.kinds, how), drive.expected(graph, self.stored))


@pytest.fixture(scope="module")
def inline(folder: Path) -> Iterator[World]:
    """Everything in this process."""
    world = World(folder / "inline", debug=True)
    with world.cl:
        yield world


@pytest.fixture(scope="module")
def inline_video(folder: Path) -> Iterator[World]:
    """Everything in this process, with clips among the inputs and only frames at the sources."""
    (folder / "video").mkdir()
    world = World(folder / "video", debug=True, video=True)
    world.kinds = {name: kind for name, kind in world.kinds.items() if name.startswith("video")}
    with world.cl:
        yield world


@pytest.fixture(scope="module")
def processes(folder: Path) -> Iterator[World]:
    """Worker processes."""
    (folder / "processes").mkdir()
    world = World(folder / "processes", debug=None, video=True)
    with world.cl:
        yield world


@pytest.mark.slow
@pytest.mark.timeout(0 if BY_HAND else 600)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_random_graphs_inline(inline, shard):
    """Blobs and stored frames, everything in this process."""

    @examples(0.8 / SHARDS, shard)
    @hypothesis.given(st.data())
    def some(data):
        inline.try_one(data)

    some()


@pytest.mark.slow
@pytest.mark.timeout(0 if BY_HAND else 600)
def test_random_graphs_over_video(inline_video):
    """Frames come from a decoder, through samplers in any order: bit for bit those of one sequential pass."""

    @examples(0.1, 100)
    @hypothesis.given(st.data())
    def some(data):
        inline_video.try_one(data)

    some()


@pytest.mark.slow
@pytest.mark.timeout(0 if BY_HAND else 600)
@pytest.mark.parametrize("instances", [1, 2, 3])
def test_random_graphs_in_worker_processes(processes, instances):
    """The same graphs on one to three pipeline instances."""

    @examples(0.1 / 3, 200 + instances)
    @hypothesis.given(st.data())
    def some(data):
        processes.try_one(data, instances)

    some()


@pytest.mark.slow
def test_a_counter_shows_exactly_the_warm_up_and_the_resets(inline):
    """An op that counts its executions since `reset` sees what section 5.4 says, for any rows and task size."""
    cl = inline.cl
    cl.new_table("thirty", ["column"], [[digest("thirty", row)] for row in range(30)], force=True)

    @examples(0.02, 300)
    @hypothesis.given(st.lists(st.integers(0, 29), min_size=1, max_size=12), st.integers(0, 4), packets())
    def some(rows, warmup, how):
        count = cl.ops.RefCounter(x=cl.io.Input([sp.NamedStream(cl, "thirty")]), bounded_state=warmup)
        out = sp.NamedStream(cl, "counts")
        sink = cl.io.Output(cl.streams.Gather(count, [rows]), [out])
        cl.run(sink, sp.PerfParams.manual(how.work, how.io), cache_mode=sp.CacheMode.Overwrite, show_progress=False)
        assert list(out.load()) == counters(rows, warmup, how.work if how.io == -1 else how.io)

    some()
