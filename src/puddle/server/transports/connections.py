"""Limits on connections, before the caller is authenticated.

HTTP is parsed by h11, wherever the server runs: it is strict, a request's head has at most 16 KiB, and trailers after a
body are not taken for headers, with which clients could forge what a proxy says of them.

A connection without a request in progress, or whose client does not read its response, is closed after
`IDLE_TIMEOUT_S`, however slowly bytes trickle in (slowloris). No address has more than `per_address` connections,
except this machine and trusted proxies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from ipaddress import ip_address, ip_network
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

IDLE_TIMEOUT_S = 60.0
MAX_HEAD_BYTES = 16 << 10


class LimitedConnection(H11Protocol):
    """uvicorn's connection, closed when it is idle or read too slowly, or where its client has too many."""

    def __init__(self, *args: Any, per_address: int, exempt: Callable[[str], bool], **kwargs: Any) -> None:
        """`exempt`: whether an address may have any number of connections."""
        super().__init__(*args, **kwargs)
        self._per_address = per_address
        self._exempt = exempt
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it so, too
        """See asyncio.Protocol."""
        super().connection_made(transport)
        if self._has_too_many():
            transport.abort()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        super().resume_writing()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        self._stop_timer()

    def _watch(self) -> None:
        """Start the idle timer where it is the client's turn; what it sends meanwhile does not restart the timer."""
        working = self.cycle is not None and not self.cycle.response_complete
        if working and not self.flow.write_paused:
            self._stop_timer()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(IDLE_TIMEOUT_S, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _has_too_many(self) -> bool:
        if self.client is None or self._exempt(self.client[0]):
            return False
        addresses = [
            other.client[0] for other in self.connections if isinstance(other, LimitedConnection) and other.client
        ]
        return addresses.count(self.client[0]) > self._per_address


def protocol(per_address: int, proxies: Collection[str]) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol factory. `proxies`: addresses and networks that are exempt, as loopback is."""
    networks = [ip_network(proxy) for proxy in proxies]

    def exempt(address: str) -> bool:
        there = ip_address(address)
        return there.is_loopback or any(there in network for network in networks)

    def make(*args: Any, **kwargs: Any) -> LimitedConnection:
        return LimitedConnection(*args, per_address=per_address, exempt=exempt, **kwargs)

    return cast("type[asyncio.Protocol]", make)
