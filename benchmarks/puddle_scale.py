"""Puddle with ten thousand systems: what a pass of the reconciler costs, and how quickly people get their answers.

    python benchmarks/puddle_scale.py [--systems 10000] [--clients 50] [--seconds 10]

One server on this machine, SQLite on its disk, the simulated cloud in its memory. A *full pass* looks at every system
once, with its cloud and its product, decides, and writes. Latencies are those of `GetSystem` and of a page of a hundred
systems (`ListSystems`), asked for by `--clients` connections at once; beside them, in the same run and process, a bare
"hello" route of the same framework. Prints a table, and JSON as its last line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.server.api import Api
from puddle.server.auth.secrets import Keyring
from puddle.server.backend import Backend
from puddle.server.domain.catalog import Image, ImageStatus, InstanceType
from puddle.server.domain.people import Caller, Role, User
from puddle.server.domain.rules import Rules
from puddle.server.domain.states import Status
from puddle.server.reconcile.loop import Loop
from puddle.server.store import Store
from puddle.testing import HandClock, MemoryWorld, SimulatedCloud, SimulatedProduct

OWNERS = 100


# an installation


def installation(url: str, clock: HandClock) -> Backend:
    """An installation with a simulated cloud, a hundred users and nothing else."""
    world = MemoryWorld()
    backend = Backend(
        store=Store(url),
        clouds={"simulated": SimulatedCloud(world, clock)},
        products={"simulated": SimulatedProduct(world, clock)},
        keyring=Keyring([b"k" * 32]),
        rules=Rules(),
        clock=clock,
    )
    backend.store.migrate()
    return backend


def fill(backend: Backend) -> list[Caller]:
    """Make users, an image and an instance type."""
    users = [User(id=f"u-{n:03}", name=f"user-{n:03}", role=Role.USER) for n in range(OWNERS)]
    size = InstanceType(id="t-1", text="small", cloud="simulated", cloud_name="small", price_micros=900_000)
    image = Image(
        id="i-1", cloud="simulated", product="simulated", version="1", created=0, updated=0,
        status=ImageStatus.AVAILABLE, cloud_image_id="image-i-1",
    )  # fmt: skip
    with backend.store.writing() as tx:
        for user in users:
            tx.users.add(user)
        tx.instance_types.add(size)
        tx.images.add(image)
    return [Caller(user) for user in users]


def create(api: Api, callers: list[Caller], systems: int) -> None:
    """Let users create systems, as they would."""
    from puddle.server.api.creating import NewSystem

    for number in range(systems):
        wanted = NewSystem(
            name=f"s-{number}", cloud="simulated", product="simulated", image_id="i-1", instance_type_id="t-1",
            disk_gb=10, idle_minutes=-1,
        )  # fmt: skip
        api.creating.create(callers[number % len(callers)], wanted)


def settle(loop: Loop, clock: HandClock) -> None:
    """Turn until nothing is due at this moment."""
    while loop.turn(int(clock())):
        pass


@dataclass(frozen=True)
class Passes:
    """CPU seconds: of creating, of bringing all up, and of full passes over what is up."""

    create: float
    come_up: float
    full: list[float]
    memory_per_system: float


def passes(url: str, systems: int) -> Passes:
    """Create systems, bring them up, and look at all of them three times."""
    clock = HandClock()
    backend = installation(url, clock)
    callers = fill(backend)
    loop = Loop(backend, "bench", workers=0)
    before = psutil.Process().memory_info().rss
    began = time.process_time()
    create(Api(backend), callers, systems)
    made = time.process_time()
    for _ in range(5):
        settle(loop, clock)
        clock.turn(backend.rules.soon_s)
    up = time.process_time()
    full = []
    for _ in range(3):
        clock.turn(backend.rules.look_every_s)
        start = time.process_time()
        settle(loop, clock)
        full.append(time.process_time() - start)
    with backend.store.reading() as tx:
        assert tx.systems.counts() == {Status.STARTED: systems}, "all are up"
    grown = psutil.Process().memory_info().rss - before
    return Passes(made - began, up - made, full, grown / systems)


# answers


def serve(url: str, listening: socket.socket, tokens: multiprocessing.SimpleQueue) -> None:
    """A server over a database that is filled, with a route that says hello."""
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from puddle.server.auth.keys import new_key
    from puddle.server.transports import connections
    from puddle.server.transports.app import Application, Limits
    from puddle.server.transports.connect import CallLimits

    async def hello(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    backend = replace(installation(url, HandClock()), clock=time.time)
    api = Api(backend)
    admin = User(id="u-admin", name="admin", role=Role.ADMIN)
    key, secret = new_key(admin.id, "bench", backend.now())
    with backend.store.writing() as tx:
        tx.users.add(admin)
        tx.keys.add(key)
    tokens.put(api.logins.login(key.id, secret, "127.0.0.1").token)
    limits = Limits(calls=CallLimits(inline_reads=True))
    app = Application(api, version="bench", limits=limits, routes=[Route("/hello", hello)])
    config = uvicorn.Config(app, http=connections.protocol(10_000, ()), log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def server(url: str) -> Iterator[tuple[int, str, psutil.Process]]:
    """Yield port, token and process of a server."""
    context = multiprocessing.get_context("spawn")
    tokens = context.SimpleQueue()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = context.Process(target=serve, args=(url, listening, tokens))
        process.start()
        try:
            yield listening.getsockname()[1], tokens.get(), psutil.Process(process.pid)
        finally:
            process.terminate()
            process.join()


@dataclass(frozen=True)
class Asked:
    """A request as bytes, to be sent as it is."""

    name: str
    raw: bytes


def requests(token: str, ids: list[str]) -> list[Asked]:
    """The requests that are compared."""
    get = pb.GetSystemRequest(id=ids[len(ids) // 2]).SerializeToString()
    page = pb.ListSystemsRequest(scope=pb.SCOPE_ALL, page_size=100).SerializeToString()
    hello = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    return [
        Asked("hello", hello),
        Asked("GetSystem", _post("GetSystem", token, get)),
        Asked("ListSystems(100)", _post("ListSystems", token, page)),
    ]


def _post(method: str, token: str, body: bytes) -> bytes:
    head = (
        f"POST /puddle.v2.SystemService/{method} HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\n"
        f"X-Puddle-Token: {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(port: int, asked: Asked, clients: int, seconds: float) -> list[float]:
    """Return the latencies, in seconds, of `clients` connections that ask without a pause."""
    taken: list[float] = []
    until = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < until:
            writer.write(asked.raw)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            taken.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return taken


def answers(url: str, clients: int, seconds: float, rounds: int = 3) -> tuple[dict[str, dict[str, float]], float]:
    """Ask in turns; return figures of each request (medians of the rounds), and the server's memory in bytes."""
    store = Store(url)
    with store.reading() as tx:
        ids = [system_id for system_id, _, _ in tx.systems.revisions()]
    store.close()
    figures: dict[str, list[dict[str, float]]] = {}
    with server(url) as (port, token, process):
        every = requests(token, ids)
        for asked in every:
            asyncio.run(load(port, asked, clients, 0.5))
        for _ in range(rounds):
            for asked in every:
                taken = sorted(asyncio.run(load(port, asked, clients, seconds / rounds)))
                figures.setdefault(asked.name, []).append(
                    {
                        "p50": taken[len(taken) // 2],
                        "p95": taken[int(len(taken) * 0.95)],
                        "rate": len(taken) / (seconds / rounds),
                    }
                )
        memory = process.memory_info().rss
    middle = {
        name: {what: statistics.median(each[what] for each in found) for what in found[0]}
        for name, found in figures.items()
    }
    return middle, memory


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="puddle-bench-") as folder:
        url = f"sqlite:///{Path(folder, 'puddle.db')}"
        done = passes(url, options.systems)
        figures, memory = answers(url, options.clients, options.seconds)
    print(f"{options.systems} systems, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print(f"create: {done.create:.1f} s of CPU, come up: {done.come_up:.1f} s")
    print(f"full pass: {', '.join(f'{each:.1f}' for each in done.full)} s of CPU")
    print(f"memory: {done.memory_per_system / 1024:.1f} KiB per system with its simulated machine")
    print(f"server's memory after answering: {memory / 2**20:.0f} MiB")
    hello = figures["hello"]["p95"]
    for name, each in figures.items():
        times = each["p95"] / hello
        shown = f"p50 {each['p50'] * 1e3:.1f} ms, p95 {each['p95'] * 1e3:.1f} ms ({times:.1f}× hello)"
        print(f"{name}: {shown}, {each['rate']:.0f} a second")
    print(json.dumps({"passes": done.__dict__, "answers": figures, "server_memory": memory}))


if __name__ == "__main__":
    main()
