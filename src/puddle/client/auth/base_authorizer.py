"""What every authorizer offers, so that clients can be used with any way of logging in."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from urllib.parse import urlsplit


class BaseAuthorizer(ABC):
    """Knows the backend's address and makes requests acceptable to it."""

    def __init__(self, server_address: str, verify: bool = True) -> None:
        """`server_address` is the backend's URL; `verify` checks its TLS certificate.

        Raises ValueError where the address is none.
        """
        self._server_address = _checked(server_address.strip().rstrip("/"))
        self._verify = verify

    @property
    def server_address(self) -> str:
        """URL of the backend."""
        return self._server_address

    @property
    def verify(self) -> bool:
        """Whether the backend's certificate is checked."""
        return self._verify

    @property
    @abstractmethod
    def token(self) -> str | None:
        """The token in use, or None before the first login."""

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """Return all headers a request needs."""

    def request_hook(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:  # noqa: B027 -- may do nothing
        """Make sure, before a request is sent, that its token is valid."""

    def response_hook(self, headers: Mapping[str, str]) -> None:  # noqa: B027 -- may do nothing
        """Read, from a response's headers, a renewed token."""

    def renew(self) -> bool:
        """The backend did not know the token: get another. False where there is no way to."""
        return False


def _checked(address: str) -> str:
    """Return an address that requests can be sent to, or say what one looks like."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port
        good = False
    if not good:
        raise ValueError(
            f"{shown(address)!r} is no address of a server; one is like http://127.0.0.1:8081 or https://puddle.example.com"
        )
    return address


def shown(address: str) -> str:
    """Return an address as it may be shown: what stands before an @ may be a password."""
    return re.sub("//[^/]*@", "//…@", address)
