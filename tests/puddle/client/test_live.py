"""Every documented property of a system says what is the case, on a server that runs: started, stopped, terminated.

The cloud and the product are simulated, the server, its database, its reconciler and HTTP are real.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from puddle.client import ImagesClient, InstanceTypesClient, ReportsClient, SystemsClient, TagsClient
from puddle.client.cloud import CloudProvider
from puddle.client.errors.puddle_errors import PreconditionFailedError, ValidationFailedError
from puddle.client.models import InstanceType, System
from puddle.server.domain.quota import month_start
from tests.puddle.client.test_models import SYSTEM
from tests.puddle.server.running import SIMULATED, RunningServer, until

SIMULATED_CLOUD = CloudProvider("Simulated", "simulated")
CONFIG = "answer = 42\n"


@dataclass(frozen=True)
class Lived:
    """A system at three points of its life, and what it was made from."""

    began: float
    size: InstanceType
    version: str
    started: System
    stopped: System
    terminated: System


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path_factory.mktemp("server"), **SIMULATED)
    try:
        running.address()
        yield running
    finally:
        assert running.stop() == 0


@pytest.fixture(scope="module")
def systems(server: RunningServer) -> SystemsClient:
    return SystemsClient(SIMULATED_CLOUD, authorizer=server.authorizer())


@pytest.fixture(scope="module")
def lived(server: RunningServer, systems: SystemsClient) -> Lived:
    began = time.time()
    image = ImagesClient(SIMULATED_CLOUD, authorizer=server.authorizer()).build("simulated")
    size = InstanceTypesClient(SIMULATED_CLOUD, authorizer=server.authorizer()).list_available()[0]
    made = systems.create("lived", "simulated", image, size, 12, idle_timeout_interval=60, config=CONFIG)
    copy = systems.create_snapshot(made, "copy")
    systems.wait_for_status(made, System.SYSTEM_STATUS_STARTED)
    until(lambda: systems.get(made).current_session_cost > 0)  # which it is after a second
    started = systems.get(made)
    stopped = systems.get(systems.stop(made))
    systems.delete_snapshot(copy)
    return Lived(began, size, image.version, started, stopped, systems.terminate(made))


Check = Callable[[Lived, Any], bool]


def equal(value: Any) -> Check:
    return lambda _it, seen: seen == value and isinstance(seen, type(value))


def since_it_began(it: Lived, seen: Any) -> bool:
    return isinstance(seen, int) and it.began - 1 <= seen <= time.time() + 1


def a_word(_it: Lived, seen: Any) -> bool:
    return isinstance(seen, str) and bool(seen)


S = System


def stands(kind: str, *names: str) -> dict[str, tuple[Check, ...]]:
    """A status and its text at the three points."""
    constants = [getattr(S, f"{kind.upper()}_{name}") for name in names]
    return {
        kind.removeprefix("system_"): tuple(equal(constant.code) for constant in constants),
        f"{kind.removeprefix('system_')}_text": tuple(equal(constant.text) for constant in constants),
    }


def the_copy(_it: Lived, seen: Any) -> bool:
    return [each.name for each in seen] == ["copy"]


EXPECTED: dict[str, tuple[Check, ...]] = {
    **stands("system_status", "STARTED", "STOPPED", "TERMINATED"),
    **stands("vm_status", "RUNNING", "DEALLOCATED", "TERMINATED"),
    **stands("product_status", "READY", "VM_UNAVAILABLE", "VM_UNAVAILABLE"),
    **stands("config_status", "OK", "OK", "OK"),
    **stands("config_toml_status", "OK", "OK", "OK"),
    "auth_type": (equal("basic"),) * 3,
    "can_fail": (equal(False), equal(False), equal(False)),
    "can_launch": (equal(False), equal(True), equal(False)),
    "cloud": (equal("simulated"),) * 3,
    "cloud_id": (a_word, a_word, equal("")),
    "config_toml": (equal(CONFIG),) * 3,
    "created": (since_it_began,) * 3,
    "current_session_cost": (lambda _it, seen: seen > 0, equal(0.0), equal(0.0)),
    "default_url": (a_word, a_word, equal("")),
    "disk_size_gb": (equal(12),) * 3,
    "gpu": (equal(False),) * 3,
    "gpu_count": (equal(0),) * 3,
    "gpu_type": (equal(""),) * 3,
    "id": (a_word,) * 3,
    "idle_timeout": (lambda it, seen: 0 <= seen - it.started.updated <= 3600, equal(0), equal(0)),
    "idle_timeout_interval": (equal(60),) * 3,
    "in_transition": (equal(False),) * 3,
    "instance_type": (lambda it, seen: seen == it.size.text,) * 3,
    "ip_address": (lambda it, seen: seen == (it.started.public_ip or it.started.private_ip),) * 3,
    "models": (equal([]), equal([]), lambda _it, seen: not seen),
    "name": (equal("lived"),) * 3,
    "owner_id": (a_word,) * 3,
    "owner_name": (equal("admin"),) * 3,
    "password": (a_word, a_word, equal("")),
    "previous_sessions_cost": (
        equal(0.0),
        lambda _it, seen: seen > 0,
        lambda it, seen: seen == it.stopped.previous_sessions_cost,
    ),
    "private_ip": (lambda _it, seen: isinstance(seen, str),) * 3,
    "product": (equal("simulated"),) * 3,
    "provisioned": (equal(True),) * 3,
    "public_ip": (lambda _it, seen: isinstance(seen, str),) * 3,
    "snapshots": (the_copy, the_copy, lambda _it, seen: isinstance(seen, list)),
    "updated": (since_it_began,) * 3,
    "username": (equal("puddle"),) * 3,
    "version": (lambda it, seen: seen == it.version,) * 3,
}  # fmt: skip


def test_nothing_that_is_documented_is_left_out() -> None:
    assert set(EXPECTED) == set(SYSTEM.split())


@pytest.mark.filterwarnings("ignore:config_toml_status:DeprecationWarning")
@pytest.mark.parametrize("name", EXPECTED)
def test_a_property_says_what_is_the_case(lived: Lived, name: str) -> None:
    for state, check in zip((lived.started, lived.stopped, lived.terminated), EXPECTED[name], strict=True):
        assert check(lived, getattr(state, name)), (state.status_text, getattr(state, name))


def test_an_action_that_does_not_fit_says_what_would(systems: SystemsClient, lived: Lived) -> None:
    with pytest.raises(PreconditionFailedError, match="terminated") as refused:
        systems.start(lived.terminated)
    assert refused.value.reason == "not_stopped"
    assert refused.value.request_id


def test_a_bad_name_says_which_field_and_which_rule(
    server: RunningServer, systems: SystemsClient, lived: Lived
) -> None:
    image = ImagesClient(SIMULATED_CLOUD, authorizer=server.authorizer()).list_available()[0]
    with pytest.raises(ValidationFailedError) as refused:
        systems.create("No Good", "simulated", image, lived.size, 10)
    assert refused.value.field == "name"
    assert "lower-case" in refused.value.rule


def test_what_was_used_is_in_a_report(server: RunningServer, lived: Lived) -> None:
    reports = ReportsClient(SIMULATED_CLOUD, authorizer=server.authorizer())
    report = reports.create(int(lived.began) - 1, int(time.time()) + 1)
    (entry,) = [entry for entry in reports.entries(report) if entry.kind == "VM"]
    assert (entry.system_id, entry.instance_type) == (lived.terminated.id, lived.size.text)
    assert entry.cost == pytest.approx(lived.terminated.previous_sessions_cost)


def test_compute_units_are_free_again(systems: SystemsClient, lived: Lived) -> None:
    assert lived.terminated.status == System.SYSTEM_STATUS_TERMINATED.code
    info = systems.get_cu_consumption_info()
    assert (info.consumed_cu, info.systems_consumption_info) == (0, [])
    [mine] = info.allowances
    assert (mine.whose, mine.systems, mine.running, mine.running_limit, mine.cu_limit) == ("you", 0, 0, None, None)
    assert mine.budget_per_month is None
    if month_start(int(lived.began)) == month_start(int(time.time())):
        assert float(mine.cost_this_month) == pytest.approx(lived.terminated.previous_sessions_cost)
    else:  # it ended while we were at it, and what was used before its end is not of this month
        assert 0 <= float(mine.cost_this_month) < lived.terminated.previous_sessions_cost


def test_there_are_no_tags_yet(server: RunningServer) -> None:
    assert TagsClient(SIMULATED_CLOUD, authorizer=server.authorizer()).list_available() == []
