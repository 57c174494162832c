"""The protocol: one path a method, two content types, limits, refusals programs can read, and a name for each call."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from puddle.client.proto.v2 import system_service_pb2 as pb
from puddle.server import errors
from puddle.server.transports import refusals
from puddle.server.transports.app import Limits
from puddle.server.transports.bodies import decompressed
from puddle.server.transports.connect import CallLimits
from tests.puddle.transports.calling import JSON, PROTO, Here, called, here, there

__all__ = ["called", "here", "there"]

GET = "SystemService/GetSystem"
CREATE = {
    "name": "one", "cloud": "simulated", "product": "simulated", "image_id": "i-1", "instance_type_id": "t-1",
    "disk_size_gb": 10,
}  # fmt: skip


def test_both_content_types_are_served_at_the_same_path(here: Here) -> None:
    made = here.ask("SystemService/CreateSystem", "ann", **CREATE)
    asked = pb.GetSystemRequest(id=made.id)
    binary = here.post(GET, asked.SerializeToString(), "ann", PROTO)
    text = here.post(GET, json.dumps({"id": made.id}).encode(), "ann", JSON)
    assert binary.headers["content-type"] == PROTO
    assert text.headers["content-type"] == JSON
    assert pb.SystemWithModels.FromString(binary.body).system.id == text.json()["system"]["id"] == made.id
    assert text.json()["system"]["diskSizeGb"] == 10


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/proto "])
def test_content_types_are_read_as_mime_types_are(here: Here, content_type: str) -> None:
    body = b"" if "proto" in content_type else b"{}"
    assert here.post("AuthService/WhoAmI", body, "ann", content_type).status == 200


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/grpc"])
def test_other_content_types_are_refused(here: Here, content_type: str) -> None:
    reply = here.post("AuthService/WhoAmI", b"{}", "ann", content_type)
    assert (reply.status, reply.meta["reason"]) == (415, "content_type")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("name", [GET, "SystemService/WatchSystems"])
def test_methods_are_called_with_post(here: Here, method: str, name: str) -> None:
    reply = here.wire.send(method, f"/puddle.v2.{name}", headers={"content-type": JSON})
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path", ["SystemService/Nothing", "NoService/GetSystem", "SystemService", "", "SystemService/"]
)
def test_unknown_methods_are_unimplemented(here: Here, path: str) -> None:
    reply = here.wire.send("POST", f"/puddle.v2.{path}", b"{}", {"content-type": JSON})
    assert (reply.status, reply.code) == (404, "unimplemented")


@pytest.mark.parametrize("path", ["/", "/nothing", "/puddle.v1.SystemService/GetSystem", "/healthz/more"])
def test_unknown_pages_are_told_in_the_same_form(here: Here, path: str) -> None:
    reply = here.wire.send("GET", path)
    assert (reply.status, reply.code) == (404, "unimplemented")
    assert reply.meta["request_id"] == reply.headers["x-request-id"]


def test_pages_are_read_with_get(here: Here) -> None:
    reply = here.wire.send("POST", "/healthz")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


# what is sent


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{", b'{"id": 1}', b'{"nothing": 1}',
        b'{"id": "a", "id": "b"}', b'{"id": "\\ud800"}', b"\xff",
        b'{"includeModels": "yes"}', b'"x"', b"{" * 5000, b'{"id":' + b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_such_message_in_json_is_invalid(here: Here, body: bytes) -> None:
    reply = here.post(GET, body, "ann")
    assert (reply.status, reply.code, reply.meta["field"]) == (400, "invalid_argument", "body")


def test_unknown_json_fields_are_named(here: Here) -> None:
    reply = here.post(GET, b'{"system": "sys-1"}', "ann")
    assert "system" in reply.json()["message"]


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe"])
def test_what_is_no_such_message_in_protobuf_is_invalid(here: Here, body: bytes) -> None:
    assert here.post(GET, body, "ann", PROTO).code == "invalid_argument"


def test_a_nul_in_a_text_is_refused_and_not_left_to_the_database(here: Here) -> None:
    for reply in (
        here.post(GET, b'{"id": "a\\u0000b"}', "ann"),
        here.post(GET, pb.GetSystemRequest(id="a\0b").SerializeToString(), "ann", PROTO),
        here.post("SystemService/CreateSystem", b'{"tags": [{"label": "x", "value": "\\u0000"}]}', "ann"),
    ):
        assert (reply.code, reply.status) == ("invalid_argument", 400)
        assert "NUL" in reply.json()["message"]


def test_a_zero_byte_in_a_number_is_none_of_that(here: Here) -> None:
    asked = pb.ListSystemsRequest(page_size=256).SerializeToString() + b"\x3a\x01\x00"[:0]
    assert here.post("SystemService/ListSystems", asked + b"\x28\x00", "ann", PROTO).status == 200


def test_bodies_are_bounded_while_they_are_read(called: Callable[..., Here]) -> None:
    """The rest of a body that is too large is never asked for."""
    here = called(limits=Limits(calls=CallLimits(max_bytes=1000)))
    pieces = [b"x" * 600, b"x" * 600, b"x" * 600]
    reply = here.post(GET, pieces, "ann")
    assert (reply.status, reply.code, reply.meta["limit"]) == (413, "resource_exhausted", 1000)


def test_bodies_that_say_they_are_too_large_are_not_read(here: Here) -> None:
    assert here.post(GET, b"{}", "ann", content_length=str(1 << 30)).status == 413
    assert here.post(GET, b"{}", "ann", content_length="9" * 400).status in {200, 404, 413}


def test_strangers_may_say_less(here: Here) -> None:
    assert here.post("AuthService/Login", b" " * 20_000 + b"{}").status == 413
    assert here.post("AuthService/Login", b" " * 10_000 + b"{}").status == 401


@pytest.mark.parametrize("body", [b" " * 20_000 + b"{}", [b" " * 20_000, b"{}"]])
def test_a_token_that_is_not_good_is_found_out_before_a_large_body_is_read(
    here: Here, body: bytes | list[bytes]
) -> None:
    """Or else whoever makes up a token could let the server hold a megabyte for each of many connections."""
    here.tokens["nobody"] = "pt_made-up"
    assert here.post(GET, body, "nobody").code == "unauthenticated"
    assert here.wire.unread == ([body] if isinstance(body, bytes) else body)
    assert here.post(GET, body, "ann").status == 404


def test_a_body_whose_end_can_be_seen_in_two_places_is_refused_and_the_connection_closed(here: Here) -> None:
    """What one reader takes for the rest of it may be the next request to another (request smuggling)."""
    reply = here.post("AuthService/WhoAmI", b"{}", "ann", transfer_encoding="chunked")
    assert (reply.status, reply.meta["reason"], reply.headers["connection"]) == (400, "framing", "close")


def test_a_body_may_be_packed_and_is_bounded_all_the_same(here: Here) -> None:
    packed = gzip.compress(b'{"id": "sys-none"}')
    assert here.post(GET, packed, "ann", content_encoding="gzip").status == 404
    assert here.post(GET, b'{"id": "sys-none"}', "ann", content_encoding="identity").status == 404
    bomb = gzip.compress(b" " * (64 << 20))
    assert here.post(GET, bomb, "ann", content_encoding="gzip").status == 413
    assert here.post(GET, packed[:-9], "ann", content_encoding="gzip").code == "invalid_argument"
    assert here.post(GET, b"plain", "ann", content_encoding="gzip").code == "invalid_argument"
    assert here.post(GET, packed, "ann", content_encoding="br").status == 415


def test_unpacking_stops_at_the_limit() -> None:
    with pytest.raises(refusals.Unserved, match="at most 100 bytes"):
        decompressed(gzip.compress(b"x" * 10**6), b"GZIP", 100)


def test_reads_take_no_thread_unless_their_body_is_large(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    logins, names = here.there.api.logins, []
    authenticate = logins.authenticate

    def noted(*args: Any) -> Any:
        names.append(threading.current_thread().name)
        return authenticate(*args)

    monkeypatch.setattr(logins, "authenticate", noted)
    main = threading.current_thread().name
    large = b'{"statuses": [' + b"3," * 50_000 + b"3]}"
    for name, body in (("ListSystems", b"{}"), ("ListSystems", large), ("StopSystem", b"{}")):
        here.post(f"SystemService/{name}", body, "ann")
    assert [name == main for name in names] == [True, False, False, False], "the large one's caller is asked for twice"


# what comes back


def test_every_answer_has_a_request_id(here: Here) -> None:
    for reply in (
        here.post("AuthService/WhoAmI", who="ann"),
        here.post("AuthService/WhoAmI"),
        here.post("NoService/Nothing"),
        here.wire.send("GET", "/healthz"),
        here.wire.send("GET", "/nothing"),
    ):
        assert len(reply.headers["x-request-id"]) == 16


@pytest.mark.parametrize("sane", ["req-1", "a.b:c_D-9", "x" * 64])
def test_a_sane_request_id_is_kept(here: Here, sane: str) -> None:
    reply = here.post("AuthService/WhoAmI", x_request_id=sane)
    assert reply.headers["x-request-id"] == reply.meta["request_id"] == sane


@pytest.mark.parametrize("bad", ["", "a b", "x" * 65, "é", "a\tb", "<script>", '"'])
def test_another_is_replaced(here: Here, bad: str) -> None:
    reply = here.post("AuthService/WhoAmI", x_request_id=bad)
    assert reply.headers["x-request-id"] != bad


def test_the_request_id_is_in_the_audit_trail(here: Here) -> None:
    made = json.loads(
        here.post("SystemService/CreateSystem", json.dumps(CREATE).encode(), "ann", x_request_id="r-7").body
    )
    events = here.ask("EventService/ListEvents", "ann", target=made["id"]).events
    assert [(event.action, event.request_id) for event in events] == [("system.create", "r-7")]


def test_a_refusal_says_what_programs_need(here: Here) -> None:
    made = here.ask("SystemService/CreateSystem", "ann", **CREATE)
    reply = here.post("SystemService/StartSystem", json.dumps({"id": made.id}).encode(), "ann")
    assert (reply.status, reply.code) == (412, "failed_precondition")
    assert set(reply.meta) == {"request_id", "reason", "allowed_actions"}
    assert reply.meta["reason"] == "not_stopped"
    assert "terminate" in reply.meta["allowed_actions"]
    invalid = here.post("SystemService/CreateSystem", json.dumps({**CREATE, "name": "No"}).encode(), "ann")
    assert (invalid.status, invalid.meta["field"], invalid.meta["allowed_actions"]) == (400, "name", [])
    assert invalid.meta["rule"]


def test_each_refusal_has_its_status() -> None:
    made: list[tuple[errors.Refused, int]] = [
        (errors.Invalid("name", "is good"), 400),
        (errors.Unauthenticated("who?", "no_token"), 401),
        (errors.Denied(), 403),
        (errors.Missing("system", "x"), 404),
        (errors.Precondition("no", "busy"), 412),
        (errors.Exceeded("no", "quota"), 412),
        (errors.TooMany("no", 7), 429),
        (refusals.broken(), 500),
        (refusals.no_database(), 503),
        (refusals.too_slow(), 504),
    ]
    for refused, status in made:
        assert refusals.status_of(refused) == status
        assert refused.code in refusals.STATUS
    assert (b"retry-after", b"7") in refusals.headers_of(made[6][0])
    assert (b"www-authenticate", b"Bearer") in refusals.headers_of(made[1][0])


def test_answers_are_not_cached(here: Here) -> None:
    assert here.post("AuthService/WhoAmI", who="ann").headers["cache-control"] == "no-store"


# time, and mistakes of ours


@pytest.mark.parametrize("given", ["", "soon", "-1", "1.5", "9" * 11])
def test_a_time_limit_is_milliseconds(here: Here, given: str) -> None:
    reply = here.post("AuthService/WhoAmI", who="ann", connect_timeout_ms=given)
    assert (reply.code, reply.meta["field"]) == ("invalid_argument", "Connect-Timeout-Ms")


def test_the_protocol_s_headers_are_accepted(here: Here) -> None:
    headers = {"connect_protocol_version": "1", "connect_timeout_ms": "5000"}
    assert here.post("AuthService/WhoAmI", who="ann", **headers).status == 200


def test_a_caller_waits_no_longer_than_they_said(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    held = threading.Event()
    monkeypatch.setattr(here.there.api.tags, "delete", lambda *_: held.wait(60))
    reply = here.post("TagService/DeleteTag", b'{"id": "x"}', "ada", connect_timeout_ms="20")
    held.set()
    assert (reply.status, reply.code) == (504, "deadline_exceeded")


def test_there_is_room_for_so_many_calls(called: Callable[..., Here]) -> None:
    here = called(limits=Limits(calls=CallLimits(threads=1, queued=0)))
    here.app.connect._pending = 1
    reply = here.post("AuthService/Logout", who="ann")
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", "1")


def test_a_call_counts_until_it_is_done_whoever_waits_for_it(
    called: Callable[..., Here], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers who give up at once cannot heap up work behind calls that hang."""
    import threading

    here = called(limits=Limits(calls=CallLimits(threads=1, queued=1)))
    held = threading.Event()
    monkeypatch.setattr(here.there.api.tags, "delete", lambda *_: held.wait(60))
    statuses = [
        here.post("TagService/DeleteTag", b'{"id": "x"}', "ada", connect_timeout_ms="20").status for _ in range(4)
    ]
    held.set()
    assert statuses == [504, 504, 503, 503]
    here.app.connect._pool.shutdown()  # once all that was begun is done, so is its counting
    here.wire.loop.run_until_complete(asyncio.sleep(0))
    assert here.app.connect._pending == 0


class Broken(Exception):
    """Something nobody expected, with something nobody should read."""


def test_a_mistake_of_ours_is_told_by_its_id_and_logged(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> None:
        raise Broken("the secret is ps_hidden")

    monkeypatch.setattr(here.there.api.systems, "get", breaks)
    with capture_logs() as logs:
        reply = here.post(GET, b'{"id": "sys-1"}', "ann", x_request_id="r-9")
    assert (reply.status, reply.code, reply.meta["request_id"]) == (500, "internal", "r-9")
    assert b"ps_hidden" not in reply.body
    (entry,) = logs
    assert (entry["request_id"], entry["method"], entry["log_level"]) == ("r-9", GET, "error")
    assert isinstance(entry["exc_info"], Broken)


def test_a_database_that_is_away_is_unavailable(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    def away(*_: Any) -> None:
        raise OperationalError("SELECT", {"secret": "ps_hidden"}, Exception("gone"))

    monkeypatch.setattr(here.there.api.systems, "get", away)
    with capture_logs() as logs:
        reply = here.post(GET, b'{"id": "sys-1"}', "ann")
    assert (reply.status, reply.code) == (503, "unavailable")
    assert "ps_hidden" not in repr(logs)


def test_a_full_disk_is_told_in_the_log_and_nothing_is_half_done(here: Here) -> None:
    store, body = here.there.store, json.dumps({**CREATE, "tags": []}).encode()

    def pages(most: int) -> None:
        with store.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    pages(1)  # SQLite takes the number it has
    with capture_logs() as logs:
        replies = [here.post("SystemService/CreateSystem", body.replace(b"one", b"n%d" % n), "ann") for n in range(60)]
    assert replies[-1].code == "unavailable"
    assert any("full" in entry.get("why", "") for entry in logs)
    pages(100_000)
    assert here.post("SystemService/CreateSystem", body, "ann").status == 200
    made = [reply for reply in replies if reply.status == 200]
    assert len(here.ask("SystemService/ListSystems", "ann").systems) == len(made) + 1


def test_the_database_s_errors_hide_what_was_written(here: Here) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError) as raised, here.there.store.writing() as tx:
        tx.users.add(here.there.ann.user)
    assert "ann" not in str(raised.value)
