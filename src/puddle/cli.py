"""The command `puddle`: a server, and everything people do with it from a terminal.

Each group of commands is a file of `_cli`; what is heavy is imported by the command that needs it. What the server
refuses is printed as one sentence, and the exit code says of which kind it is: `_cli.failures.EXIT_CODES`.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from puddle._cli import admin, catalog, keys, limits, login, reports, running, snapshots, systems
from puddle._cli.failures import EXIT_CODES, exit_code, sentence


class _InOrder(TyperGroup):
    """Shows commands as they stand in `_ORDER`: what people need first comes first."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=_ORDER.index)


_ORDER = (
    *("systems", "snapshots", "images", "types", "tags", "reports", "keys", "limits", "alerts", "events"),
    *("login", "logout", "whoami", "users", "groups"),
    *("server", "migrate", "server-key", "rotate-master-key", "settings"),
)

app = typer.Typer(
    name="puddle",
    cls=_InOrder,
    help="Machines for data scientists, in minutes: a server, and what one asks of it.",
    epilog="Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + ".",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_PEOPLE, _ADMINS, _SERVER = "For everybody", "For administrators", "On the server's machine"

app.add_typer(systems.app, name="systems", rich_help_panel=_PEOPLE)
app.add_typer(snapshots.app, name="snapshots", rich_help_panel=_PEOPLE)
app.add_typer(catalog.images, name="images", rich_help_panel=_PEOPLE)
app.add_typer(catalog.types, name="types", rich_help_panel=_PEOPLE)
app.add_typer(catalog.tags, name="tags", rich_help_panel=_PEOPLE)
app.add_typer(reports.app, name="reports", rich_help_panel=_PEOPLE)
app.add_typer(keys.app, name="keys", rich_help_panel=_PEOPLE)
app.command("limits", rich_help_panel=_PEOPLE)(limits.limits)
app.add_typer(admin.alerts, name="alerts", rich_help_panel=_PEOPLE)
app.command("events", rich_help_panel=_PEOPLE)(admin.events)
app.command("login", rich_help_panel=_PEOPLE)(login.login)
app.command("logout", rich_help_panel=_PEOPLE)(login.logout)
app.command("whoami", rich_help_panel=_PEOPLE)(login.whoami)
app.add_typer(admin.users, name="users", rich_help_panel=_ADMINS)
app.add_typer(admin.groups, name="groups", rich_help_panel=_ADMINS)
app.command("server", rich_help_panel=_SERVER)(running.server)
app.command("migrate", rich_help_panel=_SERVER)(running.migrate)
app.command("server-key", rich_help_panel=_SERVER)(running.server_key)
app.command("rotate-master-key", rich_help_panel=_SERVER)(running.rotate_master_key)
app.command("settings", rich_help_panel=_SERVER)(running.settings)


def _listed_too() -> None:
    """Let `list` be `ls`, which half of the people type first; help does not show it twice."""
    for group in app.registered_groups:
        inner = group.typer_instance
        found = next((it for it in inner.registered_commands if it.name == "ls"), None) if inner else None
        if inner is not None and found is not None and found.callback is not None:
            inner.command("list", hidden=True)(found.callback)


_listed_too()


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"puddle {version('scanner-puddle')}")
        raise typer.Exit


@app.callback()
def _options(
    _show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version, and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; the entry point of the `puddle` script."""
    try:
        app(prog_name="puddle")
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        typer.echo(f"puddle: {sentence(error)}", err=True)
        sys.exit(code)


if __name__ == "__main__":
    main()
