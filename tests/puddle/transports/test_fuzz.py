"""Anything may be sent to any method by anybody: what comes back is an answer or a refusal, never a failure of ours.

Requests are made from the descriptors: sensible values and odd ones for each field, ids that exist among them, as
protobuf and as JSON; and bytes that are no message at all. PUDDLE_EXAMPLES says how many; 50,000 take minutes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToJson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from puddle.server.domain.states import Status
from puddle.server.store import Store
from puddle.server.transports import refusals
from puddle.server.transports.app import Limits
from puddle.server.transports.connect import CallLimits
from puddle.server.transports.table import TABLE
from tests.puddle.installations import installation
from tests.puddle.transports.calling import JSON, PROTO, Here, called, there

__all__ = ["called", "there"]

EXAMPLES = int(os.environ.get("PUDDLE_EXAMPLES", "400"))
ODD = [
    "",
    " ",
    "a" * 300,
    "é",
    "\0",
    "\u202e",
    "'; DROP TABLE systems; --",
    "../../etc/passwd",
    "${x}",
    "%s",
    "\n",
    "😀",
    "-1",
    "0",
]
THINGS = [
    "u-1",
    "u-2",
    "u-9",
    "i-1",
    "t-1",
    "t-2",
    "simulated",
    "1",
    "2.0",
    "one",
    "project",
    "team",
    "12.5",
    "a = 1",
    "a =",
]
NUMBERS = [0, 1, -1, 2, 10, 30, 60, 240, 1000, 2**31 - 1, -(2**31)]
LARGE = [*NUMBERS, 2**62, 2**63 - 1, -(2**63), 1_800_000_000]


class Values:
    """Values for fields; ids of what exists are among the texts."""

    def __init__(self, ids: list[str]) -> None:
        texts = st.one_of(st.sampled_from([*THINGS, *ids]), st.sampled_from(ODD), st.text(max_size=20))
        self._scalars = {
            FieldDescriptor.TYPE_STRING: texts.filter(lambda text: not _surrogates(text)),
            FieldDescriptor.TYPE_BOOL: st.booleans(),
            FieldDescriptor.TYPE_INT32: st.sampled_from(NUMBERS),
            FieldDescriptor.TYPE_INT64: st.sampled_from(LARGE),
            FieldDescriptor.TYPE_DOUBLE: st.sampled_from(
                [0.0, 0.9, -1.0, 1e300, float("inf"), float("nan"), 0.1234567]
            ),
            FieldDescriptor.TYPE_ENUM: st.sampled_from([0, 1, 2, 3, 13, 14, 99, -1]),
        }

    def fields(self, draw: DrawFn, message: Any, depth: int = 0) -> Any:
        """Fill a message."""
        for field in message.DESCRIPTOR.fields:
            if depth < 3 and draw(st.integers(0, 9)) < 7:
                self._fill(draw, message, field, depth)
        return message

    def _fill(self, draw: DrawFn, message: Any, field: FieldDescriptor, depth: int) -> None:
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            held = getattr(message, field.name)
            for _ in range(draw(st.integers(0, 2)) if field.is_repeated else 1):
                self.fields(draw, held.add() if field.is_repeated else held, depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).extend(draw(st.lists(self._scalars[field.type], max_size=3)))
        else:
            setattr(message, field.name, draw(self._scalars[field.type]))


def _surrogates(text: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in text)


@st.composite
def requests(draw: DrawFn, values: Values) -> tuple[str, str, str, bytes]:
    """A method, a content type, who calls, and a body."""
    path = draw(st.sampled_from(sorted(TABLE)))
    who = draw(st.sampled_from(["", "wrong", "ann", "ben", "ada", "ada"]))
    content_type = draw(st.sampled_from([PROTO, JSON]))
    if draw(st.integers(0, 19)) == 0:
        return path, content_type, who, draw(st.one_of(st.binary(max_size=60), _odd_json()))
    message = values.fields(draw, TABLE[path].request())
    return path, content_type, who, _bytes(message, content_type)


def _odd_json() -> st.SearchStrategy[bytes]:
    leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
    trees = st.recursive(
        leaves, lambda inner: st.dictionaries(st.text(max_size=8), inner, max_size=3) | st.lists(inner)
    )
    return trees.map(lambda tree: json.dumps(tree).encode())


def _bytes(message: Any, content_type: str) -> bytes:
    if content_type == PROTO:
        return bytes(message.SerializeToString())
    return MessageToJson(message).encode()


def things(here: Here) -> list[str]:
    """Make something of each kind; return their ids."""
    there = here.there
    ids = []
    for name, status in (("one", Status.STARTED), ("two", Status.STOPPED), ("three", Status.FAILED)):
        system = there.create(there.ann, name=name).system
        there.stand(system.id, status=status, provisioned=True)
        ids.append(system.id)
    key, _ = there.api.logins.create_key(there.ben, "spare")
    tag = here.ask("TagService/CreateTag", "ada", label="project")
    report = here.ask("ReportService/CreateReport", "ann", start=0, end=10)
    token = here.ask("EventService/ListEvents", "ada", page_size=1).next_page_token
    return [*ids, key.id, tag.id, report.id, token]


def test_whatever_is_sent_is_answered_or_refused(called: Callable[..., Here]) -> None:
    send_whatever(called(limits=Limits()))


@pytest.mark.slow
def test_whatever_is_sent_is_answered_or_refused_over_postgresql(postgres_url: str) -> None:
    """PostgreSQL refuses what SQLite takes: NUL, lone surrogates, numbers that are too large."""
    store = Store(postgres_url)
    store.migrate()
    here = Here(installation(store), Limits(calls=CallLimits(inline_reads=False)))
    try:
        send_whatever(here)
    finally:
        here.close()
        store.close()


def send_whatever(here: Here) -> None:
    """Send requests to an installation; none may be answered by a failure of ours."""
    ids = things(here)
    codes: dict[str, int] = {}

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(requests(Values(ids)))
    def send(asked: tuple[str, str, str, bytes]) -> None:
        path, content_type, who, body = asked
        headers = {"content-type": content_type}
        if who:
            headers["x-puddle-token"] = here.tokens.get(who, "pt_wrong")
        reply = here.wire.send("POST", path, body, headers)
        assert reply.status < 500, (path, who, body, reply.body)
        if reply.status == 200:
            assert reply.headers["content-type"] == content_type
            if content_type == PROTO:
                TABLE[path].response.FromString(reply.body)
        else:
            assert reply.status == refusals.STATUS.get(reply.code, reply.status)
            assert reply.meta["request_id"] == reply.headers["x-request-id"]
            assert reply.json()["message"]
        codes[reply.code] = codes.get(reply.code, 0) + 1
        here.tokens.update(_revived(here))

    send()
    assert codes["ok"] > EXAMPLES // 20, codes
    assert codes["unauthenticated"] > EXAMPLES // 20, codes


def _revived(here: Here) -> dict[str, str]:
    """Whoever was logged out or made inactive is let in again, so that later calls get somewhere."""
    from tests.puddle.installations import ADA, ANN, BEN

    with here.there.store.writing() as tx:
        now = here.there.backend.now()
        lost = {
            person.name: person
            for person in (ANN, BEN, ADA)
            if tx.users.get(person.id) != person or _bearer(tx, here.tokens[person.name], now) is None
        }
        for person in lost.values():
            tx.users.put(person)
    return {name: here.token(person) for name, person in lost.items()}


def _bearer(tx: Any, token: str, now: int) -> Any:
    from puddle.server.auth.tokens import digest

    return tx.tokens.bearer(digest(token), now)


@pytest.mark.parametrize("path", sorted(TABLE))
def test_each_method_takes_an_empty_message_from_each_caller(called: Callable[..., Here], path: str) -> None:
    here = called()
    for who in ("", "ann", "ada"):
        for content_type, body in ((PROTO, b""), (JSON, b"{}")):
            headers = {"content-type": content_type, **({"x-puddle-token": here.tokens[who]} if who else {})}
            assert here.wire.send("POST", path, body, headers).status < 500


def test_descriptors_use_only_the_types_we_fuzz() -> None:
    known = set(Values([])._scalars) | {FieldDescriptor.TYPE_MESSAGE}

    def check(message: Descriptor) -> None:
        for field in message.fields:
            assert field.type in known, field.full_name
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                check(field.message_type)

    for method in TABLE.values():
        check(method.request.DESCRIPTOR)
