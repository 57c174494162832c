"""What administrators offer is changed bit by bit: what is not named stays, and nothing is lost on the way."""

from __future__ import annotations

import pytest

from puddle.client import AdminClient, ImagesClient, InstanceTypesClient, ReportsClient, SystemsClient, TagsClient
from puddle.client.cloud.clouds import CLOUD_LOCAL
from puddle.client.errors.puddle_errors import ImageFailedError, SystemFailedError
from puddle.client.models import Image, InstanceType, System, Tag
from puddle.client.proto.v2 import event_service_pb2 as ev
from puddle.client.proto.v2 import image_service_pb2 as im
from puddle.client.proto.v2 import instance_type_service_pb2 as ty
from puddle.client.proto.v2 import report_service_pb2 as rp
from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.client.proto.v2 import tag_service_pb2 as tg
from tests.puddle.client.played import AUTHORIZER, Played

TYPES = InstanceTypesClient(CLOUD_LOCAL, authorizer=AUTHORIZER)
TAGS = TagsClient(CLOUD_LOCAL, authorizer=AUTHORIZER)
SYSTEMS = SystemsClient(CLOUD_LOCAL, authorizer=AUTHORIZER)
SMALL = ty.InstanceType(
    id="t", text="small", cloud="local", cloud_name="s", price_decimal="0.05", vcpus=1, memory_gb=2, cu=3, enabled=True,
    allowed_groups=["team"],
)  # fmt: skip


def sent(backend: Played) -> object:
    return backend.asked[-1][1]


def test_one_thing_about_an_instance_type_is_changed_and_the_rest_stays(backend: Played) -> None:
    backend.plan("UpdateInstanceType", SMALL)
    TYPES.update(InstanceType(SMALL), enabled=False)
    hidden = ty.InstanceType()
    hidden.CopyFrom(SMALL)
    hidden.enabled = False
    assert sent(backend) == hidden
    TYPES.update(InstanceType(SMALL), price="0.10", cu=0, text="tiny", allowed_groups=[])
    changed = ty.InstanceType()
    changed.CopyFrom(SMALL)
    changed.price_decimal, changed.cu, changed.text = "0.10", 0, "tiny"
    del changed.allowed_groups[:]
    assert sent(backend) == changed
    TYPES.update(SMALL)
    assert sent(backend) == SMALL


def test_a_size_is_offered_on_the_clients_cloud_and_the_callers_message_stays(backend: Played) -> None:
    backend.plan("CreateInstanceType", SMALL)
    mine = ty.InstanceType(text="huge")
    TYPES.create(mine)
    assert sent(backend) == ty.InstanceType(text="huge", cloud="local")
    assert mine == ty.InstanceType(text="huge")


def test_times_may_be_those_of_a_clock(backend: Played) -> None:
    backend.plan("CreateReport", rp.Report(id="r"))
    ReportsClient(CLOUD_LOCAL, authorizer=AUTHORIZER).create(1000.9, 2000.9, wait=False)
    assert sent(backend) == rp.CreateReportRequest(start=1000, end=2000)
    backend.plan("ListEvents", ev.ListEventsResponse())
    assert list(AdminClient(authorizer=AUTHORIZER).events(since=1000.9)) == []
    assert sent(backend) == ev.ListEventsRequest(since=1000, page_size=200)


def test_a_size_says_what_one_chooses_it_by() -> None:
    size = InstanceType(SMALL)
    assert (size.vcpus, size.memory_gb, size.cu, size.enabled, size.allowed_groups) == (1.0, 2.0, 3, True, ["team"])


def test_one_thing_about_a_tag_is_changed_and_the_rest_stays(backend: Played) -> None:
    asked = tg.Tag(id="g", label="team", input_type="text", default_value="a", required=True, options=["a", "b"])
    backend.plan("UpdateTag", asked)
    TAGS.update(Tag(asked), required=False, options=["a"])
    assert sent(backend) == tg.Tag(id="g", label="team", input_type="text", default_value="a", options=["a"])
    TAGS.update(asked)
    assert sent(backend) == asked


def test_a_tag_is_asked_with_options_and_a_pattern(backend: Played) -> None:
    made = tg.Tag(label="team", input_type="text", pattern="[a-z]+", options=["a"])
    backend.plan("CreateTag", made)
    tag = TAGS.create("team", pattern="[a-z]+", options=["a"])
    assert sent(backend) == made
    assert (tag.pattern, tag.options) == ("[a-z]+", ["a"])


def test_no_name_is_nobodys_system(backend: Played) -> None:
    backend.plan("ListSystems", pb.ListSystemsResponse(systems=[pb.SystemWithModels()]))
    assert SYSTEMS.get_by_name("") is None
    assert backend.asked == []


def test_why_it_is_on_and_what_a_day_costs() -> None:
    message = pb.System(activity=pb.Activity(reasons=["it is at work now"]), forecast_cost_per_day=2.4)
    assert (System(message).why_on, System(message).forecast_cost_per_day) == (["it is at work now"], 2.4)
    assert System(pb.System()).why_on == []


def test_what_failed_says_why(backend: Played) -> None:
    failed = im.Image(product="h2o3", version="3", status_code=im.IMAGE_STATUS_FAILED, status_detail="no room")
    assert Image(failed).status_detail == "no room"
    backend.plan("FailSystem", pb.System(id="s", status=pb.SYSTEM_STATUS_FAILING))
    SYSTEMS.fail("s", "it hangs")
    assert sent(backend) == pb.SystemRequest(id="s", reason="it hangs")


def test_failures_that_were_waited_for_say_why(backend: Played) -> None:
    failed = im.Image(product="h2o3", version="3", status_code=im.IMAGE_STATUS_FAILED, status_detail="no room")
    backend.plan("GetImage", failed)
    with pytest.raises(ImageFailedError, match=r"^image h2o3 3 is failed: no room; what building it printed: "):
        ImagesClient(CLOUD_LOCAL, authorizer=AUTHORIZER).wait_for_available("i")
    copy = pb.Snapshot(name="copy", status=pb.SNAPSHOT_STATUS_FAILED, status_detail="the disk is broken")
    backend.plan("GetSnapshot", copy)
    with pytest.raises(SystemFailedError, match=r"^snapshot copy is failed: the disk is broken$"):
        SYSTEMS.wait_for_snapshot("snap")
