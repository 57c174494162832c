"""The Connect unary protocol: `POST /puddle.v2.{Service}/{Method}`, one message in, one message or a refusal out.

Plain ASGI, since a framework's overhead would be most of a call's cost. Where the database is a file, reads run on the
event loop (a thread would cost more than it saves); everything that may block runs in a thread pool.

`Connect-Timeout-Ms` bounds how long a caller waits for the response. The work is not rolled back when the time is over:
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
from puddle.server.store.ailments import Ailment, ails
from puddle.server.transports import refusals
from puddle.server.transports.bodies import body_of, limit_of
from puddle.server.transports.calls import Answer, Call, Method, accept, call_of, execute
from puddle.server.transports.codecs import Codec, codec_of
from puddle.server.transports.refusals import Header

LOG = structlog.get_logger("puddle.calls")
MAX_BYTES = 1 << 20
MAX_INLINE_BYTES = 16 << 10
"""Larger bodies take a while to parse, which would block the event loop."""
MAX_TIMEOUT_DIGITS = 10  # of Connect-Timeout-Ms, as the protocol has it
Result = TypeVar("Result")
_ID_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:")


class Counter(Protocol):
    """Counts calls; `metrics.Metrics` is one."""

    def count(self, method: str, code: str, seconds: float) -> None:
        """Note that a call of `method` ended with `code` ("ok", "not_found"…)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Limits on calls. `queued`: how many may wait for a thread. `inline_reads`: reads run on the event loop."""

    threads: int = 16
    queued: int = 500
    max_bytes: int = MAX_BYTES
    inline_reads: bool = True


class Connect:
    """The methods of a table, as an ASGI application. `close` shuts its thread pool down."""

    def __init__(
        self, api: Api, table: Mapping[str, Method], counter: Counter, limits: CallLimits | None = None
    ) -> None:
        """See the module."""
        self._api = api
        self._table = table
        self._counter = counter
        self._limits = limits or CallLimits()
        self._pool = ThreadPoolExecutor(self._limits.threads, thread_name_prefix="call")
        self._pending = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        begun = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        method = self._table.get(scope["path"])
        name = method.name if method else "unknown"
        try:
            codec, answer = await self._call(scope, receive, headers, request_id, method)
        except Exception as error:  # noqa: BLE001 -- the edge: whatever is not a refusal is a bug, and logged
            refused = refusal_of(error, name, request_id)
            await send_refusal(send, refused, request_id)
            self._counter.count(name, refused.code, time.perf_counter() - begun)
            return
        await send_body(send, 200, codec.content_type, answer.body, request_id, answer.headers)
        self._counter.count(name, "ok", time.perf_counter() - begun)

    def close(self) -> None:
        """Wait for the calls that are running, and start no more."""
        self._pool.shutdown(cancel_futures=True)

    async def _call(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], request_id: str, method: Method | None
    ) -> tuple[Codec, Answer]:
        if method is None:
            raise refusals.no_method(scope["path"])
        if scope["method"] != "POST":
            raise refusals.wrong_method(scope["method"])
        codec = codec_of(headers.get(b"content-type"))
        timeout = timeout_of(headers)
        call = call_of(headers, request_id, address_of(scope))
        limit = await limit_of(headers, self._limits.max_bytes, lambda: self._known(call))
        body = await body_of(receive, headers, limit)
        work = self._dispatch(method, codec, body, call)
        if timeout is None:
            return codec, await work
        try:
            return codec, await asyncio.wait_for(work, timeout)
        except TimeoutError:
            raise refusals.too_slow() from None

    async def _known(self, call: Call) -> bool:
        """Whether the call has a token. Raises Unauthenticated where it is not valid (any more)."""
        if call.token:
            await self._in_a_thread(lambda: self._api.logins.authenticate(call.token))
        return bool(call.token)

    async def _dispatch(self, method: Method, codec: Codec, body: bytes, call: Call) -> Answer:
        if not self._limits.inline_reads or not method.reads or len(body) > MAX_INLINE_BYTES:
            return await self._in_a_thread(lambda: self._accept_and_execute(method, codec, body, call))
        known, message = accept(self._api, method, codec, body, call)
        if method.may_block(message):
            return await self._in_a_thread(lambda: execute(self._api, method, codec, known, message))
        return execute(self._api, method, codec, known, message)

    def _accept_and_execute(self, method: Method, codec: Codec, body: bytes, call: Call) -> Answer:
        known, message = accept(self._api, method, codec, body, call)
        return execute(self._api, method, codec, known, message)

    async def _in_a_thread(self, work: Callable[[], Result]) -> Result:
        """Run work in the pool. It counts as pending until it is done, also where its caller has timed out before."""
        if self._pending >= self._limits.threads + self._limits.queued:
            raise refusals.busy()
        self._pending += 1
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        running.add_done_callback(self._done)
        return await asyncio.shield(running)

    def _done(self, _ended: object) -> None:
        self._pending -= 1


def request_id_of(headers: Mapping[bytes, bytes]) -> str:
    """Return the id of a request: the caller's where it is short and plain ASCII, else a new one."""
    given = headers.get(b"x-request-id", b"")
    if 0 < len(given) <= 64 and _ID_CHARACTERS.issuperset(given):
        return given.decode("ascii")
    return secrets.token_hex(8)


def address_of(scope: Scope) -> str:
    """Return the client's address."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def timeout_of(headers: Mapping[bytes, bytes]) -> float | None:
    """Return how many seconds the caller waits for the response; None where the request does not say."""
    given = headers.get(b"connect-timeout-ms")
    if given is None:
        return None
    if not given.isdigit() or len(given) > MAX_TIMEOUT_DIGITS:
        raise Invalid("Connect-Timeout-Ms", "is a whole number of milliseconds with at most ten digits")
    return int(given) / 1000


def refusal_of(error: Exception, method: str, request_id: str) -> Refused:
    """Return the refusal for any error. A bug in the server is logged, and the caller learns only the request's id."""
    if isinstance(error, Refused):
        return error
    refusal = _of_database(error)
    if refusal is not None:
        why = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]  # never what was written
        LOG.error("the database does not answer, or not as it should", method=method, request_id=request_id, why=why)
        return refusal
    LOG.error("a call broke", method=method, request_id=request_id, exc_info=error)
    return refusals.broken()


def _of_database(error: Exception) -> Refused | None:
    """Return the refusal for an error that is the database's, and passes; None for others."""
    if isinstance(error, DBAPIError) and ails(error) is Ailment.FULL:
        return refusals.full_database()
    if isinstance(error, DBAPIError) and ails(error) is Ailment.READ_ONLY:
        return refusals.frozen_database()
    gone = isinstance(error, DBAPIError) and error.connection_invalidated
    return refusals.no_database() if gone or isinstance(error, OperationalError | NoConnection) else None


async def send_refusal(send: Send, refused: Refused, request_id: str) -> None:
    """Respond with a refusal."""
    body = refusals.body_of(refused, request_id)
    await send_body(
        send, refusals.status_of(refused), b"application/json", body, request_id, refusals.headers_of(refused)
    )


async def send_body(
    send: Send, status: int, content_type: bytes, body: bytes, request_id: str, more: list[Header]
) -> None:
    """Respond with a whole body."""
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
