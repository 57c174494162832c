"""One call, from the bytes of its request to those of its response: authenticate, parse, authorize, execute.

The order matters: a caller without a valid token is refused before their body is parsed, and the whole request is
authorized before the method runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import Message

from puddle.server.api import Api
from puddle.server.api.logins import Authenticated
from puddle.server.domain.people import Caller
from puddle.server.domain.permissions import Access, authorize, rule
from puddle.server.errors import Unauthenticated
from puddle.server.transports.codecs import Codec, Encoded
from puddle.server.transports.refusals import Header

TOKEN = b"x-puddle-token"
MAX_KEY = 128
"""Characters of an idempotency key; the rest is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a request carries besides its message. `address`: the client's, as far as it can be known."""

    request_id: str
    token: str = ""
    authenticated: Authenticated | None = None
    address: str = ""
    idempotency_key: str = ""

    @property
    def caller(self) -> Caller:
        """The authenticated caller. Raises Unauthenticated where the request has no token."""
        if self.authenticated is None:
            raise Unauthenticated("log in first: this needs a token", "no_token")
        return self.authenticated.caller


Function = Callable[[Api, Call, Any], Message | Encoded]


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC method.

    `reads`: it changes nothing, and waits for nothing but the database, unless it `may_ask_products` and its request
    sets `include_models`. `blank`: the empty request.
    """

    name: str
    request: type[Message]
    response: type[Message]
    run: Function
    reads: bool
    may_ask_products: bool
    blank: Message

    def may_block(self, message: Any) -> bool:
        """Whether executing it may wait for more than the database."""
        return not self.reads or (self.may_ask_products and message.include_models)


@dataclass(frozen=True, slots=True)
class Answer:
    """An encoded response message, and the headers that go with it."""

    body: bytes
    headers: list[Header]


def accept(api: Api, method: Method, codec: Codec, body: bytes, call: Call) -> tuple[Call, Message]:
    """Authenticate the caller, parse the message and authorize the call. Raises errors.Refused."""
    known = authenticate(api, method.name, method.blank, call)
    message = codec.read(method.request, body)
    if known.authenticated is not None:
        authorize(method.name, known.caller, message)
    return known, message


def execute(api: Api, method: Method, codec: Codec, call: Call, message: Message) -> Answer:
    """Run the method of an accepted call. Raises errors.Refused."""
    return Answer(codec.write(method.run(api, call, message)), renewal(call.authenticated))


def authenticate(api: Api, name: str, blank: Message, call: Call) -> Call:
    """Return the call with its caller. Raises errors.Refused where not even `blank`, the empty request, is allowed."""
    if not call.token or rule(name).access is Access.ANYONE:
        authorize(name, None, blank)
        return call
    known = api.logins.authenticate(call.token, call.request_id)
    authorize(name, known.caller, blank)
    return replace(call, authenticated=known)


def call_of(headers: Mapping[bytes, bytes], request_id: str, address: str) -> Call:
    """Return a call as its headers describe it, not yet authenticated."""
    key = headers.get(b"idempotency-key", b"").decode("latin-1")
    return Call(request_id=request_id, token=token_of(headers), address=address, idempotency_key=key[:MAX_KEY])


def token_of(headers: Mapping[bytes, bytes]) -> str:
    """Return the token a call carries: in `X-Puddle-Token`, or as `Authorization: Bearer`."""
    token = headers.get(TOKEN)
    if token is None:
        scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
        token = credentials.strip() if scheme.lower() == b"bearer" else b""
    return token.decode("latin-1")


def renewal(known: Authenticated | None) -> list[Header]:
    """Return the headers that carry a renewed token, if there is one."""
    if known is None or known.fresh is None:
        return []
    fresh = known.fresh
    return [(TOKEN, fresh.token.encode()), (TOKEN + b"-expires", str(fresh.expires).encode())]
