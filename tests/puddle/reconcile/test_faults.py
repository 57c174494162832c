"""Fault points do nothing unless armed; armed by the environment they end the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from puddle.server.faults import MEANING, VARIABLE, Crash, Point, armed, crash_at, from_environment, reach

PROGRAM = """
from puddle.server.faults import Point, reach
for _ in range(5):
    reach(Point.DECIDED)
    print("passed", flush=True)
"""


def test_every_point_has_a_meaning() -> None:
    assert set(MEANING) == set(Point)


def test_nothing_happens_at_a_point_that_is_not_armed() -> None:
    for point in Point:
        reach(point)


def test_a_test_can_crash_at_the_nth_passage_and_goes_on_afterwards() -> None:
    with armed(crash_at(Point.DECIDED, 2)):
        reach(Point.DECIDED)
        reach(Point.LOOKED)
        with pytest.raises(Crash):
            reach(Point.DECIDED)
        reach(Point.DECIDED)
    reach(Point.DECIDED)


@pytest.mark.parametrize("given", ["nowhere:1", "decided:x", ":1"])
def test_a_point_that_is_not_there_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=VARIABLE):
        from_environment(given)


def test_nothing_is_armed_without_the_variable() -> None:
    assert from_environment("") is None


def test_the_environment_ends_the_process_at_the_nth_passage() -> None:
    environment = {**os.environ, VARIABLE: "decided:3"}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == ["passed", "passed"]
