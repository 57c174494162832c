"""What one sees while waiting: on a terminal, in a notebook, and where nobody looks."""

from __future__ import annotations

import io
import sys
import types
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from puddle.client import base_client, progress
from puddle.client.base_client import BaseCloudClient
from puddle.client.cloud.clouds import CLOUD_LOCAL
from puddle.client.errors.puddle_errors import SystemFailedError
from puddle.client.models import System
from puddle.client.progress import Progress, spent
from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.client.systems import SystemsClient
from puddle.testing import HandClock

SECRET = "s"


class Terminal(io.StringIO):
    """Something that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of forty columns."""
    made = Terminal()
    monkeypatch.setattr(progress, "_out", lambda _notebook: made)
    monkeypatch.setenv("COLUMNS", "40")
    return made


def test_a_line_tells_how_it_stands_and_for_how_long(terminal: Terminal) -> None:
    clock = HandClock(100)
    with Progress(clock=clock) as line:
        line.say("first: initializing")
        clock.turn(62)
        line.say("first: started")
    lines = terminal.getvalue().split("\r")
    assert lines[1:3] == ["first: initializing · 0 s", "first: started · 1 min 2 s"]
    assert lines[-2].strip() == lines[-1] == "", "the line is gone at last"


def test_the_seconds_are_counted_while_nobody_asks(terminal: Terminal) -> None:
    clock = HandClock(0)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.turn(seconds)

    with Progress(clock=clock) as line:
        line.say("x")
        line.pause(3.5, sleep)
    assert [told.strip() for told in terminal.getvalue().split("\r")[1:5]] == [
        "x · 0 s",
        "x · 1 s",
        "x · 2 s",
        "x · 3 s",
    ]
    assert sum(slept) == 3.5


def test_a_line_is_never_longer_than_the_window(terminal: Terminal) -> None:
    with Progress() as line:
        line.say("word " * 30)
    assert max(map(len, terminal.getvalue().split("\r"))) == 39


def test_nothing_is_written_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    slept: list[float] = []
    with Progress() as line:
        line.say("first: initializing")
        line.pause(7, slept.append)
    assert (pipe.getvalue(), slept) == ("", [7])


def test_a_program_without_a_standard_error_waits_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with Progress() as line:
        line.say("first: initializing")


def test_who_wants_silence_gets_it(terminal: Terminal) -> None:
    with Progress(show=False) as line:
        line.say("first: initializing")
    assert terminal.getvalue() == ""


def test_in_a_notebook_the_line_is_in_the_output_and_the_time_waited_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = types.SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: kernel))
    cell = io.StringIO()
    monkeypatch.setattr(sys, "stdout", cell)
    clock = HandClock(0)
    with Progress(clock=clock) as line:
        line.say("first: initializing")
        clock.turn(16)
    assert cell.getvalue() == "\rfirst: initializing · 0 s\rwaited 16 s              \n"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (185, "3 min 5 s"), (3600, "1 h 0 min"), (90061, "25 h 1 min")],
)
def test_a_span_is_told_as_people_do(seconds: float, told: str) -> None:
    assert spent(seconds) == told


# in the client


class Standing(SystemsClient):
    """A client of a system that stands here and there, one after the other."""

    POLL_INTERVAL_S = 0

    def __init__(self, *seen: pb.System) -> None:
        super().__init__(CLOUD_LOCAL, "http://127.0.0.1:1", api_key_id="k", api_secret_key=SECRET)
        self.seen: Iterator[pb.System] = iter(seen)

    def get(self, system_id: str | System, include_models: bool = True) -> System:
        del system_id, include_models
        return System(next(self.seen))


def on_its_way(**facts: Any) -> pb.System:
    return pb.System(name="first", status=pb.SYSTEM_STATUS_INITIALIZING, in_transition=True, **facts)


WAY = (
    on_its_way(vm_status=pb.VM_STATUS_PROVISIONING),
    on_its_way(vm_status=pb.VM_STATUS_RUNNING, product_status=pb.PRODUCT_STATUS_WAITING_FOR_PRODUCT),
    on_its_way(vm_status=pb.VM_STATUS_PROVISIONING, status_detail="no room; tried again in 10 s"),
    on_its_way(vm_status=pb.VM_STATUS_RUNNING, product_status=pb.PRODUCT_STATUS_WAITING_FOR_VM),
)


def test_a_wait_tells_what_a_system_is_waiting_for(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(base_client, "Progress", partial(Progress, clock=HandClock()))
    started = pb.System(name="first", status=pb.SYSTEM_STATUS_STARTED)
    Standing(*WAY, started).wait_for_status("sys-1", System.SYSTEM_STATUS_STARTED)
    told = [line.strip() for line in terminal.getvalue().split("\r")]
    assert told[1:5] == [
        "system first is still initializing, machine provisioning · 0 s",
        "system first is still initializing, waiting for product · 0 s",
        "system first is still initializing, machine provisioning: no room; tried again in 10 s · 0 s",
        "system first is still initializing, waiting for VM · 0 s",
    ]


def test_a_client_can_be_told_to_be_silent(terminal: Terminal) -> None:
    client = Standing(WAY[0], pb.System(status=pb.SYSTEM_STATUS_STARTED))
    client.SHOW_PROGRESS = False
    client.wait_for_status("sys-1", System.SYSTEM_STATUS_STARTED)
    assert terminal.getvalue() == ""
    assert BaseCloudClient.SHOW_PROGRESS is True


def test_a_wait_that_is_over_says_where_it_was_and_that_it_goes_on() -> None:
    with pytest.raises(
        TimeoutError, match=r"^after 0 minutes system first is still initializing, machine provisioning; it goes on"
    ):
        Standing(WAY[0]).wait_for_status("sys-1", System.SYSTEM_STATUS_STARTED, timeout_minutes=0, interval_s=1)


def test_a_system_that_failed_says_why_and_where_to_read_on() -> None:
    failed = pb.System(name="first", status=pb.SYSTEM_STATUS_FAILED, status_detail="it ended three times")
    with pytest.raises(SystemFailedError, match=r"first has failed: it ended three times; .* `puddle systems log`"):
        Standing(failed).wait_for_status("sys-1", System.SYSTEM_STATUS_STARTED)
