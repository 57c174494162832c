"""`Profile`: where the time of a run went, as a table or as a trace for Perfetto.

Profiles are always recorded, a few intervals per task, and kept with the run in the database.
"""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

from scannerpy._engine.bottleneck import bottleneck, shares, stages
from scannerpy._engine.statistics import statistics
from scannerpy._engine.trace import Trace
from scannerpy._html.shares import shares as time_page
from scannerpy._store import layout
from scannerpy._store.objects import ObjectMissing, Objects
from scannerpy._words import sizing
from scannerpy.errors import ScannerException

__all__ = ["Profile"]


class Profile:
    """What the workers of one run did and when. Made by `Client.get_profile`."""

    def __init__(self, trace: Trace, subsample: int | None = None) -> None:
        self._trace = trace
        workers = sorted(worker for worker in trace.workers if worker >= 0)
        if subsample is not None and subsample < len(workers):
            workers = sorted(random.Random(0).sample(workers, subsample))  # noqa: S311 — a choice, not a secret
        self._workers = [*(worker for worker in trace.workers if worker < 0), *workers]

    @classmethod
    def read(cls, objects: Objects, job_id: int, subsample: int | None = None) -> Profile:
        """Read the profile of a run; `subsample` takes that many workers. Raises ScannerException if there is none."""
        try:
            return cls(Trace.from_bytes(objects.get(trace_path(job_id))), subsample)
        except ObjectMissing as error:
            raise ScannerException(
                f"there is no profile of job {job_id}: it has not ended, was interrupted, or never was"
            ) from error

    def write_trace(self, path: str) -> str:
        """Write Chrome trace events to `path`, which ends in ``.trace`` (JSON) or ``.tar.gz`` (an archive of it).

        Opens in https://ui.perfetto.dev. Returns the path; raises ScannerException for another ending.
        """
        data = json.dumps(self._trace.chrome_events(self._workers)).encode()
        if path.endswith(".trace"):
            Path(path).write_bytes(data)
        elif path.endswith(".tar.gz"):
            import tarfile

            with tarfile.open(path, "w:gz") as archive:
                member = tarfile.TarInfo(Path(path).name.removesuffix(".tar.gz") + ".trace")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        else:
            raise ScannerException(f"{path!r}: a trace is written to a name that ends in .trace or .tar.gz")
        return path

    def statistics(self) -> dict[str, Any]:
        """Return what was done by kind (``process_job``, ``load``, ``eval``, ``save``, …), and ``total_time``.

        A kind maps the names of what was done to seconds of work, as text, and counters to numbers: ``"Blur": "1.25"``,
        ``"Blur: rows": 377``. ``total_time`` is the seconds from the first thing done to the last, a float.
        """
        return statistics({worker: self._trace.workers[worker] for worker in self._workers})

    def bottleneck(self) -> str:
        """Return one line that says which stage held the run up, how long, who waited for it, and what would help."""
        return bottleneck({worker: self._trace.workers[worker] for worker in self._workers}, sizing.machine_cpus())

    def _repr_html_(self) -> str:
        it = shares({worker: self._trace.workers[worker] for worker in self._workers})
        return time_page("Where the time went", self.bottleneck(), stages(it) if it else [])

    def __repr__(self) -> str:
        return f"<Profile: {self.bottleneck()}>"

    def total_time_interval(self) -> tuple[int, int]:
        """Return when the run began and ended, in nanoseconds since 1970."""
        return self._trace.total_time()


def trace_path(job_id: int) -> str:
    """Return where the trace of a run is stored."""
    return f"{layout.job_folder(job_id)}/trace.json"
