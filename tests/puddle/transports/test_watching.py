"""`WatchSystems`: first everything, then what changes, for those who may see it, as long as their token is good."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from puddle.server.auth.tokens import TokenLifetimes
from puddle.server.domain.people import Role, User
from puddle.server.domain.states import Status
from puddle.server.transports.app import Limits
from puddle.server.transports.table import WATCH, path_of
from puddle.server.transports.watching import BATCH, StreamLimits, Watcher
from tests.puddle.installations import ANN
from tests.puddle.transports.calling import Here, called, there

__all__ = ["called", "there"]

QUICK = Limits(streams=StreamLimits(every_s=0.01, heartbeat_s=0.05, per_user=2))
PATIENCE_S = 60.0
"""For what takes hundredths of a second on a machine that has nothing else to do."""


@pytest.fixture
def here(called: Callable[..., Here]) -> Here:
    """An installation whose hub looks often."""
    return called(limits=QUICK)


class Stream:
    """An open stream; events are taken one by one. While `reading` is not set, its client reads nothing."""

    def __init__(self, here: Here, token: str, asked: str = "{}") -> None:
        self.here = here
        self.left = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()
        self.status = 0
        self.answered = asyncio.Event()
        self.whole = False
        self.headers: dict[str, str] = {}
        self.body = b""
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue()
        headers = [(b"content-type", b"application/json"), (b"x-puddle-token", token.encode())]
        self.scope = {"type": "http", "method": "POST", "path": path_of(WATCH), "headers": headers, "client": None}
        self.asked = [{"type": "http.request", "body": asked.encode(), "more_body": False}]
        self.task = asyncio.ensure_future(here.app(self.scope, self.receive, self.send))

    async def receive(self) -> Any:
        if self.asked:
            return self.asked.pop()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.reading.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            self.answered.set()
        else:
            self.whole = not message.get("more_body")
            self.chunks.put_nowait(message.get("body", b""))

    async def opened(self) -> Stream:
        """Wait until it is let in, or refused."""
        await asyncio.wait_for(self.answered.wait(), PATIENCE_S)
        return self

    async def chunk(self) -> bytes:
        """The next event or heartbeat."""
        return await asyncio.wait_for(self.chunks.get(), PATIENCE_S)

    async def event(self) -> tuple[str, Any]:
        """The next event but heartbeats."""
        while True:
            chunk = (await self.chunk()).decode()
            lines = dict(line.split(": ", 1) for line in chunk.splitlines() if ": " in line and line[0] != ":")
            if lines:
                return lines["event"], json.loads(lines["data"])

    async def leave(self) -> None:
        self.left.set()
        await asyncio.wait_for(self.task, PATIENCE_S)


def run(here: Here, play: Callable[[], Any]) -> Any:
    async def played() -> Any:
        try:
            return await play()
        finally:
            await here.app.streams.hub.close()
            await asyncio.sleep(0)

    return here.wire.loop.run_until_complete(asyncio.wait_for(played(), 2 * PATIENCE_S))


async def thread(do: Callable[..., Any], *args: Any, **given: Any) -> Any:
    return await asyncio.to_thread(do, *args, **given)


def test_everything_comes_first_and_then_what_changes(here: Here) -> None:
    made = here.there.create(name="one").system

    async def play() -> None:
        stream = Stream(here, here.tokens["ann"])
        kind, first = await stream.event()
        assert (kind, first["kind"], first["system"]["name"]) == ("system", "changed", "one")
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["x-request-id"]
        await thread(here.there.stand, made.id, status=Status.STARTED)
        _, second = await stream.event()
        assert second["system"]["status"] == "SYSTEM_STATUS_STARTED"
        await thread(here.there.create, name="two")
        assert (await stream.event())[1]["system"]["name"] == "two"
        await thread(here.there.stand, made.id, status=Status.TERMINATED)
        _, last = await stream.event()
        assert (last["kind"], last["system"]["id"]) == ("gone", made.id)
        await stream.leave()

    run(here, play)


def test_what_is_wished_here_is_told_at_once(called: Callable[..., Here]) -> None:
    """The hub is woken; it would not look by itself for an hour."""
    here = called(limits=Limits(streams=StreamLimits(every_s=3600)))
    made = here.there.create().system
    here.there.stand(made.id, status=Status.STARTED)

    async def play() -> None:
        stream = Stream(here, here.tokens["ann"])
        await stream.event()
        await thread(here.there.stand, made.id, status=Status.STOPPED)
        here.app.streams.hub.wake()
        assert (await stream.event())[1]["system"]["status"] == "SYSTEM_STATUS_STOPPED"
        await stream.leave()

    run(here, play)


def test_people_see_their_own_and_administrators_what_they_ask_for(here: Here) -> None:
    mine = here.there.create(here.there.ann, name="mine").system
    other = here.there.create(here.there.ben, name="other").system

    async def names(who: str, asked: str, count: int) -> set[str]:
        stream = Stream(here, here.tokens[who], asked)
        found = {(await stream.event())[1]["system"]["name"] for _ in range(count)}
        for _ in range(2):
            assert (await stream.chunk()).startswith(b": ping"), "and nothing more"
        await stream.leave()
        return found

    async def play() -> None:
        assert await names("ann", "{}", 1) == {"mine"}
        assert await names("ada", '{"scope": "SCOPE_ALL"}', 2) == {"mine", "other"}
        assert await names("ada", json.dumps({"scope": "SCOPE_ALL", "ids": [other.id]}), 1) == {"other"}
        assert await names("ben", json.dumps({"ids": [mine.id]}), 0) == set()

    run(here, play)


def test_passwords_are_not_in_it_and_rights_are_the_watcher_s(here: Here) -> None:
    made = here.there.create()
    assert made.password

    async def play() -> None:
        for who, can_fail in (("ann", False), ("ada", True)):
            stream = Stream(here, here.tokens[who], '{"scope": "SCOPE_ALL"}' if who == "ada" else "{}")
            _, event = await stream.event()
            assert "password" not in event["system"]
            assert event["system"].get("canFail", False) is can_fail
            await stream.leave()

    run(here, play)


def test_a_stream_ends_with_its_token(here: Here) -> None:
    user: User = ANN
    token = here.token(user, TokenLifetimes(lifetime=60))

    async def play() -> None:
        stream = await Stream(here, token).opened()
        here.there.clock.turn(61)
        kind, told = await stream.event()
        assert (kind, told["code"]) == ("end", "unauthenticated")
        await asyncio.wait_for(stream.task, PATIENCE_S)

    run(here, play)


def test_a_stream_ends_when_its_token_is_revoked(here: Here) -> None:
    async def play() -> None:
        stream = Stream(here, here.tokens["ben"])
        assert (await stream.chunk()).startswith(b": ping")
        await thread(here.there.api.logins.logout, here.there.ben, here.tokens["ben"])
        assert (await stream.event())[0] == "end"
        await asyncio.wait_for(stream.task, PATIENCE_S)

    run(here, play)


def test_a_stream_ends_when_its_user_is_no_administrator_any_more(here: Here) -> None:
    """Who may see everything is asked again and again, not only when the stream begins."""
    people = here.there.api.people

    async def play() -> None:
        stream = Stream(here, here.tokens["ada"], '{"scope": "SCOPE_ALL"}')
        assert (await stream.chunk()).startswith(b": ping")
        await thread(people.update, here.there.ada, "u-1", role=Role.ADMIN)
        await thread(people.update, here.there.ada, "u-9", role=Role.USER)
        assert (await stream.event())[0] == "end"
        await asyncio.wait_for(stream.task, PATIENCE_S)

    run(here, play)


def test_heartbeats_come_while_nothing_happens(here: Here) -> None:
    async def play() -> None:
        stream = Stream(here, here.tokens["ann"])
        assert (await stream.chunk()).startswith(b": ping")
        await stream.leave()

    run(here, play)


def test_a_user_has_so_many_streams(here: Here) -> None:
    async def play() -> None:
        streams = [await Stream(here, here.tokens["ann"]).opened() for _ in range(2)]
        third = Stream(here, here.tokens["ann"])
        await third.task
        assert third.status == 429
        other = await Stream(here, here.tokens["ben"]).opened()
        await streams[0].leave()
        again = await Stream(here, here.tokens["ann"]).opened()
        assert (other.status, again.status) == (200, 200)
        for stream in (streams[1], other, again):
            await stream.leave()

    run(here, play)
    assert not here.app.streams._open, "who has no stream is forgotten"
    assert here.app.streams.hub._task is None, "nobody looks for nobody"


def test_who_reads_slowly_is_told_less_and_costs_no_more(here: Here) -> None:
    made = here.there.create().system

    async def play() -> None:
        stream = Stream(here, here.tokens["ann"])
        await stream.event()
        stream.reading.clear()
        for minutes in range(1, 31):
            await thread(here.there.stand, made.id, idle_minutes=minutes)
            await asyncio.sleep(0.01)
        (watcher,) = here.app.streams.hub._watchers
        assert len(watcher.pending) <= 1
        stream.reading.set()
        seen = []
        while not seen or seen[-1] != 30:
            seen.append((await stream.event())[1]["system"]["idleTimeoutInterval"])
        assert len(seen) < 10
        await stream.leave()

    run(here, play)


def test_all_streams_end_with_the_server(here: Here) -> None:
    async def play() -> None:
        streams = [await Stream(here, here.tokens[who]).opened() for who in ("ann", "ben", "ada")]
        await here.app.streams.hub.close()
        for stream in streams:
            await asyncio.wait_for(stream.task, PATIENCE_S)
            assert stream.whole, "its last chunk is sent"

    run(here, play)


def test_what_waits_for_a_watcher_is_ids_each_once() -> None:
    watcher = Watcher(owner_id="u-1", admin=False, ids=frozenset())
    for number in range(2 * BATCH):
        for _ in range(3):
            watcher.offer(f"sys-{number}", "u-1")
            watcher.offer(f"sys-{number}", "u-2")
    assert len(watcher.pending) == 2 * BATCH
    assert watcher.take()[:2] == ["sys-0", "sys-1"]
    assert watcher.news.is_set()
    watcher.take()
    assert not watcher.news.is_set()
    assert watcher.take() == []
