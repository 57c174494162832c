"""Asking over HTTP: one deadline for the whole exchange, and nothing of the login in what is shown."""

import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from puddle.server.products.asking import Site, Unanswered, ask
from puddle.testing.products import serve


@contextmanager
def dripping(words):
    """A server that sends `words`, and then for ever a byte now and then, so that no single wait is long."""
    over = threading.Event()

    def drip():
        connection, _ = server.accept()
        with connection, suppress(OSError):  # the other side has heard enough
            connection.sendall(words)
            while not over.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            socket.create_connection(server.getsockname()).close()  # in case nobody has come
            thread.join()


@pytest.mark.parametrize(
    "words",
    [b"", b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
    ids=["status", "headers", "body"],
)
def test_no_part_of_an_answer_may_come_drop_by_drop(words):
    """Neither its first line nor its headers nor its body: the deadline is one for all."""
    with dripping(words) as port, pytest.raises(Unanswered) as error:
        ask(Site(host="127.0.0.1", port=port, patience=0.3), "/")
    assert words == b"" or "0.3 s" in str(error.value)


def test_a_limit_is_kept_and_the_status_told():
    """Of what is too long no more is read than the limit."""
    with serve(lambda _path: (200, [b" " * 100, b"1"])) as port:
        site = Site(host="127.0.0.1", port=port, patience=60)
        assert ask(site, "/", limit=101) == 1
        with pytest.raises(Unanswered, match="more than 100 bytes"):
            ask(site, "/", limit=100)
    with serve(lambda _path: (418, [b""])) as port, pytest.raises(Unanswered) as error:
        ask(Site(host="127.0.0.1", port=port, patience=60), "/")
    assert error.value.status == 418


def test_the_login_is_in_no_address_and_in_no_text():
    """Not in what a traceback would show of a site, either."""
    site = Site(host="::1", port=1, username="ada", password="secret-of-ada")  # noqa: S106  of nobody
    assert site.url == "http://[::1]:1/"
    assert "secret" not in repr(site)
    with pytest.raises(Unanswered) as error:
        ask(site, "/")
    assert "secret" not in str(error.value)
