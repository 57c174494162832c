"""Who a client is: arguments and variables, hooks that see every request, and tokens that are renewed."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from puddle.client import SystemsClient, transport
from puddle.client.auth.authorizer import AuthError, Authorizer
from puddle.client.auth.bearer import BearerTokenAuthorizer
from puddle.client.cloud.clouds import CLOUD_LOCAL
from puddle.client.errors.puddle_errors import PermissionDeniedError
from puddle.client.proto.v2 import auth_service_pb2 as pb

ADDRESS = "http://backend.invalid"
KEY, SECRET = Authorizer.PUDDLE_API_KEY_ID_ENV_VAR_NAME, Authorizer.PUDDLE_API_SECRET_KEY_ENV_VAR_NAME
VARIABLES = ["PUDDLE_server_address", KEY, SECRET, "PUDDLE_verify"]
HEADER = Authorizer.PUDDLE_TOKEN_HEADER


class Backend:
    """Answers what a test says; keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.verified: list[bool] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda _request: httpx.Response(200)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.endswith("/Login"):
            ends = int(time.time()) + 900
            made = pb.LoginResponse(token=f"t{len(self.logins())}", expires=ends, user=pb.LoginUser(name="ann"))
            return httpx.Response(200, content=made.SerializeToString())
        return self.answer(request)

    def connection(self, verify: bool) -> httpx.Client:
        """In the place of `transport._connection`."""
        self.verified.append(verify)
        return httpx.Client(transport=httpx.MockTransport(self))

    def logins(self) -> list[pb.LoginRequest]:
        """What was logged in with."""
        sent = [each for each in self.requests if each.url.path.endswith("/Login")]
        return [pb.LoginRequest.FromString(each.content) for each in sent]

    def calls(self) -> list[httpx.Request]:
        """All other requests."""
        return [each for each in self.requests if not each.url.path.endswith("/Login")]


def key(name: str) -> dict[str, str]:
    return {"api_key_id": name, "api_secret_key": f"of {name}"}


@pytest.fixture(autouse=True)
def backend(monkeypatch: pytest.MonkeyPatch) -> Backend:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    played = Backend()
    monkeypatch.setattr(transport, "_connection", played.connection)
    return played


def refused(code: int, word: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: httpx.Response(code, json={"code": word, "message": word, "meta": {}})


# arguments and variables


def test_an_argument_counts_more_than_a_variable_and_that_more_than_one_in_capitals(
    monkeypatch: pytest.MonkeyPatch, backend: Backend
) -> None:
    for name, value in ((KEY.upper(), "capitals"), (SECRET.upper(), "c"), ("PUDDLE_SERVER_ADDRESS", ADDRESS)):
        monkeypatch.setenv(name, value)
    SystemsClient(CLOUD_LOCAL).list()
    monkeypatch.setenv(KEY, "documented")
    monkeypatch.setenv(SECRET, "d")
    SystemsClient(CLOUD_LOCAL).list()
    SystemsClient(CLOUD_LOCAL, **key("given")).list()
    asked = [(each.api_key_id, each.api_secret_key) for each in backend.logins()]
    assert asked == [("capitals", "c"), ("documented", "d"), ("given", "of given")]


def test_without_an_address_or_a_key_there_is_a_value_error_that_names_the_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match="PUDDLE_server_address"):
        SystemsClient(CLOUD_LOCAL, **key("k"))
    with pytest.raises(ValueError, match="PUDDLE_api_key_id and PUDDLE_api_secret_key"):
        SystemsClient(CLOUD_LOCAL, ADDRESS)
    monkeypatch.setenv(KEY, "k")
    with pytest.raises(ValueError, match="no API key"):
        SystemsClient(CLOUD_LOCAL, ADDRESS)


def test_an_authorizer_makes_keys_and_address_needless() -> None:
    mine = Authorizer(ADDRESS + "/", "k", "s")
    systems = SystemsClient(CLOUD_LOCAL, "http://elsewhere.invalid", authorizer=mine)
    assert systems.authorizer is mine
    assert systems.server_address == ADDRESS


@pytest.mark.parametrize(
    ("verify", "said", "checked"),
    [
        (True, "false", True),
        (False, "true", False),
        (None, "false", False),
        (None, "No", False),
        (None, "1", True),
        (None, "", True),
    ],
)
def test_the_certificate_is_checked_unless_somebody_says_no(
    monkeypatch: pytest.MonkeyPatch, backend: Backend, verify: bool | None, said: str, checked: bool
) -> None:
    monkeypatch.setenv("PUDDLE_verify", said)
    SystemsClient(CLOUD_LOCAL, ADDRESS, **key("k"), verify=verify).list()
    assert set(backend.verified) == {checked}


def test_a_word_that_is_neither_yes_nor_no_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUDDLE_VERIFY", "perhaps")
    with pytest.raises(ValueError, match="PUDDLE_verify is true or false"):
        SystemsClient(CLOUD_LOCAL, ADDRESS, **key("k"), verify=None)


# hooks


class Watchful(Authorizer):
    """Sees what goes and what comes, as an authorizer of one's own may."""

    def __init__(self) -> None:
        super().__init__(ADDRESS, "k", "s")
        self.went: list[tuple[str, bytes]] = []
        self.came: list[int] = []

    def request_hook(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        super().request_hook(url, body, headers)
        self.went.append((url, body))
        headers["X-Trace"] = "42"

    def response_hook(self, resp: httpx.Response) -> None:
        super().response_hook(resp)
        self.came.append(resp.status_code)


def test_hooks_see_each_request_and_each_response(backend: Backend) -> None:
    mine = Watchful()
    systems = SystemsClient(CLOUD_LOCAL, authorizer=mine)
    systems.list()
    backend.answer = refused(403, "permission_denied")
    with pytest.raises(PermissionDeniedError):
        systems.list_all()
    assert [url for url, _ in mine.went] == [f"{ADDRESS}/puddle.v2.SystemService/ListSystems"] * 2
    assert [body for _, body in mine.went] == [each.content for each in backend.calls()]
    assert [each.headers["X-Trace"] for each in backend.calls()] == ["42", "42"]
    assert mine.came == [200, 403]


def test_a_token_that_comes_back_is_the_next_one(backend: Backend) -> None:
    ends = str(int(time.time()) + 900)
    backend.answer = lambda _request: httpx.Response(200, headers={HEADER: "next", f"{HEADER}-Expires": ends})
    mine = Authorizer(ADDRESS, "k", "s")
    SystemsClient(CLOUD_LOCAL, authorizer=mine).list()
    SystemsClient(CLOUD_LOCAL, authorizer=mine).list()
    assert [each.headers[HEADER] for each in backend.calls()] == ["t1", "next"]
    assert (mine.token, mine.headers()) == ("next", {HEADER: "next"})
    assert len(backend.logins()) == 1


# tokens that are not known any more


def test_a_token_the_backend_does_not_know_is_renewed_once(backend: Backend) -> None:
    systems = SystemsClient(CLOUD_LOCAL, authorizer=Authorizer(ADDRESS, "k", "s"))
    backend.answer = lambda request: (
        httpx.Response(200) if request.headers[HEADER] == "t2" else refused(401, "unauthenticated")(request)
    )
    assert systems.list() == []
    backend.answer = refused(401, "unauthenticated")
    with pytest.raises(AuthError):
        systems.list()
    assert len(backend.logins()) == 3
    assert len(backend.calls()) == 4


def test_why_credentials_are_not_taken_is_told(backend: Backend) -> None:
    meta = {"reason": "bad_token", "request_id": "r-1"}
    backend.answer = lambda _request: httpx.Response(
        401, json={"code": "unauthenticated", "message": "no", "meta": meta}
    )
    with pytest.raises(AuthError, match="no") as refused:
        SystemsClient(CLOUD_LOCAL, authorizer=Authorizer(ADDRESS, "k", "s")).list()
    assert (refused.value.reason, refused.value.request_id) == ("bad_token", "r-1")
    backend.answer = lambda _request: httpx.Response(401, text="a proxy's words")
    with pytest.raises(AuthError, match="401") as refused:
        SystemsClient(CLOUD_LOCAL, authorizer=Authorizer(ADDRESS, "k", "s")).list()
    assert (refused.value.reason, refused.value.request_id) == ("", "")


def test_one_is_logged_out_with_a_token_that_has_ended_too(backend: Backend) -> None:
    mine = Authorizer(ADDRESS, "k", "s")
    mine.login()
    assert mine.user == pb.LoginUser(name="ann")
    backend.answer = refused(401, "unauthenticated")
    mine.logout()
    assert (mine.token, mine.headers()) == (None, {})
    mine.logout()
    assert len(backend.calls()) == 1


def test_a_bearer_token_is_asked_for_at_each_request_and_not_renewed_here(backend: Backend) -> None:
    tokens = iter(["one", "two", "three"])
    systems = SystemsClient(CLOUD_LOCAL, authorizer=BearerTokenAuthorizer(ADDRESS, lambda: next(tokens)))
    systems.list()
    backend.answer = refused(401, "unauthenticated")
    with pytest.raises(AuthError):
        systems.list()
    assert [each.headers["Authorization"] for each in backend.calls()] == ["Bearer one", "Bearer two"]
    assert backend.logins() == []
