"""Pages of long lists: how many lines one has, and where the next begins.

A page token holds the sort key of the last line that was sent, in a form clients should not read anything into. It is
not secret and not signed: whatever comes back is checked by type and size, and only ever says from where to go on; who
may see which line is decided for each page anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence

from puddle.server.domain.validation import is_plain
from puddle.server.errors import Invalid

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 100, 1000
_VERSION = "v1"
_LONGEST = 2000
_INT64 = 1 << 63

Key = tuple[str | int, ...]


def page_size(asked: int) -> int:
    """Return how many lines a page has: 100 where nothing is asked, and never more than 1000."""
    if asked < 0:
        raise Invalid("page_size", "is not negative; 0 is the usual size")
    return min(asked or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def next_page(key: Key, query: str = "") -> str:
    """Return the token of the page after the line with that sort key. `query`: what was asked for, in any words."""
    held = json.dumps([_VERSION, _digest(query), *key], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(held.encode()).decode().rstrip("=")


def page_start(token: str, shape: Sequence[type], query: str = "") -> Key | None:
    """Return the sort key after which a page begins; None for the first one, which has no token.

    `shape`: the types (str, int) of the key's parts. Raises Invalid for what is no token of ours, or one of another
    query.
    """
    if not token:
        return None
    version, asked, *key = _read(token)
    if version != _VERSION or not _has_shape(key, shape):
        raise _not_ours()
    if asked != _digest(query):
        raise Invalid("page_token", "goes with the other fields of the request it came from; they have changed")
    return tuple(key)


def _read(token: str) -> list[str | int]:
    if len(token) > _LONGEST or not token.isascii():
        raise _not_ours()
    try:
        held = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise _not_ours() from None
    if not isinstance(held, list) or len(held) < 2:
        raise _not_ours()
    return held


def _has_shape(key: Sequence[object], shape: Sequence[type]) -> bool:
    return len(key) == len(shape) and all(_is(part, kind) for part, kind in zip(key, shape, strict=True))


def _is(part: object, kind: type) -> bool:
    """Tell whether a part is of that type and can be given to a database."""
    if type(part) is not kind:  # True is an int to isinstance
        return False
    return is_plain(part) if isinstance(part, str) else isinstance(part, int) and -_INT64 <= part < _INT64


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode(errors="surrogatepass")).hexdigest()[:8]


def _not_ours() -> Invalid:
    return Invalid("page_token", "is empty or the next_page_token of the answer before")
