"""Bodies of requests: read as they come, unpacked, and never larger than they may be."""

from __future__ import annotations

import asyncio
import zlib

from starlette.types import Receive

from puddle.server.errors import Invalid
from puddle.server.transports.refusals import Unserved, too_large, too_slow, wrong_coding

PATIENCE_S = 30.0
"""How long a body may take to come."""

_GZIP = 16 + zlib.MAX_WBITS


async def body_of(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """Return a request's body. Refuses one with more than `limit` bytes as soon as that shows, packed or not."""
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
