"""Asking a product how it stands, over HTTP.

The machine belongs to a user, so what it answers is not trusted: the whole exchange has one deadline (a server that
sends a byte a second does not hold us up), bodies have a limit, nothing is decompressed, no redirect is followed, and
whatever is not the JSON that was asked for is `Unanswered`. Proxies of our environment are not used: machines are near.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import httpcore

LIMIT = 1 << 20
PATIENCE = 3.0


class Unanswered(Exception):
    """No answer that can be used; `status` is that of HTTP, 0 where it did not come so far."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        """See the class."""
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a product answers, and as whom we ask; no login where `username` is empty."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    patience: float = PATIENCE

    @property
    def url(self) -> str:
        """The address people open; never with the login in it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    def __repr__(self) -> str:
        return f"Site({self.url})"  # a password must not get into a traceback


def ask(site: Site, path: str, limit: int = LIMIT) -> Any:
    """Return the JSON at `path`. Raises Unanswered, at the latest after `site.patience` seconds."""
    backend = _OnTime(time.monotonic() + site.patience)
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend) as pool,
            pool.stream("GET", site.url + path.lstrip("/"), headers=_headers(site)) as response,
        ):
            return _parse(_body(response, limit))
    except httpcore.TimeoutException:
        raise Unanswered(f"no answer within {site.patience:g} s") from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unanswered(f"no answer ({type(error).__name__})") from None


def _headers(site: Site) -> list[tuple[bytes | str, bytes | str]]:
    headers: list[tuple[bytes | str, bytes | str]] = [
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]
    if site.username:
        login = base64.b64encode(f"{site.username}:{site.password}".encode()).decode()
        headers.append(("Authorization", f"Basic {login}"))
    return headers


def _body(response: httpcore.Response, limit: int) -> bytes:
    if response.status != 200:
        raise Unanswered(f"it answered with status {response.status}", response.status)
    body = b""
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > limit:
            raise Unanswered(f"it answered with more than {limit} bytes", response.status)
    return body


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Unanswered("what it answered is not JSON", 200) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity are no JSON, and no number of ours


def whole(answer: object, *keys: str) -> int:
    """Return the number at `keys`, cut to a whole one. Raises Unanswered where there is none, or it is negative."""
    value = inside(answer, *keys)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 63:
        raise Unanswered(f"{'.'.join(keys)} is not a number we can use", 200)
    return int(value)


def truth(answer: object, *keys: str) -> bool:
    """Return the true or false at `keys`. Raises Unanswered where there is none."""
    value = inside(answer, *keys)
    if not isinstance(value, bool):
        raise Unanswered(f"{'.'.join(keys)} is neither true nor false", 200)
    return value


def inside(answer: object, *keys: str) -> Any:
    """Return what is at `keys` of nested objects. Raises Unanswered where nothing is."""
    for key in keys:
        if not isinstance(answer, Mapping) or key not in answer:
            raise Unanswered(f"it did not say {'.'.join(keys)}", 200)
        answer = answer[key]
    return answer


class _OnTime(httpcore.NetworkBackend):
    """A network on which nothing takes longer than until `deadline`, all waits together."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the deadline is what counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        stream = self._network.connect_tcp(host, port, left, local_address, socket_options)
        return _StreamOnTime(stream, self._deadline)


class _StreamOnTime(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  as above
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  as above
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        raise NotImplementedError("products are asked over plain HTTP")

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, late: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late
    return left
