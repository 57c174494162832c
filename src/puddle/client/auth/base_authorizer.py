"""What every authorizer offers, so that clients can be used with any way of logging in."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from urllib.parse import urlsplit

import httpx

VERIFY_ENV_VAR_NAME = "PUDDLE_verify"
_YES, _NO = {"", "1", "true", "yes", "on"}, {"0", "false", "no", "off"}


class BaseAuthorizer(ABC):
    """Knows the backend's address and makes requests acceptable to it."""

    def __init__(self, server_address: str, verify: bool | None = True) -> None:
        """`server_address` is the backend's URL; `verify` checks its TLS certificate.

        None: as ``PUDDLE_verify`` says, and checked where that says nothing. Raises ValueError for an address that is
        none, and for a value of that variable which is neither yes nor no.
        """
        self._server_address = _checked(server_address.strip().rstrip("/"))
        self._verify = _verify_by_environment() if verify is None else verify

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

    def request_hook(self, url: str, body: bytes, headers: dict[str, str]) -> None:  # noqa: B027 -- may do nothing
        """Make sure, before a request is sent, that its token is valid.

        What is added to `headers` is sent; `BaseAuthorizer.headers` is asked afterwards, and wins.
        """

    def response_hook(self, resp: httpx.Response) -> None:  # noqa: B027 -- may do nothing
        """Read, from a response's headers, a renewed token. Refusals come by here, too."""

    def renew(self) -> bool:
        """The backend did not know the token: get another. False where there is no way to."""
        return False


def from_environment(name: str) -> str | None:
    """Return a variable by its documented name, or by the same name in capitals."""
    return os.environ.get(name) or os.environ.get(name.upper())


def _verify_by_environment() -> bool:
    said = (from_environment(VERIFY_ENV_VAR_NAME) or "").strip().lower()
    if said not in _YES | _NO:
        raise ValueError(f"{VERIFY_ENV_VAR_NAME} is true or false, not {said!r}")
    return said in _YES


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
