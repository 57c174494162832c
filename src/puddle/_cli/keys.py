"""`puddle keys`: the keys your programs log in with."""

from __future__ import annotations

from typing import Annotated

import typer

from puddle._cli import naming
from puddle._cli.login import authorizer
from puddle._cli.showing import AsJson, as_dict, show_all, show_json, when
from puddle._cli.systems import Yes, sure
from puddle.client import AdminClient
from puddle.client.proto.v2 import auth_service_pb2 as pb

app = typer.Typer(help="API keys.", no_args_is_help=True)


def _client() -> AdminClient:
    return AdminClient(authorizer=authorizer())


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    days: Annotated[int, typer.Option(help="For how many days it is valid; 0: without end.")] = 0,
    user: Annotated[
        str, typer.Option(help="Whose, by the user's name or id; administrators make them for others.")
    ] = "",
    js: AsJson = False,
) -> None:
    """Make a key. Its secret is shown this once."""
    client = _client()
    made = client.create_key(name, days, naming.user(client, user) if user else "")
    if js:
        show_json({"id": made.id, "secret": made.secret, "name": made.name, "expires": made.expires})
    else:
        typer.echo(f"export PUDDLE_server_address={client.server_address}")
        typer.echo(f"export PUDDLE_api_key_id={made.id}\nexport PUDDLE_api_secret_key={made.secret}")


@app.command("ls")
def list_keys(js: AsJson = False) -> None:
    """List your keys."""
    columns = {
        "ID": lambda it: it.id,
        "NAME": lambda it: it.name,
        "": lambda it: "revoked" if it.revoked else "",
        "LAST USED": lambda it: when(it.last_used),
        "ENDS": lambda it: when(it.expires) or "never",
        "CREATED": lambda it: when(it.created),
    }
    none = "You have no keys; `puddle keys create NAME` makes one."
    show_all(_client().list_keys(), columns, lambda it: it, js=js, none=none)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key, by its id.")], yes: Yes = False, js: AsJson = False
) -> None:
    """Revoke a key, and all tokens it was exchanged for, at once."""
    asking = authorizer()
    if key == asking.key_id:
        sure(f"{key} is the key you are logged in with. Revoke it, and log in with another?", yes=yes)
    made: pb.ApiKey = AdminClient(authorizer=asking).revoke_key(key)
    if js:
        show_json(as_dict(made))
    else:
        typer.echo(f"{key} is revoked.")
