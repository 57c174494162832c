"""The server and the credentials of a command: from the environment, or stored by `puddle login`."""

from __future__ import annotations

import sys
from typing import Annotated

import httpx
import typer

from puddle._cli.failures import Failed
from puddle._cli.kept import forget, keep_login, keep_token, kept_in, kept_login, kept_token
from puddle._cli.showing import AsJson, role_name, show_one
from puddle.client.auth.authorizer import SERVER_ADDRESS_ENV_VAR_NAME, AuthError, Authorizer
from puddle.client.auth.base_authorizer import from_environment
from puddle.client.cloud import CloudProvider
from puddle.client.proto.v2 import auth_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.client.transport import call

Cloud = Annotated[str, typer.Option("--cloud", envvar="PUDDLE_CLOUD", help="The cloud, by its id.")]
Anywhere = Annotated[
    str, typer.Option("--cloud", envvar="PUDDLE_CLOUD", help="Only on this cloud, by its id; as it comes on all.")
]
ADDRESS, KEY, SECRET = (
    SERVER_ADDRESS_ENV_VAR_NAME,
    Authorizer.PUDDLE_API_KEY_ID_ENV_VAR_NAME,
    Authorizer.PUDDLE_API_SECRET_KEY_ENV_VAR_NAME,
)


def cloud(cloud_id: str) -> CloudProvider:
    """Return a cloud by its id."""
    return CloudProvider(cloud_id, cloud_id)


class _Authorizer(Authorizer):
    """Logs in, and where it is not let in says with which key it tried, and where that key is from."""

    key_id = tried = ""

    def login(self) -> pb.LoginResponse:
        try:
            return super().login()
        except AuthError as error:
            raise AuthError(f"{error} ({self.tried})", error.meta) from None


class _KeptAuthorizer(_Authorizer):
    """Goes on with the token of the command before."""

    def __init__(self, server_address: str, api_key_id: str, api_secret_key: str) -> None:
        super().__init__(server_address, api_key_id, api_secret_key)
        self._of = server_address, api_key_id
        if found := kept_token(*self._of):
            self._token, self._expires = found

    def login(self) -> pb.LoginResponse:
        response = super().login()
        self._keep()
        return response

    def response_hook(self, resp: httpx.Response) -> None:
        before = self._token
        super().response_hook(resp)
        if self._token != before:
            self._keep()

    def _keep(self) -> None:
        if self._token is not None:
            keep_token(*self._of, self._token, self._expires)


def authorizer() -> _Authorizer:
    """Return the authorizer of a command; the environment wins over what `puddle login` has stored."""
    kept = kept_login()
    address = from_environment(ADDRESS) or kept.get("server_address")
    if not address:
        raise Failed(f"which server? Set {ADDRESS}, for example to http://127.0.0.1:8081, or use `puddle login`")
    key = from_environment(KEY) or kept.get("api_key_id")
    secret = from_environment(SECRET) or kept.get("api_secret_key")
    if not key or not secret:
        raise Failed(f"with which key? Set {KEY} and {SECRET}, or use `puddle login`")
    as_kept = kept == {"server_address": address, "api_key_id": key, "api_secret_key": secret}
    made = _made(address, key, secret, _KeptAuthorizer if as_kept else _Authorizer)
    made.key_id = key
    made.tried = f"the key {key}, from {'the environment' if from_environment(KEY) else kept_in()}, at {address}"
    return made


def _made(address: str, key: str, secret: str, kind: type[_Authorizer] = _Authorizer) -> _Authorizer:
    try:
        return kind(address, key, secret)
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
    keep_login(server, key_id, secret)
    keep_token(server, key_id, made.token, float(made.expires))
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
    there = forget()
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
