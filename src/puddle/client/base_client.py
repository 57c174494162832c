"""What all clients share: an authorizer; and most of them: a cloud, and waiting for long operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from puddle.client.auth.authorizer import SERVER_ADDRESS_ENV_VAR_NAME, Authorizer
from puddle.client.auth.base_authorizer import BaseAuthorizer, from_environment, shown
from puddle.client.cloud import CloudProvider
from puddle.client.progress import Progress
from puddle.client.proto.v2 import auth_service_pb2
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.client.transport import call
from puddle.client.waiting import wait

Answer = TypeVar("Answer", bound=Message)
Seen = TypeVar("Seen")


class BaseClient:
    """A client of the backend."""

    def __init__(
        self,
        server_address: str | None = None,
        authorizer: BaseAuthorizer | None = None,
        api_key_id: str | None = None,
        api_secret_key: str | None = None,
        verify: bool | None = True,
    ) -> None:
        """Connect to nothing yet.

        `server_address` falls back to ``PUDDLE_server_address``, the key to ``PUDDLE_api_key_id`` and
        ``PUDDLE_api_secret_key``; both are ignored where an `authorizer` is given. `verify` checks the backend's TLS
        certificate; None leaves that to ``PUDDLE_verify``. Raises ValueError where the address or the key is nowhere
        to be found.
        """
        self._authorizer = authorizer or Authorizer(_address(server_address), api_key_id, api_secret_key, verify)

    @property
    def authorizer(self) -> BaseAuthorizer:
        """Who makes the requests acceptable."""
        return self._authorizer

    @property
    def server_address(self) -> str:
        """URL of the backend."""
        return self._authorizer.server_address

    @property
    def user(self) -> auth_service_pb2.LoginUser | None:
        """Who is logged in."""
        return self._call("AuthService", "WhoAmI", Empty(), auth_service_pb2.LoginUser())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {shown(self.server_address)}>"

    def _call(self, service: str, method: str, request: Message, response: Answer) -> Answer:
        return call(self._authorizer, service, method, request, response)


class BaseCloudClient(BaseClient):
    """A client of the backend, tied to one cloud provider.

    Long operations are waited for by asking again: at first after half a second, then less and less often, every
    `POLL_INTERVAL_S` seconds at last, for `POLL_TIMEOUT_MINUTES` at most. A backend that is away for some minutes
    meanwhile (it is restarted, say) does not end the waiting. A line on the terminal, or in the notebook, says how it
    stands; not where `SHOW_PROGRESS` is False.
    """

    POLL_INTERVAL_S = 30
    POLL_TIMEOUT_MINUTES = 60
    SHOW_PROGRESS = True

    def __init__(
        self,
        cloud: CloudProvider,
        server_address: str | None = None,
        authorizer: BaseAuthorizer | None = None,
        api_key_id: str | None = None,
        api_secret_key: str | None = None,
        verify: bool | None = True,
    ) -> None:
        """Connect to nothing yet; `BaseClient` says what the other arguments mean."""
        super().__init__(server_address, authorizer, api_key_id, api_secret_key, verify)
        self._cloud = cloud

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._cloud.id} at {shown(self.server_address)}>"

    @property
    def cloud(self) -> CloudProvider:
        """The provider this client is tied to."""
        return self._cloud

    def _wait(
        self,
        look: Callable[[], Seen],
        done: Callable[[Seen], bool],
        still: Callable[[Seen], str],
        timeout_minutes: float | None = None,
        interval_s: float | None = None,
    ) -> Seen:
        """Return the first thing seen that is `done`; see `waiting.wait`."""
        minutes = self.POLL_TIMEOUT_MINUTES if timeout_minutes is None else timeout_minutes
        pause = self.POLL_INTERVAL_S if interval_s is None else interval_s
        with Progress(self.SHOW_PROGRESS) as progress:
            return wait(look, done, still, timeout_s=60 * minutes, longest_pause_s=pause, progress=progress)


class Identified(Protocol):
    """What has an id: a model, or a message of the API."""

    @property
    def id(self) -> str:
        """Its id."""


def id_of(thing: str | Identified) -> str:
    """Return the id of a thing; where an id is given, that."""
    return thing if isinstance(thing, str) else thing.id


def _address(given: str | None) -> str:
    address = given or from_environment(SERVER_ADDRESS_ENV_VAR_NAME)
    if not address:
        raise ValueError(
            f"no server: give server_address, or set {SERVER_ADDRESS_ENV_VAR_NAME}, "
            "for example to http://127.0.0.1:8081"
        )
    return address
