"""The Connect unary protocol: `POST /puddle.v2.{Service}/{Method}`, one message in, one message or a refusal out.

Plain ASGI, since most of what a call costs is what surrounds it. Reads are carried out where they come in when the
database is a file (a thread would cost more than it saves), everything that may wait in a pool of threads.

`Connect-Timeout-Ms` bounds how long a caller waits for the answer. What was asked is not undone when the time is over:
a wish may have been written, as with any connection that breaks.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.types import Receive, Scope, Send

from puddle.server.api import Api
from puddle.server.errors import Invalid, Refused
from puddle.server.transports import refusals
from puddle.server.transports.bodies import body_of, limit_of
from puddle.server.transports.calls import Answer, Call, Method, answered, call_of, heard
from puddle.server.transports.codecs import Codec, codec_of
from puddle.server.transports.refusals import Header

LOG = structlog.get_logger("puddle.calls")
MOST_BYTES = 1 << 20
MOST_AT_ONCE = 16 << 10
"""Larger bodies take a while to be read as a message, and nobody else is to wait for that."""
MOST_DIGITS = 10  # of Connect-Timeout-Ms, as the protocol has it
Result = TypeVar("Result")
_SANE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:")


class Counter(Protocol):
    """Whoever counts calls."""

    def count(self, method: str, code: str, seconds: float) -> None:
        """Note that a call of `method` ended with `code` ("ok", "not_found"…)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How calls are taken. `at_once`: reads need no thread. `waiting`: how many calls may wait for one."""

    threads: int = 16
    waiting: int = 500
    most_bytes: int = MOST_BYTES
    at_once: bool = True


class Connect:
    """The methods of a table, as an ASGI application. `close` lets its threads go."""

    def __init__(self, api: Api, table: Mapping[str, Method], counter: Counter, terms: Terms | None = None) -> None:
        """See the module."""
        self._api = api
        self._table = table
        self._counter = counter
        self._terms = terms or Terms()
        self._pool = ThreadPoolExecutor(self._terms.threads, thread_name_prefix="call")
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one call."""
        begun = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        method = self._table.get(scope["path"])
        name = method.name if method else "unknown"
        try:
            codec, answer = await self._call(scope, receive, headers, request_id, method)
        except Exception as error:  # noqa: BLE001 -- the edge: whatever is not a refusal is logged as ours
            refused = refusal_of(error, name, request_id)
            await send_refusal(send, refused, request_id)
            self._counter.count(name, refused.code, time.perf_counter() - begun)
            return
        await send_body(send, 200, codec.content_type, answer.body, request_id, answer.headers)
        self._counter.count(name, "ok", time.perf_counter() - begun)

    def close(self) -> None:
        """Let what has begun end, and the threads go."""
        self._pool.shutdown(cancel_futures=True)

    async def _call(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], request_id: str, method: Method | None
    ) -> tuple[Codec, Answer]:
        if method is None:
            raise refusals.no_method(scope["path"])
        if scope["method"] != "POST":
            raise refusals.wrong_method(scope["method"])
        codec = codec_of(headers.get(b"content-type"))
        patience = patience_of(headers)
        call = call_of(headers, request_id, address_of(scope))
        limit = await limit_of(headers, self._terms.most_bytes, lambda: self._known(call))
        body = await body_of(receive, headers, limit)
        work = self._carry_out(method, codec, body, call)
        if patience is None:
            return codec, await work
        try:
            return codec, await asyncio.wait_for(work, patience)
        except TimeoutError:
            raise refusals.too_slow() from None

    async def _known(self, call: Call) -> bool:
        """Whether somebody is logged in. Raises Unauthenticated where their token is not good (any more)."""
        if call.token:
            await self._in_a_thread(lambda: self._api.logins.admit(call.token))
        return bool(call.token)

    async def _carry_out(self, method: Method, codec: Codec, body: bytes, call: Call) -> Answer:
        if not self._terms.at_once or not method.reads or len(body) > MOST_AT_ONCE:
            return await self._in_a_thread(lambda: self._both(method, codec, body, call))
        known, message = heard(self._api, method, codec, body, call)
        if method.waits(message):
            return await self._in_a_thread(lambda: answered(self._api, method, codec, known, message))
        return answered(self._api, method, codec, known, message)

    def _both(self, method: Method, codec: Codec, body: bytes, call: Call) -> Answer:
        known, message = heard(self._api, method, codec, body, call)
        return answered(self._api, method, codec, known, message)

    async def _in_a_thread(self, work: Callable[[], Result]) -> Result:
        """Let a thread do it. It counts until that is done, also where its caller has given up waiting before."""
        if self._waiting >= self._terms.threads + self._terms.waiting:
            raise refusals.busy()
        self._waiting += 1
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        running.add_done_callback(self._done)
        return await asyncio.shield(running)

    def _done(self, _ended: object) -> None:
        self._waiting -= 1


def request_id_of(headers: Mapping[bytes, bytes]) -> str:
    """Return the id of a request: the caller's where it is short and plain, else one of ours."""
    given = headers.get(b"x-request-id", b"")
    if 0 < len(given) <= 64 and _SANE.issuperset(given):
        return given.decode("ascii")
    return secrets.token_hex(8)


def address_of(scope: Scope) -> str:
    """Return the client's address."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def patience_of(headers: Mapping[bytes, bytes]) -> float | None:
    """Return how many seconds a caller waits for the answer; None where they do not say."""
    given = headers.get(b"connect-timeout-ms")
    if given is None:
        return None
    if not given.isdigit() or len(given) > MOST_DIGITS:
        raise Invalid("Connect-Timeout-Ms", "is a whole number of milliseconds with at most ten digits")
    return int(given) / 1000


def refusal_of(error: Exception, method: str, request_id: str) -> Refused:
    """Return what a caller is told of an error. A mistake of ours is logged, and they learn no more than its id."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, OperationalError | NoConnection) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        why = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]  # never what was written
        LOG.error("the database does not answer", method=method, request_id=request_id, why=why)
        return refusals.no_database()
    LOG.error("a call broke", method=method, request_id=request_id, exc_info=error)
    return refusals.broken()


async def send_refusal(send: Send, refused: Refused, request_id: str) -> None:
    """Answer with a refusal."""
    body = refusals.body_of(refused, request_id)
    await send_body(
        send, refusals.status_of(refused), b"application/json", body, request_id, refusals.headers_of(refused)
    )


async def send_body(
    send: Send, status: int, content_type: bytes, body: bytes, request_id: str, more: list[Header]
) -> None:
    """Answer with a whole body."""
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
