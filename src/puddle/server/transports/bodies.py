"""Bodies of requests: read as they come, unpacked, and never larger than they may be.

Larger ones are taken from people who are known only, which is found out before they are read: there are many strangers.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable

from starlette.types import Receive

from puddle.server.errors import Invalid
from puddle.server.transports.refusals import Unserved, ambiguous, too_large, too_slow, wrong_coding

MOST_BYTES_OF_STRANGERS = 16 << 10
PATIENCE_S = 30.0
"""How long a body may take to come."""

_GZIP = 16 + zlib.MAX_WBITS


async def limit_of(headers: dict[bytes, bytes], most: int, known: Callable[[], Awaitable[bool]]) -> int:
    """Return how many bytes a body may have: `most` where its caller is `known`, asked only where it matters."""
    usual = min(most, MOST_BYTES_OF_STRANGERS)
    says_little = b"content-length" in headers and _declared(headers) <= usual
    if says_little and b"content-encoding" not in headers:
        return usual
    return most if await known() else usual


async def body_of(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """Return a request's body. Refuses one with more than `limit` bytes as soon as that shows, packed or not."""
    if b"transfer-encoding" in headers and b"content-length" in headers:
        raise ambiguous()
    if _declared(headers) > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(PATIENCE_S):
            body = await _read(receive, limit)
    except TimeoutError:
        raise too_slow() from None
    coding = headers.get(b"content-encoding")
    return body if coding is None else unpacked(body, coding, limit)


def unpacked(body: bytes, coding: bytes, limit: int) -> bytes:
    """Return a body as it was before it was packed; no more than `limit` bytes are ever made of it."""
    name = coding.strip().lower()
    if name == b"identity":
        return body
    if name != b"gzip":
        raise wrong_coding(coding.decode("latin-1"))
    machine = zlib.decompressobj(_GZIP)
    try:
        plain = machine.decompress(body, limit + 1)
    except zlib.error:
        raise Invalid("body", "is packed with gzip, as Content-Encoding says") from None
    if len(plain) > limit:
        raise too_large(limit)
    if not machine.eof:
        raise Invalid("body", "is a whole gzip stream")
    return plain


async def _read(receive: Receive, limit: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    chunks, size = [body], len(body)
    while message.get("more_body"):
        if size > limit:
            raise too_large(limit)
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    if message["type"] == "http.disconnect":
        raise Unserved(499, "canceled", "the caller is gone", "gone")
    if size > limit:
        raise too_large(limit)
    return body if len(chunks) == 1 else b"".join(chunks)


def _declared(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() and len(length) < 20 else 0
