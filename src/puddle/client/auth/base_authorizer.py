"""What every authorizer offers, so that clients can be used with any way of logging in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping


class BaseAuthorizer(ABC):
    """Knows the backend's address and makes requests acceptable to it."""

    def __init__(self, server_address: str, verify: bool = True) -> None:
        """`server_address` is the backend's URL; `verify` checks its TLS certificate."""
        self._server_address = server_address.rstrip("/")
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
