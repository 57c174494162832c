"""What every authorizer offers, so that clients can be used with any way of logging in."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod

import httpx

VERIFY_ENV_VAR_NAME = "PUDDLE_verify"
_YES, _NO = {"", "1", "true", "yes", "on"}, {"0", "false", "no", "off"}


class BaseAuthorizer(ABC):
    """Knows the backend's address and makes requests acceptable to it."""

    def __init__(self, server_address: str, verify: bool | None = True) -> None:
        """`server_address` is the backend's URL; `verify` checks its TLS certificate.

        None: as ``PUDDLE_verify`` says, and checked where that says nothing. Raises ValueError for a value of that
        variable which is neither yes nor no.
        """
        self._server_address = server_address.rstrip("/")
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


def _verify_by_environment() -> bool:
    said = (os.environ.get(VERIFY_ENV_VAR_NAME) or os.environ.get(VERIFY_ENV_VAR_NAME.upper()) or "").strip().lower()
    if said not in _YES | _NO:
        raise ValueError(f"{VERIFY_ENV_VAR_NAME} is true or false, not {said!r}")
    return said in _YES
