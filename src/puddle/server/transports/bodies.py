"""Request bodies: read as they come, decompressed, and never larger than allowed.

Only authenticated callers may send large ones; who is calling is found out before the body is read.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable

from starlette.types import Receive

from puddle.server.errors import Invalid
from puddle.server.transports.refusals import Unserved, ambiguous, too_large, too_slow, wrong_coding

MAX_ANONYMOUS_BYTES = 16 << 10
TIMEOUT_S = 30.0
"""How long a client may take to send a body."""

_GZIP = 16 + zlib.MAX_WBITS


async def limit_of(headers: dict[bytes, bytes], most: int, known: Callable[[], Awaitable[bool]]) -> int:
    """Return how many bytes a body may have: `most` of an authenticated caller, asked only where it matters."""
    anonymous = min(most, MAX_ANONYMOUS_BYTES)
    small = b"content-length" in headers and _declared(headers) <= anonymous
    if small and b"content-encoding" not in headers:
        return anonymous
    return most if await known() else anonymous


async def body_of(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """Return a request's body. Refuses one with more than `limit` bytes as soon as that shows, compressed or not."""
    if b"transfer-encoding" in headers and b"content-length" in headers:
        raise ambiguous()
    if _declared(headers) > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            body = await _read(receive, limit)
    except TimeoutError:
        raise too_slow() from None
    coding = headers.get(b"content-encoding")
    return body if coding is None else decompressed(body, coding, limit)


def decompressed(body: bytes, coding: bytes, limit: int) -> bytes:
    """Return a decompressed body; never more than `limit` bytes are decompressed."""
    name = coding.strip().lower()
    if name == b"identity":
        return body
    if name != b"gzip":
        raise wrong_coding(coding.decode("latin-1"))
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error:
        raise Invalid("body", "is packed with gzip, as Content-Encoding says") from None
    if len(plain) > limit:
        raise too_large(limit)
    if not stream.eof:
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
