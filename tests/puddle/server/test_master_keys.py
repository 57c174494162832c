"""A master key is rotated on the server's machine in two steps, and nothing that was encrypted is lost on the way."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from puddle._cli import running
from puddle._cli.failures import Failed
from puddle.client import ImagesClient, InstanceTypesClient, SystemsClient
from puddle.client.base_client import BaseCloudClient
from puddle.client.cloud import CloudProvider
from puddle.client.errors.puddle_errors import PreconditionFailedError
from puddle.server.assembly import backend_of
from puddle.server.auth.secrets import PASSWORD, Keyring
from puddle.server.settings import Settings, load
from tests.puddle.records import system
from tests.puddle.server.running import SIMULATED, RunningServer
from tests.puddle.server.test_starting import keys, puddle, started

__all__ = ["started"]
CLOUD = CloudProvider("Simulated", "simulated")
Client = TypeVar("Client", bound=BaseCloudClient)
NEXT = "puddle rotate-master-key --reencrypt"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation in a folder, whose server has run once."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    found = load()
    add(found, "s-1")
    return found


def add(found: Settings, system_id: str, keyring: Keyring | None = None) -> None:
    """A system with a password that was encrypted with the newest key, or with a keyring of its own."""
    backend = backend_of(found)
    backend.store.migrate()
    secret = (keyring or backend.keyring).encrypt("s3cret", PASSWORD, system_id)
    with backend.store.writing() as tx:
        tx.systems.create(system(id=system_id, name=system_id, secret=secret), look_at=0)
    backend.store.close()


def lines(found: Settings) -> list[str]:
    file = found.keys_file()
    assert file is not None
    return [line for line in file.read_text().splitlines() if not line.startswith("#")]


def opened(found: Settings) -> str:
    """The password of the system, decrypted with the first line of the file alone."""
    backend = backend_of(found)
    with backend.store.reading() as tx:
        kept = tx.systems.get("s-1")
    backend.store.close()
    assert kept is not None
    return Keyring.from_text(lines(found)[0]).decrypt(kept.secret, PASSWORD, "s-1")


def test_the_first_step_adds_a_key_and_the_second_takes_it_into_use(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    before = lines(settings)
    running.add_master_key(settings)
    told = capsys.readouterr().out
    assert NEXT in told
    assert lines(settings)[1:] == before
    assert not set(lines(settings)) & set(told.split()), "a key is never shown"
    running.reencrypt_passwords(settings)
    said = capsys.readouterr()
    assert "newest key: 1." in said.out
    assert "Restart those that run" in said.err, "no server has read the new key"
    assert opened(settings) == "s3cret"
    running.reencrypt_passwords(settings)
    said = capsys.readouterr()
    assert "newest key: 0." in said.out
    assert "Restart" not in said.err


def test_a_password_that_no_key_fits_is_told_and_the_others_are_done(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    add(settings, "s-2", Keyring([b"3" * 32]))
    running.add_master_key(settings)
    with pytest.raises(Failed, match="none of the keys fits the passwords of s-2"):
        running.reencrypt_passwords(settings)
    assert opened(settings) == "s3cret"
    assert "any more" not in capsys.readouterr().out


def test_keys_that_are_set_are_not_in_a_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    new = base64.b64encode(b"n" * 32).decode()
    monkeypatch.setenv("PUDDLE_AUTH__MASTER_KEYS", f"{new} {lines(settings)[0]}")
    with pytest.raises(Failed, match=r"set as auth\.master_keys") as refused:
        running.add_master_key(load())
    assert new not in str(refused.value)
    running.reencrypt_passwords(load())
    assert "newest key: 1." in capsys.readouterr().out


def test_a_file_that_cannot_be_used_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = settings.keys_file()
    assert file is not None
    file.chmod(0o640)
    with pytest.raises(Failed, match="chmod 600"):
        running.add_master_key(settings)
    file.chmod(0o600)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("puddle.server.auth.secrets._written_beside", full)
    with pytest.raises(Failed, match="cannot be written: No space"):
        running.add_master_key(settings)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "elsewhere"))
    for step in (running.add_master_key, running.reencrypt_passwords):
        with pytest.raises(Failed, match="is not there"):
            step(load())
    assert not (tmp_path / "elsewhere").exists(), "nothing was made for an installation that is not there"


class Restarted:
    """A server that is started again and again, and what logs in to it."""

    def __init__(self, start: Callable[..., RunningServer]) -> None:
        self._start = start
        self.server = start(**SIMULATED)
        self.address = self.server.address()
        self.key = keys(self.server.exports())

    def again(self) -> SystemsClient:
        assert self.server.stop() == 0
        self.server = self._start(**SIMULATED)
        self.address = self.server.address()
        return self.client(SystemsClient)

    def client(self, kind: type[Client]) -> Client:
        return kind(CLOUD, self.address, None, *self.key)


@pytest.mark.slow
@pytest.mark.timeout(900)  # four servers, one after the other
def test_passwords_outlive_their_key(started: Any, tmp_path: Path) -> None:
    """Server, new key, restarted server, re-encryption beside it, old key gone: the password is as it was."""
    server = Restarted(started)
    image = server.client(ImagesClient).build("simulated")
    size = server.client(InstanceTypesClient).list_available()[0]
    made = server.client(SystemsClient).create("one", "simulated", image, size, 1)

    assert NEXT in puddle(tmp_path, "rotate-master-key", **SIMULATED)
    assert server.again().get(made).password == made.password
    assert "newest key: 1." in puddle(tmp_path, "rotate-master-key", "--reencrypt", **SIMULATED)
    file = tmp_path / "share" / "puddle" / "master.keys"
    newest, oldest = file.read_text().splitlines()[1:]

    file.write_text(f"{newest}\n")
    systems = server.again()
    assert systems.get(made).password == made.password
    assert systems.credentials(made)[1] == made.password
    assert systems.stop(made).status_text == "Stopped"

    file.write_text(f"{oldest}\n")
    systems = server.again()
    assert systems.get(made).password == ""
    with pytest.raises(PreconditionFailedError) as refused:
        systems.credentials(made)
    assert refused.value.reason == "secret_unreadable"
    assert systems.terminate(made).status_text == "Terminated"
    log = (tmp_path / "stderr").read_text()
    assert "a password cannot be read" in log
    assert made.password not in log
