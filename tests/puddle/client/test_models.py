"""The documented models: every property is there, read-only and typed, and says what the backend's message says."""

from __future__ import annotations

import inspect
import typing

import pytest

from puddle.client import models as m
from puddle.client.models.base_status import BaseStatus
from puddle.client.proto.v2 import image_service_pb2 as images
from puddle.client.proto.v2 import instance_type_service_pb2 as types
from puddle.client.proto.v2 import system_service_pb2 as systems
from puddle.client.proto.v2 import tag_service_pb2 as tags

SYSTEM = """
auth_type can_fail can_launch cloud cloud_id config_status config_status_text config_toml config_toml_status
config_toml_status_text created current_session_cost default_url disk_size_gb gpu gpu_count gpu_type id idle_timeout
idle_timeout_interval in_transition instance_type ip_address models name owner_id owner_name password
previous_sessions_cost private_ip product product_status product_status_text provisioned public_ip snapshots status
status_text updated username version vm_status vm_status_text
"""
MODEL = """
accuracy created dataset description id interpretability progress score scorer status target test_score time
training_duration updated
"""
DOCUMENTED = {
    "System": (SYSTEM, lambda: m.System(systems.System(id="i", status=3, vm_status=4), None)),
    "DriverlessAIModel": (MODEL, lambda: m.DriverlessAIModel(systems.DAIModel(id="i", status=2))),
    "Image": (
        "id product selected_version status_code status_text text version",
        lambda: m.Image(images.Image(id="i")),
    ),
    "InstanceType": ("gpu gpu_count gpu_type id price text", lambda: m.InstanceType(types.InstanceType(id="i"))),
    "Tag": (
        "created default_value id input_type label required status status_text updated",
        lambda: m.Tag(tags.Tag(id="i")),
    ),
    "TagData": ("label value", lambda: m.TagData("label", "value")),
    "CUConsumptionInfo": (
        "available_cu consumed_cu systems_consumption_info",
        lambda: m.CUConsumptionInfo(systems.GetCUConsumptionInfoResponse(available_cu=3)),
    ),
    "SystemConsumptionInfo": (
        "cu system_id system_name",
        lambda: m.SystemConsumptionInfo(systems.SystemConsumptionInfo(cu=2)),
    ),
}
"""Names as the reference has them, and a way to make one."""

PROPERTIES = [(cls, name) for cls, (names, _) in DOCUMENTED.items() for name in names.split()]


@pytest.mark.filterwarnings("ignore:config_toml_status:DeprecationWarning")
@pytest.mark.parametrize(("cls", "name"), PROPERTIES)
def test_a_documented_property_is_typed_and_has_a_value_of_its_type(cls, name):
    attribute = inspect.getattr_static(getattr(m, cls), name)
    assert isinstance(attribute, property)
    assert attribute.fset is None
    hint = typing.get_type_hints(attribute.fget)["return"]
    allowed = tuple(typing.get_origin(part) or part for part in typing.get_args(hint) or (hint,))
    assert isinstance(getattr(DOCUMENTED[cls][1](), name), allowed)


STATES = {
    "SYSTEM_STATUS": """FAILED FAILING INITIALIZING REBOOTING RESTARTING_DAI SCALING SNAPSHOTTING STARTED STARTING
    STOPPED STOPPING TERMINATED TERMINATING UNKNOWN""",
    "VM_STATUS": """DEALLOCATED DEALLOCATING INVALID_VALUE_FROM_BACKEND PROVISIONING RUNNING STARTING TERMINATED
    TERMINATING UNKNOWN WAITING WAITING_FOR_SOURCE_SNAPSHOT""",
    "PRODUCT_STATUS": "READY UNKNOWN VM_UNAVAILABLE WAITING_FOR_PRODUCT WAITING_FOR_VM",
    "CONFIG_STATUS": "FAILED OK UNKNOWN UPLOADED UPLOADING",
    "CONFIG_TOML_STATUS": "FAILED OK UNKNOWN UPLOADED UPLOADING",
}


@pytest.mark.parametrize("kind", STATES)
def test_the_documented_constants_have_the_numbers_of_the_wire(kind):
    for name in STATES[kind].split():
        constant = getattr(m.System, f"{kind}_{name}")
        assert isinstance(constant, BaseStatus)
        sent = f"{kind.replace('_TOML', '')}_{name}"
        assert constant.code == (getattr(systems, sent) if name != "INVALID_VALUE_FROM_BACKEND" else -1)


def test_lists_of_states_are_as_long_as_documented():
    assert (len(m.System.ALL_CONFIG_STATES), len(m.System.ALL_TOML_CONFIG_STATES), len(m.Image.ALL_STATES)) == (5, 5, 7)


def test_values_a_client_does_not_know_do_no_harm():
    system = m.System(systems.System.FromString(bytes([0x88, 0x01, 99, 0x80, 0x01, 77])), None)
    assert system.vm_status == m.System.VM_STATUS_INVALID_VALUE_FROM_BACKEND.code
    assert (system.status, system.status_text) == (77, "Unknown (77)")


def test_the_old_names_of_the_config_status_say_that_they_are_old():
    system = m.System(systems.System(config_status=systems.CONFIG_STATUS_UPLOADED), None)
    with pytest.warns(DeprecationWarning, match="use config_status"):
        assert system.config_toml_status == m.System.CONFIG_STATUS_UPLOADED.code
