"""What one connection may cost a server, before anything is known of who is at its other end.

HTTP is read by h11, wherever the server runs: it is strict, a request's head has at most 16 KiB, and what comes after a
body (trailers) does not pass for headers, by which strangers could add to what a proxy has said of them.

A connection on which no request is in hand, or whose client does not read its answer, is cut after `PATIENCE_S`:
whoever sends a letter now and then holds no place for long. And nobody has more connections than `per_address`, but
this machine and proxies, through which everybody comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from ipaddress import ip_address, ip_network
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_S = 60.0
MOST_BYTES_OF_HEAD = 16 << 10


class Punctual(H11Protocol):
    """uvicorn's connection, cut when it is idle or read too slowly, or where its client has too many."""

    def __init__(self, *args: Any, per_address: int, spared: Callable[[str], bool], **kwargs: Any) -> None:
        """`spared`: of whose addresses connections are not counted."""
        super().__init__(*args, **kwargs)
        self._per_address = per_address
        self._spared = spared
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it so, too
        """See asyncio.Protocol."""
        super().connection_made(transport)
        if self._crowded():
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
        self._stop_waiting()

    def _watch(self) -> None:
        """Begin to wait where we wait for the client, which what it sends meanwhile does not prolong."""
        working = self.cycle is not None and not self.cycle.response_complete
        if working and not self.flow.write_paused:
            self._stop_waiting()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(PATIENCE_S, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _crowded(self) -> bool:
        if self.client is None or self._spared(self.client[0]):
            return False
        addresses = [other.client[0] for other in self.connections if isinstance(other, Punctual) and other.client]
        return addresses.count(self.client[0]) > self._per_address


def protocol(per_address: int, proxies: Collection[str]) -> type[asyncio.Protocol]:
    """Return what makes connections for uvicorn. `proxies`: addresses and networks that are spared, as loopback is."""
    networks = [ip_network(proxy) for proxy in proxies]

    def spared(address: str) -> bool:
        there = ip_address(address)
        return there.is_loopback or any(there in network for network in networks)

    def make(*args: Any, **kwargs: Any) -> Punctual:
        return Punctual(*args, per_address=per_address, spared=spared, **kwargs)

    return cast("type[asyncio.Protocol]", make)
