"""A client, the streams random graphs read, and their rows as the reference has them; and how many examples run.

`SCANNER_EXAMPLES` sets how many graphs run in all (3,200 unless given), and `SCANNER_SEED` draws others; by hand::

    SCANNER_EXAMPLES=100000 SCANNER_SEED=7 pytest tests/scannerpy/reference -n 2
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings

import scannerpy as sp
from tests.clips import number_of, write_clip
from tests.conftest import write_config
from tests.scannerpy.reference import drive
from tests.scannerpy.reference.graphs import graphs, packets

EXAMPLES = int(os.environ.get("SCANNER_EXAMPLES", "3200"))
SEED = int(os.environ.get("SCANNER_SEED", "0"))
BY_HAND = EXAMPLES > 3200

patience = pytest.mark.timeout(0 if BY_HAND else 600)


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
