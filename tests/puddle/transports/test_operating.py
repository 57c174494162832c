"""What operators ask: health, metrics for those who may see them, a description of everything that can be called."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from structlog.testing import capture_logs

from puddle.server.domain.permissions import RULES
from puddle.server.domain.states import Status
from puddle.server.transports import operating
from puddle.server.transports.app import Application, ReconcilerStats
from puddle.server.transports.metrics import Metrics, ReconcilerCollector
from puddle.server.transports.operating import HealthChecks, OperatorPages
from puddle.server.transports.table import TABLE, path_of
from tests.puddle.transports.calling import Here, Wire, called, here, there

__all__ = ["called", "here", "there"]


def test_health_is_for_everybody_and_names_nobody(here: Here) -> None:
    reply = here.wire.send("GET", "/healthz", client="10.0.0.7")
    assert reply.status == 200
    assert reply.json() == {
        "status": "ok", "version": "1.2.3", "database": "ok",
        "reconciler": {"turning": True, "seconds_since_last_turn": None},
    }  # fmt: skip


@pytest.mark.parametrize(("age", "status"), [(1.0, 200), (119.0, 200), (121.0, 503)])
def test_a_reconciler_that_stands_still_is_not_healthy(here: Here, age: float, status: int) -> None:
    wire = Wire(Application(here.there.api, version="1", reconciler=ReconcilerStats(age=lambda: age)))
    reply = wire.send("GET", "/healthz")
    wire.close()
    assert reply.status == status
    assert reply.json()["reconciler"]["turning"] is (status == 200)


def test_a_database_that_is_away_is_not_healthy(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OSError("postgres is at 10.0.0.3")

    monkeypatch.setattr(here.there.store, "reading", away)
    reply = here.wire.send("GET", "/healthz")
    assert (reply.status, reply.json()["database"]) == (503, "does not answer")
    assert b"10.0.0.3" not in reply.body


def test_a_database_that_hangs_is_asked_once_for_all_who_want_to_know(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else whoever asks often would use up the threads that others need."""
    monkeypatch.setattr(operating, "DATABASE_TIMEOUT_S", 60)
    asked, may_answer = [], threading.Event()

    def look() -> None:
        asked.append(1)
        may_answer.wait(60)

    pages = OperatorPages(
        here.there.api,
        HealthChecks(version="1", database=look, reconciler_age=lambda: None),
        Metrics(dict, ReconcilerCollector(int, int)),
    )

    async def ask() -> list[bool]:
        waiting = [asyncio.create_task(pages._database()) for _ in range(20)]
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.01, may_answer.set)
        return await asyncio.gather(*waiting)

    assert all(here.wire.loop.run_until_complete(ask()))
    assert len(asked) == 1
    assert here.wire.loop.run_until_complete(pages._database())
    assert len(asked) == 2, "the next one is told what is then"


def metrics(here: Here) -> dict[str, float]:
    reply = here.wire.send("GET", "/metrics")
    assert reply.status == 200, reply.body
    lines = [line for line in reply.body.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_calls_are_counted_by_method_and_code(here: Here) -> None:
    here.post("AuthService/WhoAmI", who="ann")
    here.post("AuthService/WhoAmI", who="ann")
    here.post("AuthService/WhoAmI")
    here.post("NoService/Nothing")
    found = metrics(here)
    assert found['puddle_calls_total{code="ok",method="AuthService/WhoAmI"}'] == 2
    assert found['puddle_calls_total{code="unauthenticated",method="AuthService/WhoAmI"}'] == 1
    assert found['puddle_calls_total{code="unimplemented",method="unknown"}'] == 1, "strangers make up no labels"
    assert found['puddle_call_seconds_count{method="AuthService/WhoAmI"}'] == 3


def test_systems_are_counted_by_status(here: Here) -> None:
    for name in ("one", "two", "three"):
        made = here.there.create(name=name).system
    here.there.stand(made.id, status=Status.STARTED)
    found = metrics(here)
    assert found['puddle_systems{status="initializing"}'] == 2
    assert found['puddle_systems{status="started"}'] == 1
    assert found['puddle_systems{status="failed"}'] == 0
    assert found["puddle_watchers"] == 0


def test_the_reconciler_s_turns_are_told(here: Here) -> None:
    wire = Wire(Application(here.there.api, version="1", reconciler=ReconcilerStats(age=lambda: 2.5, turns=lambda: 7)))
    text = wire.send("GET", "/metrics").body.decode()
    wire.close()
    assert "puddle_reconcile_turns_total 7.0" in text
    assert "puddle_reconcile_age_seconds 2.5" in text


def test_metrics_are_for_this_machine_and_for_administrators(here: Here) -> None:
    def status(client: str, **headers: str) -> int:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return here.wire.send("GET", "/metrics", headers=sent, client=client).status

    assert status("127.0.0.1") == status("::1") == 200
    for own in ("127.0.0.1:8081", "[::1]:8081", "localhost:8081"):
        assert status("127.0.0.1", host=own) == 200
    for foreign in ("evil.example", "127.0.0.1.evil.example:8081", "[", ""):
        assert status("127.0.0.1", host=foreign) == 401, "a page in a browser here is not this machine"
    assert status("10.0.0.7") == 401
    assert status("not an address") == 401
    assert status("127.0.0.1", x_forwarded_for="10.0.0.7") == 401, "a proxy on this machine is not this machine"
    assert status("127.0.0.1", forwarded="for=10.0.0.7") == 401
    assert status("10.0.0.7", x_puddle_token=here.tokens["ann"]) == 403
    assert status("10.0.0.7", authorization=f"Bearer {here.tokens['ada']}") == 200


def test_a_page_that_breaks_is_told_by_its_id_and_logged(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> bytes:
        raise ValueError("ps_hidden")

    (route,) = [route for route in here.app._pages.routes if getattr(route, "path", "") == "/metrics"]
    endpoint: Any = vars(route)["endpoint"]
    monkeypatch.setattr(endpoint.__self__._metrics, "text", breaks)
    with capture_logs() as logs:
        reply = here.wire.send("GET", "/metrics", headers={"x-request-id": "r-3"})
    assert (reply.status, reply.code, reply.meta["request_id"]) == (500, "internal", "r-3")
    assert b"ps_hidden" not in reply.body
    assert [(entry["request_id"], entry["method"]) for entry in logs] == [("r-3", "/metrics")]


# what can be called


def document(here: Here) -> dict:
    reply = here.wire.send("GET", "/openapi.json", client="10.0.0.7")
    assert reply.status == 200
    return reply.json()


def test_every_method_is_described(here: Here) -> None:
    found = document(here)
    assert set(found["paths"]) == {path_of(name) for name in RULES}
    assert found["info"]["version"] == "1.2.3"
    ids = [each["post"]["operationId"] for each in found["paths"].values()]
    assert len(set(ids)) == len(ids)
    login = found["paths"][path_of("AuthService/Login")]["post"]
    assert login["security"] == []
    assert found["paths"][path_of("SystemService/GetSystem")]["post"]["security"]


def test_every_reference_leads_somewhere(here: Here) -> None:
    found = document(here)
    text = json.dumps(found)
    named = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named <= set(found["components"]["schemas"])
    assert {"System", "SystemStatus", "Error"} <= named
    assert "SystemEvent" in found["components"]["schemas"], "what a stream's events are"


def test_answers_are_as_they_are_described(here: Here) -> None:
    """A real answer, in JSON, has the described fields and types."""
    from jsonschema import Draft202012Validator

    found = document(here)
    made = here.there.create(config="")
    here.there.stand(made.system.id, status=Status.STARTED, session_id="x", session_started=1, signals=(("jobs", "1"),))
    for name, body, who in (
        ("SystemService/GetSystem", {"id": made.system.id}, "ann"),
        ("SystemService/ListSystems", {"scope": "SCOPE_ALL"}, "ada"),
        ("InstanceTypeService/ListInstanceTypes", {}, "ada"),
        ("ImageService/ListImages", {}, "ada"),
        ("EventService/ListEvents", {}, "ada"),
        ("AdminService/ListUsers", {}, "ada"),
        ("SystemService/GetStatusCatalog", {}, "ann"),
    ):
        answer = here.post(name, json.dumps(body).encode(), who).json()
        assert answer
        short = TABLE[path_of(name)].response.DESCRIPTOR.name
        schema = {"$ref": f"#/components/schemas/{short}", "components": found["components"]}
        Draft202012Validator(schema).validate(answer)


def test_refusals_are_as_they_are_described(here: Here) -> None:
    from jsonschema import Draft202012Validator

    schema = {"$ref": "#/components/schemas/Error", "components": document(here)["components"]}
    for reply in (
        here.post("AuthService/WhoAmI"),
        here.post("SystemService/GetSystem", b"{", "ann"),
        here.post("SystemService/GetSystem", b'{"id":"x"}', "ann"),
        here.post("NoService/Nothing"),
    ):
        Draft202012Validator(schema).validate(reply.json())


@pytest.mark.parametrize("path", sorted(TABLE))
def test_json_has_the_names_that_are_described(here: Here, path: str) -> None:
    """A request with something in each field, in JSON, has exactly the described names."""
    method = TABLE[path]
    schema = document(here)["components"]["schemas"][method.request.DESCRIPTOR.name]
    written = MessageToDict(method.request(), always_print_fields_with_no_presence=True)
    assert set(written) <= set(schema["properties"])
    assert schema["additionalProperties"] is False
