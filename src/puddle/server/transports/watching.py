"""`WatchSystems`: a stream of server-sent events. First every system the caller may see, then whatever changes.

    event: system                                  event: end
    data: {"kind": "changed", "system": {…}}       data: {"code": "unauthenticated", "message": …, "meta": …}

One `Hub` polls the database for all watchers of this process: once a second, and as soon as a wish is written here. A
watcher queues ids, not messages, so one that reads slowly skips states of a system and costs no more memory. Messages
are made when they are sent, and shared by watchers with the same rights.

A stream ends when the token it was opened with expires, and when its user is given another role: open another with the
token that calls have returned since. Passwords are not in it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import anyio
import structlog
from google.protobuf.json_format import MessageToJson
from sqlalchemy.exc import SQLAlchemyError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.server.api import Api
from puddle.server.api.watching import Watching, Whose
from puddle.server.domain.states import Status
from puddle.server.errors import Refused, TooMany, Unauthenticated
from puddle.server.transports import refusals
from puddle.server.transports.bodies import MAX_ANONYMOUS_BYTES, body_of
from puddle.server.transports.calls import Call, accept, call_of, renewal
from puddle.server.transports.codecs import codec_of
from puddle.server.transports.connect import Counter as CallCounter
from puddle.server.transports.connect import address_of, refusal_of, request_id_of, send_refusal
from puddle.server.transports.messages.enums import everybody
from puddle.server.transports.messages.system_message import system
from puddle.server.transports.table import WATCH, WATCHED

LOG = structlog.get_logger("puddle.watching")
BATCH = 50
KEPT = 2000
GRACE_S = 5.0
"""How long streams have to end by themselves when the server stops, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How often changes are polled for and tokens checked again, and how many streams a user may have open."""

    every_s: float = 1.0
    heartbeat_s: float = 15.0
    per_user: int = 5
    slowest_s: float = 60.0
    """How long a client may take to read one event before its stream is closed."""


@dataclass(eq=False, slots=True)
class Watcher:
    """One open stream: which systems it is about, and the ids of those with a pending event."""

    owner_id: str
    admin: bool
    ids: frozenset[str]
    pending: OrderedDict[str, None] = field(default_factory=OrderedDict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    closing: anyio.Event = field(default_factory=anyio.Event)

    async def closed(self) -> None:
        """Wait until the stream is to end, and then wake it."""
        await self.closing.wait()
        self.news.set()

    def offer(self, system_id: str, owner_id: str) -> None:
        """Queue an event about a system, if the watcher may see it and asked for it."""
        if self.owner_id not in {"", owner_id} or (self.ids and system_id not in self.ids):
            return
        self.pending[system_id] = None
        self.news.set()

    def take(self) -> list[str]:
        """Return some of the queued ids, and remove them."""
        taken = [self.pending.popitem(last=False)[0] for _ in range(min(BATCH, len(self.pending)))]
        if not self.pending:
            self.news.clear()
        return taken


class Hub:
    """Polls for changes on behalf of all watchers. Everything but `wake` is called on its event loop."""

    def __init__(self, source: Watching, every_s: float) -> None:
        """See the module."""
        self._source = source
        self._every_s = every_s
        self._watchers: set[Watcher] = set()
        self._known: Mapping[str, Whose] = {}
        self._texts: OrderedDict[tuple[str, bool], tuple[int, str]] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self.closing = False

    def wake(self) -> None:
        """Poll at once. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def add(self, watcher: Watcher) -> None:
        """Add a watcher; every system is queued for it first."""
        self._loop = asyncio.get_running_loop()
        self._watchers.add(watcher)
        found = await asyncio.to_thread(self._source.revisions)
        if self._task is None:  # the first: what changes is what differs from what they are told first
            self._known = found
            self._task = asyncio.create_task(self._poll_forever())
        for system_id, whose in found.items():
            watcher.offer(system_id, whose.owner_id)

    def remove(self, watcher: Watcher) -> None:
        """Remove a watcher; without any, polling stops."""
        self._watchers.discard(watcher)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None
            self._known = {}

    async def close(self) -> None:
        """End all streams."""
        self.closing = True
        for watcher in self._watchers:
            watcher.closing.set()
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def texts(self, ids: Iterable[str], *, admin: bool) -> list[str]:
        """Return the events about systems, in JSON."""
        wanted = list(ids)
        held = {each: text for each in wanted if (text := self._text(each, admin=admin)) is not None}
        missing = [each for each in wanted if each not in held]
        made = await asyncio.to_thread(self._make, missing, admin) if missing else {}
        for system_id, (revision, text) in made.items():
            self._keep(system_id, revision, text, admin=admin)
        return [held[each] if each in held else made[each][1] for each in wanted]

    def _text(self, system_id: str, *, admin: bool) -> str | None:
        kept = self._texts.get((system_id, admin))
        whose = self._known.get(system_id)
        return kept[1] if kept and whose and kept[0] == whose.revision else None

    def _keep(self, system_id: str, revision: int, text: str, *, admin: bool) -> None:
        self._texts[system_id, admin] = revision, text
        self._texts.move_to_end((system_id, admin))
        while len(self._texts) > KEPT:
            self._texts.popitem(last=False)

    def _make(self, ids: list[str], admin: bool) -> dict[str, tuple[int, str]]:
        made = {each: (-1, _json(pb.SystemEvent(kind="gone", system=pb.System(id=each)))) for each in ids}
        for view in self._source.seen(ids, admin=admin):
            kind = "gone" if view.system.status is Status.TERMINATED else "changed"
            event = pb.SystemEvent(kind=kind, system=system(view, disk=False))
            made[view.system.id] = view.system.revision, _json(event)
        return made

    async def _poll_forever(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._every_s)
            self._woken.clear()
            found = await self._poll()
            if found is not None:
                self._tell(found)

    async def _poll(self) -> Mapping[str, Whose] | None:
        try:
            return await asyncio.to_thread(self._source.revisions)
        except SQLAlchemyError as error:
            LOG.warning("cannot poll for changes; trying again", kind=type(error).__name__)
            return None

    def _tell(self, found: Mapping[str, Whose]) -> None:
        before, self._known = self._known, found
        changed = {key: whose for key, whose in found.items() if before.get(key) != whose}
        gone = {key: whose for key, whose in before.items() if key not in found}
        for system_id, whose in {**changed, **gone}.items():
            for watcher in self._watchers:
                watcher.offer(system_id, whose.owner_id)


class Streams:
    """`WatchSystems`, as an ASGI application."""

    def __init__(
        self, api: Api, counter: CallCounter, gauge: Callable[[int], None], limits: StreamLimits | None = None
    ) -> None:
        """`gauge` is told how many streams are open."""
        self._api = api
        self._source = Watching(api.backend)
        self._counter = counter
        self._gauge = gauge
        self._limits = limits or StreamLimits()
        self._open: Counter[str] = Counter()
        self.hub = Hub(self._source, self._limits.every_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one stream."""
        begun = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        try:
            call, watcher = await self._opened(scope, receive, headers, request_id)
        except Exception as error:  # noqa: BLE001 -- the edge: whatever is not a refusal is a bug, and logged
            refused = refusal_of(error, WATCH, request_id)
            await send_refusal(send, refused, request_id)
            self._counter.count(WATCH, refused.code, time.perf_counter() - begun)
            return
        self._counter.count(WATCH, "ok", time.perf_counter() - begun)
        try:
            await self._stream(scope, receive, send, call, watcher)
        finally:
            self._close(call.caller.user.id, watcher)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, call: Call, watcher: Watcher) -> None:
        more = {name.decode(): value.decode() for name, value in renewal(call.authenticated)}
        response = EventSourceResponse(
            self._events(call, watcher),
            ping=self._limits.heartbeat_s,
            send_timeout=self._limits.slowest_s,
            data_sender_callable=watcher.closed,
            shutdown_event=watcher.closing,
            shutdown_grace_period=GRACE_S,
            headers={"X-Request-Id": call.request_id, **more},
        )
        await response(scope, receive, send)

    async def _opened(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], request_id: str
    ) -> tuple[Call, Watcher]:
        if scope["method"] != "POST":
            raise refusals.wrong_method(scope["method"])
        codec = codec_of(headers.get(b"content-type"))
        call = call_of(headers, request_id, address_of(scope))
        body = await body_of(receive, headers, MAX_ANONYMOUS_BYTES)
        known, message = await asyncio.to_thread(accept, self._api, WATCHED, codec, body, call)
        if not isinstance(message, pb.WatchSystemsRequest):
            raise TypeError(f"{WATCH} takes another message than {type(message).__name__}")
        user = known.caller.user
        owner_id = "" if everybody(message.scope) else user.id
        watcher = Watcher(owner_id, known.caller.admin, frozenset(message.ids))
        self._count(user.id)
        return known, watcher

    def _count(self, user_id: str) -> None:
        if self._open[user_id] >= self._limits.per_user:
            raise TooMany(f"you watch {self._limits.per_user} times already; close one of the streams first", 60)
        self._open[user_id] += 1
        self._gauge(self._open.total())

    def _close(self, user_id: str, watcher: Watcher) -> None:
        self.hub.remove(watcher)
        self._open[user_id] -= 1
        self._open += Counter()  # forgets who has none open
        self._gauge(self._open.total())

    async def _events(self, call: Call, watcher: Watcher) -> AsyncIterator[ServerSentEvent]:
        await self.hub.add(watcher)
        while not self._ended(watcher):
            if not await asyncio.to_thread(self._source.still, call.token, call.caller.user.role):
                yield _end(Unauthenticated("the token has ended, or its role; open another stream", "bad_token"), call)
                return
            async for event in self._some(watcher):
                yield event

    def _ended(self, watcher: Watcher) -> bool:
        return self.hub.closing or watcher.closing.is_set()

    async def _some(self, watcher: Watcher) -> AsyncIterator[ServerSentEvent]:
        """Yield events until it is time to check the token again."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._limits.heartbeat_s
        while not self._ended(watcher) and (left := until - loop.time()) > 0:
            try:
                await asyncio.wait_for(watcher.news.wait(), left)
            except TimeoutError:
                return
            for text in await self.hub.texts(watcher.take(), admin=watcher.admin):
                yield ServerSentEvent(text, event="system")


def _end(refused: Refused, call: Call) -> ServerSentEvent:
    return ServerSentEvent(refusals.body_of(refused, call.request_id).decode(), event="end")


def _json(event: pb.SystemEvent) -> str:
    return MessageToJson(event, indent=None, ensure_ascii=False)
