"""What a connection may cost before anything is known of its client: places, heads, patience."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from puddle.server import main
from puddle.server.settings import load
from puddle.server.transports.connections import IDLE_TIMEOUT_S, MAX_HEAD_BYTES, LimitedConnection

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\n{}"


class Line(asyncio.Transport):
    """The server's end of a connection from an address."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 5000), "sockname": ("127.0.0.1", 8081)})
        self.said = b""
        self.cut = self.closed = False

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.said += bytes(data)

    def abort(self) -> None:
        self.cut = self.closed = True

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Everything was read."""

    resume_reading = pause_reading


@dataclass
class Timers:
    """An event loop's timers, turned by hand; the rest is a real loop's."""

    loop: asyncio.AbstractEventLoop
    now: float = 0.0
    due: list[tuple[float, Callable[[], None], asyncio.Handle]] = field(default_factory=list)

    def call_later(self, seconds: float, what: Callable[[], None]) -> asyncio.Handle:
        handle = asyncio.Handle(what, (), self.loop)
        self.due.append((self.now + seconds, what, handle))
        return handle

    def create_task(self, work: Any) -> asyncio.Task[Any]:
        return self.loop.create_task(work)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for time, what, handle in [*self.due]:
            if time <= self.now and not handle.cancelled():
                what()
                handle.cancel()


class House:
    """A server that answers what a test says, and connections to it."""

    def __init__(self, **said: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.timers = Timers(self.loop)
        self.state = ServerState()
        self.scopes: list[Scope] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.config: uvicorn.Config = main.web_config(load(server=said), self.answer)  # type: ignore[arg-type]  # any ASGI application will do
        self.config.lifespan, self.config.interface = "off", "asgi3"
        self.config.load()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.scopes.append(scope)
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    def come(self, address: str = "192.0.2.1") -> tuple[LimitedConnection, Line]:
        """Let somebody connect."""
        made: Any = self.config.http_protocol_class
        connection = made(config=self.config, server_state=self.state, app_state={}, _loop=self.timers)
        line = Line(address)
        connection.connection_made(line)
        if line.cut:
            connection.connection_lost(None)
        return connection, line

    def turn(self) -> None:
        for _ in range(10):
            self.loop.run_until_complete(asyncio.sleep(0))


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def make(**said: Any) -> House:
        made.append(House(**said))
        return made[-1]

    yield make
    for each in made:
        each.turn()
        each.loop.close()


def test_who_says_nothing_is_cut(house: Callable[..., House]) -> None:
    one = house()
    _, line = one.come()
    one.timers.advance(IDLE_TIMEOUT_S - 1)
    assert not line.cut
    one.timers.advance(1)
    assert line.cut


def test_a_letter_now_and_then_prolongs_nothing(house: Callable[..., House]) -> None:
    one = house()
    connection, line = one.come()
    for letter in HEAD[:20]:
        connection.data_received(bytes([letter]))
        one.timers.advance(IDLE_TIMEOUT_S / 20)
    assert line.cut


def test_who_waits_for_us_is_not_cut_and_their_next_request_has_its_own_time(house: Callable[..., House]) -> None:
    one = house()
    one.may_answer.clear()
    connection, line = one.come()
    connection.data_received(WHOLE)
    one.timers.advance(10 * IDLE_TIMEOUT_S)
    assert not line.cut
    one.may_answer.set()
    one.turn()
    assert b"200 OK" in line.said
    connection.data_received(HEAD)
    one.timers.advance(IDLE_TIMEOUT_S)
    assert line.cut


def test_who_does_not_read_the_answer_is_cut(house: Callable[..., House]) -> None:
    one = house()
    connection, line = one.come()
    one.may_answer.clear()
    connection.data_received(WHOLE)
    connection.pause_writing()
    one.timers.advance(IDLE_TIMEOUT_S / 2)
    connection.resume_writing()
    one.timers.advance(IDLE_TIMEOUT_S)
    assert not line.cut
    connection.pause_writing()
    one.timers.advance(IDLE_TIMEOUT_S)
    assert line.cut
    connection.connection_lost(None)


def test_what_lost_its_connection_waits_for_nothing(house: Callable[..., House]) -> None:
    one = house()
    connection, line = one.come()
    connection.connection_lost(None)
    one.timers.advance(IDLE_TIMEOUT_S)
    assert not line.cut


def test_nobody_has_more_connections_than_there_are_for_an_address(house: Callable[..., House]) -> None:
    one = house(connections_per_address=3, trusted_proxies=["198.51.100.0/24"])
    came = [one.come() for _ in range(4)]
    assert [line.cut for _, line in came] == [False, False, False, True]
    assert not one.come("192.0.2.2")[1].cut
    came[0][0].connection_lost(None)
    assert not one.come()[1].cut
    for everybodys in ("127.0.0.1", "::1", "198.51.100.7"):
        assert not any(one.come(everybodys)[1].cut for _ in range(5))


def test_what_follows_a_body_is_no_header(house: Callable[..., House]) -> None:
    """Else a stranger behind a proxy could say after it from where they come, or as whom."""
    one = house()
    connection, line = one.come()
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"
    connection.data_received(chunked)
    one.turn()
    assert b"200 OK" in line.said
    assert b"x-forwarded-for" not in dict(one.scopes[0]["headers"])


def test_a_head_has_an_end(house: Callable[..., House]) -> None:
    one = house()
    connection, line = one.come()
    connection.data_received(HEAD)
    for _ in range(MAX_HEAD_BYTES // 1000 + 1):
        connection.data_received(b"x" * 1000)
    assert b" 400 " in line.said
    assert line.closed
