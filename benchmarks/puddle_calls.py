"""How long calls of Puddle take beside a bare "hello" route of the same framework in the same process.

    python benchmarks/puddle_calls.py [--systems 10000] [--clients 50] [--seconds 4] [--postgres URL]

A server process with so many systems on a simulated cloud is asked by another process, which keeps that many
connections busy: hello, `GetSystem`, `ListSystems` with 100 a page; each in turn, several rounds, interleaved. What is
told is the median over rounds of p50 and p95, and their ratio to hello's. The client is a few lines over sockets, since
any HTTP library would take longer than the server does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

from puddle.client.proto.v2 import system_service_pb2 as pb


def serve(url: str, systems: int, said) -> None:
    """Run a server with systems in it; say its port, a token, and the id of a system."""
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from puddle.server import main
    from puddle.server.transports import connect
    from puddle.server.transports.app import Application, Terms

    api, token, one = installed(url, systems)

    async def hello(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    at_once = api.backend.store.engine.dialect.name == "sqlite"
    terms = Terms(calls=connect.Terms(at_once=at_once))
    from starlette.applications import Starlette

    bare = Starlette(routes=[Route("/hello", hello)])
    ours = Application(api, version=main.version(), terms=terms)

    async def both(scope, receive, send) -> None:
        await (bare if scope.get("path") == "/hello" else ours)(scope, receive, send)

    config = uvicorn.Config(both, port=0, log_config=None, access_log=False, server_header=False, lifespan="off")
    listening = __import__("socket").create_server(("127.0.0.1", 0), backlog=2048)
    said.send((listening.getsockname()[1], token, one))
    uvicorn.Server(config).run(sockets=[listening])


def installed(url: str, systems: int):
    """Return an API over a database with so many systems, the token of their owner, and the id of one."""
    from puddle.server.api import Api
    from puddle.server.auth import keys, tokens
    from puddle.server.auth.secrets import PASSWORD, Keyring
    from puddle.server.auth.tokens import TokenTerms
    from puddle.server.backend import Backend
    from puddle.server.domain.catalog import InstanceType
    from puddle.server.domain.people import Role, User
    from puddle.server.domain.records import System
    from puddle.server.domain.rules import Rules
    from puddle.server.domain.states import Product, Status, Vm
    from puddle.server.store import Store

    store = Store(url)
    store.migrate()
    keyring = Keyring([b"k" * 32])
    backend = Backend(store=store, clouds={}, products={}, keyring=keyring, rules=Rules(), clock=time.time)
    now = int(time.time())
    ann = User(id="u-1", name="ann", role=Role.USER, created=now)
    key, _ = keys.new_key(ann.id, "bench", now)
    token, secret = tokens.new_token(ann.id, key.id, now, TokenTerms(lifetime=7200))
    with store.writing() as tx:
        tx.users.add(ann)
        tx.keys.add(key)
        tx.tokens.add(token)
        tx.instance_types.add(
            InstanceType(id="t-1", text="small", cloud="simulated", cloud_name="small", price_micros=900_000)
        )
        for number in range(systems):
            name = f"sys-{number:08x}"
            tx.systems.create(
                System(
                    id=name, name=f"s{number}", owner_id="u-1", cloud="simulated", product="simulated", version="1",
                    image_id="i-1", instance_type_id="t-1", disk_gb=10, created=now + number, updated=now,
                    idle_minutes=240, username="puddle", secret=keyring.encrypt("x" * 24, PASSWORD, name),
                    status=Status.STARTED, vm_status=Vm.RUNNING, product_status=Product.READY, provisioned=True,
                    machine_id=f"m-{number}", private_ip="10.0.0.1", url="http://10.0.0.1:54321",
                    session_id=f"x-{number}", session_started=now - 3600, session_price_micros=900_000,
                    started=now - 3500, last_activity=now - 60, cu=1,
                    signals=(("idle seconds", "60"), ("jobs at work", "0")),
                ),
                look_at=2**61,
            )  # fmt: skip
    return Api(backend), secret, f"sys-{systems // 2:08x}"


def request(path: str, token: str, message: bytes | None) -> bytes:
    """Return a request as bytes."""
    if message is None:
        return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\n"
        f"X-Puddle-Token: {token}\r\nContent-Length: {len(message)}\r\n\r\n"
    )
    return head.encode() + message


class Client(asyncio.Protocol):
    """A connection that asks the same again and again."""

    def __init__(self, asked: bytes, until: float) -> None:
        self.asked, self.until = asked, until
        self.times: list[float] = []
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.begun = time.perf_counter()
        self.transport.write(self.asked)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, apart, body = self.buffer.partition(b"\r\n\r\n")
        if not apart or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(self.buffer[:500].decode()))
            return
        self.times.append(time.perf_counter() - self.begun)
        self.buffer = b""
        if time.perf_counter() < self.until:
            self.ask()
        else:
            self.transport.close()
            self.done.set_result(None)


async def asked(port: int, what: bytes, clients: int, seconds: float) -> list[float]:
    """Return how long each request took."""
    loop, until = asyncio.get_running_loop(), time.perf_counter() + seconds
    made = [await loop.create_connection(lambda: Client(what, until), "127.0.0.1", port) for _ in range(clients)]
    await asyncio.gather(*(client.done for _, client in made))
    return [each for _, client in made for each in client.times[1:]]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--systems", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.postgres or f"sqlite:///{Path(folder) / 'puddle.db'}"
        here, there = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(url, given.systems, there))
        server.start()
        try:
            measure(given, *here.recv())
        finally:
            server.terminate()
            server.join()


def measure(given: argparse.Namespace, port: int, token: str, one: str) -> None:
    """Ask for each kind in turn, several rounds."""
    get = pb.GetSystemRequest(id=one).SerializeToString()
    listed = pb.ListSystemsRequest(page_size=100).SerializeToString()
    kinds = {
        "hello": request("/hello", token, None),
        "GetSystem": request("/puddle.v2.SystemService/GetSystem", token, get),
        "ListSystems(100)": request("/puddle.v2.SystemService/ListSystems", token, listed),
    }
    found: dict[str, list[tuple[float, float, int]]] = {kind: [] for kind in kinds}
    for _ in range(given.rounds):
        for kind, what in kinds.items():
            times = sorted(asyncio.run(asked(port, what, given.clients, given.seconds)))
            found[kind].append((times[len(times) // 2], times[int(len(times) * 0.95)], len(times)))
    report = {
        kind: {
            "p50_ms": 1000 * statistics.median(p50 for p50, _, _ in rounds),
            "p95_ms": 1000 * statistics.median(p95 for _, p95, _ in rounds),
            "per_second": statistics.median(count for *_, count in rounds) / given.seconds,
        }
        for kind, rounds in found.items()
    }
    for kind, told in report.items():
        told["p95_to_hello"] = told["p95_ms"] / report["hello"]["p95_ms"]
        print(f"{kind:18} " + "  ".join(f"{name} {value:9.2f}" for name, value in told.items()))
    print(json.dumps(report))


if __name__ == "__main__":
    main()
