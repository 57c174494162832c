"""The ASGI application: RPC methods, the event stream, and the operators' endpoints.

    /puddle.v2.{Service}/{Method}                 connect, watching
    /healthz  /metrics  /openapi.json             operating

`routes` are further ones of Starlette's. Every response carries `X-Request-Id`.
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
from puddle.server.transports.connect import CallLimits
from puddle.server.transports.metrics import Metrics, ReconcilerCollector
from puddle.server.transports.operating import HealthChecks, OperatorPages
from puddle.server.transports.table import TABLE, WATCH, path_of
from puddle.server.transports.watching import StreamLimits

_PREFIX = "/puddle.v2."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits on calls and streams."""

    calls: CallLimits = field(default_factory=CallLimits)
    streams: StreamLimits = field(default_factory=StreamLimits)


def _none() -> None:
    """No reconciler runs in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilerStats:
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
        reconciler: ReconcilerStats | None = None,
        limits: Limits | None = None,
        routes: Sequence[BaseRoute] = (),
    ) -> None:
        """See the module."""
        limits, reconciler = limits or Limits(), reconciler or ReconcilerStats()
        self._api = api
        counted = Metrics(self._systems, ReconcilerCollector(reconciler.turns, reconciler.age))
        self.connect = connect.Connect(api, TABLE, counted, limits.calls)
        self.streams = watching.Streams(api, counted, counted.watchers.set, limits.streams)
        checks = HealthChecks(version=version, database=self._ping, reconciler_age=reconciler.age)
        self._pages = Starlette(
            routes=[*OperatorPages(api, checks, counted).routes(), *routes],
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
        """Route a request."""
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

    def _ping(self) -> object:
        """Ask the database for one row: everybody may ask whether it is there."""
        with self._api.backend.store.reading() as tx:
            return tx.installation()

    def _systems(self) -> Mapping[Status, int]:
        with self._api.backend.store.reading() as tx:
            return tx.systems.counts()
