"""`AdminService`."""

from __future__ import annotations

from collections.abc import Mapping

from puddle.client.proto.v2 import admin_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.server.api import Api
from puddle.server.api.people import UserView
from puddle.server.domain import people, trail, validation
from puddle.server.domain.people import Role
from puddle.server.transports.calls import Call, Function
from puddle.server.transports.messages import auth, money
from puddle.server.transports.messages.enums import role


def limits(found: people.Limits) -> pb.Limits:
    """Return limits."""
    budget = money.budget(found.budget_micros)
    return pb.Limits(systems=found.systems, running=found.running, cu=found.cu, budget_per_month_decimal=budget)


def _limits(message: pb.Limits) -> people.Limits:
    return validation.limits(message.systems, message.running, message.cu, message.budget_per_month_decimal)


def user(found: UserView) -> pb.User:
    """Return a user as administrators see them."""
    return pb.User(
        user=auth.user(found.user),
        active=found.user.active,
        limits=limits(found.user.limits),
        created=found.user.created,
        last_login=found.user.last_login,
        systems=found.used.systems,
        cost_this_month_decimal=money.exact(found.used.spent),
    )


def alert(found: trail.Alert) -> pb.Alert:
    """Return an alert."""
    return pb.Alert(
        id=found.id,
        time=found.time,
        kind=found.kind,
        system_id=found.system_id,
        message=found.message,
        acknowledged=found.acknowledged,
    )


def group(found: people.Group) -> pb.Group:
    """Return a group and its limits."""
    return pb.Group(name=found.name, limits=limits(found.limits))


def _users(api: Api, _call: Call, _message: Empty) -> pb.ListUsersResponse:
    return pb.ListUsersResponse(users=[user(each) for each in api.people.users()])


def _create_user(api: Api, call: Call, message: pb.CreateUserRequest) -> pb.User:
    wanted = role("role", message.role) or Role.USER
    return user(
        api.people.create(call.caller, message.name, wanted, message.email, message.display_name, tuple(message.groups))
    )


def _update_user(api: Api, call: Call, message: pb.UpdateUserRequest) -> pb.User:
    return user(
        api.people.update(
            call.caller,
            message.id,
            role=role("role", message.role),
            active=message.active if message.HasField("active") else None,
            limits=_limits(message.limits) if message.HasField("limits") else None,
            groups=tuple(message.groups) if message.set_groups else None,
            email=message.email if message.HasField("email") else None,
            display_name=message.display_name if message.HasField("display_name") else None,
        )
    )


def _groups(api: Api, _call: Call, _message: Empty) -> pb.ListGroupsResponse:
    return pb.ListGroupsResponse(groups=[group(each) for each in api.people.groups()])


def _limit_group(api: Api, call: Call, message: pb.Group) -> pb.Group:
    return group(api.people.limit_group(call.caller, message.name, _limits(message.limits)))


def _alerts(api: Api, call: Call, message: pb.ListAlertsRequest) -> pb.ListAlertsResponse:
    found = api.trail.alerts(call.caller, acknowledged=message.include_acknowledged)
    return pb.ListAlertsResponse(alerts=[alert(each) for each in found])


def _acknowledge(api: Api, call: Call, message: pb.AlertRequest) -> pb.Alert:
    return alert(api.trail.acknowledge(call.caller, message.id))


METHODS: Mapping[str, Function] = {
    "AdminService/ListUsers": _users,
    "AdminService/CreateUser": _create_user,
    "AdminService/UpdateUser": _update_user,
    "AdminService/ListGroups": _groups,
    "AdminService/SetGroupLimits": _limit_group,
    "AdminService/ListAlerts": _alerts,
    "AdminService/AcknowledgeAlert": _acknowledge,
}
READS = frozenset({"AdminService/ListUsers", "AdminService/ListGroups", "AdminService/ListAlerts"})
