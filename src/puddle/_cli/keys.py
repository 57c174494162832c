"""`puddle keys`: the keys your programs log in with."""

from __future__ import annotations

from typing import Annotated

import typer

from puddle._cli.login import authorizer
from puddle._cli.showing import AsJson, as_dict, show_all, show_json, when
from puddle.client.proto.v2 import auth_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.client.transport import call

app = typer.Typer(help="API keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    days: Annotated[int, typer.Option(help="For how many days; 0 for ever.")] = 0,
    user: Annotated[str, typer.Option(help="Whose, by the user's id; an administrator may make it for others.")] = "",
    js: AsJson = False,
) -> None:
    """Make a key. Its secret is shown this once."""
    request = pb.CreateApiKeyRequest(name=name, valid_days=days, user_id=user)
    made = call(authorizer(), "AuthService", "CreateApiKey", request, pb.ApiKey())
    if js:
        show_json({"id": made.id, "secret": made.secret, "name": made.name, "expires": made.expires})
    else:
        typer.echo(f"export PUDDLE_api_key_id={made.id}\nexport PUDDLE_api_secret_key={made.secret}")


@app.command("list")
def list_keys(js: AsJson = False) -> None:
    """List your keys."""
    found = call(authorizer(), "AuthService", "ListApiKeys", Empty(), pb.ListApiKeysResponse()).keys
    columns = {
        "ID": lambda it: it.id,
        "NAME": lambda it: it.name,
        "CREATED": lambda it: when(it.created),
        "LAST USED": lambda it: when(it.last_used),
        "ENDS": lambda it: when(it.expires),
        "": lambda it: "revoked" if it.revoked else "",
    }
    show_all(found, columns, lambda it: it, js=js)


@app.command()
def revoke(key: Annotated[str, typer.Argument(help="The key, by its id.")], js: AsJson = False) -> None:
    """Make a key, and all tokens it gave, worthless at once."""
    made = call(authorizer(), "AuthService", "RevokeApiKey", pb.ApiKeyRequest(id=key), pb.ApiKey())
    if js:
        show_json(as_dict(made))
    else:
        typer.echo(f"{key} is worthless now.")
