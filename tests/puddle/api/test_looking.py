"""What a machine has printed is for its owner and administrators; a password that cannot be read breaks nothing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import structlog.testing

from puddle.server.api import Api, systems
from puddle.server.auth.secrets import Keyring
from puddle.server.clouds.base import StepFailed
from puddle.server.domain.printed import MAX_LINES, USUAL_LINES
from puddle.server.domain.states import Status
from puddle.server.errors import Invalid, Missing, Precondition
from puddle.server.products.base import Experiment
from puddle.server.store.stamps import Wanted
from puddle.testing import HandClock
from tests.puddle.installations import Installation, there

__all__ = ["there"]

# consoles


@pytest.fixture
def printed(there: Installation, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What the cloud was asked for; it answers with a hundred lines more than that, the last one of them odd."""
    asked: list[tuple[str, int]] = []

    def console(machine_id: str, lines: int) -> str:
        asked.append((machine_id, lines))
        return "".join(f"{number}\n" for number in range(lines + 99)) + "\x1b[31mred\0\ud800\n"

    monkeypatch.setattr(there.cloud, "console", console)
    return asked


def machine(there: Installation) -> str:
    system_id = there.create().system.id
    there.stand(system_id, status=Status.STARTED, machine_id="m-1")
    return system_id


def test_the_owner_and_administrators_read_the_last_lines(there: Installation, printed: list[tuple[str, int]]) -> None:
    system_id = machine(there)
    for caller in (there.ann, there.ada):
        lines = there.api.systems.console(caller, system_id, 3).splitlines()
        assert lines[1:] == ["101", "red��"]
        assert len(lines) == 3
    assert len(there.api.systems.console(there.ann, system_id).splitlines()) == USUAL_LINES
    assert printed == [("m-1", 3), ("m-1", 3), ("m-1", USUAL_LINES)]


def test_to_others_there_is_no_such_console(there: Installation, printed: list[tuple[str, int]]) -> None:
    system_id = machine(there)
    with pytest.raises(Missing):
        there.api.systems.console(there.ben, system_id)
    with pytest.raises(Missing):
        there.api.systems.console(there.ann, "sys-nobodys")
    assert printed == []


@pytest.mark.parametrize("lines", [-1, MAX_LINES + 1])
def test_a_number_of_lines_that_cannot_be_is_refused(
    there: Installation, printed: list[tuple[str, int]], lines: int
) -> None:
    with pytest.raises(Invalid, match="lines"):
        there.api.systems.console(there.ann, machine(there), lines)
    assert printed == []


def test_a_system_without_a_machine_has_printed_nothing(there: Installation) -> None:
    assert there.api.systems.console(there.ann, there.create().system.id) == ""


def test_a_cloud_that_cannot_be_asked_is_told(there: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_machine_id: str, _lines: int) -> str:
        raise StepFailed("UNREACHABLE", "it is away")

    monkeypatch.setattr(there.cloud, "console", away)
    with pytest.raises(Precondition, match="it is away") as refused:
        there.api.systems.console(there.ann, machine(there))
    assert refused.value.reason == "unreachable"


# passwords that cannot be read


def with_another_key(there: Installation) -> Installation:
    """The same installation after its master key was lost."""
    backend = replace(there.backend, keyring=Keyring([b"o" * 32]))
    return replace(there, backend=backend, api=Api(backend))


def test_without_its_master_key_a_system_is_seen_and_wished_of_all_the_same(there: Installation) -> None:
    system_id = there.create().system.id
    there.stand(system_id, status=Status.STARTED, machine_id="m-1", provisioned=True)
    lost = with_another_key(there)
    with structlog.testing.capture_logs() as told:
        assert lost.api.systems.get(lost.ann, system_id).password == ""
    (line,) = told
    assert (line["log_level"], line["system_id"]) == ("warning", system_id)
    assert "needs master key" in line["why"]
    (listed,) = lost.api.systems.page(lost.ann, Wanted())
    assert (listed.system.id, listed.password) == (system_id, "")
    assert lost.api.systems.experiments([listed]) == {system_id: ()}
    assert lost.api.wishes.stop(lost.ann, system_id).system.status is Status.STOPPING


def test_credentials_that_cannot_be_read_say_what_to_do(there: Installation) -> None:
    made = there.create()
    with pytest.raises(Precondition, match="puts that key back") as refused:
        with_another_key(there).api.systems.credentials(there.ann, made.system.id)
    assert refused.value.reason == "secret_unreadable"
    assert there.api.systems.credentials(there.ann, made.system.id) == ("puddle", made.password)


def test_a_damaged_password_shows_nothing_of_itself(there: Installation) -> None:
    system_id = there.create().system.id
    there.stand(system_id, secret="s3cret")  # noqa: S106 -- what somebody has written into the database
    with structlog.testing.capture_logs() as told, pytest.raises(Precondition) as refused:
        there.api.systems.credentials(there.ann, system_id)
    assert "s3cret" not in f"{told} {refused.value}"


def test_products_that_let_us_wait_hold_a_call_for_so_long_only(
    there: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many systems their user has: threads are everybody's."""
    clock, asked = HandClock(), []
    monkeypatch.setattr(systems, "time", SimpleNamespace(monotonic=clock))

    def slow(*_: object) -> tuple[Experiment, ...]:
        asked.append(1)
        clock.turn(4)
        return (Experiment(id="1"),)

    monkeypatch.setattr(there.product, "experiments", slow)
    monkeypatch.setattr(there.cloud, "endpoint", lambda machine_id: machine_id)
    for number in range(10):
        made = there.create(name=f"n-{number}").system.id
        there.stand(made, status=Status.STARTED, machine_id="m")
    told = there.api.systems.experiments(there.api.systems.page(there.ann, Wanted()))
    assert len(asked) == 4
    assert [len(each) for each in told.values()] == [1] * 4 + [0] * 6
