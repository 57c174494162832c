"""A cloud is one installation's: neither a wrong database nor a wrong folder costs anybody their machines."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from puddle.server.clouds.local import LocalCloud
from puddle.server.domain.records import SnapshotStatus
from puddle.server.domain.states import Status
from puddle.server.main import Server
from puddle.server.settings import Settings, SettingsRefused, load
from puddle.server.store import Store, Transaction
from tests.puddle.records import snapshot, system


def settings(folder: Path, database: str = "puddle.db") -> Settings:
    given: dict[str, Any] = {"reconciler": {"loops": 0}, "products": {"h2o3": {"enabled": False}}}
    return load(None, data=folder, database={"url": f"sqlite:///{folder / database}"}, **given)


def run(folder: Path, database: str = "puddle.db", **more: Any) -> Server:
    """Put a server together and close it again."""
    server = Server(settings(folder, database), **more)
    server.close()
    return server


def write(folder: Path, do: Callable[[Transaction], object]) -> None:
    store = Store(settings(folder).database_url())
    with store.writing() as tx:
        do(tx)
    store.close()


def living(tx: Transaction) -> None:
    tx.systems.create(system(cloud="local", status=Status.STOPPED), look_at=0)


def copied(tx: Transaction) -> None:
    tx.snapshots.add(snapshot(cloud="local", status=SnapshotStatus.AVAILABLE))


def test_a_fresh_installation_takes_its_clouds_and_has_them_ever_after(tmp_path: Path) -> None:
    server = run(tmp_path)
    with server.backend.store.reading() as tx:
        assert LocalCloud(tmp_path / "local").owner() == tx.installation() != ""
    server.backend.store.close()  # which was opened anew by looking
    write(tmp_path, living)
    run(tmp_path)


def test_another_database_is_refused_before_it_gets_an_administrator(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(SettingsRefused, match=r"^clouds.local: .*another installation, puddle-.*; give the server"):
        run(tmp_path, "another.db")
    store = Store(settings(tmp_path, "another.db").database_url())
    with store.reading() as tx:
        assert tx.users.all() == []
    store.close()


@pytest.mark.parametrize("keep", [living, copied])
def test_another_folder_is_refused_while_something_should_be_there(
    tmp_path: Path, keep: Callable[[Transaction], object]
) -> None:
    run(tmp_path)
    write(tmp_path, keep)
    shutil.rmtree(tmp_path / "local")
    for _ in range(2):  # a refused start has not taken it
        with pytest.raises(SettingsRefused, match=r"should be there.*start once with --anew local"):
            run(tmp_path)
    run(tmp_path, anew=["local"])
    run(tmp_path)


def test_another_folder_is_taken_where_nothing_is_lost_by_it(tmp_path: Path) -> None:
    run(tmp_path)
    write(tmp_path, lambda tx: tx.systems.create(system(cloud="local", status=Status.TERMINATED), look_at=0))
    shutil.rmtree(tmp_path / "local")
    run(tmp_path)


def test_a_cloud_that_cannot_be_asked_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "installation").mkdir()
    with pytest.raises(SettingsRefused, match=r"clouds.local: the local cloud in .*: Is a directory"):
        run(tmp_path)


def test_only_clouds_are_taken_anew(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match=r"--anew lokal: there is no such cloud; there is local"):
        run(tmp_path, anew=["lokal"])
