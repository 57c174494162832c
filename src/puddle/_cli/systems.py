"""`puddle systems`: list, create, start, stop, scale and terminate systems."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from puddle._cli import completing, following, naming, system_page
from puddle._cli.failures import Failed
from puddle._cli.login import Anywhere, Cloud, authorizer, cloud
from puddle._cli.showing import AsJson, clouds, show_all, show_json, show_lines, where
from puddle._cli.times import idle_minutes, minutes_of
from puddle.client import SystemsClient
from puddle.client.errors.puddle_errors import NotFoundError
from puddle.client.models import System, TagData

app = typer.Typer(help="Systems: a product on a machine.", no_args_is_help=True)
config = typer.Typer(help="The configuration of a system's product.", no_args_is_help=True)
app.add_typer(config, name="config")

MAX_LINES = 2000
STATUSES = {
    name.removeprefix("SYSTEM_STATUS_").lower().replace("_", "-"): status
    for name, status in vars(System).items()
    if name.startswith("SYSTEM_STATUS_") and status is not System.SYSTEM_STATUS_UNKNOWN
}
IDLE_HELP = 'Idle minutes before it is stopped (60, 60m or 1h), or "never".'
Name = Annotated[
    str,
    typer.Argument(
        help="A system, by its name or id; somebody else's as owner/name.", autocompletion=completing.systems
    ),
]
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


@app.command("ls")
def list_systems(
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's; for administrators.")] = False,
    terminated: Annotated[bool, typer.Option("--terminated", help="Those that are gone, too.")] = False,
    watching: Annotated[bool, typer.Option("--watch", "-w", help="Keep the list up to date, until Ctrl-C.")] = False,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """List systems, on all clouds."""
    if watching and js:
        raise typer.BadParameter("--watch draws on a terminal, and --json is for programs: take one of them")
    systems = _client(cloud_id)

    def draw() -> None:
        _print(systems, everybody=everybody, terminated=terminated, js=js)

    following.watch(draw) if watching else draw()


def _print(systems: SystemsClient, *, everybody: bool, terminated: bool, js: bool) -> None:
    ask = naming.everybodys if everybody else _mine
    found = ask(systems, include_terminated=terminated)
    who = "Nobody has systems" if everybody else "You have no systems"
    shown = system_page.columns(clouds(found, lambda it: it.cloud), owners=everybody)
    none = f"{who}{where(systems.cloud.id)}; `puddle systems create NAME` makes one."
    show_all(found, shown, system_page.message_of, js=js, none=none)


def _mine(systems: SystemsClient, *, include_terminated: bool) -> Sequence[System]:
    return systems.list(include_terminated=include_terminated)


@app.command()
def show(name: Name, cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """Show a system: how it stands, why it is on, when it will stop, and what it costs."""
    systems = _client(cloud_id)
    system_page.show(systems.get(naming.system(systems, name, ended=True), include_models=False), js=js)


@app.command("open")
def open_it(name: Name, cloud_id: Anywhere = "", js: AsJson = False) -> None:
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
def credentials(name: Name, cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """Show the user name and password of a system's product. They appear on your terminal."""
    systems = _client(cloud_id)
    system = naming.system(systems, name)
    try:
        username, password = systems.credentials(system)
    except NotFoundError:  # of a system that is there: an administrator asks
        raise Failed(f"only its owner, {system.owner_name}, is told what one logs in to {system.name} with") from None
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
        str,
        typer.Option(
            "--type", help="The size, by text or id; the cheapest where none is named.", autocompletion=completing.sizes
        ),
    ] = "",
    disk: Annotated[int, typer.Option(help="The data disk, in GB.")] = 10,
    idle: Annotated[int | None, typer.Option(parser=idle_minutes, metavar="MINUTES", help=IDLE_HELP)] = None,
    tag: Annotated[list[str] | None, typer.Option(help="label=value; may be given several times.")] = None,
    snapshot: Annotated[
        str, typer.Option(help="The snapshot to make it from, by name or id.", autocompletion=completing.snapshots)
    ] = "",
    wait: Wait = True,
    cloud_id: Cloud = "local",
    js: AsJson = False,
) -> None:
    """Create a system, and wait until it is ready. Exits with 5 where it fails on the way."""
    systems = _client(cloud_id)
    tags = [_tag(each) for each in tag or ()]
    source = naming.snapshot(systems, snapshot) if snapshot else None
    of = naming.image(cloud_id, product, image, wait=wait)
    on = naming.size(cloud_id, instance_type)
    made = systems.create(name, product, of, on, disk, idle, tags=tags, source_snapshot=source, wait=False)
    if wait:
        with goes_on(f"systems show {name}"):
            made = systems.wait_for_status(made, System.SYSTEM_STATUS_STARTED)
    system_page.show(made, js=js)


def _tag(given: str) -> TagData:
    label, equals, value = given.partition("=")
    if not equals:
        raise typer.BadParameter(f"it is label=value, not {given!r}", param_hint="--tag")
    return TagData(label, value)


def _wish(name: str, cloud_id: str, do: Callable[[SystemsClient, System], System], *, js: bool) -> None:
    systems = _client(cloud_id)
    found = naming.system(systems, name)
    with goes_on(f"systems show {name}"):
        done = do(systems, found)
    system_page.show(done, js=js)


@app.command()
def start(name: Name, wait: Wait = True, cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """Start a stopped system."""
    _wish(name, cloud_id, lambda systems, it: systems.start(it, wait=wait), js=js)


@app.command()
def stop(name: Name, wait: Wait = True, cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """Stop a started system; its disk stays."""
    _wish(name, cloud_id, lambda systems, it: systems.stop(it, wait=wait), js=js)


@app.command()
def reboot(name: Name, wait: Wait = True, cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """Reboot a started system."""
    _wish(name, cloud_id, lambda systems, it: systems.reboot(it, wait=wait), js=js)


@app.command()
def restart(name: Name, wait: Wait = True, cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """Restart the product of a started system, without its machine."""
    _wish(name, cloud_id, lambda systems, it: systems.restart_dai(it, wait=wait), js=js)


@app.command()
def fail(name: Name, cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """Give up a system that hangs on its way. For administrators. Nothing is removed."""
    _wish(name, cloud_id, lambda systems, it: systems.fail(it), js=js)


@app.command()
def terminate(name: Name, yes: Yes = False, wait: Wait = True, cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """Remove a system for good, its disk too; snapshots stay."""
    sure(f"Terminate {name}, with all that is on its disk?", yes=yes)
    _wish(name, cloud_id, lambda systems, it: systems.terminate(it, wait=wait), js=js)


@app.command()
def scale(
    name: Name,
    instance_type: Annotated[
        str, typer.Option("--type", help="Another size, by text or id.", autocompletion=completing.sizes)
    ] = "",
    disk: Annotated[int | None, typer.Option(help="A larger disk, in GB.")] = None,
    wait: Wait = True,
    cloud_id: Anywhere = "",
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
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Wait until a system stands somewhere. Exits with 5 where it fails on the way."""
    wanted = STATUSES.get(status.lower().replace("_", "-"))
    if wanted is None:
        told = f"there is no status {status!r}; there are {', '.join(STATUSES)}"
        raise typer.BadParameter(told, param_hint="status")
    systems = _client(cloud_id)
    found = naming.system(systems, name, ended=wanted is System.SYSTEM_STATUS_TERMINATED)
    with goes_on(f"systems show {name}"):
        system_page.show(systems.wait_for_status(found, wanted, minutes), js=js)


@app.command()
def idle(
    name: Name,
    minutes: Annotated[int, typer.Argument(parser=idle_minutes, metavar="minutes", help=IDLE_HELP)],
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Set after how many idle minutes a system is stopped: one of the options the administrator offers."""
    _wish(name, cloud_id, lambda systems, it: systems.change_idle_timeout(it, minutes), js=js)


@app.command()
def extend(
    name: Name,
    minutes: Annotated[
        int, typer.Argument(parser=minutes_of, metavar="minutes", help="For how long from now: 90, 90m, 2h or 1d.")
    ],
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Keep a started system on, used or not."""
    _wish(name, cloud_id, lambda systems, it: systems.extend_idle_timeout(it, minutes), js=js)


@app.command()
def log(
    name: Name,
    lines: Annotated[int, typer.Option(min=1, max=MAX_LINES, help="How many, from the end.")] = 200,
    following_it: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what it prints from now on, until Ctrl-C.")
    ] = False,
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Show what a system's machine has printed last: what to read where it does not start."""
    systems = _client(cloud_id)
    if following_it and js:
        raise typer.BadParameter("--follow never ends, and so does not print JSON: take one of them")
    system = naming.system(systems, name)
    if following_it:
        following.follow(lambda: systems.console(system, MAX_LINES), lines)
        return
    text = systems.console(system, lines)
    if js:
        show_json({"text": text})
    else:
        typer.echo(text, nl=False)


@config.command("get")
def get_config(name: Name, cloud_id: Anywhere = "", js: AsJson = False) -> None:
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
    cloud_id: Anywhere = "",
    js: AsJson = False,
) -> None:
    """Give a system's product another configuration, which counts from its next start."""
    try:
        text = file.read()
    except UnicodeDecodeError:
        raise Failed(f"{file.name} is no text") from None
    _wish(name, cloud_id, lambda systems, it: systems.update_config(it, text, restart), js=js)


@app.command()
def cost(name: Name, cloud_id: Anywhere = "", js: AsJson = False) -> None:
    """Show what a system has cost, exactly: its machine, and its disk while that was down. Snapshots are in reports."""
    systems = _client(cloud_id)
    lines = system_page.costs(systems.get(naming.system(systems, name, ended=True), include_models=False)._system)
    if js:
        show_json({key.replace(" ", "_"): value for key, value in lines.items()})
    else:
        show_lines(lines)
