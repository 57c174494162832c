"""An address that is none, and places where no Puddle answers: each is told in a sentence that says what may help."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from puddle.client import AdminClient, SystemsClient
from puddle.client.auth.authorizer import Authorizer
from puddle.client.cloud.clouds import CLOUD_LOCAL
from puddle.client.errors.puddle_errors import BackendError
from puddle.client.transport import unreached

SECRET = "s"


class Elsewhere(BaseHTTPRequestHandler):
    """A web server that is none of ours, or a proxy before nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if "moved" in self.path:
            self.send_response(301)
            self.send_header("Location", "https://user:secret@elsewhere.example/")
        else:
            self.send_response(502)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def asked(address: str) -> str:
    client = AdminClient(address, api_key_id="k", api_secret_key=SECRET)
    with pytest.raises(BackendError) as caught:
        client.users()
    return str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8081", "localhost", "ftp://host", "http://", "http://host:port", "http://host:99999", "http://:1"],
)
def test_what_is_no_address_is_refused_at_once_with_an_example(address: str) -> None:
    with pytest.raises(ValueError, match=r"is no address of a server; one is like http://127\.0\.0\.1:8081"):
        Authorizer(address, "k", "s")


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="is no address") as caught:
        Authorizer("http://me:secret@host:port", "k", "s")
    assert "secret" not in str(caught.value)
    assert "secret" not in asked("http://me:secret@127.0.0.1:9")


def test_a_client_shows_where_it_asks_and_no_password() -> None:
    given = {"api_key_id": "k", "api_secret_key": SECRET}
    assert repr(AdminClient("https://host", **given)) == "<AdminClient of https://host>"
    systems = SystemsClient(CLOUD_LOCAL, "https://me:secret@host", **given)
    assert repr(systems) == "<SystemsClient of local at https://…@host>"


def test_blanks_and_slashes_around_an_address_do_no_harm() -> None:
    assert Authorizer(" https://host/puddle/ ", "k", "s").server_address == "https://host/puddle"


def test_where_nothing_listens_that_is_said() -> None:
    assert "nothing listens there" in asked("http://127.0.0.1:9")


def test_where_no_tls_is_spoken_the_other_address_is_named(elsewhere: str) -> None:
    assert "is it http:// instead" in asked(f"https://{elsewhere}")


def test_an_answer_that_is_not_ours_says_whose_and_what_it_was(elsewhere: str) -> None:
    told = asked(f"http://{elsewhere}")
    assert f"http://{elsewhere}/puddle.v2.AuthService/Login answered 502 Bad Gateway, which is not how Puddle" in told


def test_where_one_is_sent_elsewhere_the_place_is_named(elsewhere: str) -> None:
    told = asked(f"http://{elsewhere}/moved")
    assert "sending on to https://…@elsewhere.example/" in told


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"), "SSL_CERT_FILE"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "no host of that name"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "begins with https://"),
        (httpx.ReadTimeout("timed out"), "look before you ask again"),
        (httpx.ReadTimeout(""), "look before you ask again"),
    ],
)
def test_what_the_network_says_comes_with_what_may_help(error: httpx.HTTPError, hint: str) -> None:
    assert hint in unreached("http://host", error)


def test_what_is_not_known_to_help_is_not_guessed() -> None:
    assert unreached("http://host", httpx.ReadError("odd")) == "Puddle cannot be reached at http://host: odd"
