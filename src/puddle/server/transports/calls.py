"""One call, from its bytes to its answer's: who is it, may they, what do they say, do it, tell.

The order matters: whoever is not known is told so before anything they sent is looked at, and what a method may be
called with is checked before it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import Message

from puddle.server.api import Api
from puddle.server.api.logins import Admitted
from puddle.server.domain.people import Caller
from puddle.server.domain.permissions import Who, admit, rule
from puddle.server.errors import Unauthenticated
from puddle.server.transports.codecs import Codec, Written
from puddle.server.transports.refusals import Header

TOKEN = b"x-puddle-token"
MOST_KEY = 128
"""How many characters of an idempotency key count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a call brings beside its message. `address`: the client's, as far as it can be known."""

    request_id: str
    token: str = ""
    admitted: Admitted | None = None
    address: str = ""
    idempotency_key: str = ""

    @property
    def caller(self) -> Caller:
        """Who calls. Raises Unauthenticated where nobody is logged in."""
        if self.admitted is None:
            raise Unauthenticated("log in first: this needs a token", "no_token")
        return self.admitted.caller


Function = Callable[[Api, Call, Any], Message | Written]


@dataclass(frozen=True, slots=True)
class Method:
    """A method.

    `reads`: it changes nothing, and waits for nothing but the database, unless it `may_ask_products` and its request
    says so in `include_models`. `blank`: a request in which nothing is said.
    """

    name: str
    request: type[Message]
    response: type[Message]
    run: Function
    reads: bool
    may_ask_products: bool
    blank: Message

    def waits(self, message: Any) -> bool:
        """Return whether carrying it out may take long."""
        return not self.reads or (self.may_ask_products and message.include_models)


@dataclass(frozen=True, slots=True)
class Answer:
    """A message as bytes, and what the headers say beside it."""

    body: bytes
    headers: list[Header]


def heard(api: Api, method: Method, codec: Codec, body: bytes, call: Call) -> tuple[Call, Message]:
    """Return a call with whoever makes it, and its message. Raises errors.Refused."""
    known = admitted(api, method.name, method.blank, call)
    message = codec.read(method.request, body)
    if known.admitted is not None:
        admit(method.name, known.caller, message)
    return known, message


def answered(api: Api, method: Method, codec: Codec, call: Call, message: Message) -> Answer:
    """Carry out a call that was heard. Raises errors.Refused."""
    return Answer(codec.write(method.run(api, call, message)), renewal(call.admitted))


def admitted(api: Api, name: str, blank: Message, call: Call) -> Call:
    """Return the call with whoever makes it, or refuse it. `blank`: the least the method may be called with."""
    if not call.token or rule(name).who is Who.ANYONE:
        admit(name, None, blank)
        return call
    known = api.logins.admit(call.token, call.request_id)
    admit(name, known.caller, blank)
    return replace(call, admitted=known)


def call_of(headers: Mapping[bytes, bytes], request_id: str, address: str) -> Call:
    """Return what the headers say of a call."""
    key = headers.get(b"idempotency-key", b"").decode("latin-1")
    return Call(request_id=request_id, token=token_of(headers), address=address, idempotency_key=key[:MOST_KEY])


def token_of(headers: Mapping[bytes, bytes]) -> str:
    """Return the token a call carries: in `X-Puddle-Token`, or as `Authorization: Bearer`."""
    token = headers.get(TOKEN)
    if token is None:
        scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
        token = credentials.strip() if scheme.lower() == b"bearer" else b""
    return token.decode("latin-1")


def renewal(known: Admitted | None) -> list[Header]:
    """Return the headers that bring a fresh token."""
    if known is None or known.fresh is None:
        return []
    fresh = known.fresh
    return [(TOKEN, fresh.token.encode()), (TOKEN + b"-expires", str(fresh.expires).encode())]
