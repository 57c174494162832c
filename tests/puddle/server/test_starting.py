"""A real server: nothing configured, a key shown once that the documented client takes, and a clean end."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from puddle.client import ImagesClient, InstanceTypesClient, SystemsClient
from puddle.client.auth.authorizer import AuthError
from puddle.client.cloud import CloudProvider
from puddle.client.cloud.clouds import CLOUD_LOCAL
from puddle.client.product.products import PRODUCT_DAI
from puddle.testing import fake_dai
from tests.puddle.server.running import PATIENCE_S, SIMULATED, RunningServer, clean_environment, until


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    """Start servers; those that still run at the end are ended."""
    made: list[RunningServer] = []

    def start(*args: str, **settings: str) -> RunningServer:
        made.append(RunningServer(tmp_path, *args, **settings))
        return made[-1]

    yield start
    for server in made:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)


def puddle(folder: Path, *args: str, code: int = 0, given: str = "", **environment: str) -> str:
    """Run a command; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "puddle.cli", *args], env={**clean_environment(folder), **environment}, input=given,
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_nothing_has_to_be_configured(started: Any, tmp_path: Path) -> None:
    server = started()
    address = server.address()
    assert address.startswith("http://127.0.0.1:")
    found = server.exports()
    assert found["PUDDLE_server_address"] == address

    systems = SystemsClient(CLOUD_LOCAL, authorizer=server.authorizer())
    assert systems.list() == []
    assert systems.user is not None
    assert systems.user.name == "admin"
    with pytest.raises(AuthError):
        SystemsClient(CLOUD_LOCAL, address, None, "pk_none", "ps_none").list()
    assert "`puddle images build`" in server.line()
    sizes = InstanceTypesClient(CLOUD_LOCAL, authorizer=server.authorizer()).list_available()
    assert len(sizes) >= 2
    assert sizes[0].text == "local-small"
    assert 0 < sizes[0].price < sizes[1].price
    health = httpx.get(f"{address}/healthz", timeout=PATIENCE_S)
    assert (health.status_code, health.json()["database"]) == (200, "ok")
    assert "puddle_calls_total" in httpx.get(f"{address}/metrics", timeout=PATIENCE_S).text

    data = tmp_path / "share" / "puddle"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for file in data.iterdir():
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file

    assert server.stop() == 0
    assert found["PUDDLE_api_secret_key"] not in server_log(tmp_path)
    again = started()
    again.address()
    assert not again.exports(), "the key is shown once"
    kept = SystemsClient(CLOUD_LOCAL, again.said[-1].split()[-1], None, *keys(found))
    assert kept.list() == []
    assert again.stop(signal.SIGINT) == 0

    told = puddle(tmp_path, "server-key")
    assert "export PUDDLE_api_secret_key=ps_" in told
    assert "migrate" not in told
    assert "tables of this version" in puddle(tmp_path, "migrate")


def keys(found: Any) -> tuple[str, str]:
    return found["PUDDLE_api_key_id"], found["PUDDLE_api_secret_key"]


def server_log(folder: Path) -> str:
    return (folder / "stderr").read_text()


@pytest.mark.slow
def test_a_system_lives_and_the_server_ends_cleanly(started: Any, tmp_path: Path) -> None:
    """The documented client against a simulated cloud; SIGTERM while a stream is open."""
    server = started(**SIMULATED)
    address = server.address()
    assert "An image of simulated 2.0 is being built" in server.line()
    login = server.authorizer()
    cloud = CloudProvider("Simulated", "simulated")
    systems = SystemsClient(cloud, authorizer=login)
    systems.POLL_INTERVAL_S = 0.2  # type: ignore[assignment]  # documented as whole seconds
    images = ImagesClient(cloud, authorizer=login)
    image = images.build("simulated", "2.0")
    size = InstanceTypesClient(cloud, authorizer=login).list_available()[0]

    events: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        url = f"{address}/puddle.v2.SystemService/WatchSystems"
        with httpx.stream("POST", url, json={}, headers=login.headers(), timeout=PATIENCE_S) as stream:
            events.extend(line for line in stream.iter_lines() if line.startswith("data"))
        ended.set()

    watching = threading.Thread(target=watch)
    watching.start()
    made = systems.create("one", "simulated", image, size, 10)
    assert made.status_text == "Started"
    assert made.default_url
    until(lambda: any("SYSTEM_STATUS_STARTED" in each for each in events))

    assert systems.stop(made).status_text == "Stopped"
    assert systems.terminate(made).status_text == "Terminated"

    assert server.stop() == 0
    assert ended.wait(PATIENCE_S)
    watching.join(PATIENCE_S)


def test_another_address_than_loopback_needs_tls(tmp_path: Path) -> None:
    told = puddle(tmp_path, "server", "--host", "0.0.0.0", "--port", "0", code=1)  # noqa: S104 -- that it is refused
    assert "server.cert_file" in told
    assert not (tmp_path / "share").exists(), "nothing was made"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = puddle(tmp_path, "server", "--port", "0", "--data", str(tmp_path / "file" / "data"), code=1)
    assert "cannot be made: Not a directory" in told


def test_a_key_is_not_made_for_a_server_that_is_not_there(tmp_path: Path) -> None:
    told = puddle(tmp_path, "server-key", "--data", str(tmp_path / "elsewhere"), code=1)
    assert "there is no database" in told
    assert not (tmp_path / "elsewhere").exists()


def test_a_port_in_use_and_a_wrong_setting_are_told(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = puddle(tmp_path, "server", "--port", str(taken.getsockname()[1]), code=1)
    assert "cannot be listened on: Address already in use; does another server run there?" in told
    assert "server.port: " in puddle(tmp_path, "server", code=1, PUDDLE_SERVER__PORT="soon")
    away = {"PUDDLE_DATABASE__URL": "postgresql+psycopg://puddle:hidden@127.0.0.1:1/puddle"}
    told = puddle(tmp_path, "server", "--port", "0", code=1, **away)
    assert "the database cannot be used" in told
    assert "hidden" not in told


def test_driverless_ai_is_offered_where_its_installations_are(started: Any, tmp_path: Path) -> None:
    """The installation is the fake one; a system of it comes up on this machine and lists its experiments."""
    fake_dai.installation(tmp_path / "dai")
    (tmp_path / "license.sig").write_text("a licence")
    dai = {
        "PUDDLE_PRODUCTS__DAI__INSTALLATIONS": str(tmp_path / "dai"),
        "PUDDLE_PRODUCTS__DAI__LICENSE_FILE": str(tmp_path / "license.sig"),
    }
    server = started(**dai)
    server.address()
    mine = {"authorizer": server.authorizer()}
    image = ImagesClient(CLOUD_LOCAL, **mine).build(PRODUCT_DAI)
    assert (image.product, image.version) == ("dai", "fake-1.11.1")
    systems, size = SystemsClient(CLOUD_LOCAL, **mine), InstanceTypesClient(CLOUD_LOCAL, **mine).list_available()[0]
    system = systems.create("trial", PRODUCT_DAI, image, size, 1)
    try:
        assert (system.auth_type, system.product_status) == ("local", system.PRODUCT_STATUS_READY.code)
        with httpx.Client(auth=(system.username, system.password), timeout=PATIENCE_S) as web:
            assert web.get(system.default_url).status_code == 200
            made = {"id": "e1", "description": "churn", "progress": 1.0}
            assert web.post(f"{system.default_url}{fake_dai.EXPERIMENTS}", json=made).is_success
        until(lambda: systems.get(system).models)  # where it does not answer soon, they are left out
        (model,) = systems.get(system).models or ()
        assert (model.id, model.description, model.progress) == ("e1", "churn", 1.0)
    finally:
        systems.terminate(system)
    assert server.stop() == 0


@pytest.mark.parametrize(("key", "told"), [("INSTALLATIONS", "is no folder"), ("LICENSE_FILE", "cannot be read")])
def test_what_driverless_ai_lacks_is_told(tmp_path: Path, key: str, told: str) -> None:
    there = {"PUDDLE_PRODUCTS__DAI__INSTALLATIONS": str(tmp_path)}
    wrong = {f"PUDDLE_PRODUCTS__DAI__{key}": str(tmp_path / "nothing")}
    said = puddle(tmp_path, "server", "--port", "0", code=1, **{**there, **wrong})
    assert f"products.dai.{key.lower()}" in said
    assert told in said


def test_the_command_keeps_a_login_for_itself(tmp_path: Path) -> None:
    """What cannot be logged in with is not kept; what is needed is said."""
    assert "which server?" in puddle(tmp_path, "systems", "ls", code=1)
    told = puddle(tmp_path, "login", "--server", "http://127.0.0.1:9", "--key-id", "pk_x", code=1, given="ps_x\n")
    assert "cannot be reached" in told
    assert not (tmp_path / "etc").exists()


def test_it_speaks_tls(started: Any, tmp_path: Path) -> None:
    """With a certificate it speaks TLS and nothing else."""
    cert, key = certificate(tmp_path)
    server = started("--config", str(config(tmp_path, cert, key)))
    address = server.address()
    assert address.startswith("https://127.0.0.1:")
    context = __import__("ssl").create_default_context(cafile=cert)
    assert httpx.get(f"{address}/healthz", verify=context, timeout=PATIENCE_S).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/healthz", timeout=PATIENCE_S)
    assert server.stop() == 0


def config(folder: Path, cert: Path, key: Path) -> Path:
    path = folder / "puddle.toml"
    path.write_text(f'[server]\ncert_file = "{cert}"\nkey_file = "{key}"\n[clouds.local]\nenabled = false\n')
    return path


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "puddle")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


def test_a_key_does_not_go_into_a_journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Any) -> None:
    from puddle._cli.running import show_key
    from puddle.server.installation import ShownKey
    from tests.puddle.records import user

    found = os.fstat(sys.stdout.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
    shown = ShownKey("pk_1", "ps_hidden", user())
    show_key(shown, "http://x", tmp_path)
    assert "ps_hidden" not in capfd.readouterr().out
    held = tmp_path / "first-key"
    assert "ps_hidden" in held.read_text()
    assert stat.S_IMODE(held.stat().st_mode) == 0o600
    assert "ps_hidden" not in repr(shown)


@pytest.mark.slow
def test_two_servers_share_one_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """They start at once on an empty database: one of them makes the administrator, both serve and finish the work."""
    import base64

    settings = {
        **SIMULATED,
        "PUDDLE_CLOUDS__LOCAL__ENABLED": "false",
        "PUDDLE_DATABASE__URL": postgres_url,
        "PUDDLE_AUTH__MASTER_KEYS": base64.b64encode(b"k" * 32).decode(),
        "PUDDLE_DATA": str(tmp_path / "shared"),
    }
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    servers = [RunningServer(folder, **settings) for folder in folders]
    try:
        addresses = [server.address() for server in servers]
        (found,) = [server.exports() for server in servers if server.exports()]
        cloud = CloudProvider("Simulated", "simulated")
        here, there = (SystemsClient(cloud, address, None, *keys(found)) for address in addresses)
        there.POLL_INTERVAL_S = 0.2  # type: ignore[assignment]  # documented as whole seconds
        image = ImagesClient(cloud, addresses[0], None, *keys(found)).build("simulated", "2.0")
        size = InstanceTypesClient(cloud, addresses[1], None, *keys(found)).list_available()[0]
        made = here.create("one", "simulated", image, size, 10, wait=False)
        assert there.wait_for_status(made, made.SYSTEM_STATUS_STARTED).password == here.get(made).password
        assert servers[0].stop() == 0
        assert there.terminate(made).status_text == "Terminated"
        assert servers[1].stop() == 0
    finally:
        for server in servers:
            if server.process.poll() is None:
                server.stop(signal.SIGKILL)
