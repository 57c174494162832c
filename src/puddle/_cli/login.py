"""Which server, and as whom: from the environment, or as `puddle login` has kept it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from puddle._cli.failures import Failed
from puddle._cli.showing import AsJson, role_name, show_one
from puddle.client.auth.authorizer import SERVER_ADDRESS_ENV_VAR_NAMES, AuthError, Authorizer, from_environment
from puddle.client.cloud import CloudProvider
from puddle.client.proto.v2 import auth_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.client.transport import call

Cloud = Annotated[str, typer.Option("--cloud", envvar="PUDDLE_CLOUD", help="The cloud, by its id.")]
ADDRESS, KEY, SECRET = (
    SERVER_ADDRESS_ENV_VAR_NAMES[0],
    Authorizer.PUDDLE_API_KEY_ID_ENV_VAR_NAME,
    Authorizer.PUDDLE_API_SECRET_KEY_ENV_VAR_NAME,
)


def cloud(cloud_id: str) -> CloudProvider:
    """Return a cloud by its id."""
    return CloudProvider(cloud_id, cloud_id)


def kept_in() -> Path:
    """Return where `puddle login` keeps the key."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "puddle" / "login.json"


class _Authorizer(Authorizer):
    """Logs in, and where it is not let in says with which key it tried, and where that key is from."""

    tried = ""

    def login(self) -> pb.LoginResponse:
        try:
            return super().login()
        except AuthError as error:
            raise AuthError(f"{error} ({self.tried})") from None


def authorizer() -> Authorizer:
    """Return whoever logs in: the environment counts more than what was kept."""
    kept = _kept()
    address = from_environment(ADDRESS) or kept.get("server_address")
    if not address:
        raise Failed(f"which server? Set {ADDRESS}, for example to http://127.0.0.1:8081, or use `puddle login`")
    key = from_environment(KEY) or kept.get("api_key_id")
    secret = from_environment(SECRET) or kept.get("api_secret_key")
    if not key or not secret:
        raise Failed(f"with which key? Set {KEY} and {SECRET}, or use `puddle login`")
    made = _made(address, key, secret)
    made.tried = f"the key {key}, from {'the environment' if from_environment(KEY) else kept_in()}, at {address}"
    return made


def _made(address: str, key: str, secret: str) -> _Authorizer:
    try:
        return _Authorizer(address, key, secret)
    except ValueError as error:
        raise Failed(str(error)) from None


def login(
    server: Annotated[str, typer.Option(help="The server's address.", prompt="Server")],
    key_id: Annotated[str, typer.Option(help="The id of an API key, pk_….", prompt="Key id")],
) -> None:
    """Keep a server's address and a key for the commands to come. The secret is asked for, or read from a pipe."""
    secret = _secret()
    trying = _made(server, key_id, secret)
    trying.tried = f"the key {key_id}, at {server}"
    made = trying.login()
    _keep({"server_address": server, "api_key_id": key_id, "api_secret_key": secret})
    typer.echo(f"You are {made.user.name} at {server}. The key is kept in {kept_in()}, for you alone.")
    if from_environment(KEY) or from_environment(ADDRESS):
        typer.echo(f"But {KEY} or {ADDRESS} is set, and counts more: unset them to use what is kept.", err=True)


def _secret() -> str:
    """Ask for the secret; a pipe is read without asking."""
    said: str = typer.prompt("Secret", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not said.strip():
        raise Failed("there is no secret in what was piped in; it is the ps_… that came with the key")
    return said.strip()


def logout() -> None:
    """Forget the key that `puddle login` has kept."""
    there = kept_in().exists()
    kept_in().unlink(missing_ok=True)
    typer.echo(
        f"{kept_in()} is removed; the key itself is good until `puddle keys revoke`." if there else "None is kept."
    )


def whoami(js: AsJson = False) -> None:
    """Show who you are, and where."""
    asking = authorizer()
    user = call(asking, "AuthService", "WhoAmI", Empty(), pb.LoginUser())
    role = role_name(user.role)
    lines = {"name": user.name, "role": role, "email": user.email, "groups": ", ".join(user.groups)}
    show_one(user, {**lines, "server": asking.server_address}, js=js)


def _kept() -> Mapping[str, str]:
    try:
        found = json.loads(kept_in().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise Failed(f"{kept_in()} is damaged; `puddle login` writes it anew") from None
    return found if isinstance(found, dict) else {}


def _keep(login: Mapping[str, str]) -> None:
    path = kept_in()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(login, file)
    beside.replace(path)
