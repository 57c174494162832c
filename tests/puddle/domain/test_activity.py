"""Why is it on, and when will it stop? Each situation has its sentences."""

from __future__ import annotations

from typing import Any

import pytest

from puddle.server.domain.activity import why_on
from puddle.server.domain.records import NEVER
from puddle.server.domain.states import Status
from tests.puddle.records import system

NOW = 1_800_000_000  # 2027-01-15 08:00 UTC
UNUSED_FOR_AN_HOUR = {"started": NOW - 3600, "last_activity": NOW - 3600, "idle_minutes": 120}


def why(**given: Any) -> tuple[str, ...]:
    return why_on(system(**{"status": Status.STARTED, **UNUSED_FOR_AN_HOUR, **given}), NOW)


def test_one_that_nobody_has_used_yet() -> None:
    assert why() == (
        "nobody has used it since it became ready, 1 h 0 min ago",
        "unless it is used, it is stopped in 1 h 0 min, at 2027-01-15 09:00 UTC",
    )


def test_one_that_was_used_lately() -> None:
    assert why(last_activity=NOW - 59) == (
        "it was last used 59 s ago",
        "unless it is used, it is stopped in 1 h 59 min, at 2027-01-15 09:59 UTC",
    )


def test_one_that_is_at_work() -> None:
    assert why(busy=True, signals=(("running_jobs", "2"), ("cpu", "90")), last_activity=NOW) == (
        "it is at work now (running jobs: 2, cpu: 90)",
        "it is stopped when it was not used for 120 minutes after that",
    )
    assert why(busy=True, last_activity=NOW)[0] == "it is at work now"


def test_one_that_cannot_be_asked() -> None:
    assert why(missed_probes=1, last_activity=NOW) == (
        "it could not be asked whether it is used (tried 1 time), which counts as use",
        "it is not stopped while that is so",
    )


def test_one_whose_program_has_ended() -> None:
    assert why(reason="PRODUCT_ENDED") == (
        "its product has ended, so nobody can use it",
        "unless it comes back and is used, it is stopped in 1 h 0 min, at 2027-01-15 09:00 UTC",
    )


def test_one_that_is_kept_on() -> None:
    assert why(extended=NOW + 3 * 3600) == (
        "nobody has used it since it became ready, 1 h 0 min ago",
        "it is kept on until 2027-01-15 11:00 UTC",
        "unless it is used, it is stopped in 3 h 0 min, at 2027-01-15 11:00 UTC",
    )
    assert why(extended=NOW) == why(), "an extension that is over is not told"


def test_one_that_is_never_stopped() -> None:
    assert why(idle_minutes=NEVER)[-1] == "it is never stopped for idleness"
    assert why(idle_minutes=NEVER, busy=True)[-1] == "it is never stopped for idleness"


def test_one_whose_time_is_over() -> None:
    assert why(idle_minutes=60)[-1] == "it is stopped as soon as it is not in use"


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.STARTED])
def test_nothing_is_said_of_one_that_is_not_started(status: Status) -> None:
    assert why(status=status) == ()
