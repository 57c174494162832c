"""Statistics of a trace: seconds of work and rows by kind and name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scannerpy._engine.trace import Interval


def statistics(workers: Mapping[int, Iterable[Interval]]) -> dict[str, Any]:
    """Sum up work over `workers` (−1: the master): ``{kind: {name: "seconds", "name: rows": number}}``.

    ``process_job`` has the whole time each worker spent on the run, waits included, and counts the workers;
    ``total_time`` is the seconds from the first thing done to the last.
    """
    everything = [(worker, interval) for worker, intervals in workers.items() for interval in intervals]
    told: dict[str, Any] = {"process_job": _whole(everything)}
    for kind, named in _sums(interval for _, interval in everything).items():
        told[kind] = {name: f"{ns / 1e9:.6f}" for name, (ns, _) in named.items()}
        told[kind] |= {f"{name}: rows": rows for name, (_, rows) in named.items() if rows}
    start, end = _ends(interval for _, interval in everything)
    return {**told, "total_time": (end - start) / 1e9}


def _sums(intervals: Iterable[Interval]) -> dict[str, dict[str, tuple[int, int]]]:
    sums: dict[str, dict[str, tuple[int, int]]] = {"load": {}, "eval": {}, "save": {}}
    for each in intervals:
        named = sums.setdefault(each.kind, {})
        busy, rows = named.get(each.name, (0, 0))
        named[each.name] = (busy + each.busy, rows + each.rows)
    return sums


def _whole(everything: Iterable[tuple[int, Interval]]) -> dict[str, str | int]:
    """The time of each worker from the first thing it did to the last."""
    of_worker: dict[int, list[Interval]] = {}
    for worker, interval in everything:
        if worker >= 0:
            of_worker.setdefault(worker, []).append(interval)
    spans = {f"Worker {worker}": _ends(intervals) for worker, intervals in sorted(of_worker.items())}
    seconds = {name: f"{(end - start) / 1e9:.6f}" for name, (start, end) in spans.items()}
    return {**seconds, "workers": len(spans)}


def _ends(intervals: Iterable[Interval]) -> tuple[int, int]:
    each = list(intervals)
    return min((i.start for i in each), default=0), max((i.end for i in each), default=0)
