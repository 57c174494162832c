"""Logging in with an API key.

Key and secret are exchanged for a token that lives for minutes; the backend renews it in its answers while it is used.
"""

from __future__ import annotations

import time
from contextlib import suppress

import httpx

from puddle.client.auth.base_authorizer import BaseAuthorizer, from_environment
from puddle.client.errors.puddle_errors import PuddleError
from puddle.client.proto.v2 import auth_service_pb2

SERVER_ADDRESS_ENV_VAR_NAME = "PUDDLE_server_address"
_EARLY = 30  # a token is renewed so many seconds before it ends


class AuthError(PuddleError):
    """The backend does not accept the credentials; `reason` is ``bad_credentials``, say."""


class Authorizer(BaseAuthorizer):
    """Logs in with an API key: given, or in the environment.

    An argument wins over ``PUDDLE_api_key_id`` and ``PUDDLE_api_secret_key``, and they win over the same names in
    capitals. Raises ValueError where there is no key at all.
    """

    PUDDLE_API_KEY_ID_ENV_VAR_NAME = "PUDDLE_api_key_id"
    PUDDLE_API_SECRET_KEY_ENV_VAR_NAME = "PUDDLE_api_secret_key"  # noqa: S105 -- the name of a variable
    PUDDLE_TOKEN_HEADER = "X-Puddle-Token"  # noqa: S105 -- the name of a header

    def __init__(
        self,
        server_address: str,
        api_key_id: str | None = None,
        api_secret_key: str | None = None,
        verify: bool | None = True,
    ) -> None:
        """Nothing is sent yet: the first request logs in."""
        super().__init__(server_address, verify)
        self._key_id = api_key_id or from_environment(self.PUDDLE_API_KEY_ID_ENV_VAR_NAME)
        self._secret = api_secret_key or from_environment(self.PUDDLE_API_SECRET_KEY_ENV_VAR_NAME)
        if not self._key_id or not self._secret:
            names = f"{self.PUDDLE_API_KEY_ID_ENV_VAR_NAME} and {self.PUDDLE_API_SECRET_KEY_ENV_VAR_NAME}"
            raise ValueError(f"no API key: give api_key_id and api_secret_key, or set {names}; `puddle keys` makes one")
        self._token: str | None = None
        self._expires = 0.0
        self._user: auth_service_pb2.LoginUser | None = None

    @property
    def token(self) -> str | None:
        """The token in use, or None before the first login."""
        return self._token

    @property
    def user(self) -> auth_service_pb2.LoginUser | None:
        """Who is logged in, or None before the first login."""
        return self._user

    def login(self) -> auth_service_pb2.LoginResponse:
        """Exchange key and secret for a token. Raises AuthError where the backend does not accept them."""
        from puddle.client.transport import send

        request = auth_service_pb2.LoginRequest(api_key_id=self._key_id, api_secret_key=self._secret)
        response = auth_service_pb2.LoginResponse()
        send(self, "AuthService", "Login", request, response, {})
        self._token, self._expires, self._user = response.token, float(response.expires), response.user
        return response

    def logout(self) -> None:
        """Revoke the token; the next request logs in again."""
        from puddle.client.proto.v2.common_pb2 import Empty
        from puddle.client.transport import send

        if self._token is not None:
            with suppress(AuthError):  # it has ended by itself
                send(self, "AuthService", "Logout", Empty(), Empty(), self.headers())
            self._token = None

    def headers(self) -> dict[str, str]:
        """Return the headers a request needs."""
        return {self.PUDDLE_TOKEN_HEADER: self._token} if self._token else {}

    def request_hook(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        """Log in where there is no token, or one that is about to end."""
        del url, body, headers
        if self._token is None or time.time() > self._expires - _EARLY:
            self.login()

    def response_hook(self, resp: httpx.Response) -> None:
        """Keep a renewed token."""
        token = resp.headers.get(self.PUDDLE_TOKEN_HEADER)
        if token:
            self._token = token
            self._expires = float(resp.headers.get(f"{self.PUDDLE_TOKEN_HEADER}-Expires") or self._expires)

    def renew(self) -> bool:
        """Log in again."""
        self._token = None
        self.login()
        return True
