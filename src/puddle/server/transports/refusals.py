"""Why a call is refused, as it travels: an HTTP status and `{"code", "message", "meta"}`. The only place that knows.

`code` is the Connect protocol's word. `meta` has what `ErrorMeta` in ``common.proto`` lists: always `request_id`,
`reason` and `allowed_actions`, and `field`, `rule`, `retry_after`, `kind` where they mean something.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from puddle.server.errors import Refused

Header = tuple[bytes, bytes]

STATUS: Mapping[str, int] = {
    "invalid_argument": 400,
    "out_of_range": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "unimplemented": 404,
    "aborted": 409,
    "already_exists": 409,
    "failed_precondition": 412,
    "resource_exhausted": 429,
    "canceled": 499,
    "unknown": 500,
    "internal": 500,
    "data_loss": 500,
    "unavailable": 503,
    "deadline_exceeded": 504,
}
"""Code → status; a refusal may have a more telling `status` of its own."""


class Unserved(Refused):
    """A call that did not get as far as a method. `status` is HTTP's word where it has one that says more."""

    def __init__(self, status: int, code: str, sentence: str, reason: str, **meta: str | int | Sequence[str]) -> None:
        """See the class."""
        super().__init__(sentence, reason, **meta)
        self.status = status
        self.code = code


def too_large(limit: int) -> Unserved:
    """Return the refusal of a body with more than `limit` bytes."""
    return Unserved(413, "resource_exhausted", f"a request has at most {limit} bytes here", "too_large", limit=limit)


def ambiguous() -> Unserved:
    """Return the refusal of a body whose end could be seen in two places: a proxy may have seen it in the other."""
    sentence = "a request has Content-Length or Transfer-Encoding, and not both"
    return Unserved(400, "invalid_argument", sentence, "framing", field="Content-Length")


def wrong_method(method: str) -> Unserved:
    """Return the refusal of whatever is not a POST."""
    return Unserved(405, "unimplemented", f"methods are called with POST, not with {method[:16]}", "post_only")


def wrong_type(content_type: str) -> Unserved:
    """Return the refusal of a body that is neither protobuf nor JSON."""
    found = f"{content_type[:64]!r}" if content_type else "nothing"
    sentence = f"Content-Type is application/proto or application/json; it is {found}"
    return Unserved(415, "invalid_argument", sentence, "content_type", field="Content-Type")


def wrong_coding(coding: str) -> Unserved:
    """Return the refusal of a Content-Encoding that is not supported."""
    sentence = f"Content-Encoding is gzip or identity; it is {coding[:32]!r}"
    return Unserved(415, "unimplemented", sentence, "content_encoding", field="Content-Encoding")


def no_method(path: str) -> Unserved:
    """Return the refusal of a path at which there is no method."""
    return Unserved(404, "unimplemented", f"there is no method at {path[:128]!r}; see /openapi.json", "no_method")


def too_slow() -> Unserved:
    """Return the refusal of a body that does not come in time, or of a call that takes longer than its timeout."""
    return Unserved(
        504, "deadline_exceeded", "the call has timed out; what it asked for may be done all the same", "slow"
    )


def busy() -> Unserved:
    """Return the refusal of a call while too many are pending."""
    sentence = "the server is overloaded; try again in a second"
    return Unserved(503, "unavailable", sentence, "busy", retry_after=1)


def no_database() -> Unserved:
    """Return the refusal of a call whose database does not answer."""
    return Unserved(503, "unavailable", "the database does not answer; try again in a moment", "database")


def full_database() -> Unserved:
    """Return the refusal of a change for which the database has no room."""
    sentence = (
        "the database's disk is full, so nothing can be changed until an administrator makes room; machines run on"
    )
    return Unserved(503, "unavailable", sentence, "database_full")


def frozen_database() -> Unserved:
    """Return the refusal of a change that the database does not take from anybody just now."""
    sentence = (
        "the database is read-only just now, so nothing can be changed; what there is can be seen, and machines run on"
    )
    return Unserved(503, "unavailable", sentence, "database_read_only")


def broken() -> Unserved:
    """Return the refusal for a bug in the server, which says no more than that the log has it."""
    return Unserved(500, "internal", "internal error; the server's log has it under this request id", "internal")


def status_of(refused: Refused) -> int:
    """Return the HTTP status of a refusal."""
    own = getattr(refused, "status", None)
    return own if isinstance(own, int) else STATUS.get(refused.code, 500)


def body_of(refused: Refused, request_id: str) -> bytes:
    """Return the body of an error response, as JSON."""
    meta = {**refused.meta, "request_id": request_id, "allowed_actions": refused.meta.get("allowed_actions", [])}
    said = {"code": refused.code, "message": refused.sentence, "meta": meta}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def headers_of(refused: Refused) -> list[Header]:
    """Return the headers that go with a refusal beside its body's own."""
    headers = []
    if "retry_after" in refused.meta:
        headers.append((b"retry-after", str(refused.meta["retry_after"]).encode()))
    if status_of(refused) == 405:
        headers.append((b"allow", b"POST"))
    if status_of(refused) == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if refused.reason == "framing":
        headers.append((b"connection", b"close"))  # what follows may be a request that somebody smuggles in
    return headers
