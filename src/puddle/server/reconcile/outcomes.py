"""What follows from how a step ended: pure but for the memory of failures.

A step that fails now is tried again, later each time, until the deadline that `decide` watches; why is noted for the
owner, unless a graver reason stands there already. One that can never be done is `broken`.
"""

from __future__ import annotations

from dataclasses import replace

from puddle.server.clouds.base import StepFailed
from puddle.server.domain.records import System
from puddle.server.domain.states import Status
from puddle.server.reconcile.backoff import Backoff
from puddle.server.reconcile.decide import broken, done
from puddle.server.reconcile.decision import Decision
from puddle.server.reconcile.work import Outcome, Work

_WHY_IT_IS_SO = frozenset({"IDLE", "BUDGET", "DRIFT"})
"""Reasons that say why a system is on its way; a hitch on that way does not replace them."""


def follow(work: Work, outcome: Outcome, failures: Backoff, now: int) -> Decision:
    """Return what is to be written after a step. `work.system` is the record as it stands."""
    if outcome.failed is None:
        return _went_well(work, outcome, failures, now)
    tried = failures.failed(work.system.id, now)
    again = _not_past_deadline(tried.again, work.system, now)
    if not outcome.failed.for_ever:
        return Decision(system=_noted(work.system, outcome.failed, now), look_again=again)
    given_up = broken(work.system, outcome.failed.reason, outcome.failed.sentence, now, work.given.terms)
    if given_up.system.status is not work.system.status:
        failures.well(work.system.id)
        return given_up
    told = given_up.consequences if tried.times == 1 else ()
    return replace(given_up, consequences=told, look_again=again)


def _went_well(work: Work, outcome: Outcome, failures: Backoff, now: int) -> Decision:
    assert work.decision is not None  # noqa: S101 -- a step follows from a decision
    assert work.decision.action is not None  # noqa: S101 -- as above
    failures.well(work.system.id)
    system = done(work.system, work.decision.action, outcome.machine_id)
    if _ours_to_note(system) and system.reason:
        system = replace(system, reason="", detail="")
    if system != work.system:
        system = replace(system, updated=now)
    return Decision(system=system, look_again=work.decision.look_again)


def _noted(system: System, failed: StepFailed, now: int) -> System:
    said = (failed.reason, failed.sentence)
    if not _ours_to_note(system) or (system.reason, system.detail) == said:
        return system
    return replace(system, reason=failed.reason, detail=failed.sentence, updated=now)


def _ours_to_note(system: System) -> bool:
    return system.status not in {Status.FAILING, Status.FAILED} and system.reason not in _WHY_IT_IS_SO


def _not_past_deadline(again: int, system: System, now: int) -> int:
    return min(again, system.deadline) if system.deadline > now else again
