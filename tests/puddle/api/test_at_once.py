"""What a system is made from is not removed while somebody makes one of it: one of the two comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from puddle.server.api import creating, wishes
from puddle.server.domain.records import SnapshotStatus
from puddle.server.domain.states import Status
from puddle.server.errors import Precondition
from puddle.server.store import Store
from tests.puddle.installations import Installation, installation
from tests.puddle.records import instance_type

A_MOMENT_S = 0.3
"""For how long what is in the way may be removed; in vain, since it waits until the other is done."""


class Meanwhile:
    """Lets something be tried, once, by somebody else in the middle of what is done."""

    def __init__(self, do: Callable[[], Any]) -> None:
        self._do = do
        self._thread = threading.Thread(target=self._try)
        self.refused: Precondition | None = None

    def _try(self) -> None:
        try:
            self._do()
        except Precondition as refused:
            self.refused = refused

    def __call__(self) -> None:
        if self._thread.ident is None:
            self._thread.start()
            self._thread.join(A_MOMENT_S)

    def ended(self) -> Precondition | None:
        """Wait for it; why it was refused."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.refused


def in_the_middle_of(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, do: Callable[[], Any]) -> Meanwhile:
    """Let `do` be tried when `module.name` is called, which is after the reading and before the writing."""
    usual, meanwhile = getattr(module, name), Meanwhile(do)

    def called(*args: Any, **given: Any) -> Any:
        meanwhile()
        return usual(*args, **given)

    monkeypatch.setattr(module, name, called)
    return meanwhile


@pytest.fixture
def at(store: Store) -> Installation:
    at = installation(store)
    with store.writing() as tx:
        tx.instance_types.add(instance_type(id="t-9"))
    return at


def test_an_image_stays_for_whoever_makes_a_system_of_it(at: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    removal = in_the_middle_of(monkeypatch, creating, "checked_config", lambda: at.api.images.delete(at.ada, "i-1"))
    at.create()
    refused = removal.ended()
    assert refused is not None
    assert refused.reason == "image_in_use"


def test_an_instance_type_stays_for_whoever_takes_it(at: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    delete = lambda: at.api.instance_types.delete(at.ada, "t-9")  # noqa: E731 -- it is short
    removal = in_the_middle_of(monkeypatch, creating, "checked_config", delete)
    at.create(instance_type_id="t-9")
    refused = removal.ended()
    assert refused is not None
    assert refused.reason == "type_in_use"


def test_an_instance_type_stays_for_whoever_scales_to_it(at: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    system_id = at.create().system.id
    at.stand(system_id, status=Status.STOPPED, provisioned=True, machine_id="m-1", cu=0)
    delete = lambda: at.api.instance_types.delete(at.ada, "t-9")  # noqa: E731 -- it is short
    removal = in_the_middle_of(monkeypatch, wishes, "allow_size", delete)
    at.api.wishes.scale(at.ann, system_id, "t-9")
    refused = removal.ended()
    assert refused is not None
    assert refused.reason == "type_in_use"


def test_a_snapshot_stays_for_whoever_makes_a_system_of_it(at: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    system_id = at.create().system.id
    at.stand(system_id, status=Status.STOPPED, provisioned=True, machine_id="m-1", cu=0)
    copy = at.api.wishes.snapshot(at.ann, system_id, "copy")
    with at.store.writing() as tx:
        tx.snapshots.put(replace(copy, status=SnapshotStatus.AVAILABLE))
    delete = lambda: at.api.snapshots.delete(at.ann, copy.id)  # noqa: E731 -- it is short
    removal = in_the_middle_of(monkeypatch, creating, "checked_config", delete)
    at.create(name="two", source_snapshot_id=copy.id)
    refused = removal.ended()
    assert refused is not None
    assert refused.reason == "snapshot_in_use"
