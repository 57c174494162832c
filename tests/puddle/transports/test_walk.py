"""The authorisation walk: each method × nobody, a wrong token, another user, the owner, an administrator. No holes.

What is expected is read from `domain.permissions`; what the answer is, from the wire. A refusal for another reason than
who is calling (an argument is missing, a system's state does not allow it) means that the caller got in.
"""

from __future__ import annotations

from typing import Any

import pytest

from puddle.server.domain import permissions
from puddle.server.domain.people import ApiKey
from puddle.server.domain.permissions import RULES, Access, Rule
from puddle.server.domain.records import Snapshot, SnapshotStatus
from puddle.server.domain.trail import Alert, Report
from puddle.server.transports.table import TABLE, WATCH, WATCHED, path_of
from tests.puddle.transports.calling import PROTO, Here, called, here, there

__all__ = ["called", "here", "there"]

NOBODY, WRONG, OTHER, OWNER, ADMIN = "nobody", "wrong", "ben", "ann", "ada"
CALLERS = (NOBODY, WRONG, OTHER, OWNER, ADMIN)
SHUT = {"unauthenticated", "permission_denied", "not_found"}


@pytest.fixture
def owned(here: Here) -> dict[str, str]:
    """The ids of things that are ann's, by the word that stands for them in a request."""
    there = here.there
    system = there.create(there.ann).system
    with there.store.writing() as tx:
        tx.snapshots.add(
            Snapshot(
                id="snap-1", name="s", description="", system_id=system.id, owner_id="u-1", cloud="simulated",
                product="simulated", version="1", image_id="i-1", disk_gb=10, created=1, updated=1,
                status=SnapshotStatus.AVAILABLE,
            )
        )  # fmt: skip
        tx.keys.add(ApiKey(id="pk_1", user_id="u-1", name="laptop", secret_hash="-", created=1))  # noqa: S106 -- no hash of anything
        tx.reports.add(Report(id="rep-1", asked_by="u-1", owner_id="u-1", start=0, end=1, created=1))
        tx.alerts.add(Alert(id="n-1", time=1, kind="PROBE", system_id=system.id, owner_id="u-1", message="m"))
    return {
        "SystemService": system.id, "SnapshotService": "snap-1", "AuthService": "pk_1", "ReportService": "rep-1",
        "AdminService": "n-1", "system": system.id,
    }  # fmt: skip


def request_for(name: str, owned: dict[str, str]) -> Any:
    """A request about what is ann's."""
    method = TABLE.get(path_of(name), WATCHED)
    message = method.request()
    fields = method.request.DESCRIPTOR.fields_by_name
    service = name.partition("/")[0]
    if "id" in fields and service in owned and name != "AdminService/UpdateUser":
        message.id = owned[service]
    ordinary = {"system_id": owned["system"], "name": "copy", "minutes": 60}
    for field, value in ordinary.items():
        if field in fields:
            setattr(message, field, value)
    return message


def expected(rule: Rule, who: str) -> str:
    """What the table of permissions says becomes of a call: "in", or the code it is refused with."""
    if rule.access is Access.ANYONE:
        return "in"
    if who in {NOBODY, WRONG}:
        return "unauthenticated"
    if who == ADMIN:
        return "not_found" if rule.access is Access.OWNER_ALONE else "in"
    if rule.access is Access.ADMIN:
        return "permission_denied"
    owner_only = rule.access in {Access.OWNER, Access.OWNER_ALONE}
    return "not_found" if owner_only and who == OTHER else "in"


def called_by(here: Here, name: str, who: str, body: bytes) -> str:
    tokens = {} if who == NOBODY else {"x_puddle_token": "pt_wrong" if who == WRONG else here.tokens[who]}
    reply = here.post(name, body, content_type=PROTO, **tokens)
    assert reply.status < 500, reply.body
    return reply.code


@pytest.mark.parametrize("name", sorted(set(RULES) - {WATCH}))
def test_only_those_get_in_whom_the_table_lets_in(here: Here, owned: dict[str, str], name: str) -> None:
    """Whoever is shut out comes first, so that what the others do cannot be the reason."""
    body = request_for(name, owned).SerializeToString()
    for who in CALLERS:
        check(name, who, called_by(here, name, who, body))


def check(name: str, who: str, found: str) -> None:
    """Compare what became of a call with what the table says."""
    wanted = expected(RULES[name], who)
    if name == "AuthService/Login":
        assert found == "unauthenticated", "an empty key is refused by the login itself"
    elif name == "SnapshotService/ListSnapshots" and who == OTHER:
        assert found == "not_found", "the request names a system of ann's"
    elif wanted == "in":
        by_id = name.partition("/")[0] in {"ImageService", "InstanceTypeService", "TagService"}
        named_nobody = by_id or name == "AdminService/UpdateUser"
        assert found not in SHUT or (named_nobody and found == "not_found"), (who, found)
    else:
        assert found == wanted, who


@pytest.mark.parametrize("name", sorted(name for name, rule in RULES.items() if rule.widened and name != WATCH))
def test_what_is_everybody_s_is_for_administrators(here: Here, owned: dict[str, str], name: str) -> None:
    message = request_for(name, owned)
    widened = RULES[name].widened
    assert widened is not None
    field = widened.field
    setattr(message, field, {"scope": 1, "user_id": "u-9", "everybody": True}[field])
    if name == "SnapshotService/ListSnapshots":
        message.system_id = ""
    assert called_by(here, name, OWNER, message.SerializeToString()) == "permission_denied"
    assert called_by(here, name, ADMIN, message.SerializeToString()) not in SHUT


def test_a_stream_is_for_those_who_are_logged_in(here: Here) -> None:
    for who in (NOBODY, WRONG):
        assert called_by(here, WATCH, who, b"") == "unauthenticated"
    assert called_by(here, WATCH, OTHER, WATCHED.request(scope=1).SerializeToString()) == "permission_denied"


def test_a_method_without_a_rule_is_shut_to_everybody(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "TagService/ListTags"
    monkeypatch.setattr(permissions, "RULES", {each: rule for each, rule in RULES.items() if each != name})
    assert {called_by(here, name, who, b"") for who in (NOBODY, OWNER, ADMIN)} == {"permission_denied"}


def test_nothing_is_read_of_what_strangers_send(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is calling is asked before the body is looked at."""
    reply = here.post("SystemService/CreateSystem", b"not a message at all", content_type=PROTO)
    assert reply.code == "unauthenticated"
    reply = here.post("AdminService/CreateUser", b"not a message at all", "ben", PROTO)
    assert reply.code == "permission_denied"


@pytest.mark.parametrize("header", ["x-puddle-token", "authorization"])
def test_a_token_comes_in_either_header(here: Here, header: str) -> None:
    token = here.tokens["ann"]
    value = f"Bearer {token}" if header == "authorization" else token
    assert here.post("AuthService/WhoAmI", **{header: value}).json()["name"] == "ann"


@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Bearer  ", "bearer pt_wrong", "é"])
def test_other_authorizations_are_nobody_s(here: Here, value: str) -> None:
    assert here.post("AuthService/WhoAmI", authorization=value).code == "unauthenticated"


def test_a_token_is_refused_after_logging_out_and_when_its_user_is(here: Here) -> None:
    here.ask("AuthService/Logout", "ann")
    assert here.refused("AuthService/WhoAmI", "ann")[1] == "unauthenticated"
    here.ask("AdminService/UpdateUser", "ada", id="u-2", active=False)
    assert here.refused("AuthService/WhoAmI", "ben")[1] == "unauthenticated"


def test_an_old_token_is_answered_with_a_fresh_one(here: Here) -> None:
    here.there.clock.turn(600)
    reply = here.post("AuthService/WhoAmI", who="ann")
    fresh, expires = reply.headers["x-puddle-token"], int(reply.headers["x-puddle-token-expires"])
    assert expires == here.there.backend.now() + 900
    assert here.post("AuthService/WhoAmI", x_puddle_token=fresh).status == 200


def test_failed_logins_are_limited_by_address(here: Here) -> None:
    from puddle.server.auth.attempts import AttemptLimits, LoginLimiter

    here.there.api.logins._limiter = LoginLimiter(AttemptLimits(per_address="2 per minute"))
    asked = b'{"apiKeyId": "pk_x", "apiSecretKey": "ps_x"}'
    codes = [here.post("AuthService/Login", asked, client="10.0.0.7").status for _ in range(3)]
    assert codes == [401, 401, 429]
    assert here.post("AuthService/Login", asked, client="10.0.0.8").status == 401
    reply = here.post("AuthService/Login", asked, client="10.0.0.7")
    assert reply.headers["retry-after"] == str(reply.meta["retry_after"]) == "60"
