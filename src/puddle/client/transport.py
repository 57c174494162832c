"""One call to the backend: protobuf over HTTP POST, one URL per method (the Connect unary protocol)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import httpx
from google.protobuf.message import DecodeError, Message

from puddle.client.auth.authorizer import AuthError
from puddle.client.auth.base_authorizer import BaseAuthorizer, shown
from puddle.client.errors.puddle_errors import BackendError, error_of

PROTO = "application/proto"
TIMEOUT_S = 60.0
_PROTOCOL: Mapping[str, str] = {"Content-Type": PROTO, "Accept": PROTO}

Answer = TypeVar("Answer", bound=Message)


def call(authorizer: BaseAuthorizer, service: str, method: str, request: Message, response: Answer) -> Answer:
    """Send `request` as the authorizer's user; fill and return `response`.

    The authorizer's hooks see each request before it is sent, and what comes back. A token the backend does not know
    any more (it was restarted, or revoked it) is renewed once. Raises AuthError or what `errors.puddle_errors` has for
    the backend's code.
    """
    try:
        return _sent(authorizer, service, method, request, response)
    except AuthError:
        if not authorizer.renew():
            raise
    return _sent(authorizer, service, method, request, response)


def send(
    authorizer: BaseAuthorizer,
    service: str,
    method: str,
    request: Message,
    response: Answer,
    headers: Mapping[str, str],
) -> Answer:
    """Send one request with exactly these headers beside the protocol's own, past the hooks: to log in and out."""
    url = _url(authorizer, service, method)
    return _filled(response, url, _posted(authorizer, url, request.SerializeToString(), {**_PROTOCOL, **headers}))


def _sent(authorizer: BaseAuthorizer, service: str, method: str, request: Message, response: Answer) -> Answer:
    url, body, headers = _url(authorizer, service, method), request.SerializeToString(), dict(_PROTOCOL)
    authorizer.request_hook(url, body, headers)
    answer = _posted(authorizer, url, body, {**headers, **authorizer.headers()})
    authorizer.response_hook(answer)
    return _filled(response, url, answer)


def _posted(authorizer: BaseAuthorizer, url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
    try:
        return _connection(authorizer.verify).post(url, content=body, headers=dict(headers))
    except httpx.HTTPError as error:
        raise BackendError(unreached(authorizer.server_address, error)) from error


def _filled(response: Answer, url: str, answer: httpx.Response) -> Answer:
    if answer.status_code != httpx.codes.OK:
        raise error_from(answer, url)
    try:
        response.ParseFromString(answer.content)
    except DecodeError as error:
        raise BackendError(f"{url} answered something that is no {type(response).__name__}: is it Puddle?") from error
    return response


def _url(authorizer: BaseAuthorizer, service: str, method: str) -> str:
    return f"{authorizer.server_address}/puddle.v2.{service}/{method}"


@cache
def _connection(verify: bool) -> httpx.Client:
    return httpx.Client(verify=verify, timeout=TIMEOUT_S, follow_redirects=False)


_HINTS = (
    (r"refused", "nothing listens there: does the server run, and is that its port?"),
    (r"WRONG_VERSION_NUMBER|record layer", "it does not speak TLS there: is it http:// instead of https://?"),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "set SSL_CERT_FILE to the certificate of the authority that its certificate is from",
    ),
    (r"[Nn]ame or service not known|nodename nor|getaddrinfo|name resolution", "there is no host of that name"),
    (r"disconnected without|Connection reset", "if it speaks TLS there, its address begins with https://"),
    (r"timed out|Timeout", "what was asked may be done all the same: look before you ask again"),
)
"""What a failure of the network says, and what may help."""


def unreached(address: str, error: httpx.HTTPError) -> str:
    """Return the sentence for a backend that cannot be reached, with what may help."""
    why = str(error) or type(error).__name__
    hint = next((hint for said, hint in _HINTS if re.search(said, f"{why} {type(error).__name__}")), "")
    return f"Puddle cannot be reached at {shown(address)}: {why}" + (f"; {hint}" if hint else "")


def _not_ours(answer: httpx.Response, url: str) -> str:
    """Return what to say of an answer that is none of Puddle's: of another server, or of a proxy."""
    place = answer.headers.get("Location")
    sent = f", sending on to {shown(place)}" if place else ""
    told = f"{shown(url)} answered {answer.status_code} {answer.reason_phrase}{sent}"
    return f"{told}, which is not how Puddle answers: is the address right, and does its proxy reach it?"


def error_from(answer: httpx.Response, url: str) -> Exception:
    """Return the exception for a response that is not 200: the backend's error, or another server's."""
    said = _json(answer)
    message = str(said.get("message") or _not_ours(answer, url))
    sent = said.get("meta")
    meta: dict[str, Any] = sent if isinstance(sent, dict) else {}
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return AuthError(message, meta)
    if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:  # a proxy says it without our words
        meta = {"reason": "too_large", **meta}
    return error_of(str(said.get("code", "")), message, meta)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
