"""`puddle users`, `puddle alerts` and `puddle events`: who may use Puddle, and looking back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated

import typer

from puddle._cli import naming
from puddle._cli.changes import told
from puddle._cli.login import authorizer, cloud
from puddle._cli.showing import AsJson, money, role_name, show_all, show_one, when
from puddle._cli.times import HELP, moment, seconds
from puddle.client import AdminClient, SystemsClient
from puddle.client.admin import ROLES
from puddle.client.proto.v2 import admin_service_pb2 as pb
from puddle.client.proto.v2 import event_service_pb2 as trail
from puddle.server.domain.wording import counted

groups = typer.Typer(help="Groups of users, whose members share limits; for administrators.", no_args_is_help=True)
users = typer.Typer(help="Users, and how much they may have; for administrators.", no_args_is_help=True)
alerts = typer.Typer(help="Alerts about systems and clouds.", no_args_is_help=True)
MAX_LIMIT = 10**9
_AN_ID = re.compile("[a-z]+[-_][0-9a-f]{16,}")


def _client() -> AdminClient:
    return AdminClient(authorizer=authorizer())


def _role(it: pb.User) -> str:
    return role_name(it.user.role)


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
        "SYSTEMS": lambda it: it.systems,
        "THIS MONTH": lambda it: money(it.cost_this_month_decimal),
        "GROUPS": lambda it: ", ".join(it.user.groups),
        "LIMITS": lambda it: _limited(it.limits),
        "LAST LOGIN": lambda it: when(it.last_login),
        "ID": lambda it: it.user.id,
    }
    show_all(_client().users(), columns, lambda it: it, js=js, none="There are no users.")


@users.command()
def create(
    name: Annotated[str, typer.Argument(help="What they are called here.")],
    email: Annotated[str, typer.Option(help="Their address.")] = "",
    display_name: Annotated[str, typer.Option(help="Their name, as people write it.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="Make them an administrator.")] = False,
    group: Annotated[list[str] | None, typer.Option(help="A group; may be given several times.")] = None,
    js: AsJson = False,
) -> None:
    """Create a user. `puddle keys create first --user NAME` makes the key they log in with."""
    role = "admin" if admin else "user"
    made = _client().create_user(name, email, display_name, role, group or ())
    _shown(made, js=js)
    if not js:
        typer.echo(f"They need a key to log in with: puddle keys create first --user {made.user.name}", err=True)


@users.command()
def update(
    name: Annotated[str, typer.Argument(help="A user, by name or id.")],
    role: Annotated[str, typer.Option(help="user or admin.")] = "",
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether their keys and tokens are accepted.")
    ] = None,
    group: Annotated[list[str] | None, typer.Option(help='All groups they are in; "" for none.')] = None,
    email: Annotated[str | None, typer.Option(help="Their address.")] = None,
    display_name: Annotated[str | None, typer.Option(help="Their name, as people write it.")] = None,
    js: AsJson = False,
) -> None:
    """Change a user's role, groups, address or name, or lock them out. What is not given stays as it is."""
    if role and role not in ROLES:
        raise typer.BadParameter(f"a role is one of {', '.join(ROLES)}, not {role!r}")
    client = _client()
    chosen = None if group is None else [each for each in group if each]
    found = naming.user(client, name)
    made = client.update_user(found, role or None, active, groups=chosen, email=email, display_name=display_name)
    _shown(made, js=js)
    if active is False:
        _left_behind(made)


def _left_behind(user: pb.User) -> None:
    """Say what somebody who is locked out still has, since it goes on costing."""
    systems = SystemsClient(cloud(""), authorizer=authorizer())
    theirs = [it for it in systems.list_all() if it.owner_id == user.user.id]
    for it in theirs:
        typer.echo(f"Still there: the system {user.user.name}/{it.name}, {it.status_text.lower()}.", err=True)
    if theirs:
        typer.echo("`puddle systems stop` or `terminate` ends what they cost.", err=True)
    kept = [it for it in systems.list_all_snapshots() if it._snapshot.owner_id == user.user.id]
    if kept:
        typer.echo(f"Still there: {counted(len(kept), 'snapshot')}; see `puddle snapshots ls --all`.", err=True)


@users.command()
def limits(
    name: Annotated[str, typer.Argument(help="A user, by name or id; a group, by name, with --group.")],
    systems: Annotated[int | None, typer.Option(min=0, max=MAX_LIMIT, help="Systems that are not terminated.")] = None,
    running: Annotated[int | None, typer.Option(min=0, max=MAX_LIMIT, help="Systems that are up.")] = None,
    cu: Annotated[int | None, typer.Option(min=0, max=MAX_LIMIT, help="Compute units in use.")] = None,
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
        found = naming.user(client, name)
        _shown(client.update_user(found, limits=_with(found.limits, changes)) if changes else found, js=js)


def _limit_group(client: AdminClient, name: str, changes: Mapping[str, int | str], *, js: bool) -> None:
    known = client.groups()
    found = next((each for each in known if each.name == name), None)
    if found is None and not changes:
        raise naming.unknown("group", name, [each.name for each in known], "groups ls")
    group = found or pb.Group(name=name)
    if changes:
        group = client.set_group_limits(name, _with(group.limits, changes))
        if all(name not in each.user.groups for each in client.users()):
            typer.echo(f"Nobody is in the group {name!r} yet: `puddle users update NAME --group {name}`.", err=True)
    show_one(group, {"group": group.name, "limits": _limited(group.limits) or "none"}, js=js)


def _with(limits: pb.Limits, changes: Mapping[str, int | str]) -> pb.Limits:
    changed = pb.Limits()
    changed.CopyFrom(limits)
    for name, most in changes.items():
        setattr(changed, name, most)
    return changed


def _shown(user: pb.User, *, js: bool) -> None:
    lines = {
        "id": user.user.id,
        "name": user.user.name,
        "role": _role(user),
        "status": "active" if user.active else "inactive: their keys and tokens are not accepted",
        "email": user.user.email,
        "groups": ", ".join(user.user.groups),
        "limits": _limited(user.limits) or "none",
    }
    show_one(user, lines, js=js)


@groups.command("ls")
def list_groups(js: AsJson = False) -> None:
    """List the groups that have members or limits. `puddle users limits NAME --group` sets limits."""
    client = _client()
    members = [group for user in client.users() for group in user.user.groups]
    columns = {
        "NAME": lambda it: it.name,
        "USERS": lambda it: members.count(it.name),
        "LIMITS": lambda it: _limited(it.limits) or "none",
    }
    none = "There are no groups; `puddle users update NAME --group GROUP` puts somebody into one."
    show_all(client.groups(), columns, lambda it: it, js=js, none=none)


@alerts.command("ls")
def list_alerts(
    everything: Annotated[bool, typer.Option("--all", help="Acknowledged ones too.")] = False, js: AsJson = False
) -> None:
    """List alerts about your systems; to an administrator, all."""
    columns = {
        "ID": lambda it: it.id,
        "TIME": lambda it: when(it.time),
        "KIND": lambda it: it.kind,
        "": lambda it: "acknowledged" if it.acknowledged else "",
        "SYSTEM": lambda it: it.system_id,
        "MESSAGE": lambda it: it.message,
    }
    show_all(_client().alerts(everything), columns, lambda it: it, js=js, none="There are no alerts.")


@alerts.command()
def ack(
    alerts: Annotated[list[str] | None, typer.Argument(metavar="[alert]...", help="Alerts, by their ids.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that `puddle alerts ls` shows.")] = False,
    js: AsJson = False,
) -> None:
    """Mark alerts as read."""
    client = _client()
    if bool(alerts) is everything:
        raise typer.BadParameter("say which alerts by their ids, or --all of them")
    made = [client.acknowledge_alert(each) for each in (client.alerts() if everything else alerts or ())]
    columns = {"ID": lambda it: it.id, "KIND": lambda it: it.kind, "MESSAGE": lambda it: it.message}
    show_all(made, columns, lambda it: it, js=js, none="There are no alerts.")


def events(
    target: Annotated[str, typer.Option(help="What was done to a thing, by its id; to a system, by its name.")] = "",
    actor: Annotated[str, typer.Option(help="What somebody did, by the user's name or id.")] = "",
    action: Annotated[str, typer.Option(help="Only such actions: system.stop, or system for all about systems.")] = "",
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="TIME", help=f"From when on ({HELP}).")
    ] = None,
    until: Annotated[datetime | None, typer.Option(parser=moment, metavar="TIME", help="Until when.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    js: AsJson = False,
) -> None:
    """Show the audit trail, the newest first: what you did; with --target what was done to a thing of yours."""
    columns = {
        "TIME": lambda it: when(it.time),
        "WHO": _who,
        "DID": lambda it: it.action,
        "TO": lambda it: " ".join(it.targets),
        "MESSAGE": lambda it: it.message or told(it.before, it.after),
    }
    client = _client()
    done_to, done_by = _target_id(target), _actor_id(client, actor)
    found = client.events(done_to, done_by, seconds(since), seconds(until))
    wanted = (it for it in found if not action or f"{it.action}.".startswith(f"{action}."))
    show_all(islice(wanted, limit), columns, lambda it: it, js=js, none="There are no such events.")


def _target_id(said: str) -> str:
    """Return the id of what something was done to; what does not look like an id is a system's name."""
    if not said or _AN_ID.fullmatch(said):
        return said
    return naming.system(SystemsClient(cloud(""), authorizer=authorizer()), said, ended=True).id


def _actor_id(client: AdminClient, said: str) -> str:
    return naming.user(client, said).user.id if said and not _AN_ID.fullmatch(said) else said


def _who(event: trail.Event) -> str:
    return event.actor.name or event.actor.kind
