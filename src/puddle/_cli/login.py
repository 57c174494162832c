"""Which server, and as whom: from the environment, or as `puddle login` has kept it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from puddle._cli.failures import Failed
from puddle._cli.showing import AsJson, show_one
from puddle.client.auth.authorizer import SERVER_ADDRESS_ENV_VAR_NAMES, Authorizer, from_environment
from puddle.client.cloud import CloudProvider
from puddle.client.proto.v2 import auth_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.client.transport import call

Cloud = Annotated[str, typer.Option("--cloud", envvar="PUDDLE_CLOUD", help="The cloud, by its id.")]


def cloud(cloud_id: str) -> CloudProvider:
    """Return a cloud by its id."""
    return CloudProvider(cloud_id, cloud_id)


def kept_in() -> Path:
    """Return where `puddle login` keeps the key."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "puddle" / "login.json"


def authorizer() -> Authorizer:
    """Return whoever logs in: the environment counts more than what was kept."""
    kept = _kept()
    address = from_environment(SERVER_ADDRESS_ENV_VAR_NAMES[0]) or kept.get("server_address")
    if not address:
        raise Failed(f"which server? Set {SERVER_ADDRESS_ENV_VAR_NAMES[0]}, or use `puddle login`")
    key = from_environment(Authorizer.PUDDLE_API_KEY_ID_ENV_VAR_NAME) or kept.get("api_key_id")
    secret = from_environment(Authorizer.PUDDLE_API_SECRET_KEY_ENV_VAR_NAME) or kept.get("api_secret_key")
    if not key or not secret:
        raise Failed(
            f"with which key? Set {Authorizer.PUDDLE_API_KEY_ID_ENV_VAR_NAME} and its secret, or `puddle login`"
        )
    return Authorizer(address, key, secret)


def login(
    server: Annotated[str, typer.Option(help="The server's address.", prompt=True)],
    key_id: Annotated[str, typer.Option(help="The id of an API key.", prompt=True)],
) -> None:
    """Keep a server's address and a key for the commands to come. The secret is asked for, or read from a pipe."""
    secret = typer.prompt("Secret", hide_input=True, err=True)
    made = Authorizer(server, key_id, secret.strip()).login()
    _keep({"server_address": server, "api_key_id": key_id, "api_secret_key": secret.strip()})
    typer.echo(f"You are {made.user.name} at {server}.")


def logout() -> None:
    """Forget the key that `puddle login` has kept."""
    kept_in().unlink(missing_ok=True)


def whoami(js: AsJson = False) -> None:
    """Show who you are."""
    user = call(authorizer(), "AuthService", "WhoAmI", Empty(), pb.LoginUser())
    role = pb.Role.Name(user.role).removeprefix("ROLE_").lower()
    show_one(user, {"name": user.name, "role": role, "email": user.email, "groups": ", ".join(user.groups)}, js=js)


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
