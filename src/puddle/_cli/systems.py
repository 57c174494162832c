"""`puddle systems`: see them, make them, and take them through their lives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated

import typer
from google.protobuf.message import Message

from puddle._cli.failures import Failed
from puddle._cli.login import Cloud, authorizer, cloud
from puddle._cli.showing import AsJson, show_all, show_json, show_one, when
from puddle.client import ImagesClient, InstanceTypesClient, SystemsClient
from puddle.client.models import System, TagData
from puddle.client.proto.v2 import system_service_pb2 as pb

app = typer.Typer(help="Systems: a product on a machine.", no_args_is_help=True)
config = typer.Typer(help="The configuration of a system's product.", no_args_is_help=True)
app.add_typer(config, name="config")

MOST_MINUTES = 10**7
Name = Annotated[str, typer.Argument(help="A system, by its name or id.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")]


def _client(cloud_id: str) -> SystemsClient:
    return SystemsClient(cloud(cloud_id), authorizer=authorizer())


def _named(systems: SystemsClient, name: str) -> System:
    """Return a system by its name or, where there is none of that name, its id."""
    return systems.get_by_name(name) or systems.get(name, include_models=False)


def _message(system: System) -> Message:
    return system._system


def _cost(system: System) -> str:
    return f"{system.current_session_cost + system.previous_sessions_cost:.2f}"


def _stops(it: pb.System) -> str:
    """When a system is stopped if nobody uses it: there is such a time for one that is started, and not for ever."""
    if it.status != pb.SYSTEM_STATUS_STARTED:
        return "–"
    return when(it.idle_timeout) or "never for idleness"


def _shown(system: System, *, js: bool) -> None:
    it: pb.System = system._system
    lines: Mapping[str, object] = {
        "id": it.id,
        "name": it.name,
        "status": system.status_text,
        "": f"{it.status_detail} ({it.status_reason})" if it.status_reason else "",
        "product": f"{it.product} {it.version}",
        "URL": it.default_url,
        "user": it.username,
        "owner": it.owner_name,
        "machine": f"{it.instance_type}, {it.disk_size_gb} GB disk, on {it.cloud}",
        "stops": _stops(it),
        "why": "; ".join(it.activity.reasons),
        "cost": f"{_cost(system)}, of it {it.current_session_cost:.2f} in this session",
        "tags": ", ".join(f"{tag.label}={tag.value}" for tag in it.tags),
        "can": ", ".join(action.name for action in it.allowed_actions if action.allowed),
    }
    show_one(it, lines, js=js)


@app.command("ls")
def list_systems(
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's; for administrators.")] = False,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """List systems."""
    systems = _client(cloud_id)
    columns: Mapping[str, Callable[[System], object]] = {
        "NAME": lambda it: it.name,
        "STATUS": lambda it: it.status_text,
        "PRODUCT": lambda it: f"{it.product} {it.version}",
        "TYPE": lambda it: it.instance_type,
        "COST": _cost,
        "OWNER": lambda it: it.owner_name,
        "URL": lambda it: it.default_url,
        "ID": lambda it: it.id,
    }
    show_all(systems.list_all() if everybody else systems.list(), columns, _message, js=js)


@app.command()
def show(name: Name, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Show a system: how it stands, why, and what it costs."""
    _shown(_named(_client(cloud_id), name), js=js)


@app.command()
def credentials(name: Name, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Show the user name and password of a system's product. They appear on your terminal."""
    systems = _client(cloud_id)
    username, password = systems.credentials(_named(systems, name))
    if js:
        show_json({"username": username, "password": password})
    else:
        typer.echo(f"{username} {password}")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    product: Annotated[str, typer.Option(help="The product, by its id.")] = "h2o3",
    image: Annotated[str, typer.Option(help="The image, by id or version; the newest where none is named.")] = "",
    instance_type: Annotated[str, typer.Option("--type", help="The size, by text or id; the cheapest.")] = "",
    disk: Annotated[int, typer.Option(help="The data disk, in GB.")] = 10,
    idle: Annotated[int | None, typer.Option(help="Idle minutes before it is stopped; -1 never.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="label=value; may be given several times.")] = None,
    snapshot: Annotated[str, typer.Option(help="The snapshot to make it from, by id.")] = "",
    wait: Wait = True,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Create a system, and wait until it is ready."""
    systems = _client(cloud_id)
    made = systems.create(
        name,
        product,
        _image(cloud_id, product, image),
        _size(cloud_id, instance_type),
        disk,
        idle,
        tags=[_tag(each) for each in tag or ()],
        source_snapshot=snapshot or None,
        wait=wait,
    )
    _shown(made, js=js)


def _image(cloud_id: str, product: str, wanted: str) -> str:
    found = ImagesClient(cloud(cloud_id), authorizer=authorizer()).list_available(product)
    for image in found:
        if wanted in {"", image.id, image.version}:
            return image.id
    raise Failed(f"there is no image {wanted or 'at all'} of {product} on {cloud_id}; `puddle images ls` shows them")


def _size(cloud_id: str, wanted: str) -> str:
    found = InstanceTypesClient(cloud(cloud_id), authorizer=authorizer()).list_available()
    for size in found:
        if wanted in {"", size.id, size.text}:
            return size.id
    raise Failed(f"there is no instance type {wanted or 'at all'} on {cloud_id}; `puddle types ls` shows them")


def _tag(given: str) -> TagData:
    label, equals, value = given.partition("=")
    if not equals:
        raise Failed(f"--tag is label=value, not {given!r}")
    return TagData(label, value)


def _wish(name: str, cloud_id: str, do: Callable[[SystemsClient, System], System], *, js: bool) -> None:
    systems = _client(cloud_id)
    _shown(do(systems, _named(systems, name)), js=js)


@app.command()
def start(name: Name, wait: Wait = True, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Start a stopped system."""
    _wish(name, cloud_id, lambda systems, it: systems.start(it, wait=wait), js=js)


@app.command()
def stop(name: Name, wait: Wait = True, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Stop a started system; its disk stays."""
    _wish(name, cloud_id, lambda systems, it: systems.stop(it, wait=wait), js=js)


@app.command()
def reboot(name: Name, wait: Wait = True, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Reboot a started system."""
    _wish(name, cloud_id, lambda systems, it: systems.reboot(it, wait=wait), js=js)


@app.command()
def terminate(name: Name, wait: Wait = True, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Remove a system for good, its disk too; snapshots stay."""
    _wish(name, cloud_id, lambda systems, it: systems.terminate(it, wait=wait), js=js)


@app.command()
def scale(
    name: Name,
    instance_type: Annotated[str, typer.Option("--type", help="Another size, by text or id.")] = "",
    disk: Annotated[int | None, typer.Option(help="A larger disk, in GB.")] = None,
    wait: Wait = True,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Give a stopped system another size or a larger disk."""
    size = _size(cloud_id, instance_type) if instance_type else None
    _wish(name, cloud_id, lambda systems, it: systems.scale(it, size, disk, wait=wait), js=js)


@app.command()
def wait(
    name: Name,
    status: Annotated[str, typer.Argument(help="Where it is to stand: started, stopped, terminated…")] = "started",
    minutes: Annotated[float, typer.Option(help="For how long.")] = 60.0,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Wait until a system stands somewhere. Exits with 5 where it fails on the way."""
    wanted = getattr(System, f"SYSTEM_STATUS_{status.upper()}", None)
    if wanted is None:
        raise typer.BadParameter(f"there is no status {status!r}")
    _wish(name, cloud_id, lambda systems, it: systems.wait_for_status(it, wanted, minutes), js=js)


@app.command()
def idle(
    name: Name,
    minutes: Annotated[str, typer.Argument(help='Idle minutes before it is stopped, or "never".')],
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Set after how many idle minutes a system is stopped: one of the options the administrator offers."""
    chosen = _minutes(minutes)
    _wish(name, cloud_id, lambda systems, it: systems.change_idle_timeout(it, chosen), js=js)


def _minutes(said: str) -> int:
    if said == "never":
        return -1
    if not re.fullmatch("[0-9]{1,7}", said):
        raise typer.BadParameter(f'it is a number of minutes, or "never"; not {said!r}')
    return int(said)


@app.command()
def extend(
    name: Name,
    minutes: Annotated[int, typer.Argument(min=1, max=MOST_MINUTES, help="For how long, from now.")],
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Keep a started system on, used or not."""
    _wish(name, cloud_id, lambda systems, it: systems.extend_idle_timeout(it, minutes), js=js)


@app.command()
def log(
    name: Name,
    lines: Annotated[int, typer.Option(min=1, max=2000, help="How many, from the end.")] = 200,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Show what a system's machine has printed last: what to read where it does not start."""
    systems = _client(cloud_id)
    text = systems.console(_named(systems, name), lines)
    if js:
        show_json({"text": text})
    else:
        typer.echo(text, nl=False)


@config.command("get")
def get_config(name: Name, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Print the configuration of a system's product."""
    system = _named(_client(cloud_id), name)
    if js:
        show_json({"config": system.config_toml, "status": system.config_status_text})
    else:
        typer.echo(system.config_toml, nl=not system.config_toml.endswith("\n"))


@config.command("set")
def set_config(
    name: Name,
    file: Annotated[typer.FileText, typer.Argument(help='A TOML file; "-" reads standard input.')],
    restart: Annotated[bool, typer.Option("--restart", help="Start it at once, with the product.")] = False,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Give a system's product another configuration, which counts from its next start."""
    try:
        text = file.read()
    except UnicodeDecodeError:
        raise Failed(f"{file.name} is no text") from None
    _wish(name, cloud_id, lambda systems, it: systems.update_config(it, text, restart), js=js)


@app.command()
def cost(name: Name, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Show what a system has cost, exactly."""
    it: pb.System = _named(_client(cloud_id), name)._system
    lines = {
        "this session": it.current_session_cost_decimal,
        "before": it.previous_sessions_cost_decimal,
        "price per hour": f"{it.price_per_hour:g}",
        "per day as it is": f"{it.forecast_cost_per_day:g}",
    }
    if js:
        show_json({key.replace(" ", "_"): value for key, value in lines.items()})
    else:
        show_one(it, lines, js=False)
