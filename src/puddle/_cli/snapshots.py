"""`puddle snapshots`: copies of systems' disks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from puddle._cli import completing, naming
from puddle._cli.login import Anywhere, authorizer, cloud
from puddle._cli.showing import AsJson, show_all, show_one, when
from puddle._cli.systems import Name, Wait, Yes, goes_on, sure
from puddle.client import AdminClient, SystemsClient
from puddle.client.models import Snapshot

app = typer.Typer(help="Snapshots: copies of a system's disk.", no_args_is_help=True)


def _client(cloud_id: str) -> SystemsClient:
    return SystemsClient(cloud(cloud_id), authorizer=authorizer())


@app.command("ls")
def list_snapshots(
    system: Annotated[str, typer.Option(help="Of one system, by its name or id; it may be gone.")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's; for administrators.")] = False,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """List your snapshots, of systems that are gone, too: they cost until they are deleted."""
    systems = _client(cloud_id)
    if everybody and system:
        raise typer.BadParameter("--all is everybody's, and --system of one system: take one of them")
    owners = _names() if everybody else {}
    columns = {
        "NAME": lambda it: it.name,
        **({"OWNER": lambda it: owners.get(it._snapshot.owner_id, it._snapshot.owner_id)} if everybody else {}),
        "STATUS": lambda it: it.status_text,
        "OF": lambda it: it.system_id,
        "DISK": lambda it: f"{it.disk_size_gb} GB",
        "PRODUCT": lambda it: f"{it.product} {it.version}",
        "CREATED": lambda it: when(it.created),
        "ID": lambda it: it.id,
    }
    found = [it for it in _found(systems, system, everybody=everybody) if cloud_id in {"", it._snapshot.cloud}]
    none = "There are no snapshots; `puddle snapshots create SYSTEM NAME` takes one."
    show_all(found, columns, lambda it: it._snapshot, js=js, none=none)


def _found(systems: SystemsClient, system: str, *, everybody: bool) -> Sequence[Snapshot]:
    if everybody:
        return systems.list_all_snapshots()
    return systems.list_snapshots(naming.system(systems, system, ended=True) if system else None)


def _names() -> Mapping[str, str]:
    """Return the names of all users by their ids. For administrators."""
    return {it.user.id: it.user.name for it in AdminClient(authorizer=authorizer()).users()}


@app.command()
def create(
    system: Name,
    name: Annotated[str, typer.Argument(help="What to call the copy.")],
    description: Annotated[str, typer.Option(help="What there is to say of it.")] = "",
    wait: Wait = True,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Copy a system's disk. Exits with 5 where that fails."""
    systems = _client(cloud_id)
    of = naming.system(systems, system)
    with goes_on("snapshots ls"):
        made = systems.create_snapshot(of, name, description, wait=wait)
    _shown(made, js=js)


@app.command()
def delete(
    snapshot: Annotated[
        str,
        typer.Argument(
            help="A snapshot, by its id, or by a name that only one has.", autocompletion=completing.snapshots
        ),
    ],
    yes: Yes = False,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Delete a snapshot."""
    systems = _client(cloud_id)
    which = naming.snapshot(systems, snapshot)
    sure(f"Delete the snapshot {snapshot} for good?", yes=yes)
    _shown(systems.delete_snapshot(which), js=js)


def _shown(snapshot: Snapshot, *, js: bool) -> None:
    lines = {"id": snapshot.id, "name": snapshot.name, "status": snapshot.status_text, "of": snapshot.system_id}
    show_one(snapshot._snapshot, lines, js=js)
