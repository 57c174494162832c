"""The command `puddle`: a server, and everything people do with it from a terminal.

Each group of commands is a file of `_cli`; what is heavy is imported by the command that needs it. What the server
refuses is printed as one sentence, and the exit code says of which kind it is:

    0 done    1 another failure    2 wrong usage    3 a precondition or limit    4 an argument    5 a system failed
"""

from __future__ import annotations

import sys

import typer

from puddle._cli import admin, catalog, keys, login, reports, running, snapshots, systems
from puddle._cli.failures import exit_code, sentence

app = typer.Typer(
    name="puddle",
    help="Machines for data scientists, in minutes: a server, and what one asks of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(running.server)
app.command()(running.migrate)
app.command(name="server-key")(running.server_key)
app.command(name="rotate-master-key")(running.rotate_master_key)
app.command(name="settings")(running.settings)
app.command(name="login")(login.login)
app.command(name="logout")(login.logout)
app.command(name="whoami")(login.whoami)
app.add_typer(systems.app, name="systems")
app.add_typer(snapshots.app, name="snapshots")
app.add_typer(catalog.images, name="images")
app.add_typer(catalog.types, name="types")
app.add_typer(catalog.tags, name="tags")
app.add_typer(reports.app, name="reports")
app.add_typer(keys.app, name="keys")
app.add_typer(admin.users, name="users")
app.add_typer(admin.alerts, name="alerts")
app.command(name="events")(admin.events)


def main() -> None:
    """Run the command line; the entry point of the `puddle` script."""
    try:
        app()
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        typer.echo(f"puddle: {sentence(error)}", err=True)
        sys.exit(code)


if __name__ == "__main__":
    main()
