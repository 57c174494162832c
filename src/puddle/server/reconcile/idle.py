"""When a system that is up is stopped for idleness, and how its owner learns of it beforehand.

The deadline is the last sign of use plus the interval, or the owner's extension if that is later. A product that is at
work is in use now, whoever watches. One that cannot be asked counts as used: nothing is ever stopped on a guess, but
after a few misses people are told. One whose program has ended, as its machine says, is no guess: nobody uses it, and
the deadline holds.
"""

from __future__ import annotations

from puddle.server.domain.activity import ENDED
from puddle.server.domain.facts import Idleness
from puddle.server.domain.states import Fact, Product
from puddle.server.domain.wording import counted
from puddle.server.reconcile.course import Course
from puddle.server.reconcile.decision import AlertKind


def watch(it: Course) -> None:
    """Look at a started system."""
    product = it.facts.product
    it.look_in = it.terms.probe_every
    ready = product is not None and product.ready
    it.set(product_status=Product.READY if ready else Product.WAITING_FOR_PRODUCT)
    if product is not None and product.ended:
        _note_its_end(it)
        return _judge(it)
    if ready and it.system.reason == ENDED:
        it.say("", "")
    if product is None or product.idleness is None:
        return _miss(it)
    it.set(missed_probes=0)
    _learn(it, product.idleness)
    return _judge(it)


def _note_its_end(it: Course) -> None:
    it.set(missed_probes=0, busy=False, signals=())
    if it.system.reason != ENDED:
        it.say("PRODUCT_ENDED", "its product has ended; if it does not come back by itself, restart it")
        it.tell(AlertKind.ENDED, f"{it.system.name}: its product has ended; what it held in memory is gone")


def _miss(it: Course) -> None:
    missed = it.system.missed_probes + 1
    it.set(missed_probes=missed, last_activity=it.now, busy=False, signals=())
    if missed == it.terms.missed_before_alert:
        it.tell(
            AlertKind.PROBE,
            f"{it.system.name} could not be asked {missed} times whether it is used; it is not stopped meanwhile",
        )


def _learn(it: Course, said: Idleness) -> None:
    it.set(busy=said.busy, signals=said.signals)
    seen = it.now if said.busy else min(said.last_activity, it.now)
    if seen > it.system.last_activity:
        it.set(last_activity=seen)


def _judge(it: Course) -> None:
    deadline = it.system.idle_deadline()
    if not deadline:
        _remind(it)
    elif it.now >= deadline:
        it.say("IDLE", f"nobody used it for {counted(it.system.idle_minutes, 'minute')}")
        it.move(Fact.IDLE)
    else:
        _warn(it, deadline)


def _warn(it: Course, deadline: int) -> None:
    left = deadline - it.now
    it.look_in = min(it.look_in, left)
    if left <= min(it.terms.idle_warning, 30 * it.system.idle_minutes) and it.system.warned != deadline:
        it.set(warned=deadline)
        soon = counted(max(1, left // 60), "minute")
        it.tell(AlertKind.IDLE_WARNING, f"{it.system.name} will be stopped in {soon} unless it is used")


def _remind(it: Course) -> None:
    """Say of one that is never stopped that nobody has used it for a day: once, until it is used again."""
    used = max(it.system.last_activity, it.system.started)
    if it.now >= used + it.terms.unused_after and it.system.warned <= used:
        it.set(warned=it.now)
        unused = counted(it.terms.unused_after // 3600, "hour")
        why = f"nobody has used it for {unused}; it is never stopped for idleness, and goes on costing"
        it.tell(AlertKind.UNUSED, f"{it.system.name}: {why}")
