"""Running a server: `puddle server`, and what is done beside it on its machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from puddle._cli.failures import Failed

if TYPE_CHECKING:
    from puddle.server.installation import ShownKey
    from puddle.server.main import Server
    from puddle.server.settings import Settings

Config = Annotated[Path | None, typer.Option("--config", help="A TOML file; /etc/puddle/puddle.toml by default.")]
Data = Annotated[Path | None, typer.Option("--data", help="The folder for everything that is stored.")]


_NO_DATABASE = "there is no database {}: a server makes it when it starts; name that server's --config or --data"
_RESTART_THEM = (
    "No server has been started with the newest key yet. Restart those that run: until then they cannot read these "
    "passwords, and make no new systems."
)
_NO_KEYS = "{} is not there: a server makes it when it starts; name that server's --config or --data"


def server(
    config: Config = None,
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 takes a free one.")] = None,
    anew: Annotated[list[str] | None, typer.Option(help="A cloud to use although what was there is lost.")] = None,
) -> None:
    """Run a server: it serves the API and reconciles systems, and stops cleanly on SIGTERM or Ctrl-C.

    With nothing configured it keeps everything in ~/.local/share/puddle, listens on 127.0.0.1:8081, and shows the first
    administrator's key, once.
    """
    from puddle.server.listening import address_of, listen
    from puddle.server.main import Server

    found = _settings(config, data, server=_given(host=host, port=port))
    with _configuration_errors():
        listening = listen(found)
        made = Server(found, anew or ())
    address = address_of(found, listening)

    def ready() -> None:
        if made.key is not None:
            show_key(made.key, address, found.data)
        typer.echo(f"Puddle listens on {address}")
        if made.key is not None:
            typer.echo(_first_step(made))

    made.run(listening, ready)


def _first_step(made: Server) -> str:
    """Return what an administrator does first: without an image there is nothing to make systems from."""
    with made.backend.store.reading() as tx:
        building = [f"{image.product} {image.version}" for image in tx.images.of()]
    if not building:
        return "There is no image to make systems from yet: `puddle images build` makes one."
    return f"An image of {', '.join(building)} is being built; `puddle systems create NAME` waits for it."


def migrate(config: Config = None, data: Data = None) -> None:
    """Bring the database to this version's tables. A server does that by itself when it starts."""
    from puddle.server.assembly import backend_of

    found = _settings(config, data)
    with _configuration_errors():
        store = backend_of(found).store
        store.migrate()
    store.close()
    typer.echo("The database has the tables of this version.")


def server_key(
    user: Annotated[str, typer.Option(help="The administrator; made where there is none of that name.")] = "admin",
    config: Config = None,
    data: Data = None,
) -> None:
    """Make an administrator's key on the server's machine, where all others are lost. The audit trail tells of it."""
    from puddle.server.assembly import backend_of
    from puddle.server.installation import recovered

    found = _settings(config, data)
    file = found.data.absolute() / "puddle.db"
    with _configuration_errors():
        if found.database_url() == f"sqlite:///{file}" and not file.exists():  # one would be made, of another server
            raise Failed(_NO_DATABASE.format(file))
        backend = backend_of(found)
        backend.store.migrate()
    try:
        key = recovered(backend, user)
    except ValueError as error:
        raise Failed(str(error)) from None
    finally:
        backend.store.close()
    show_key(key, f"http://{found.server.host}:{found.server.port}", found.data)


def rotate_master_key(
    reencrypt: Annotated[bool, typer.Option("--reencrypt", help="The second step.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Take a new master key into use, on the server's machine and as its user, in two steps.

    Without an option a new key is put on top of the file of master keys. Restart all servers, so that all of them have
    it; then --reencrypt encrypts with it what older keys have encrypted, beside servers that run.
    """
    found = _settings(config, data)
    if reencrypt:
        reencrypt_passwords(found)
    else:
        add_master_key(found)


def add_master_key(found: Settings) -> None:
    """Put a new key on top of the file of master keys. Raises Failed."""
    from puddle.server.auth.secrets import Keyring, KeysRefused

    file = found.keys_file()
    if file is None:
        raise Failed(
            "the master keys are set as auth.master_keys, and not in a file: put what `openssl rand -base64 32` prints "
            "in front of them there, restart all servers, then use --reencrypt"
        )
    try:
        Keyring.rotate(file)
    except KeysRefused as refused:
        raise Failed(str(refused)) from None
    except FileNotFoundError:
        raise Failed(_NO_KEYS.format(file)) from None
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}") from None
    typer.echo(f"A new key is on top of {file}. Restart all servers, then: puddle rotate-master-key --reencrypt")


def reencrypt_passwords(found: Settings) -> None:
    """Encrypt all passwords with the newest key. Raises Failed."""
    from puddle.server.api.rekeying import rekey
    from puddle.server.assembly import backend_of

    file = found.keys_file()
    if file is not None and not file.exists():  # one would be made, for an installation that is not the one meant
        raise Failed(_NO_KEYS.format(file))
    with _configuration_errors():
        backend = backend_of(found)
        backend.store.migrate()
    try:
        with backend.store.reading() as tx:
            known = tx.master_key() == backend.keyring.newest
        made = rekey(backend.store, backend.keyring)
    finally:
        backend.store.close()
    typer.echo(f"Passwords in the database: {made.total}. Encrypted again with the newest key: {made.done}.")
    if not known:
        typer.echo(_RESTART_THEM, err=True)
    if made.changing:
        raise Failed(f"{', '.join(made.changing)} changed all the time; use --reencrypt again")
    if made.unreadable:
        raise Failed(f"none of the keys fits the passwords of {', '.join(made.unreadable)}; keep all keys, find theirs")
    if made.total:
        typer.echo("None of them needs the older keys any more; only backups of the database from before do.")


def settings() -> None:
    """Print all settings with their meanings and defaults, as a file to begin with."""
    from puddle._cli.settings_page import as_toml

    typer.echo(as_toml(), nl=False)


@contextmanager
def _configuration_errors() -> Iterator[None]:
    """Raise Failed, with a sentence, where the settings or the database they name cannot be used."""
    from sqlalchemy.exc import OperationalError

    from puddle.server.settings import SettingsRefused

    try:
        yield
    except SettingsRefused as refused:
        raise Failed(str(refused)) from None
    except OperationalError as error:
        why = str(error.orig).partition("\n")[0]
        raise Failed(f"database.url: the database cannot be used: {why}") from None


def _settings(config: Path | None, data: Path | None, **said: dict[str, Any]) -> Settings:
    from puddle.server import logs
    from puddle.server.settings import load

    with _configuration_errors():
        found = load(config, **{name: values for name, values in {**said, **_given(data=data)}.items() if values})
    logs.configure(found.log.level, found.log.format)
    return found


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def show_key(key: ShownKey, address: str, data: Path) -> None:
    """Show a key this once: on stdout, unless that is a journal, which would keep it; then in a file."""
    told = f"# The key of the administrator {key.user.name}, shown this once. Put these lines into another terminal:"
    lines = f"{told}\n{key.exports(address)}\n"
    if not _goes_to_a_journal():
        typer.echo(lines)
        return
    path = data / "first-key"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(lines)
    typer.echo(f"The administrator's key is in {path}; take it from there and remove the file.")


def _goes_to_a_journal() -> bool:
    """Whether stdout is systemd's journal, which says so in JOURNAL_STREAM (device:inode)."""
    try:
        found = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
