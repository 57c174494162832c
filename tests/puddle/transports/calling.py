"""Calls to an ASGI application without a network, as bytes: what a test says is what arrives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.message import Message
from starlette.types import ASGIApp

from puddle.server.api.base import new_id
from puddle.server.auth import tokens
from puddle.server.auth.tokens import TokenLifetimes
from puddle.server.domain.people import ApiKey, User
from puddle.server.transports.app import Application, Limits
from puddle.server.transports.table import TABLE, path_of
from tests.puddle.installations import ADA, ANN, BEN, Installation, there

__all__ = ["called", "here", "there"]

PROTO, JSON = "application/proto", "application/json"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return "ok" if self.status == 200 else str(self.json()["code"])

    @property
    def meta(self) -> Any:
        return self.json()["meta"]


class Wire:
    """An application, and one event loop that it runs on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()
        self.unread: list[bytes] = []
        """Of the last request, the pieces of the body that were not read."""

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | list[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        client: str = "127.0.0.1",
        query: bytes = b"",
    ) -> Reply:
        """Send a request; a list of bytes arrives piece by piece. HTTP says how long it is, or that it will see."""
        pieces = [body] if isinstance(body, bytes) else list(body)
        self.unread = pieces
        whole = {"content-length": str(len(body))} if isinstance(body, bytes) else {"transfer-encoding": "chunked"}
        headers = {**whole, **(headers or {})}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
            "client": (client, 50_000),
            "server": ("127.0.0.1", 8081),
            "state": {},
        }
        return self.loop.run_until_complete(self._exchange(scope, pieces))

    async def _exchange(self, scope: dict[str, Any], pieces: list[bytes]) -> Reply:
        got: list[Any] = []

        async def receive() -> Any:
            if not pieces:
                return {"type": "http.disconnect"}
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            got.append(message)

        await asyncio.wait_for(self.app(scope, receive, send), 120)  # what hangs is found out, what is slow is not
        start = got[0]
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], headers, b"".join(each.get("body", b"") for each in got[1:]))


class Here:
    """An installation that can be called."""

    def __init__(self, there: Installation, limits: Limits | None = None) -> None:
        self.there = there
        self.app = Application(there.api, version="1.2.3", limits=limits)
        self.wire = Wire(self.app)
        self.tokens = {person.name: self.token(person) for person in (ANN, BEN, ADA)}

    def token(self, person: User, lifetimes: TokenLifetimes | None = None) -> str:
        """A token of somebody's."""
        now = self.there.backend.now()
        key = ApiKey(id=new_id("pk"), user_id=person.id, name="test", secret_hash="-", created=now)  # noqa: S106 -- no hash of anything
        token, secret = tokens.new_token(person.id, key.id, now, lifetimes or TokenLifetimes())
        with self.there.store.writing() as tx:
            tx.keys.add(key)
            tx.tokens.add(token)
        return secret

    def post(
        self,
        name: str,
        body: bytes | list[bytes] = b"{}",
        who: str = "",
        content_type: str = JSON,
        client: str = "127.0.0.1",
        **headers: str,
    ) -> Reply:
        """Call a method with bytes. `who`: "ann", "ben", "ada" (who administrates), or nobody."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type:
            sent["content-type"] = content_type
        if who:
            sent["x-puddle-token"] = self.tokens[who]
        return self.wire.send("POST", path_of(name), body, sent, client)

    def ask(self, name: str, who: str = "", /, **fields: Any) -> Any:
        """Call a method with a message; return the answer as a message. A refusal fails the test."""
        method = TABLE[path_of(name)]
        reply = self.post(name, method.request(**fields).SerializeToString(), who, PROTO)
        assert reply.status == 200, reply.body
        return method.response.FromString(reply.body)

    def refused(self, name: str, who: str = "", /, **fields: Any) -> tuple[int, str, str]:
        """Call a method that is to be refused; return status, code and reason."""
        message: Message = TABLE[path_of(name)].request(**fields)
        reply = self.post(name, message.SerializeToString(), who, PROTO)
        return reply.status, reply.code, "" if reply.status == 200 else str(reply.meta["reason"])

    def close(self) -> None:
        self.app.connect.close()
        self.wire.close()


@pytest.fixture
def called(there: Installation) -> Iterator[Callable[..., Here]]:
    """Make the installation callable, on the terms a test wants."""
    made: list[Here] = []

    def make(**given: Any) -> Here:
        made.append(Here(there, **given))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def here(called: Callable[..., Here]) -> Here:
    """An installation that can be called."""
    return called()
