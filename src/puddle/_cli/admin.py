"""`puddle users`, `puddle alerts` and `puddle events`: who may use Puddle, and looking back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from puddle._cli.failures import Failed
from puddle._cli.login import authorizer
from puddle._cli.showing import AsJson, show_all, show_one, when
from puddle.client import AdminClient
from puddle.client.proto.v2 import admin_service_pb2 as pb
from puddle.client.proto.v2 import auth_service_pb2 as auth
from puddle.client.proto.v2 import event_service_pb2 as trail

users = typer.Typer(help="Users, and how much they may have; for administrators.", no_args_is_help=True)
alerts = typer.Typer(help="Alerts: what people should know without looking.", no_args_is_help=True)
MOST = 10**9
_DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]


def _client() -> AdminClient:
    return AdminClient(authorizer=authorizer())


def _role(it: pb.User) -> str:
    return auth.Role.Name(it.user.role).removeprefix("ROLE_").lower()


def _limited(limits: pb.Limits) -> str:
    told = {
        "systems": limits.systems,
        "running": limits.running,
        "cu": limits.cu,
        "budget": limits.budget_per_month_decimal,
    }
    return ", ".join(f"{name} {most}" for name, most in told.items() if most)


@users.command("ls")
def list_users(js: AsJson = False) -> None:
    """List users: what they have, what they may have, and what they cost this month."""
    columns = {
        "NAME": lambda it: it.user.name,
        "ROLE": _role,
        "": lambda it: "" if it.active else "inactive",
        "GROUPS": lambda it: ", ".join(it.user.groups),
        "SYSTEMS": lambda it: it.systems,
        "THIS MONTH": lambda it: it.cost_this_month_decimal,
        "LIMITS": lambda it: _limited(it.limits),
        "LAST LOGIN": lambda it: when(it.last_login),
        "ID": lambda it: it.user.id,
    }
    show_all(_client().users(), columns, lambda it: it, js=js)


@users.command()
def create(
    name: Annotated[str, typer.Argument(help="What they are called here.")],
    email: Annotated[str, typer.Option(help="Their address.")] = "",
    display_name: Annotated[str, typer.Option(help="Their name, as people write it.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="Make them an administrator.")] = False,
    group: Annotated[list[str] | None, typer.Option(help="A group; may be given several times.")] = None,
    js: AsJson = False,
) -> None:
    """Let somebody in. `puddle keys create NAME --user ID` makes the key they log in with."""
    role = "admin" if admin else "user"
    _shown(_client().create_user(name, email, display_name, role, group or ()), js=js)


@users.command()
def limits(
    name: Annotated[str, typer.Argument(help="A user, by name or id; a group, by name, with --group.")],
    systems: Annotated[int | None, typer.Option(min=0, max=MOST, help="Systems that are not terminated.")] = None,
    running: Annotated[int | None, typer.Option(min=0, max=MOST, help="Systems that are up.")] = None,
    cu: Annotated[int | None, typer.Option(min=0, max=MOST, help="Compute units in use.")] = None,
    budget: Annotated[str | None, typer.Option(help="What a month may cost.")] = None,
    group: Annotated[bool, typer.Option("--group", help="NAME is a group; its members share the limits.")] = False,
    js: AsJson = False,
) -> None:
    """Set limits of a user or a group, and show them. What is not given stays as it is; 0 is no limit."""
    client = _client()
    given = {"systems": systems, "running": running, "cu": cu, "budget_per_month_decimal": budget}
    changes = {name: most for name, most in given.items() if most is not None}
    if group:
        _limit_group(client, name, changes, js=js)
    else:
        found = _named(client, name)
        _shown(client.update_user(found, limits=_with(found.limits, changes)) if changes else found, js=js)


def _limit_group(client: AdminClient, name: str, changes: Mapping[str, int | str], *, js: bool) -> None:
    found = next((each for each in client.groups() if each.name == name), pb.Group(name=name))
    if changes:
        found = client.set_group_limits(name, _with(found.limits, changes))
    show_one(found, {"group": found.name, "limits": _limited(found.limits) or "none"}, js=js)


def _with(limits: pb.Limits, changes: Mapping[str, int | str]) -> pb.Limits:
    changed = pb.Limits()
    changed.CopyFrom(limits)
    for name, most in changes.items():
        setattr(changed, name, most)
    return changed


def _named(client: AdminClient, name: str) -> pb.User:
    for user in client.users():
        if name in {user.user.name, user.user.id}:
            return user
    raise Failed(f"there is no user {name!r}; `puddle users ls` shows them")


def _shown(user: pb.User, *, js: bool) -> None:
    lines = {
        "id": user.user.id,
        "name": user.user.name,
        "role": _role(user),
        "email": user.user.email,
        "groups": ", ".join(user.user.groups),
        "limits": _limited(user.limits) or "none",
    }
    show_one(user, lines, js=js)


@alerts.command("ls")
def list_alerts(
    everything: Annotated[bool, typer.Option("--all", help="Acknowledged ones too.")] = False, js: AsJson = False
) -> None:
    """List alerts about your systems; to an administrator, all."""
    columns = {
        "TIME": lambda it: when(it.time),
        "KIND": lambda it: it.kind,
        "SYSTEM": lambda it: it.system_id,
        "": lambda it: "acknowledged" if it.acknowledged else "",
        "MESSAGE": lambda it: it.message,
        "ID": lambda it: it.id,
    }
    show_all(_client().alerts(everything), columns, lambda it: it, js=js)


@alerts.command()
def ack(alert: Annotated[str, typer.Argument(help="The alert, by its id.")], js: AsJson = False) -> None:
    """Mark an alert as read."""
    made = _client().acknowledge_alert(alert)
    show_one(made, {"id": made.id, "kind": made.kind, "message": made.message, "": "acknowledged"}, js=js)


def events(
    target: Annotated[str, typer.Option(help="What was done to a thing, by its id.")] = "",
    actor: Annotated[str, typer.Option(help="What somebody did, by the user's id.")] = "",
    since: Annotated[datetime | None, typer.Option(formats=_DAYS, help="From when on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(formats=_DAYS, help="Until when (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    js: AsJson = False,
) -> None:
    """Show the audit trail, the newest first: what you did; with --target what was done to a thing of yours."""
    columns = {
        "TIME": lambda it: when(it.time),
        "WHO": _who,
        "DID": lambda it: it.action,
        "TO": lambda it: " ".join(it.targets),
        "": lambda it: it.message,
    }
    found = _client().events(target, actor, _seconds(since), _seconds(until))
    show_all(islice(found, limit), columns, lambda it: it, js=js)


def _who(event: trail.Event) -> str:
    return event.actor.name or event.actor.kind


def _seconds(time: datetime | None) -> int:
    return int(time.replace(tzinfo=UTC).timestamp()) if time else 0
