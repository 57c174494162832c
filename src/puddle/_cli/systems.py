"""`puddle systems`: list, create, start, stop, scale and terminate systems."""

from __future__ import annotations

import re
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated

import typer
from google.protobuf.message import Message

from puddle._cli import naming
from puddle._cli.failures import Failed, commands
from puddle._cli.login import Cloud, authorizer, cloud
from puddle._cli.showing import AsJson, money, show_all, show_json, show_lines, show_one, when
from puddle.client import SystemsClient
from puddle.client.models import System, TagData
from puddle.client.progress import spent
from puddle.client.proto.v2 import system_service_pb2 as pb

app = typer.Typer(help="Systems: a product on a machine.", no_args_is_help=True)
config = typer.Typer(help="The configuration of a system's product.", no_args_is_help=True)
app.add_typer(config, name="config")

MAX_MINUTES = 10**7
STATUSES = {
    name.removeprefix("SYSTEM_STATUS_").lower().replace("_", "-"): status
    for name, status in vars(System).items()
    if name.startswith("SYSTEM_STATUS_") and status is not System.SYSTEM_STATUS_UNKNOWN
}
Name = Annotated[str, typer.Argument(help="A system, by its name or id; somebody else's as owner/name.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def _client(cloud_id: str) -> SystemsClient:
    return SystemsClient(cloud(cloud_id), authorizer=authorizer())


def sure(question: str, *, yes: bool) -> None:
    """Ask before something is gone for good; not where nobody can answer, as in a script."""
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm(question, abort=True, err=True)


@contextmanager
def goes_on(again: str) -> Iterator[None]:
    """Say, where Ctrl-C ends the waiting, that what was asked for goes on all the same."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(
            f"\nNot waiting any longer; what you asked for goes on. `puddle {again}` shows how it stands.", err=True
        )
        raise


def _message(system: System) -> Message:
    return system._system


def _total(it: pb.System) -> str:
    now, before = it.current_session_cost_decimal, it.previous_sessions_cost_decimal
    return money(str(Decimal(now or 0) + Decimal(before or 0)))


def _cost(it: pb.System) -> str:
    """What it has cost, and what it goes on costing."""
    if it.session_started:
        session = money(it.current_session_cost_decimal)
        return f"{_total(it)}, of it {session} in this session; {it.price_per_hour:g} an hour"
    if it.status == pb.SYSTEM_STATUS_TERMINATED:
        return _total(it)
    return f"{_total(it)}; {it.price_per_hour:g} an hour once it is started"


def _told_by(it: pb.System) -> str:
    """Return how one gets the password; there is none before the first start, and none after the end."""
    there = it.username and it.status != pb.SYSTEM_STATUS_TERMINATED
    return f"`puddle systems credentials {it.name}` shows it" if there else ""


def _stops_in(it: pb.System) -> str:
    if it.status != pb.SYSTEM_STATUS_STARTED:
        return ""
    return f"in {spent(max(0, it.idle_timeout - time.time()))}" if it.idle_timeout else "never"


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
        "password": _told_by(it),
        "owner": it.owner_name,
        "machine": f"{it.instance_type}, {it.disk_size_gb} GB disk, on {it.cloud}",
        "stops": _stops(it),
        "why": "; ".join(it.activity.reasons),
        "cost": _cost(it),
        "tags": ", ".join(f"{tag.label}={tag.value}" for tag in it.tags),
        "can": ", ".join(commands(action.name for action in it.allowed_actions if action.allowed)),
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
        **({"OWNER": lambda it: it.owner_name} if everybody else {}),
        "STATUS": lambda it: it.status_text,
        "COST": lambda it: _total(it._system),
        "STOPS": lambda it: _stops_in(it._system),
        "URL": lambda it: it.default_url,
        "PRODUCT": lambda it: f"{it.product} {it.version}",
        "TYPE": lambda it: it.instance_type,
        "ID": lambda it: it.id,
    }
    who = "Nobody has systems" if everybody else "You have no systems"
    none = f"{who} on the cloud {cloud_id!r}; `puddle systems create NAME` makes one."
    show_all(naming.everybodys(systems) if everybody else systems.list(), columns, _message, js=js, none=none)


@app.command()
def show(name: Name, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Show a system: how it stands, why it is on, when it will stop, and what it costs."""
    systems = _client(cloud_id)
    _shown(systems.get(naming.system(systems, name), include_models=False), js=js)


@app.command("open")
def open_it(name: Name, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Open a system's product in the browser. Its user name is shown, its password is not."""
    system = naming.system(_client(cloud_id), name)
    if not system.default_url or system.status != System.SYSTEM_STATUS_STARTED.code:
        raise Failed(f"{system.name} is {system.status_text.lower()}, so there is nothing to open yet")
    if js:
        show_json({"url": system.default_url, "username": system.username})
        return
    opened = webbrowser.open(system.default_url)
    typer.echo(f"{system.default_url} is {'opened' if opened else 'for a browser elsewhere, since none is here'}.")
    typer.echo(f"Log in as {system.username}; `puddle systems credentials {system.name}` shows the password.")


@app.command()
def credentials(name: Name, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Show the user name and password of a system's product. They appear on your terminal."""
    systems = _client(cloud_id)
    username, password = systems.credentials(naming.system(systems, name))
    if js:
        show_json({"username": username, "password": password})
    else:
        typer.echo(f"{username} {password}")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    product: Annotated[str, typer.Option(help="The product, by its id.")] = "h2o3",
    image: Annotated[str, typer.Option(help="The image, by id or version; the newest where none is named.")] = "",
    instance_type: Annotated[
        str, typer.Option("--type", help="The size, by text or id; the cheapest where none is named.")
    ] = "",
    disk: Annotated[int, typer.Option(help="The data disk, in GB.")] = 10,
    idle: Annotated[str, typer.Option(help='Idle minutes before it is stopped, or "never".')] = "",
    tag: Annotated[list[str] | None, typer.Option(help="label=value; may be given several times.")] = None,
    snapshot: Annotated[str, typer.Option(help="The snapshot to make it from, by name or id.")] = "",
    wait: Wait = True,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Create a system, and wait until it is ready. Exits with 5 where it fails on the way."""
    systems = _client(cloud_id)
    tags = [_tag(each) for each in tag or ()]
    minutes = _minutes(idle) if idle else None
    source = naming.snapshot(systems, snapshot) if snapshot else None
    of = naming.image(cloud_id, product, image, wait=wait)
    on = naming.size(cloud_id, instance_type)
    made = systems.create(name, product, of, on, disk, minutes, tags=tags, source_snapshot=source, wait=False)
    if wait:
        with goes_on(f"systems show {name}"):
            made = systems.wait_for_status(made, System.SYSTEM_STATUS_STARTED)
    _shown(made, js=js)


def _tag(given: str) -> TagData:
    label, equals, value = given.partition("=")
    if not equals:
        raise Failed(f"--tag is label=value, not {given!r}")
    return TagData(label, value)


def _wish(name: str, cloud_id: str, do: Callable[[SystemsClient, System], System], *, js: bool) -> None:
    systems = _client(cloud_id)
    found = naming.system(systems, name)
    with goes_on(f"systems show {name}"):
        done = do(systems, found)
    _shown(done, js=js)


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
def restart(name: Name, wait: Wait = True, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Restart the product of a started system, without its machine."""
    _wish(name, cloud_id, lambda systems, it: systems.restart_dai(it, wait=wait), js=js)


@app.command()
def fail(name: Name, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Give up a system that hangs on its way. For administrators. Nothing is removed."""
    _wish(name, cloud_id, lambda systems, it: systems.fail(it), js=js)


@app.command()
def terminate(name: Name, yes: Yes = False, wait: Wait = True, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Remove a system for good, its disk too; snapshots stay."""
    sure(f"Terminate {name}, with all that is on its disk?", yes=yes)
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
    if not instance_type and disk is None:
        raise typer.BadParameter("say to what: --type, --disk, or both")
    size = naming.size(cloud_id, instance_type) if instance_type else None
    _wish(name, cloud_id, lambda systems, it: systems.scale(it, size, disk, wait=wait), js=js)


@app.command()
def wait(
    name: Name,
    status: Annotated[
        str, typer.Argument(help="Where it is to stand: started, stopped, terminated…", autocompletion=lambda: STATUSES)
    ] = "started",
    minutes: Annotated[float, typer.Option(min=0, help="For how long.")] = 60.0,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Wait until a system stands somewhere. Exits with 5 where it fails on the way."""
    wanted = STATUSES.get(status.lower().replace("_", "-"))
    if wanted is None:
        raise typer.BadParameter(f"there is no status {status!r}; there are {', '.join(STATUSES)}")
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
    if said in {"never", "-1"}:
        return -1
    if not re.fullmatch("[0-9]{1,7}", said):
        raise typer.BadParameter(f'it is a number of minutes, or "never"; not {said!r}')
    return int(said)


@app.command()
def extend(
    name: Name,
    minutes: Annotated[int, typer.Argument(min=1, max=MAX_MINUTES, help="For how long, from now.")],
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
    text = systems.console(naming.system(systems, name), lines)
    if js:
        show_json({"text": text})
    else:
        typer.echo(text, nl=False)


@config.command("get")
def get_config(name: Name, cloud_id: Cloud = "local", js: AsJson = False) -> None:
    """Print the configuration of a system's product."""
    system = naming.system(_client(cloud_id), name)
    if js:
        show_json({"config": system.config_toml, "status": system.config_status_text})
    else:
        typer.echo(system.config_toml, nl=not system.config_toml.endswith("\n"))
        if not system.config_toml:
            typer.echo(f"{system.name} has no configuration of its own: its product runs with its defaults.", err=True)


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
    it: pb.System = naming.system(_client(cloud_id), name)._system
    lines = {
        "this session": it.current_session_cost_decimal,
        "before": it.previous_sessions_cost_decimal,
        "price per hour": f"{it.price_per_hour:g}",
        "per day as it is": f"{it.forecast_cost_per_day:g}",
    }
    if js:
        show_json({key.replace(" ", "_"): value for key, value in lines.items()})
    else:
        show_lines(lines)
