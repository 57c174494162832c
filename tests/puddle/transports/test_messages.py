"""Each service through the wire: what is said in messages is what the use cases take and give."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from puddle.client.proto.v2 import admin_service_pb2 as admin
from puddle.client.proto.v2 import system_service_pb2 as systems
from puddle.server.domain.cost import HOUR, MICROS
from puddle.server.domain.records import NEVER, SnapshotStatus
from puddle.server.domain.states import Product, Status, Vm
from puddle.server.domain.trail import Alert, Report, ReportEntry, ReportStatus
from puddle.server.transports.messages import money
from tests.puddle.transports.calling import Here, called, here, there

__all__ = ["called", "here", "there"]


def test_a_system_is_sent_with_all_that_is_known_of_it(here: Here) -> None:
    made = here.there.create(tags=()).system
    now = here.there.backend.now()
    here.there.stand(
        made.id, status=Status.STARTED, vm_status=Vm.RUNNING, product_status=Product.READY, provisioned=True,
        machine_id="m-1", private_ip="10.0.0.1", public_ip="1.2.3.4", url="http://1.2.3.4/", session_id="x-1",
        session_started=now - 1800, session_price_micros=900_000, spent=2 * HOUR * MICROS, started=now - 1700,
        last_activity=now - 60, busy=True, signals=(("jobs", "2"),), reason="R", detail="D",
    )  # fmt: skip
    got = here.ask("SystemService/GetSystem", "ann", id=made.id).system
    assert (got.status, got.vm_status, got.product_status, got.config_status) == (3, 4, 4, 1)
    assert (got.cloud_id, got.ip_address, got.private_ip, got.public_ip) == ("m-1", "1.2.3.4", "10.0.0.1", "1.2.3.4")
    assert (got.current_session_cost, got.previous_sessions_cost) == (0.45, 2.0)
    assert Decimal(got.current_session_cost_decimal) == Decimal("0.45")
    assert (got.price_per_hour, got.forecast_cost_per_day, got.session_started) == (0.9, 21.6, now - 1800)
    assert (got.instance_type, got.instance_type_id, got.owner_name) == ("small", "t-1", "ann")
    assert (got.idle_timeout, got.idle_timeout_interval) == (now - 60 + 240 * 60, 240)
    assert (got.in_transition, got.can_launch, got.can_fail, got.provisioned) == (False, False, False, True)
    assert (got.activity.known, got.activity.idle, got.activity.source) == (True, False, "product")
    assert [(each.name, each.value) for each in got.activity.signals] == [("jobs", "2")]
    assert got.activity.reasons
    assert (got.status_reason, got.status_detail, got.generation) == ("R", "D", 1)
    assert {each.name for each in got.allowed_actions if each.allowed} >= {"stop", "terminate", "snapshot"}
    assert next(each.reason for each in got.allowed_actions if each.name == "start")
    assert (got.username, len(got.password), got.auth_type) == ("puddle", 24, "basic")


def test_others_get_no_password(here: Here) -> None:
    made = here.there.create().system
    assert here.ask("SystemService/GetSystem", "ada", id=made.id).system.password == ""
    listed = here.ask("SystemService/ListSystems", "ada", scope=systems.SCOPE_ALL)
    assert [each.system.password for each in listed.systems] == [""]


def test_lists_come_in_pages(here: Here) -> None:
    for number in range(5):
        here.there.create(name=f"n{number}")
        here.there.clock.turn(1)
    asked = {"page_size": 2}
    names, pages = [], 0
    while True:
        page = here.ask("SystemService/ListSystems", "ann", **asked)
        names += [each.system.name for each in page.systems]
        pages += 1
        if not page.next_page_token:
            break
        asked["page_token"] = page.next_page_token
    assert (names, pages) == (["n0", "n1", "n2", "n3", "n4"], 3)


def test_a_page_token_goes_with_its_question(here: Here) -> None:
    for number in range(3):
        here.there.create(name=f"n{number}")
    token = here.ask("SystemService/ListSystems", "ann", page_size=1).next_page_token
    assert here.refused("SystemService/ListSystems", "ann", page_token=token, name="n1")[1] == "invalid_argument"
    assert here.refused("SystemService/ListSystems", "ann", page_token="x")[1]  # noqa: S106 == "invalid_argument"
    assert here.refused("SystemService/ListSystems", "ann", page_size=-1)[1] == "invalid_argument"


def test_lists_are_filtered(here: Here) -> None:
    one = here.there.create(name="one").system
    here.there.clock.turn(1)
    here.there.create(name="two")
    here.there.stand(one.id, status=Status.TERMINATED)

    def names(**asked: object) -> list[str]:
        return [each.system.name for each in here.ask("SystemService/ListSystems", "ann", **asked).systems]

    assert names() == ["two"]
    assert names(include_terminated=True) == ["one", "two"]
    assert names(statuses=[int(Status.TERMINATED)], include_terminated=True) == ["one"]
    assert names(name="two") == ["two"]
    assert names(cloud="simulated") == ["two"]
    assert names(product="dai") == []
    assert here.refused("SystemService/ListSystems", "ann", cloud="aws")[1] == "invalid_argument"
    assert here.refused("SystemService/ListSystems", "ann", statuses=[99])[1] == "invalid_argument"
    assert here.refused("SystemService/ListSystems", "ada", scope=7)[1] == "invalid_argument"


def test_a_system_s_life_is_wished_for(here: Here) -> None:
    made = here.there.create().system
    life = [
        (Status.STARTED, "SystemService/StopSystem", Status.STOPPING),
        (Status.STOPPED, "SystemService/StartSystem", Status.STARTING),
        (Status.STARTED, "SystemService/RebootSystem", Status.REBOOTING),
        (Status.STARTED, "SystemService/RestartDAI", Status.RESTARTING_DAI),
        (Status.STARTED, "SystemService/TerminateSystem", Status.TERMINATING),
    ]
    for stands, name, then in life:
        here.there.stand(made.id, status=stands, provisioned=True)
        assert here.ask(name, "ann", id=made.id, reason="because").status == int(then)
    assert here.ask("SystemService/FailSystem", "ada", id=made.id).status == int(Status.FAILING)


def test_a_wish_names_the_generation_it_is_about(here: Here) -> None:
    made = here.there.create().system
    here.there.stand(made.id, status=Status.STARTED)
    found = here.refused("SystemService/StopSystem", "ann", id=made.id, expected_generation=7)
    assert found == (412, "failed_precondition", "changed")


def test_sizes_settings_and_idle_times_change(here: Here) -> None:
    made = here.there.create().system
    here.there.stand(made.id, status=Status.STOPPED)
    assert here.ask("SystemService/UpdateIdleTimeout", "ann", id=made.id, minutes=NEVER).idle_timeout_interval == NEVER
    assert here.ask("SystemService/UpdateConfig", "ann", id=made.id, config="a = 1").config_toml == "a = 1"
    assert here.ask("SystemService/ScaleSystem", "ann", id=made.id, instance_type_id="t-2").status == 8
    here.there.stand(made.id, status=Status.STARTED)
    assert here.ask("SystemService/ExtendIdleTimeout", "ann", id=made.id, minutes=60).id == made.id
    assert here.ask("SystemService/GetCredentials", "ann", id=made.id).username == "puddle"
    assert here.refused("SystemService/GetSshKey", "ann", id=made.id)[2] == "no_ssh"


def test_an_idempotency_key_makes_one_system(here: Here) -> None:
    asked = {
        "name": "one", "cloud": "simulated", "product": "simulated", "imageId": "i-1", "instanceTypeId": "t-1",
        "diskSizeGb": 10, "tags": [],
    }  # fmt: skip
    body = json.dumps(asked).encode()
    first = here.post("SystemService/CreateSystem", body, "ann", idempotency_key="k-1").json()
    second = here.post("SystemService/CreateSystem", body, "ann", idempotency_key="k-1").json()
    assert first["id"] == second["id"]
    assert here.post("SystemService/CreateSystem", body, "ann").meta["reason"] == "name_taken"
    preview = json.dumps({**asked, "name": "other", "validateOnly": True}).encode()
    assert "id" not in here.post("SystemService/CreateSystem", preview, "ann").json()


def test_models_come_where_they_are_asked_for(here: Here) -> None:
    made = here.there.create().system
    assert not here.ask("SystemService/GetSystem", "ann", id=made.id, include_models=True).models
    assert not here.ask("SystemService/ListModels", "ann", id=made.id).models
    assert len(here.ask("SystemService/ListSystems", "ann", include_models=True).systems) == 1


def test_compute_units_are_told(here: Here) -> None:
    made = here.there.create().system
    got = here.ask("SystemService/GetCUConsumptionInfo", "ann")
    assert (got.available_cu, got.consumed_cu) == (2**31 - 1, 1)
    assert [(each.system_id, each.cu) for each in got.systems_consumption_info] == [(made.id, 1)]


def test_everybody_learns_what_they_may_have(here: Here) -> None:
    here.there.create()
    limits = admin.Limits(running=2, budget_per_month_decimal="7.5")
    here.ask("AdminService/UpdateUser", "ada", id="u-1", limits=limits)
    [mine] = here.ask("SystemService/GetCUConsumptionInfo", "ann").allowances
    assert (mine.whose, mine.systems, mine.systems_limit, mine.running, mine.running_limit) == ("you", 1, 0, 1, 2)
    assert (mine.cu, mine.cu_limit, mine.budget_per_month_decimal) == (1, 0, "7.5")
    assert Decimal(mine.cost_this_month_decimal) == 0


def test_snapshots_come_and_go(here: Here) -> None:
    made = here.there.create().system
    here.there.stand(made.id, status=Status.STOPPED, vm_status=Vm.DEALLOCATED)
    taken = here.ask("SnapshotService/CreateSnapshot", "ann", system_id=made.id, name="before")
    assert (taken.name, taken.system_id, taken.status) == ("before", made.id, 1)
    assert [each.id for each in here.ask("SnapshotService/ListSnapshots", "ann").snapshots] == [taken.id]
    assert [each.id for each in here.ask("SnapshotService/ListSnapshots", "ann", system_id=made.id).snapshots] == [
        taken.id
    ]
    assert here.ask("SnapshotService/GetSnapshot", "ann", id=taken.id) == taken
    assert here.refused("SnapshotService/DeleteSnapshot", "ann", id=taken.id)[2] == "snapshot_in_use"
    with here.there.store.writing() as tx:
        record = tx.snapshots.get(taken.id)
        assert record is not None
        tx.snapshots.put(replace(record, status=SnapshotStatus.FAILED, failure="the disk could not be read"))
    failed = here.ask("SnapshotService/GetSnapshot", "ann", id=taken.id)
    assert (failed.status, failed.status_detail, taken.status_detail) == (3, "the disk could not be read", "")
    assert here.refused("SnapshotService/ListSnapshots", "ann", scope=3)[1] == "permission_denied"
    assert here.refused("SnapshotService/ListSnapshots", "ada", scope=3)[1] == "invalid_argument"


def test_images_are_built_shown_and_deleted(here: Here) -> None:
    (image,) = here.ask("ImageService/ListAvailableImages", "ann").images
    assert (image.id, image.text, image.selected_version, image.status_text) == ("i-1", "1", "i-1", "Available")
    built = here.ask("ImageService/BuildImage", "ada", cloud="simulated", product="simulated", version="2.0")
    assert (built.version, built.status_code) == ("2.0", 2)
    assert here.ask("ImageService/BuildImage", "ada", id=built.id).id == built.id
    assert len(here.ask("ImageService/ListImages", "ada", product="simulated").images) == 2
    assert here.ask("ImageService/GetImage", "ada", id=built.id).version == "2.0"
    assert here.ask("ImageService/GetBuildLog", "ada", id=built.id).text == "", "nothing is printed yet"
    assert here.ask("ImageService/DeleteImage", "ada", id="i-1").status_text == "Deleting"


def test_instance_types_are_offered_and_priced(here: Here) -> None:
    given = {"text": "huge", "cloud": "simulated", "cloud_name": "h1", "vcpus": 8, "memory_gb": 64}
    made = here.ask("InstanceTypeService/CreateInstanceType", "ada", price_decimal="1.25", gpu=True, **given)
    assert (made.price, made.price_decimal, made.gpu_count, made.cu, made.enabled) == (1.25, "1.25", 1, 1, True)
    made.price_decimal, made.price, made.enabled = "", 0.9, False
    changed = here.post("InstanceTypeService/UpdateInstanceType", made.SerializeToString(), "ada", "application/proto")
    assert changed.status == 200
    listed = here.ask("InstanceTypeService/ListInstanceTypes", "ada").instance_types
    assert next(each.price_decimal for each in listed if each.id == made.id) == "0.9"
    assert made.id not in {
        each.id for each in here.ask("InstanceTypeService/ListAvailableInstanceTypes", "ann").instance_types
    }
    here.ask("InstanceTypeService/DeleteInstanceType", "ada", id=made.id)
    for price in (-1.0, float("inf"), float("nan"), 1e300):
        found = here.refused("InstanceTypeService/CreateInstanceType", "ada", price=price, **given)
        assert found[1] == "invalid_argument"


def test_tags_are_asked_for(here: Here) -> None:
    made = here.ask("TagService/CreateTag", "ada", label="project", required=True, options=["a", "b"])
    assert (made.label, made.input_type, made.required, made.status) == ("project", "text", True, 1)
    assert here.ask("TagService/UpdateTag", "ada", id=made.id, label="team").label == "team"
    assert [each.label for each in here.ask("TagService/ListTags", "ann").tags] == ["team"]
    here.ask("TagService/DeleteTag", "ada", id=made.id)
    assert not here.ask("TagService/ListTags", "ann").tags


def test_reports_are_read_in_pages(here: Here) -> None:
    made = here.ask("ReportService/CreateReport", "ann", start=0, end=1000)
    assert made.status == 1
    head = Report(id="rep-1", asked_by="u-1", owner_id="u-1", start=0, end=9, created=1, status=ReportStatus.READY)
    lines = [
        ReportEntry(
            report_id="rep-1", number=number, system_id="s", system_name="n", owner_id="u-1", owner_name="ann",
            cloud="c", product="p", version="1", instance_type="small", session_id=f"x{number}", meter="VM", start=0,
            end=1800, price_micros=900_000, tags=(("team", "a"),),
        )
        for number in range(3)
    ]  # fmt: skip
    with here.there.store.writing() as tx:
        tx.reports.add(head)
        tx.reports.fill(lines)
    first = here.ask("ReportService/ListReportEntries", "ann", id="rep-1", page_size=2)
    rest = here.ask("ReportService/ListReportEntries", "ann", id="rep-1", page_token=first.next_page_token)
    assert [each.session_id for each in [*first.entries, *rest.entries]] == ["x0", "x1", "x2"]
    entry = first.entries[0]
    assert (entry.seconds, entry.cost, Decimal(entry.cost_decimal)) == (1800, 0.45, Decimal("0.45"))
    assert (entry.kind, entry.tags[0].value, rest.next_page_token) == ("VM", "a", "")
    assert {each.id for each in here.ask("ReportService/ListReports", "ann").reports} == {"rep-1", made.id}
    assert here.ask("ReportService/GetReport", "ann", id="rep-1").status == 2


def test_amounts_add_up_where_decimals_are_rounded(here: Here) -> None:
    line = ReportEntry(
        report_id="rep-1", number=0, system_id="s", system_name="n", owner_id="u-1", owner_name="ann", cloud="c",
        product="p", version="1", instance_type="small", session_id="x", meter="VM", start=0, end=1,
        price_micros=50_000,
    )  # fmt: skip
    total = 7 * 50_000
    head = Report(id="rep-1", asked_by="u-1", owner_id="u-1", start=0, end=9, created=1, total=total)
    with here.there.store.writing() as tx:
        tx.reports.add(replace(head, status=ReportStatus.READY))
        tx.reports.fill([replace(line, number=number) for number in range(7)])
    told = here.ask("ReportService/GetReport", "ann", id="rep-1")
    entries = here.ask("ReportService/ListReportEntries", "ann", id="rep-1").entries
    assert told.total_amount == sum(entry.amount for entry in entries) == total
    assert Decimal(told.total_decimal) == (Decimal(total) / (MICROS * HOUR)).quantize(Decimal("1e-10"))
    assert Decimal(told.total_decimal) != sum(Decimal(entry.cost_decimal) for entry in entries)


def test_a_start_may_bring_another_idle_interval(here: Here) -> None:
    made = here.there.create().system
    here.there.stand(made.id, status=Status.STOPPED, provisioned=True, machine_id="m-1", cu=0)
    started = here.ask("SystemService/StartSystem", "ann", id=made.id, idle_timeout_interval=NEVER)
    assert (started.status, started.idle_timeout_interval) == (Status.STARTING, NEVER)


def test_who_told_of_use_is_said(here: Here) -> None:
    made = here.there.create().system
    told = {}
    for last, missed in ((50, 0), (200, 0), (200, 2)):
        here.there.stand(made.id, status=Status.STARTED, started=100, last_activity=last, missed_probes=missed)
        activity = here.ask("SystemService/GetSystem", "ann", id=made.id).system.activity
        told[activity.source] = (activity.known, activity.idle)
    assert told == {"start": (True, True), "product": (True, True), "nobody": (False, False)}


def test_events_come_newest_first_in_pages(here: Here) -> None:
    made = here.there.create().system
    here.there.clock.turn(1)
    here.there.stand(made.id, status=Status.STARTED)
    here.ask("SystemService/StopSystem", "ann", id=made.id)
    first = here.ask("EventService/ListEvents", "ann", target=made.id, page_size=1)
    then = here.ask("EventService/ListEvents", "ann", target=made.id, page_size=1, page_token=first.next_page_token)
    assert [first.events[0].action, then.events[0].action] == ["system.stop", "system.create"]
    assert first.events[0].actor.name == "ann"


def test_people_are_let_in_and_limited(here: Here) -> None:
    made = here.ask("AdminService/CreateUser", "ada", name="cid", groups=["team"])
    assert (made.user.name, made.user.role, list(made.user.groups), made.active) == ("cid", 1, ["team"], True)
    limits = admin.Limits(systems=3, budget_per_month_decimal="12.5")
    changed = here.ask("AdminService/UpdateUser", "ada", id=made.user.id, role=2, limits=limits, set_groups=True)
    assert (changed.user.role, list(changed.user.groups), changed.limits) == (2, [], limits)
    assert here.ask("AdminService/UpdateUser", "ada", id=made.user.id, active=False).active is False
    moved = here.ask("AdminService/UpdateUser", "ada", id=made.user.id, email="cid@example.com", display_name="Cid")
    assert (moved.user.email, moved.user.display_name, moved.user.role) == ("cid@example.com", "Cid", 2)
    assert here.ask("AdminService/UpdateUser", "ada", id=made.user.id).user == moved.user
    assert here.ask("AdminService/UpdateUser", "ada", id=made.user.id, email="").user.email == ""
    assert here.refused("AdminService/UpdateUser", "ada", id=made.user.id, email="no address")[1] == "invalid_argument"
    assert here.refused("AdminService/UpdateUser", "ada", id=made.user.id, role=9)[1] == "invalid_argument"
    assert here.refused("AdminService/CreateUser", "ada", name="cid")[2] == "name_taken"
    assert "cid" in {each.user.name for each in here.ask("AdminService/ListUsers", "ada").users}
    group = here.ask("AdminService/SetGroupLimits", "ada", name="team", limits=limits)
    assert here.ask("AdminService/ListGroups", "ada").groups == [group]


def test_alerts_are_acknowledged(here: Here) -> None:
    with here.there.store.writing() as tx:
        tx.alerts.add(Alert(id="n-1", time=1, kind="PROBE", system_id="s-1", owner_id="u-1", message="look"))
    assert [each.message for each in here.ask("AdminService/ListAlerts", "ann").alerts] == ["look"]
    assert here.ask("AdminService/AcknowledgeAlert", "ann", id="n-1").acknowledged
    assert not here.ask("AdminService/ListAlerts", "ann").alerts
    assert here.ask("AdminService/ListAlerts", "ann", include_acknowledged=True).alerts


def test_keys_are_made_listed_and_revoked(here: Here) -> None:
    made = here.ask("AuthService/CreateApiKey", "ann", name="laptop", valid_days=7)
    login = here.ask("AuthService/Login", api_key_id=made.id, api_secret_key=made.secret)
    assert (login.user.name, login.user.role) == ("ann", 1)
    assert here.post("AuthService/WhoAmI", x_puddle_token=login.token).json()["name"] == "ann"
    listed = here.ask("AuthService/ListApiKeys", "ann").keys
    assert all(not each.secret for each in listed)
    assert here.ask("AuthService/RevokeApiKey", "ann", id=made.id).revoked
    assert here.post("AuthService/WhoAmI", x_puddle_token=login.token).status == 401


@pytest.mark.parametrize(
    ("micros", "written"), [(0, "0"), (900_000, "0.9"), (1_000_000, "1"), (1, "0.000001"), (12_345_678, "12.345678")]
)
def test_prices_are_exact(micros: int, written: str) -> None:
    assert money.exact_price(micros) == written
    assert Decimal(written) * MICROS == micros


def test_costs_are_exact_to_ten_places() -> None:
    assert money.exact(0) == "0.0000000000"
    assert Decimal(money.exact(HOUR * MICROS)) == 1
    assert money.exact(1) == "0.0000000003"
    assert money.amount(HOUR * MICROS // 4) == 0.25


def test_what_is_kept_of_messages_is_not_shown_to_others(here: Here) -> None:
    """Owner and administrator ask in turn, in the same second and later; each gets their own, and of now."""
    made = here.there.create().system
    now = here.there.backend.now()
    here.there.stand(
        made.id, status=Status.STARTED, session_id="x", session_started=now, session_price_micros=3_600_000_000
    )
    for second in range(3):
        for who in ("ann", "ada", "ann", "ada"):
            scope = systems.SCOPE_ALL if who == "ada" else systems.SCOPE_MINE
            (listed,) = here.ask("SystemService/ListSystems", who, scope=scope).systems
            got = here.ask("SystemService/GetSystem", who, id=made.id).system
            for each in (listed.system, got):
                assert bool(each.password) is (who == "ann")
                assert each.current_session_cost == second
                assert ("fail" in {action.name for action in each.allowed_actions}) is (who == "ada")
            assert got.activity.reasons
            assert not listed.system.activity.reasons, "they are told of one system, not of a list"
        here.there.clock.turn(1)


def test_a_list_is_the_same_in_both_content_types(here: Here) -> None:
    for name in ("one", "two"):
        here.there.create(name=name)
    asked = json.dumps({"pageSize": 1}).encode()
    page = here.post("SystemService/ListSystems", asked, "ann").json()
    assert len(page["systems"]) == 1
    assert page["nextPageToken"]
    binary = here.ask("SystemService/ListSystems", "ann", page_size=1)
    assert binary.next_page_token == page["nextPageToken"]
    assert binary.systems[0].system.name == page["systems"][0]["system"]["name"]
