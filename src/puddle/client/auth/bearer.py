"""Logging in with a token that somebody else issued, such as an OpenID provider."""

from __future__ import annotations

from collections.abc import Callable

from puddle.client.auth.base_authorizer import BaseAuthorizer


class BearerTokenAuthorizer(BaseAuthorizer):
    """Sends ``Authorization: Bearer …`` with what `token_provider` returns at each request."""

    def __init__(self, server_address: str, token_provider: Callable[[], str], verify: bool | None = True) -> None:
        """`token_provider` is called before every request, and has to renew its tokens itself."""
        super().__init__(server_address, verify)
        self._provide = token_provider

    @property
    def token(self) -> str | None:
        """The token of now."""
        return self._provide()

    def headers(self) -> dict[str, str]:
        """Return the headers a request needs."""
        return {"Authorization": f"Bearer {self._provide()}"}
