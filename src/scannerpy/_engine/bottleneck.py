"""Bottleneck analysis: which stage of the pipelines limited a run, in one line, from its trace. Pure.

A pipeline instance is three threads joined by queues: load (read and decode), evaluate (ops), save (encode and write).
A stage's *share* is the part of all instances' time in which its thread was at work. The stage with the largest share
sets the pace; that the others waited for it is said where the trace shows it. Times are of the clock on the wall: where
threads outnumber cores, a share holds time in which a thread was ready but not served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scannerpy._engine.trace import Interval

LOAD, OPS, SAVE = "load", "eval", "save"
BUSY = 0.4
"""A stage busy for less of the time than this is not what holds a run up."""
WORTH_SAYING = 0.1
SEEN = 0.005
STAGES = {LOAD: "load", OPS: "ops", SAVE: "save"}
WAITERS = {LOAD: "loading", OPS: "ops", SAVE: "writing"}


DECODING, READING, OPENING = "reading and decoding video", "reading stored rows", "opening streams"
ENCODING, WRITING = "encoding video", "writing"


@dataclass(frozen=True, slots=True)
class Shares:
    """How the time of a run's pipeline instances was spent, as parts of `time` × `instances`."""

    instances: int
    tasks: int  # that the trace tells apart
    time: int  # ns from the first thing done to the last
    busy: Mapping[str, float]  # by stage
    names: Mapping[str, Mapping[str, float]]  # by stage, then by what it was at
    waits: Mapping[tuple[str, str], float]  # (stage waited for, stage that waited)

    @property
    def busiest(self) -> str:
        """The stage that was at work most."""
        return max(self.busy, key=lambda stage: self.busy[stage])


def shares(workers: Mapping[int, Iterable[Interval]]) -> Shares | None:
    """Add up a trace; None where no instance did anything."""
    done = {worker: list(intervals) for worker, intervals in workers.items() if worker >= 0}
    done = {worker: intervals for worker, intervals in done.items() if intervals}
    everything = [interval for intervals in done.values() for interval in intervals]
    time = max((i.end for i in everything), default=0) - min((i.start for i in everything), default=0)
    if time <= 0:
        return None
    names: dict[str, Counter[str]] = {LOAD: Counter(), OPS: Counter(), SAVE: Counter()}
    waits: Counter[tuple[str, str]] = Counter()
    for interval in everything:
        if interval.kind in names:
            names[interval.kind][_what(interval)] += interval.busy
        elif interval.kind == "wait":
            waits[_wait(interval)] += interval.busy
    whole = time * len(done)
    return Shares(
        len(done),
        len({(interval.job, interval.task) for interval in everything}),
        time,
        {stage: sum(named.values()) / whole for stage, named in names.items()},
        {stage: {name: busy / whole for name, busy in named.most_common()} for stage, named in names.items()},
        {pair: busy / whole for pair, busy in waits.items()},
    )


def bottleneck(workers: Mapping[int, Iterable[Interval]], cpus: int) -> str:
    """Say in one line which stage holds a run up, and what would help on a machine of `cpus` cores."""
    it = shares(workers)
    if it is None:
        return "nothing was computed, so nothing held it up"
    stage = it.busiest
    if it.busy[stage] < BUSY:
        return _unbound(it)
    name, share = next(iter(it.names[stage].items()))
    return (
        f"{_bound(stage, name)}: {it.busy[stage]:.0%} of {_time_of(it)} went into {_work(stage, name, share, it)}"
        f"{_waiting(stage, it)}; {_advice(stage, name, it, cpus)}"
    )


def stages(it: Shares) -> list[tuple[str, float, str]]:
    """Return (stage, share, what it was at with the share of each) in the order of a pipeline, for a drawing."""
    return [
        (
            STAGES[stage],
            it.busy[stage],
            ", ".join(f"{name} {s:.0%}" for name, s in it.names[stage].items() if s >= SEEN),
        )
        for stage in (LOAD, OPS, SAVE)
    ]


def _unbound(it: Shares) -> str:
    parts = [(it.busy[LOAD], "loading"), (it.busy[OPS], "ops"), (it.busy[SAVE], "saving")]
    told = ", ".join(f"{name} {share:.0%}" for share, name in sorted(parts, reverse=True))
    return (
        f"bound by no stage: of {_time_of(it)} none took more than {max(it.busy.values()):.0%} ({told}); "
        "the rest went into starting, waiting for tasks and the end of the run, which matter less the longer it is"
    )


def _time_of(it: Shares) -> str:
    return "the time of 1 instance" if it.instances == 1 else f"{it.instances} instances' time"


def _bound(stage: str, name: str) -> str:
    if stage == LOAD:
        return "decode-bound" if name == DECODING else "read-bound"
    if stage == SAVE:
        return "encode-bound" if name == ENCODING else "write-bound"
    return "op-bound"


def _work(stage: str, name: str, share: float, it: Shares) -> str:
    """Name the work of a stage: the op that took most, where there are several."""
    if stage != OPS or len(it.names[OPS]) == 1:
        return name
    return f"ops, most of it ({share:.0%}) into {name}"


def _waiting(stage: str, it: Shares) -> str:
    waited = [(share, who) for (whom, who), share in it.waits.items() if whom == stage and share >= WORTH_SAYING]
    if not waited:
        return ""
    share, who = max(waited)
    return f", while {WAITERS[who]} waited {share:.0%}"


def _advice(stage: str, name: str, it: Shares, cpus: int) -> str:
    if name == DECODING:
        helps = "a sparser sampler"
    elif stage == OPS:
        helps = f"a cheaper {name} (fewer rows, smaller frames, a batch)"
    else:
        helps = "smaller frames or fewer rows" if name == ENCODING else "fewer or smaller rows"
    if it.instances >= cpus:
        return f"{helps} would help (all {cpus} cores are taken)"
    return f"{_more(it)} or {helps} would help"


def _more(it: Shares) -> str:
    """Say how more cores come to work: instances beyond the tasks there are would have nothing to do."""
    if it.tasks <= it.instances:
        return "smaller tasks (io_packet_size, where the ops allow it) for more instances"
    return "more instances"


def _what(interval: Interval) -> str:
    """Name what an interval was at: an op by itself, the other stages by their kind of work."""
    if interval.kind == OPS:
        return interval.name
    if interval.kind == LOAD:
        if interval.name == "open":
            return OPENING
        return DECODING if "Decode" in interval.lane else READING
    return ENCODING if "Encode" in interval.lane else WRITING


def _wait(interval: Interval) -> tuple[str, str]:
    """Tell (stage waited for, stage that waited): a queue's consumer waits for items, its producer for room."""
    producer, consumer = (LOAD, OPS) if interval.lane.endswith("load") else (OPS, SAVE)
    return (consumer, producer) if interval.name == "wait for room" else (producer, consumer)
