"""`AdminClient` and what is new in the clients, on a server that runs; the cloud and the product are simulated."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from puddle.client import AdminClient, ImagesClient, InstanceTypesClient, SystemsClient, admin, transport
from puddle.client.auth.authorizer import AuthError
from puddle.client.cloud import CloudProvider
from puddle.client.errors.puddle_errors import (
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    RateLimitedError,
    ValidationFailedError,
)
from puddle.client.proto.v2.admin_service_pb2 import Limits
from puddle.client.proto.v2.auth_service_pb2 import ROLE_ADMIN, ROLE_USER
from tests.puddle.server.running import SIMULATED, RunningServer

CLOUD = CloudProvider("Simulated", "simulated")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path_factory.mktemp("server"), PUDDLE_CLOUDS__LOCAL__ENABLED="false", **SIMULATED)
    try:
        running.address()
        yield running
    finally:
        assert running.stop() == 0


@pytest.fixture(scope="module")
def root(server: RunningServer) -> AdminClient:
    return AdminClient(authorizer=server.authorizer())


@pytest.fixture(scope="module")
def hers(server: RunningServer, root: AdminClient) -> AdminClient:
    """The client of a user."""
    key = root.create_key("hers", user=root.create_user("grace", groups=["team"]))
    return AdminClient(server.exports()["PUDDLE_server_address"], None, key.id, key.secret)


def test_it_is_bound_to_no_cloud_and_logs_in_as_all_clients_do(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.exports().items():
        monkeypatch.setenv(name, value)
    assert not hasattr(AdminClient(), "cloud")
    user = AdminClient().user
    assert user is not None
    assert user.name == "admin"
    monkeypatch.delenv("PUDDLE_api_secret_key")
    with pytest.raises(ValueError, match="no API key"):
        AdminClient()


def test_users_are_let_in_changed_and_shut_out(root: AdminClient, server: RunningServer) -> None:
    made = root.create_user("ada", "ada@example.com", "Ada L.", role="admin", groups=["team", "night"])
    assert (made.user.role, made.active, list(made.user.groups)) == (ROLE_ADMIN, True, ["team", "night"])
    assert made.user.id in {each.user.id for each in root.users()}
    changed = root.update_user(made, role="user", limits=Limits(systems=2, budget_per_month_decimal="9.50"))
    assert (changed.user.role, changed.limits.systems, list(changed.user.groups)) == (ROLE_USER, 2, ["team", "night"])
    assert root.update_user(made.user.id, groups=[]).user.groups == []
    assert root.update_user(made).limits.budget_per_month_decimal == "9.5"
    renamed = root.update_user(made, email="countess@example.com", display_name="Ada King").user
    assert (renamed.email, renamed.display_name) == ("countess@example.com", "Ada King")

    key = root.create_key("to go", valid_days=1, user=made)
    theirs = AdminClient(server.exports()["PUDDLE_server_address"], None, key.id, key.secret)
    assert theirs.list_keys()[0].id == key.id
    assert not root.update_user(made, active=False).active
    with pytest.raises(AuthError):
        theirs.list_keys()


def test_what_cannot_be_is_refused(root: AdminClient, hers: AdminClient) -> None:
    with pytest.raises(ValueError, match="a role is one of user, admin"):
        root.create_user("x", role="king")
    with pytest.raises(PreconditionFailedError):
        root.create_user("admin")
    with pytest.raises(PreconditionFailedError) as refused:
        root.update_user(next(each for each in root.users() if each.user.name == "admin"), active=False)
    assert refused.value.reason == "last_admin"
    for forbidden in (
        hers.users,
        hers.groups,
        lambda: hers.create_user("x"),
        lambda: hers.set_group_limits("x", Limits()),
    ):
        with pytest.raises(PermissionDeniedError):
            forbidden()
    with pytest.raises(NotFoundError):
        hers.acknowledge_alert("ntc-none")


def test_members_of_a_group_share_its_limits(root: AdminClient, hers: AdminClient) -> None:
    assert hers.user is not None
    assert root.set_group_limits("team", Limits(running=3)).limits.running == 3
    assert {group.name: group.limits.running for group in root.groups()}["team"] == 3


def test_keys_are_made_listed_and_revoked(root: AdminClient) -> None:
    key = root.create_key("mine", valid_days=30)
    assert key.secret.startswith("ps_")
    listed = {each.id: each for each in root.list_keys()}
    assert (listed[key.id].name, listed[key.id].secret) == ("mine", "")
    assert root.revoke_key(key).revoked
    assert root.revoke_key(key.id).revoked


def test_the_trail_is_read_page_by_page(root: AdminClient, hers: AdminClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "PAGE", 2)
    user = hers.user
    assert user is not None
    for name in ("a", "b", "c"):
        hers.revoke_key(hers.create_key(name))
    assert sum(event.action == "key.create" for event in root.events(actor_id=user.id)) == 3
    assert len([*root.events(target=user.id)]) > 6
    assert {event.actor.id for event in hers.events()} == {user.id}
    times = [event.time for event in root.events()]
    assert times == sorted(times, reverse=True)
    assert [*root.events(until=1)] == [*root.events(since=times[0] + 100)] == []


def test_alerts_are_seen_until_they_are_acknowledged(
    root: AdminClient, server: RunningServer, hers: AdminClient
) -> None:
    assert root.alerts() == []
    alert_id = an_alert_of(hers, server)
    assert [alert.id for alert in hers.alerts()] == [alert_id]
    assert root.acknowledge_alert(hers.alerts()[0]).acknowledged
    assert hers.alerts() == []
    assert [alert.id for alert in hers.alerts(include_acknowledged=True)] == [alert_id]


def an_alert_of(someone: AdminClient, server: RunningServer) -> str:
    """Write an alert about a user into the server's database, past the reconciler, which makes them."""
    from puddle.server.domain.trail import Alert
    from puddle.server.store import Store

    assert someone.user is not None
    store = Store(f"sqlite:///{server.folder / 'share' / 'puddle' / 'puddle.db'}")
    alert = Alert(id="ntc-1", time=1, kind="PROBE", system_id="", owner_id=someone.user.id, message="m")
    with store.writing() as tx:
        tx.alerts.add(alert)
    store.close()
    return alert.id


# other clients


@pytest.fixture(scope="module")
def systems(server: RunningServer) -> SystemsClient:
    return SystemsClient(CLOUD, authorizer=server.authorizer())


@pytest.mark.slow
def test_what_a_machine_has_printed_is_read(server: RunningServer, systems: SystemsClient) -> None:
    image = ImagesClient(CLOUD, authorizer=server.authorizer()).build("simulated")
    size = InstanceTypesClient(CLOUD, authorizer=server.authorizer()).list_available()[0]
    made = systems.create("printing", "simulated", image, size, 1)
    assert "serving" in systems.console(made)
    assert systems.console(made.id, lines=1).startswith("serving")
    with pytest.raises(ValidationFailedError) as refused:
        systems.console(made, lines=2001)
    assert refused.value.field == "lines"
    systems.terminate(made)


def test_a_request_that_is_too_large_is_not_one_too_many(systems: SystemsClient) -> None:
    with pytest.raises(ValidationFailedError, match="at most 1048576 bytes") as refused:
        systems.create("large", "simulated", "i", "t", 1, config="#" * (2 << 20))
    assert refused.value.reason == "too_large"
    assert not isinstance(refused.value, RateLimitedError)


def test_a_proxy_that_finds_it_too_large_is_understood_without_our_words() -> None:
    error = transport.error_from(httpx.Response(413, text="<html>nginx</html>"), "https://host/Method")
    assert isinstance(error, ValidationFailedError)
    assert error.reason == "too_large"
