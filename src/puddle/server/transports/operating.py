"""Endpoints for operators and their tools: health, metrics, and the API's description.

`/healthz`       200 while the database answers and the reconciler runs; else 503. It names no system or user, and is
                 public.
`/metrics`       for Prometheus on the same machine, and for administrators' tokens. A request that came through a proxy
                 (it says so in `Forwarded` or `X-Forwarded-For`) is not from the same machine, wherever the proxy is;
                 nor is one to a name that somebody else has made to mean this machine (DNS rebinding).
`/openapi.json`  the methods, as OpenAPI; public.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from puddle.server.api import Api
from puddle.server.domain.addresses import is_loopback
from puddle.server.domain.people import Role
from puddle.server.errors import Denied, Refused
from puddle.server.transports import metrics, openapi, refusals
from puddle.server.transports.calls import token_of

DATABASE_TIMEOUT_S = 5.0
"""How long the database may take to answer the health check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChecks:
    """What health depends on. `database` queries it; `reconciler_age`: seconds since the last turn, if any runs."""

    version: str
    database: Callable[[], object]
    reconciler_age: Callable[[], float | None]
    stale_s: float = 120.0


class OperatorPages:
    """The endpoints of one server process."""

    def __init__(self, api: Api, checks: HealthChecks, counted: metrics.Metrics) -> None:
        """See the module."""
        self._api = api
        self._checks = checks
        self._metrics = counted
        self._looking: asyncio.Task[object] | None = None
        self._openapi = json.dumps(openapi.document(checks.version), separators=(",", ":")).encode()

    def routes(self) -> list[Route]:
        """Return their routes."""
        return [
            Route("/healthz", self.health),
            Route("/metrics", self.metrics),
            Route("/openapi.json", self.openapi),
        ]

    async def health(self, _request: Request) -> Response:
        """Respond with the health of the server."""
        database = await self._database()
        age = self._checks.reconciler_age()
        turning = age is None or age <= self._checks.stale_s
        told = {
            "status": "ok" if database and turning else "failing",
            "version": self._checks.version,
            "database": "ok" if database else "does not answer",
            "reconciler": {"turning": turning, "seconds_since_last_turn": None if age is None else round(age, 3)},
        }
        return _json(200 if database and turning else 503, json.dumps(told).encode())

    async def _database(self) -> bool:
        """Query it, once for all concurrent health checks: else a database that hangs would take all threads."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(asyncio.to_thread(self._checks.database))
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT_S):
                await asyncio.shield(self._looking)
        except Exception:  # noqa: BLE001 -- whatever it is: that it does not answer is the answer
            return False
        return True

    async def metrics(self, request: Request) -> Response:
        """Respond with the metrics, to this machine and to administrators."""
        if not _from_here(request):
            await asyncio.to_thread(self._admit_operator, request)
        return Response(await asyncio.to_thread(self._metrics.text), media_type=metrics.CONTENT_TYPE)

    def _admit_operator(self, request: Request) -> None:
        known = self._api.logins.authenticate(token_of(dict(request.scope["headers"])))
        if known.caller.user.role is not Role.ADMIN:
            raise Denied

    async def openapi(self, _request: Request) -> Response:
        """Respond with the API's description."""
        return _json(200, self._openapi)


def refused(request: Request, error: Exception) -> Response:
    """Respond with a refusal, in the same form as methods do."""
    if not isinstance(error, Refused):
        raise error
    body = refusals.body_of(error, request.scope["puddle.request_id"])
    headers = {name.decode(): value.decode() for name, value in refusals.headers_of(error)}
    return Response(body, refusals.status_of(error), headers, "application/json")


def broken(request: Request, _error: Exception) -> Response:
    """Respond to an unexpected exception, which the caller logs."""
    return refused(request, refusals.broken())


def missing(request: Request, error: Exception) -> Response:
    """Respond for a path that does not exist, or not with that HTTP method."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == 405:
        told = refusals.Unserved(405, "unimplemented", "pages are read with GET", "get_only")
        body = refusals.body_of(told, request.scope["puddle.request_id"])
        return Response(body, 405, {"allow": "GET, HEAD"}, "application/json")
    return refused(request, refusals.no_method(request.url.path))


def _from_here(request: Request) -> bool:
    proxied = "forwarded" in request.headers or "x-forwarded-for" in request.headers
    if proxied or request.client is None:
        return False
    return is_loopback(request.client.host) and is_loopback(_host_of(request))


def _host_of(request: Request) -> str:
    """Return the host the request was sent to, as its client has it (a browser tells the name it resolved)."""
    try:
        return urlsplit(f"//{request.headers.get('host', '127.0.0.1')}").hostname or ""
    except ValueError:
        return ""


def _json(status: int, body: bytes) -> Response:
    return Response(body, status, {"cache-control": "no-store"}, "application/json")
