"""CacheMode: which jobs of a run are needed, given which outputs exist. Pure.

A table that exists without being committed is the rest of a run that failed or was interrupted. It counts as missing:
what it holds is used again when the same run is repeated, and replaced when another takes its name. In a backend's
storage nobody can tell whose an unfinished stream is, so `CacheMode.Error` refuses to touch it; the other modes make it
anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from scannerpy.common import CacheMode
from scannerpy.errors import StreamExists


class Status(Enum):
    """What is known of an output before a run."""

    MISSING = 0
    PARTIAL = 1
    COMMITTED = 2
    UNFINISHED = 3
    """In a backend's storage: there, but not complete."""


def jobs_to_run(
    mode: CacheMode, statuses: Sequence[Sequence[Status]], name: Callable[[int, int], str]
) -> tuple[int, ...]:
    """Return the numbers of the jobs to run. ``statuses[j][k]`` is output k of job j; `name` words it for messages.

    Raises StreamExists under `CacheMode.Error` for an output that is there, and under `CacheMode.Ignore` where the
    outputs of one job disagree.
    """
    done = Status.COMMITTED
    if mode is CacheMode.Error:
        _refuse_existing(statuses, name)
    if mode is not CacheMode.Ignore:
        return tuple(range(len(statuses)))
    for j, outputs in enumerate(statuses):
        if done in outputs and any(each is not done for each in outputs):
            there, lacks = outputs.index(done), next(k for k, each in enumerate(outputs) if each is not done)
            raise StreamExists(
                f"{name(j, there)} exists but {name(j, lacks)}, made by the same job, does not: with "
                "cache_mode=CacheMode.Ignore they must agree. Delete the first, or run with CacheMode.Overwrite"
            )
    return tuple(j for j, outputs in enumerate(statuses) if done not in outputs)


def _refuse_existing(statuses: Sequence[Sequence[Status]], name: Callable[[int, int], str]) -> None:
    existing = [
        (j, k)
        for j, outputs in enumerate(statuses)
        for k, each in enumerate(outputs)
        if each in {Status.COMMITTED, Status.UNFINISHED}
    ]
    if existing:
        j, k = existing[0]
        part = ", though not all of it" if statuses[j][k] is Status.UNFINISHED else ""
        more = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise StreamExists(
            f"{name(j, k)} exists already{part}{more}. Run with cache_mode=CacheMode.Ignore to keep what is complete, "
            "or with cache_mode=CacheMode.Overwrite to replace it"
        )
