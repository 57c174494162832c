"""Clients wait for what takes its time, as long as they said, and learn how it ended; on a clock a test turns."""

from __future__ import annotations

from typing import Any

import pytest

from puddle.client import ImagesClient, ReportsClient, SystemsClient
from puddle.client.cloud.clouds import CLOUD_LOCAL
from puddle.client.errors.puddle_errors import BackendError, ImageFailedError, NotFoundError, SystemFailedError
from puddle.client.models import System
from puddle.client.proto.v2 import image_service_pb2 as im
from puddle.client.proto.v2 import report_service_pb2 as rp
from puddle.client.proto.v2 import system_service_pb2 as pb
from tests.puddle.client.played import AUTHORIZER, AWAY, Clock, Played

SYSTEMS = SystemsClient(CLOUD_LOCAL, authorizer=AUTHORIZER)
IMAGES = ImagesClient(CLOUD_LOCAL, authorizer=AUTHORIZER)
REPORTS = ReportsClient(CLOUD_LOCAL, authorizer=AUTHORIZER)
RESTING = {3, 5, 11, 13}
STRANGE: Any = 99
"""A status of the future: messages take any number, which their stubs cannot know."""


def it(status: System.Status | int, **fields: Any) -> pb.System:
    code: Any = status if isinstance(status, int) else status.code  # any number, known or not
    return pb.System(id="s", name="one", status=code, in_transition=code not in RESTING, **fields)


def seen(*statuses: pb.System) -> list[pb.SystemWithModels]:
    return [pb.SystemWithModels(system=status) for status in statuses]


STARTING, STARTED = it(System.SYSTEM_STATUS_STARTING), it(System.SYSTEM_STATUS_STARTED)
STOPPED, TERMINATED = it(System.SYSTEM_STATUS_STOPPED), it(System.SYSTEM_STATUS_TERMINATED)


def test_it_is_asked_soon_at_first_and_every_half_minute_at_last(backend: Played, clock: Clock) -> None:
    backend.plan("GetSystem", *seen(*[STARTING] * 40, STARTED))
    assert SYSTEMS.wait_for_status("s", System.SYSTEM_STATUS_STARTED).status == 3
    assert clock.slept[0] == 0.5
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[-1] == SYSTEMS.POLL_INTERVAL_S == 30


def test_an_interval_of_ones_own_is_never_exceeded(backend: Played, clock: Clock) -> None:
    backend.plan("GetSystem", *seen(*[STARTING] * 9, STARTED))
    SYSTEMS.wait_for_status("s", 3, interval_s=0.1)
    assert clock.slept == [0.1] * 9


@pytest.mark.parametrize(("given", "seconds"), [(1, 60), (0.05, 3), (0, 0), (None, 3600)])
def test_patience_is_as_long_as_it_was_said_and_ends_with_a_last_look(
    backend: Played, clock: Clock, given: float | None, seconds: float
) -> None:
    backend.plan("GetSystem", *seen(it(2, status_detail="the cloud is full")))
    with pytest.raises(
        TimeoutError,
        match=r"^after [\d.]+ minutes system one is still starting: the cloud is full; it goes on: wait again$",
    ):
        SYSTEMS.wait_for_status("s", System.SYSTEM_STATUS_STARTED, timeout_minutes=given)
    assert clock.now == pytest.approx(seconds)


def test_what_is_there_at_the_last_look_is_not_late(backend: Played, clock: Clock) -> None:
    backend.plan("GetSystem", *seen(STARTING, STARTING, STARTED))
    assert SYSTEMS.wait_for_status("s", 3, timeout_minutes=0.6 / 60).status == 3
    assert clock.now == pytest.approx(0.6)


def test_one_of_several_statuses_will_do(backend: Played) -> None:
    backend.plan("GetSystem", *seen(STARTING, STOPPED))
    assert SYSTEMS.wait_for_status("s", [System.SYSTEM_STATUS_STARTED, 5]).status == 5


def test_a_failure_says_why(backend: Played) -> None:
    backend.plan("GetSystem", *seen(STARTING, it(10, status_reason="TIMEOUT", status_detail="it did not come up")))
    with pytest.raises(
        SystemFailedError, match=r"^system one has failed: it did not come up; what its machine printed: "
    ) as failed:
        SYSTEMS.wait_for_status("s", System.SYSTEM_STATUS_STARTED)
    assert failed.value.reason == "TIMEOUT"


@pytest.mark.parametrize("status", [System.SYSTEM_STATUS_FAILED, System.SYSTEM_STATUS_TERMINATED])
def test_an_end_that_was_asked_for_is_none_of_failures(backend: Played, status: System.Status) -> None:
    backend.plan("GetSystem", *seen(it(status)))
    assert SYSTEMS.wait_for_status("s", status).status == status.code


def test_nobody_waits_an_hour_for_what_was_terminated(backend: Played, clock: Clock) -> None:
    backend.plan("GetSystem", *seen(STOPPED, TERMINATED))
    with pytest.raises(SystemFailedError, match=r"^system one is terminated$"):
        SYSTEMS.wait_for_status("s", System.SYSTEM_STATUS_STARTED)
    assert clock.now < 1


def test_a_wish_ends_where_the_system_comes_to_rest(backend: Played) -> None:
    backend.plan("StartSystem", STARTING)
    backend.plan("GetSystem", *seen(STARTING, it(5, status_detail="its owner's budget for this month is used up")))
    with pytest.raises(SystemFailedError, match=r"^system one is stopped: its owner's budget"):
        SYSTEMS.start("s")


def test_scaling_that_the_cloud_refuses_is_no_success(backend: Played) -> None:
    small = {"instance_type_id": "small", "disk_size_gb": 10}
    backend.plan("ScaleSystem", it(System.SYSTEM_STATUS_SCALING, **small))
    backend.plan("GetSystem", *seen(it(5, status_reason="REFUSED", status_detail="no such size here", **small)))
    for size, disk in (("large", None), (None, 20), ("small", 20)):
        with pytest.raises(SystemFailedError, match=r"^system one was not scaled: no such size here$") as refused:
            SYSTEMS.scale("s", size, disk)
        assert refused.value.reason == "REFUSED"
    assert SYSTEMS.scale("s", "large", wait=False).status == System.SYSTEM_STATUS_SCALING.code


def test_scaling_is_done_where_the_size_is_there(backend: Played) -> None:
    backend.plan("ScaleSystem", it(System.SYSTEM_STATUS_SCALING))
    backend.plan("GetSystem", *seen(it(5, instance_type_id="large", disk_size_gb=20)))
    for size, disk in (("large", None), (None, 20), ("large", 15)):
        assert SYSTEMS.scale("s", size, disk).disk_size_gb == 20


def test_waiting_without_a_wish_goes_on_while_somebody_may_start_it(backend: Played) -> None:
    backend.plan("GetSystem", *seen(STOPPED, STOPPED, STARTING, STARTED))
    assert SYSTEMS.wait_for_status("s", System.SYSTEM_STATUS_STARTED).status == 3


def test_statuses_of_machines_and_products_are_refused(backend: Played) -> None:
    backend.plan("GetSystem", *seen(STARTED))
    with pytest.raises(TypeError, match="SYSTEM_STATUS"):
        SYSTEMS.wait_for_status("s", System.VM_STATUS_RUNNING)


# a backend that is restarted meanwhile


def test_a_backend_that_is_away_for_a_while_does_not_end_the_waiting(backend: Played) -> None:
    backend.plan("GetSystem", *seen(STARTING), AWAY, AWAY, AWAY, *seen(STARTED))
    assert SYSTEMS.wait_for_status("s", System.SYSTEM_STATUS_STARTED).status == 3


def test_one_that_stays_away_does(backend: Played, clock: Clock) -> None:
    backend.plan("GetSystem", *seen(STARTING), AWAY)
    with pytest.raises(BackendError, match="cannot be reached"):
        SYSTEMS.wait_for_status("s", System.SYSTEM_STATUS_STARTED)
    assert 300 <= clock.now < 360


def test_patience_also_ends_while_it_is_away(backend: Played, clock: Clock) -> None:
    backend.plan("GetSystem", AWAY)
    with pytest.raises(BackendError):
        SYSTEMS.wait_for_status("s", 3, timeout_minutes=1)
    assert clock.now == pytest.approx(60)


def test_other_refusals_end_it_at_once(backend: Played, clock: Clock) -> None:
    backend.plan("GetSystem", NotFoundError("there is no system 's' that you may see"))
    with pytest.raises(NotFoundError):
        SYSTEMS.wait_for_status("s", 3)
    assert clock.now == 0


# statuses of servers younger than this client


def test_a_status_of_the_future_is_waited_through(backend: Played) -> None:
    backend.plan("GetSystem", *seen(it(STRANGE), STARTED))
    assert SYSTEMS.wait_for_status("s", 3).status == 3


def test_a_snapshot_on_an_unknown_way_is_not_taken_for_a_failed_one(backend: Played) -> None:
    there = pb.Snapshot(name="copy", status=pb.SNAPSHOT_STATUS_AVAILABLE)
    backend.plan("GetSnapshot", pb.Snapshot(status=STRANGE), there)
    assert SYSTEMS.wait_for_snapshot("snap").status_text == "Available"


def test_an_image_on_an_unknown_way_is_not_taken_for_a_failed_one(backend: Played) -> None:
    there = im.Image(version="1", status_code=im.IMAGE_STATUS_AVAILABLE)
    backend.plan("GetImage", im.Image(status_code=STRANGE), there)
    assert IMAGES.wait_for_available("img").status_text == "Available"


def test_a_report_on_an_unknown_way_is_not_taken_for_a_failed_one(backend: Played) -> None:
    there = rp.Report(id="r", status=rp.REPORT_STATUS_READY)
    backend.plan("GetReport", rp.Report(status=STRANGE), there)
    assert REPORTS.wait_for("r").id == "r"


# what was waited for, and did not come about


def test_a_snapshot_that_was_deleted_meanwhile_is_no_success(backend: Played) -> None:
    backend.plan("GetSnapshot", pb.Snapshot(name="copy", status=pb.SNAPSHOT_STATUS_DELETED))
    with pytest.raises(SystemFailedError, match="copy is deleted"):
        SYSTEMS.wait_for_snapshot("snap")


def test_an_image_that_failed_says_so(backend: Played) -> None:
    backend.plan("GetImage", im.Image(product="h2o3", version="3", status_code=im.IMAGE_STATUS_FAILED))
    with pytest.raises(ImageFailedError, match="h2o3 3 is failed"):
        IMAGES.wait_for_available("img")
