"""All ways in as one ASGI application: methods, the stream, and the pages for operators.

    /puddle.v2.{Service}/{Method}                 connect, watching
    /healthz  /metrics  /openapi.json             operating

`more` are further pages of Starlette's (the console's). Every answer carries `X-Request-Id`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope, Send

from puddle.server.api import Api
from puddle.server.domain.states import Status
from puddle.server.errors import Refused
from puddle.server.transports import connect, operating, watching
from puddle.server.transports.metrics import Metrics, Pulse
from puddle.server.transports.operating import Operating, Vitals
from puddle.server.transports.table import TABLE, WATCH, path_of

_PREFIX = "/puddle.v2."


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How calls and streams are taken."""

    calls: connect.Terms = field(default_factory=connect.Terms)
    streams: watching.Terms = field(default_factory=watching.Terms)


def _none() -> None:
    """No reconciler turns in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turning:
    """The reconciler of this process, as health and metrics see it. `age`: seconds since its last turn, if any."""

    age: Callable[[], float | None] = _none
    turns: Callable[[], int] = int


class Application:
    """The ASGI application of one server."""

    def __init__(
        self,
        api: Api,
        *,
        version: str,
        turning: Turning | None = None,
        terms: Terms | None = None,
        more: Sequence[BaseRoute] = (),
    ) -> None:
        """See the module."""
        terms, turning = terms or Terms(), turning or Turning()
        self._api = api
        counted = Metrics(self._systems, Pulse(turning.turns, turning.age))
        self.connect = connect.Connect(api, TABLE, counted, terms.calls)
        self.streams = watching.Streams(api, counted, counted.watchers.set, terms.streams)
        vitals = Vitals(version=version, look=self._look, age=turning.age)
        self._pages = Starlette(
            routes=[*Operating(api, vitals, counted).routes(), *more],
            exception_handlers={
                404: operating.missing,
                405: operating.missing,
                Refused: operating.refused,
                Exception: operating.broken,
            },
            lifespan=self._life,
        )
        self._watch = path_of(WATCH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request to whom it is for."""
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
        elif scope["path"] == self._watch:
            await self.streams(scope, receive, send)
        elif scope["path"].startswith(_PREFIX):
            await self.connect(scope, receive, send)
        else:
            await self._page(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = connect.request_id_of(dict(scope["headers"]))
        scope["puddle.request_id"] = request_id
        named = (b"x-request-id", request_id.encode())

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), named]}
            await send(message)

        try:
            await self._pages(scope, receive, with_id)
        except Exception as error:  # noqa: BLE001 -- the edge: it is logged, and has been answered by Starlette
            connect.refusal_of(error, scope["path"], request_id)

    @asynccontextmanager
    async def _life(self, _app: Starlette) -> AsyncIterator[None]:
        yield
        await self.streams.hub.close()
        self.connect.close()

    def _look(self) -> object:
        with self._api.backend.store.reading() as tx:
            return tx.installation()

    def _systems(self) -> Mapping[Status, int]:
        with self._api.backend.store.reading() as tx:
            return tx.systems.counts()
